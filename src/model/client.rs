//! What a server's octets make a client owe.
//!
//! Each whole reply that carries a text obliges the client to show it; one that is no message leaves it
//! free to read on or to end the connection. A header that no frame can have, the end of the stream and
//! a reset oblige it to end the connection. All of that follows from what the script sends and when;
//! what it is about, a cut, a pause, padding, says which clause is broken where it does not come.

mod asking;

pub use asking::Asking;

use super::reader::{self, Fault};
use super::sending::Sending;
use super::{Doubt, Duty, Owes, Permitted, Tail};
use crate::lang::{Text, say};
use crate::profile::Profile;
use crate::script::{Awaited, OwnEnd, Script};
use crate::spec::{Clause, Level};
use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

/// A pause inside a reply that every client bears.
const SHORT_PAUSE: Duration = Duration::from_millis(200);

/// How late a reply may come to every client.
const LATE: Duration = Duration::from_millis(500);

/// The fewest octets of a text by which it can be told from anything else that is printed.
const TELLING: usize = 6;

fn pad_inside() -> Text {
    say!("it stands beside a pad octet inside a payload, which as a whole is no message")
}

fn pad_in_front() -> Text {
    say!("its payload begins with a pad octet and so is no message")
}

fn breaks_off() -> Text {
    say!("the stream ended inside a reply")
}

/// The text of a reply, which the client is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Showing {
    /// The text; only its ASCII parts are looked for, since how the rest is printed depends on the client.
    pub text: String,
    /// Whether it need not be shown if the client had ended before: a reply before it was no message.
    pub unless_ended: bool,
    /// The number of an earlier text with the same characters beyond ASCII in it, which must then be
    /// shown alike.
    pub like: Option<usize>,
    /// The clause that is broken if it is not shown.
    pub clause: Clause,
    /// How binding it is.
    pub level: Level,
}

/// Something that is no message, and the texts in it that are not to be shown as replies are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoMessage {
    /// The clause that is broken if the client neither reads on nor ends.
    pub clause: Clause,
    /// What is not to be shown.
    pub hidden: Vec<Hidden>,
}

/// A text that is not to be shown as replies are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The text.
    pub text: String,
    /// The clause that is broken if it is.
    pub clause: Clause,
    /// How binding that is.
    pub level: Level,
    /// What is wrong with what carries it.
    pub about: Text,
}

/// Why a client has to end the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MustEnd {
    /// The clause that says so.
    pub clause: Clause,
    /// What has happened.
    pub why: Text,
}

/// What the script makes its one client owe.
pub(super) fn permitted(profile: &Profile, script: &Script) -> Permitted {
    let stream = script.stream(0);
    let sending = Sending::of(script);
    let served = super::permitted_for(profile, &stream, script.own_end(0));
    let mut client = Client {
        profile,
        script,
        stream: &stream,
        sending: &sending,
        duties: Vec::new(),
    };
    let unasked = asking::unasked(script, &served);
    let is_asked = |at: usize| unasked.is_none_or(|unasked| at < unasked);
    for duty in served.duties {
        if is_asked(duty.start) {
            client.duty(duty);
        }
    }
    if is_asked(stream.len()) {
        client.broken_off(served.tail);
    }
    let duties = client.duties;
    let asking = Asking::of(script, &duties, unasked);
    Permitted {
        duties,
        tail: served.tail,
        // Who need not read need not notice an end either.
        own_end: match unasked {
            None => served.own_end,
            Some(_) => OwnEnd::Open,
        },
        asking: Some(asking),
        no_session: None,
    }
}

impl Showing {
    pub(super) fn owed(&self) -> Text {
        let shown = say!("the client shows {brief}", brief = brief(&self.text));
        match self.unless_ended {
            true => say!(
                "{shown}, or has ended the connection or itself before",
                shown
            ),
            false => shown,
        }
    }
}

impl NoMessage {
    pub(super) fn owed(&self) -> Text {
        let hidden = self.hidden.iter().map(|hidden| {
            let (text, about) = (brief(&hidden.text), &hidden.about);
            say!("; it does not show {text}: {about}", text, about)
        });
        let hidden = Text::joined(hidden, &Text::default());
        say!(
            "no message: the client reads on, or ends the connection or itself{hidden}",
            hidden
        )
    }
}

/// The beginning of a text, in quotes.
#[must_use]
pub fn brief(text: &str) -> Text {
    const MOST: usize = 24;
    if text.chars().count() <= MOST {
        return format!("{text:?}").into();
    }
    let head: String = text.chars().take(MOST).collect();
    say!(
        "{head}… ({octets} octets)",
        head = format!("{head:?}"),
        octets = text.len()
    )
}

struct Client<'a> {
    profile: &'a Profile,
    script: &'a Script,
    stream: &'a [u8],
    sending: &'a Sending,
    duties: Vec<Duty>,
}

