//! Whether a client did what its play asks of it.
//!
//! Pure: it sees the play, the transcript and what calibration found out, and gives findings. What was
//! waited for in vain is always a finding, so nothing passes because nobody looked.

mod sent;

use super::transcript::{Exit, Seen, Transcript, Wanted};
use super::{Client, Fate, Play, Shows, Text};
use crate::judge::replies::{Replies, Reply as Request, Rest};
use crate::model::payload::is_json_text;
use crate::profile::Profile;
use crate::spec::Level;
use std::time::Duration;

/// Memory that a client may take for a header, in octets.
pub const FREE_MEMORY: u64 = 64 << 20;

/// Address space that it may take, in octets.
pub const FREE_ADDRESS_SPACE: u64 = 512 << 20;

/// Time enough to tell whether a client is busy.
const LONG_ENOUGH: Duration = Duration::from_millis(150);

/// Something that the protocol does not permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The clause that it breaks.
    pub clause: &'static str,
    /// How binding that is.
    pub level: Level,
    /// What was seen, and what should have been.
    pub what: String,
    /// Offset in the client's stream of the request that it is about, if it is about one.
    pub frame: Option<usize>,
}

/// What comes of judging.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What was found, in the order of the play.
    pub findings: Vec<Finding>,
    /// Why nothing can be concluded, if that is so.
    pub skip: Option<String>,
}

/// The octets that a client sent, read as requests.
#[derive(Debug)]
pub struct Heard {
    /// The whole requests.
    pub requests: Vec<Request>,
    /// What stands behind them.
    pub rest: Rest,
}

impl Heard {
    /// What was heard before the farewell.
    #[must_use]
    pub fn of(profile: &Profile, transcript: &Transcript) -> Self {
        let mut requests = Replies::new(profile);
        for (index, entry) in transcript.counting() {
            if let Seen::Sent(octets) = &entry.seen {
                requests.push(index, octets);
            }
        }
        let rest = requests.rest();
        Self {
            requests: requests.into_whole(),
            rest,
        }
    }
}

/// Everything about a transcript that is not as it should be. `slug` is the clause of the case.
#[must_use]
pub fn judge(
    profile: &Profile,
    client: &Client,
    slug: &'static str,
    play: &Play,
    transcript: &Transcript,
) -> Outcome {
    let heard = Heard::of(profile, transcript);
    let judging = Judging {
        profile,
        client,
        slug,
        play,
        transcript,
        heard: &heard,
    };
    let skip = judging.has_missed_its_aim();
    let mut findings = Vec::new();
    if skip.is_none() {
        judging.texts(&mut findings);
        judging.too_many(&mut findings);
        judging.end(&mut findings);
        judging.requests(&mut findings);
        judging.process(&mut findings);
    }
    // What a client sends badly is the business of the cases that are about that; the rest can be
    // judged nevertheless.
    findings.extend(
        judging
            .sent()
            .into_iter()
            .filter(|finding| finding.clause == slug),
    );
    Outcome { findings, skip }
}

struct Judging<'a> {
    profile: &'a Profile,
    client: &'a Client,
    slug: &'static str,
    play: &'a Play,
    transcript: &'a Transcript,
    heard: &'a Heard,
}