impl Client<'_> {
    /// What a server would owe for these octets says what a client makes of them.
    fn duty(&mut self, duty: Duty) {
        let owes = match &duty.owes {
            Owes::Close(fault) => Owes::Close(*fault),
            Owes::Reply(_) => self.reply(&duty, Level::Must),
            Owes::ReplyOrClose(Doubt::MorePadding(_)) => self.reply(&duty, Level::Should),
            Owes::ReplyOrClose(_)
            | Owes::Nothing(_)
            | Owes::ReplyOrSilence(_)
            | Owes::Showing(_)
            | Owes::ReadOnOrEnd(_) => Owes::ReadOnOrEnd(self.no_message(&duty)),
        };
        self.duties.push(Duty { owes, ..duty });
    }

    fn reply(&self, duty: &Duty, level: Level) -> Owes {
        let text = self
            .script
            .replies()
            .text_in(self.profile, &self.payload(duty));
        let Some(text) = text else {
            return Owes::ReadOnOrEnd(self.no_message(duty));
        };
        let (clause, at_most) = self.clause(duty);
        let no_message = self.no_message_before();
        Owes::Showing(Showing {
            unless_ended: no_message.is_some(),
            like: self.like(&text),
            text,
            // Whoever is out of step behind what is no message lost it there.
            clause: no_message.unwrap_or(clause),
            level: level.min(at_most),
        })
    }

    /// What is special about how a reply comes.
    fn clause(&self, duty: &Duty) -> (Clause, Level) {
        let range = duty.start..duty.due;
        let (inside, before) = (
            self.sending.pause_in(&range),
            self.sending.pause_before(&range),
        );
        if inside > SHORT_PAUSE || before > LATE {
            (Clause::ClientPatience, Level::Should)
        } else if !inside.is_zero() || !before.is_zero() {
            (Clause::ClientPatience, Level::Must)
        } else if self.sending.shares_a_segment(&range) {
            (Clause::ClientBoundary, Level::Must)
        } else if self.sending.is_cut(&range) {
            (Clause::ClientReassembly, Level::Must)
        } else if self.is_near_the_limit(&range) {
            (Clause::ClientLimit, Level::Must)
        } else if self.duties.is_empty() {
            (Clause::ClientPayload, Level::Must)
        } else {
            (Clause::ClientBoundary, Level::Must)
        }
    }

    /// Whether a body of one chunk more would be over the limit, or over what every client must take.
    fn is_near_the_limit(&self, frame: &Range<usize>) -> bool {
        let octets = self.stream.get(frame.clone()).unwrap_or_default();
        let body = reader::content_so_far(self.profile, octets).len();
        let body = u64::try_from(body).unwrap_or(u64::MAX);
        let limit = self.profile.declared_max_body();
        let limit = limit.unwrap_or(super::SURE_BODY);
        body.saturating_add(self.profile.chunk().into()) > limit
    }

    /// The clause of the last reply so far that is no message.
    fn no_message_before(&self) -> Option<Clause> {
        let mut duties = self.duties.iter().rev();
        duties.find_map(|duty| match &duty.owes {
            Owes::ReadOnOrEnd(no_message) => Some(no_message.clause),
            _ => None,
        })
    }

    fn like(&self, text: &str) -> Option<usize> {
        let beyond = beyond_ascii(text)?;
        self.duties.iter().position(|duty| match &duty.owes {
            Owes::Showing(earlier) => beyond_ascii(&earlier.text) == Some(beyond),
            _ => false,
        })
    }

    fn no_message(&self, duty: &Duty) -> NoMessage {
        let payload = self.payload(duty);
        let pad = self.profile.pad();
        let first = payload.iter().position(|octet| *octet != pad);
        let inner = first
            .and_then(|first| payload.get(first..))
            .unwrap_or_default();
        let clause = if payload.contains(&pad) && self.profile.trims() {
            Clause::ClientPayload
        } else {
            Clause::ClientUndecodable
        };
        let parts = inner.split(|octet| *octet == pad);
        let (level, about) = match first {
            Some(1..) => (Level::Should, pad_in_front()),
            _ => (Level::Must, pad_inside()),
        };
        let hidden = parts
            .filter(|part| part.len() < payload.len())
            .filter_map(|part| self.script.replies().text_in(self.profile, part))
            .filter(|text| text.len() >= TELLING)
            .map(|text| Hidden {
                text,
                clause,
                level,
                about: about.clone(),
            });
        NoMessage {
            clause,
            hidden: hidden.collect(),
        }
    }

    /// What has arrived of a reply that is never completed is not to be shown.
    fn broken_off(&mut self, tail: Tail) {
        let Tail::Inside { start, .. } = tail else {
            return;
        };
        if self.script.own_end(0) == OwnEnd::Open {
            return;
        }
        let rest = self.stream.get(start..).unwrap_or_default();
        let arrived = reader::content_so_far(self.profile, rest);
        let arrived = unpadded(&arrived, self.profile);
        let text = self.script.replies().text_in_part(self.profile, arrived);
        let clause = match self.script.own_end(0) {
            OwnEnd::Rst => Clause::ClientReset,
            OwnEnd::Fin | OwnEnd::Open => Clause::ClientTruncation,
        };
        let text = text.filter(|text| text.len() >= TELLING);
        let hidden = text.map(|text| Hidden {
            text,
            clause,
            level: Level::Must,
            about: breaks_off(),
        });
        let hidden = hidden.into_iter().collect();
        self.duties.push(Duty {
            start,
            due: self.stream.len(),
            id: None,
            owes: Owes::ReadOnOrEnd(NoMessage { clause, hidden }),
        });
    }

    fn payload(&self, duty: &Duty) -> Cow<'_, [u8]> {
        let octets = self.stream.get(duty.start..duty.due).unwrap_or_default();
        let reading = reader::read_with_limit(self.profile, octets, u128::MAX);
        let frame = reading.frames.first();
        frame.map_or(Cow::Borrowed(&[]), |frame| frame.payload(octets))
    }
}

fn unpadded<'a>(octets: &'a [u8], profile: &Profile) -> &'a [u8] {
    let last = octets.iter().rposition(|octet| *octet != profile.pad());
    match last {
        Some(last) if profile.trims() => octets.get(..=last).unwrap_or_default(),
        _ => octets,
    }
}

/// What stands between the first and the last of a text's characters beyond ASCII, those included.
fn beyond_ascii(text: &str) -> Option<&str> {
    let is_beyond = |c: char| !c.is_ascii();
    let first = text.find(is_beyond)?;
    let rest = text.get(first..)?;
    let end = rest.rfind(is_beyond)?;
    let last = rest.get(end..)?.chars().next()?;
    rest.get(..end.saturating_add(last.len_utf8()))
}

impl Permitted {
    /// How many requests the script waits for.
    #[must_use]
    pub fn requests(&self) -> usize {
        let is_request =
            |awaited: &&Awaited| matches!(awaited, Awaited::Request(_) | Awaited::RequestOrEnd(_));
        let asking = self.asking.iter();
        asking
            .flat_map(|asking| asking.awaits.iter().filter(is_request))
            .count()
    }

    pub(super) fn requests_line(&self) -> Option<Text> {
        match self.requests() {
            0 => None,
            1 => Some(say!("the client sends one well-formed request")),
            more => Some(say!("the client sends {more} well-formed requests", more)),
        }
    }

    /// Why the client has to end the connection in the end, if it has to.
    #[must_use]
    pub fn must_end(&self) -> Option<MustEnd> {
        let refused = self.duties.iter().find_map(|duty| match &duty.owes {
            Owes::Close(fault) => Some(MustEnd {
                clause: Clause::ClientLimit,
                why: refused_for(fault),
            }),
            _ => None,
        });
        let ended = |clause, why| Some(MustEnd { clause, why });
        refused.or_else(|| match (self.own_end, self.tail) {
            (OwnEnd::Open, _) => None,
            (OwnEnd::Rst, _) => ended(Clause::ClientReset, say!("the connection was reset")),
            (OwnEnd::Fin, Tail::Inside { .. }) => ended(Clause::ClientTruncation, breaks_off()),
            (OwnEnd::Fin, _) => ended(Clause::ClientClose, self.fin_between_replies()),
        })
    }

    fn fin_between_replies(&self) -> Text {
        match (self.requests(), self.duties.len()) {
            (0, 0) => say!("the stream ended before anything was sent"),
            (asked, answered) if asked > answered => {
                say!("the stream ended where a reply was owed")
            }
            _ => say!("the stream ended between two replies"),
        }
    }
}