impl Judging<'_> {
    fn must(&self, what: impl Into<String>) -> Finding {
        self.at(Level::Must, what)
    }

    fn at(&self, level: Level, what: impl Into<String>) -> Finding {
        Finding {
            clause: self.slug,
            level,
            what: what.into(),
            frame: None,
        }
    }

    fn gave_up(&self) -> Option<(Wanted, Duration)> {
        self.transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::GaveUp(wanted, after) => Some((wanted, after)),
                _ => None,
            })
    }

    fn has_missed_its_aim(&self) -> Option<String> {
        let typed = |seen: &Seen| matches!(seen, Seen::Typed(_));
        let is_silent = !self.transcript.counting().any(|(_, e)| typed(&e.seen));
        if let Some((Wanted::Connection, _)) = self.gave_up()
            && is_silent
            && self.client.carries.is_some()
        {
            return Some("the client does not connect before it has something to send".into());
        }
        let aim = self.play.aims_at?;
        let last = self.heard.requests.last()?;
        (last.payload_len != aim && is_json_text(last.payload())).then(|| {
            format!(
                "a request of {aim} octets was needed, and what was typed became one of {}",
                last.payload_len
            )
        })
    }

    /// How the client went, in words, if it did.
    fn ending(&self) -> Option<String> {
        if let Some(exit) = self.transcript.exit() {
            return Some(format!("it {exit}{}", self.last_words()));
        }
        let end = self
            .transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::Fin => Some("it ended the connection (FIN)"),
                Seen::Rst => Some("it reset the connection (RST)"),
                _ => None,
            });
        end.map(str::to_owned)
    }

    /// Whether it is busy whenever it has nothing to do; once may be its start that is not over yet.
    fn spins(&self) -> Option<Finding> {
        let idle: Vec<(Duration, Duration)> = self
            .transcript
            .counting()
            .filter_map(|(_, entry)| match entry.seen {
                Seen::Used { busy, over } if over >= LONG_ENOUGH => Some((busy, over)),
                _ => None,
            })
            .collect();
        let is_spinning = |(busy, over): &(Duration, Duration)| busy.saturating_mul(2) > *over;
        let (busy, over) = idle.last()?;
        idle.iter().all(is_spinning).then(|| {
            self.must(format!(
                "the client wanted {} ms of processor time in {} ms in which there was nothing to do",
                busy.as_millis(),
                over.as_millis()
            ))
        })
    }

    /// The last line of the standard error.
    fn last_words(&self) -> String {
        const MOST: usize = 160;
        let said = self.transcript.complaints(4 << 10);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        last.map_or(String::new(), |line| {
            let line: String = line.trim().chars().take(MOST).collect();
            format!(", saying {line:?}")
        })
    }

    fn texts(&self, findings: &mut Vec<Finding>) {
        let output = match self.client.shows {
            Shows::AtEnd => self.transcript.whole_output(),
            _ => self.transcript.output(),
        };
        let mut from = 0;
        for text in &self.play.texts {
            match text.fate {
                Fate::Hidden(level) => findings.extend(self.hidden(text, level, &output)),
                Fate::ShownUnlessEnded if self.ended_before(text) => {}
                Fate::Shown | Fate::ShownLike(_) | Fate::ShownUnlessEnded => {
                    let wrong = self.shown(text, &output, &mut from);
                    if let Some(wrong) = wrong.or_else(|| self.unlike(text, &output)) {
                        findings.push(wrong);
                        // What follows a reply that was not read is no surprise.
                        return;
                    }
                }
            }
        }
    }

    fn shown(&self, text: &Text, output: &str, from: &mut usize) -> Option<Finding> {
        let Some(sent_at) = self.sent_at(text.due) else {
            let instead = self
                .ending()
                .unwrap_or_else(|| "it took no more".to_owned());
            let what = format!(
                "before it had got all of the reply {}, {instead}",
                text.brief()
            );
            return Some(self.must(what));
        };
        let is_shown = match self.client.shows {
            Shows::AtOnce | Shows::AtEnd => match text.find(output, *from) {
                Some(end) => {
                    *from = end;
                    return None;
                }
                None if text.find(output, 0).is_some() => {
                    let what = format!("the reply {} is shown out of order", text.brief());
                    return Some(self.must(what));
                }
                None => false,
            },
            Shows::NextRequest => {
                let later = |request: &Request| request.first_entry > sent_at;
                self.heard.requests.iter().any(later)
            }
            Shows::Nothing => return Some(self.must("nothing shows whether the reply was read")),
        };
        (!is_shown).then(|| self.must(self.not_shown(text, output)))
    }

    /// Whether the client had ended before it got that reply, or so soon that it never did.
    fn ended_before(&self, text: &Text) -> bool {
        let sent_at = self.sent_at(text.due).unwrap_or(usize::MAX);
        let ended = |seen: &Seen| matches!(seen, Seen::Fin | Seen::Rst | Seen::Exited(_));
        let mut counting = self.transcript.counting();
        self.transcript.is_ended()
            && counting.any(|(index, entry)| index < sent_at && ended(&entry.seen))
    }

    /// Whether what is beyond ASCII is shown otherwise than in the text that it must be like.
    fn unlike(&self, text: &Text, output: &str) -> Option<Finding> {
        let Fate::ShownLike(other) = text.fate else {
            return None;
        };
        if self.client.shows == Shows::NextRequest {
            return None;
        }
        let (here, there) = (
            text.middle(output),
            self.play.texts.get(other)?.middle(output),
        );
        (here != there).then(|| {
            let [here, there] = [here, there].map(|middle| middle.unwrap_or_default());
            self.must(format!(
                "the client shows {here:?} where it showed {there:?} when the same came whole"
            ))
        })
    }

    fn not_shown(&self, text: &Text, output: &str) -> String {
        let brief = text.brief();
        let so_much = match self.client.shows {
            Shows::NextRequest => {
                return format!(
                    "no request came behind the reply {brief}: {}",
                    self.ending()
                        .unwrap_or_else(|| "the client still waits".into())
                );
            }
            _ => text
                .text
                .get(..12)
                .is_some_and(|head| text.text.len() > 24 && output.contains(head)),
        };
        let what = if so_much {
            format!("of the reply {brief} the client shows the beginning, and not all")
        } else {
            format!("the client does not show the reply {brief}")
        };
        match self.ending() {
            Some(ending) => format!("{what}: {ending}"),
            None => format!("{what}{}", self.printed_instead()),
        }
    }

    /// More replies shown than were sent, where nothing was sent but replies.
    fn too_many(&self, findings: &mut Vec<Finding>) {
        let replies = self.play.texts.len();
        let is_clean = |text: &Text| matches!(text.fate, Fate::Shown | Fate::ShownLike(_));
        let octets: usize = self.play.texts.last().map_or(0, |text| text.due);
        let sent: usize = self.play.octets();
        let Some(shape) = &self.client.shape else {
            return;
        };
        if replies == 0 || sent != octets || !self.play.texts.iter().all(is_clean) {
            return;
        }
        let shown = shape.count(&self.transcript.output());
        if shown > replies && findings.is_empty() {
            findings.push(self.must(format!(
                "the client shows {shown} replies, and {replies} were sent"
            )));
        }
    }

    fn printed_instead(&self) -> String {
        let much = self
            .transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::PrintedTooMuch(octets) => Some(octets),
                _ => None,
            });
        much.map_or(String::new(), |octets| {
            format!(": it prints without end, {} KiB so far", octets >> 10)
        })
    }

    fn hidden(&self, text: &Text, level: Level, output: &str) -> Option<Finding> {
        let told = |level| {
            let (brief, about) = (text.brief(), text.about);
            self.at(
                level,
                format!("the client shows {brief} as a reply: {about}"),
            )
        };
        match &self.client.shape {
            Some(shape) => shape.is_shown(output, &text.text).then(|| told(level)),
            // Whether it is shown as replies are cannot be told: it may be logged as what it is.
            None => output
                .contains(&text.text)
                .then(|| told(level.min(Level::Should))),
        }
    }

    /// The entry with which so many octets had been sent to the client.
    fn sent_at(&self, due: usize) -> Option<usize> {
        let mut sent = 0_usize;
        self.transcript
            .counting()
            .find(|(_, entry)| {
                if let Seen::Replied(octets) = &entry.seen {
                    sent = sent.saturating_add(octets.len());
                }
                sent >= due
            })
            .map(|(index, _)| index)
    }

    fn end(&self, findings: &mut Vec<Finding>) {
        let gave_up = self.gave_up();
        if let (Some(why), Some((Wanted::End, after))) = (self.play.must_end, gave_up) {
            let printed = self.printed_instead();
            findings.push(self.must(format!(
                "{why}, and {:.1} s later the client has ended neither the connection nor itself{printed}",
                after.as_secs_f64()
            )));
        }
        if let (Some(why), None | Some((Wanted::Shown, _))) = (self.play.must_end, gave_up)
            && self.transcript.acts.saturating_add(1) < self.play.acts.len()
        {
            let ending = self.ending().unwrap_or_else(|| "it took no more".into());
            findings.push(self.must(format!("it was not to be seen ({why}): {ending} before")));
        }
        if let Some((Wanted::Notice, after)) = gave_up {
            findings.push(self.must(format!(
                "the connection was reset, and {:.1} s later the client has not noticed: it keeps the socket, says nothing and goes on",
                after.as_secs_f64()
            )));
        }
    }

    fn requests(&self, findings: &mut Vec<Finding>) {
        match self.gave_up() {
            Some((Wanted::Connection, after)) => findings.push(self.must(format!(
                "the client did not connect within {:.1} s{}",
                after.as_secs_f64(),
                self.ending().map_or(String::new(), |ending| format!(": {ending}"))
            ))),
            Some((Wanted::Request(before), after)) => {
                findings.push(self.must(self.no_request(before, after)));
            }
            _ => {}
        }
        let came = self.heard.requests.len();
        let may_end = self.play.must_end.is_some()
            || self
                .play
                .texts
                .iter()
                .any(|text| text.fate == Fate::ShownUnlessEnded);
        if came < self.play.requests
            && self.transcript.is_ended()
            && !may_end
            && findings.is_empty()
        {
            let ending = self.ending().unwrap_or_default();
            findings.push(self.must(format!(
                "{came} of {} requests came: {ending}",
                self.play.requests
            )));
        }
    }

    fn no_request(&self, before: usize, after: Duration) -> String {
        let which = match before {
            0 => "request".to_owned(),
            before => format!("request behind the first {before}"),
        };
        let after = after.as_secs_f64();
        match &self.heard.rest {
            Rest::Nothing => format!("no {which} came within {after:.1} s"),
            Rest::Unfinished(octets) => format!(
                "no {which} came within {after:.1} s, only {} that are no whole request as the profile {} has it",
                counted(*octets),
                self.profile.name()
            ),
            Rest::Malformed(fault, octets) => {
                format!("instead of a {which} came {}: {fault}", shown(octets))
            }
        }
    }

    fn process(&self, findings: &mut Vec<Finding>) {
        for (_, entry) in self.transcript.counting() {
            match &entry.seen {
                Seen::Exited(exit @ Exit::Signal(_)) => {
                    findings.push(self.must(format!("the client {exit}{}", self.last_words())));
                }
                Seen::Grew {
                    resident,
                    address_space,
                } if *resident > FREE_MEMORY || *address_space > FREE_ADDRESS_SPACE => {
                    findings.push(self.must(format!(
                        "the client took {} MiB of memory and {} MiB of address space for what had not arrived",
                        resident >> 20,
                        address_space >> 20
                    )));
                }
                _ => {}
            }
        }
        findings.extend(self.spins());
        let is_bad = matches!(self.transcript.exit(), Some(Exit::Code(code)) if code != 0);
        let said = self.transcript.complaints(64 << 10);
        if let Some(what) = unhandled(&said, is_bad) {
            findings.push(self.at(Level::Should, format!("{what}{}", self.last_words())));
        }
    }
}

/// Whether the standard error tells of an exception that nobody handled.
fn unhandled(said: &str, is_bad_exit: bool) -> Option<&'static str> {
    let begins = |start: &str| said.lines().any(|line| line.starts_with(start));
    if begins("Exception in thread") {
        Some("an exception that nothing handles ended a thread of the client")
    } else if said.contains("exception was never retrieved") {
        Some("an exception that nothing handles ended a task of the client")
    } else if is_bad_exit
        && (begins("Traceback (most recent call last)")
            || begins("panic: ")
            || said.contains("' panicked at "))
    {
        Some("an exception that nothing handles ended the client")
    } else {
        None
    }
}

fn counted(octets: usize) -> String {
    match octets {
        1 => "1 octet".to_owned(),
        more => format!("{more} octets"),
    }
}

/// The beginning of some octets as text.
fn shown(octets: &[u8]) -> String {
    let head = octets.get(..48).unwrap_or(octets);
    let more = if head.len() < octets.len() { "…" } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(head))
}