fn refused_for(fault: &Fault) -> Text {
    match fault {
        Fault::Checksum { .. } => say!(
            "a reply is not what its checksum was made of ({fault})",
            fault
        ),
        _ => say!("the header of a reply cannot be ({fault})", fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permitted as permitted_by;

    fn model(text: &str) -> Permitted {
        let script = format!("framespec script 1\nside server\n{text}")
            .parse()
            .unwrap();
        permitted_by(&Profile::tutorial(), &script).remove(0)
    }

    fn awaits(permitted: &Permitted) -> &[Awaited] {
        &permitted.asking.as_ref().unwrap().awaits
    }

    fn showing(duty: &Duty) -> &Showing {
        match &duty.owes {
            Owes::Showing(showing) => showing,
            other => panic!("{other:?}"),
        }
    }

    const REPLY: &str = "0000003c '\"reply one\"' 00*49";

    #[test]
    fn a_reply_is_shown_and_how_it_comes_says_why_it_is_not() {
        for (text, clause, level) in [
            (
                format!("send a {REPLY}"),
                Clause::ClientPayload,
                Level::Must,
            ),
            (
                "send a 0000 | 003c '\"reply one\"' 00*49".to_owned(),
                Clause::ClientReassembly,
                Level::Must,
            ),
            (
                "send a 0000\npause 200\nsend a 003c '\"reply one\"' 00*49".to_owned(),
                Clause::ClientPatience,
                Level::Must,
            ),
            (
                format!("pause 1000\nsend a {REPLY}"),
                Clause::ClientPatience,
                Level::Should,
            ),
            (
                "send a 00000078 '\"reply one\"' 00*109".to_owned(),
                Clause::ClientPayload,
                Level::Should,
            ),
        ] {
            let permitted = model(&format!("accept a\nawait a\n{text}\nshown a\n"));
            let showing = showing(&permitted.duties[0]);
            assert_eq!((showing.clause, showing.level), (clause, level), "{text}");
            assert_eq!(showing.text, "reply one");
            assert_eq!(awaits(&permitted), [Awaited::Request(0)]);
            assert_eq!(permitted.must_end(), None);
        }
    }

    #[test]
    fn what_is_no_message_leaves_a_choice_and_shows_nothing() {
        let permitted = model(&format!(
            "accept a\nawait a\nsend a 0000003c '\"reply one\"' 00 '\"reply two\"' 00*37\n\
             await a\nsend a {REPLY}\n"
        ));
        let Owes::ReadOnOrEnd(no_message) = &permitted.duties[0].owes else {
            panic!()
        };
        let hidden: Vec<&str> = no_message.hidden.iter().map(|h| h.text.as_str()).collect();
        assert_eq!(hidden, ["reply one", "reply two"]);
        assert!(showing(&permitted.duties[1]).unless_ended);
        let expected = [Awaited::Request(0), Awaited::RequestOrEnd(1)];
        assert_eq!(awaits(&permitted), expected);
    }

    #[test]
    fn ends_oblige_a_client_to_end() {
        for (text, clause, awaited) in [
            ("send a ffffffff", Clause::ClientLimit, Awaited::End),
            ("send a 0000\nfin a", Clause::ClientTruncation, Awaited::End),
            ("fin a", Clause::ClientClose, Awaited::End),
            ("rst a", Clause::ClientReset, Awaited::Notice),
        ] {
            let permitted = model(&format!("accept a\nawait a\n{text}\nsettle a\nawait a\n"));
            assert_eq!(permitted.must_end().unwrap().clause, clause, "{text}");
            assert_eq!(awaits(&permitted)[1], awaited, "{text}");
        }
    }

    #[test]
    fn what_has_arrived_of_a_reply_is_not_one() {
        let permitted = model("accept a\nawait a\nsend a 0000003c '\"reply one, and'\nfin a\n");
        let Owes::ReadOnOrEnd(no_message) = &permitted.duties[0].owes else {
            panic!()
        };
        assert_eq!(no_message.hidden[0].text, "reply one, and");
    }

    #[test]
    fn a_reply_that_nobody_asked_for_obliges_to_nothing() {
        let reply = "send a 0000003c '\"reply one\"' 00*49\n";
        let permitted = model(&format!("accept a\n{reply}shown a\nfin a\nawait a\n"));
        assert_eq!((permitted.duties.len(), permitted.must_end()), (0, None));
        assert_eq!(awaits(&permitted), [Awaited::Owed]);

        let permitted = model(&format!(
            "accept a\nawait a\n{reply}{reply}await a\n{reply}"
        ));
        assert_eq!(permitted.duties.len(), 1);
        assert_eq!(awaits(&permitted), [Awaited::Request(0), Awaited::Owed]);

        let permitted = model("accept a\nsend a ffffffff\nawait a\n");
        assert_eq!((permitted.duties.len(), permitted.must_end()), (0, None));
        let permitted = model("accept a\nsend a 00\nfin a\nawait a\n");
        assert_eq!((permitted.duties.len(), permitted.must_end()), (0, None));
    }

    #[test]
    fn characters_beyond_ascii_are_to_be_shown_alike() {
        let permitted = model(
            "accept a\nawait a\nawait a\nsend a 0000003c '\"reply ' c3a9 ' one\"' 00*46\n\
             send a 0000003c '\"other ' c3 | a9 ' two\"' 00*46\n",
        );
        assert_eq!(showing(&permitted.duties[0]).like, None);
        assert_eq!(showing(&permitted.duties[1]).like, Some(0));
    }

    #[test]
    fn a_long_text_is_told_by_its_beginning() {
        assert_eq!(brief("short"), "\"short\"");
        assert!(brief(&"x".repeat(1000)).as_str().len() < 60);
    }
}
