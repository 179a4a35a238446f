//! Whether the client shows the replies that it was sent, and nothing else as one.

use super::{Shows, Walk};
use crate::judge::frame_log::LoggedFrame as Request;
use crate::lang::{Text, say};
use crate::model::{Duty, Hidden, Owes, Showing, brief};
use crate::spec::Level;
use crate::transcript::Seen;

/// Octets at the beginning of a long text by which it is known that some of it is shown.
const BEGINNING: usize = 12;

impl Walk<'_> {
    /// The duties in order, up to the first reply that was not read: what follows it is no surprise.
    pub(super) fn duties(&mut self) {
        let output = match self.traits.shows {
            Shows::AtEnd => self.transcript.whole_output(),
            _ => self.transcript.output(),
        };
        let mut from = 0;
        for duty in &self.permitted.duties {
            match &duty.owes {
                Owes::Showing(showing) => {
                    if !self.showing(duty, showing, &output, &mut from) {
                        return;
                    }
                }
                Owes::ReadOnOrEnd(no_message) => {
                    for hidden in &no_message.hidden {
                        self.hidden(hidden, &output);
                    }
                }
                // That is seen when the connection ends.
                Owes::Close(_)
                | Owes::Reply(_)
                | Owes::Nothing(_)
                | Owes::ReplyOrClose(_)
                | Owes::ReplyOrSilence(_) => {}
            }
        }
    }

    /// Whether a reply was read, or need not have been.
    fn showing(&mut self, duty: &Duty, showing: &Showing, output: &str, from: &mut usize) -> bool {
        if showing.unless_ended && self.ended_before(duty) {
            return true;
        }
        let wrong = self
            .not_read(duty, showing, output, from)
            .or_else(|| self.unlike(showing, output));
        match wrong {
            None => true,
            Some(what) => {
                self.find(showing.clause, showing.level, what);
                false
            }
        }
    }

    fn not_read(
        &self,
        duty: &Duty,
        showing: &Showing,
        output: &str,
        from: &mut usize,
    ) -> Option<Text> {
        let text = brief(&showing.text);
        let Some(sent_at) = self.sent_at(duty.due) else {
            let ending = self.ending();
            let instead = ending.unwrap_or_else(|| say!("it took no more"));
            return Some(say!(
                "before it had got all of the reply {text}, {instead}",
                text,
                instead
            ));
        };
        match self.traits.shows {
            Shows::AtOnce | Shows::AtEnd => match found(&showing.text, output, *from) {
                Some(end) => {
                    *from = end;
                    None
                }
                None if found(&showing.text, output, 0).is_some() => {
                    Some(say!("the reply {text} is shown out of order", text))
                }
                None => Some(self.not_shown(showing, output)),
            },
            Shows::NextRequest => {
                let later = |request: &Request| request.first_entry > sent_at;
                let is_read = self.requests.whole.iter().any(later);
                (!is_read).then(|| self.no_next_request(text.as_str()))
            }
            Shows::Nothing => Some(say!("nothing shows whether the reply was read")),
        }
    }

    fn no_next_request(&self, text: &str) -> Text {
        let ending = self.ending();
        let instead = ending.unwrap_or_else(|| say!("the client still waits"));
        say!(
            "no request came behind the reply {text}: {instead}",
            text,
            instead
        )
    }

    fn not_shown(&self, showing: &Showing, output: &str) -> Text {
        let text = &showing.text;
        let head = text.get(..BEGINNING).filter(|_| text.len() > 2 * BEGINNING);
        let what = if head.is_some_and(|head| output.contains(head)) {
            say!(
                "of the reply {brief} the client shows the beginning, and not all",
                brief = brief(text)
            )
        } else {
            say!(
                "the client does not show the reply {brief}",
                brief = brief(text)
            )
        };
        match self.ending() {
            Some(ending) => say!("{what}: {ending}", what, ending),
            None => say!("{what}{printed}", what, printed = self.printed_instead()),
        }
    }

    /// Whether the client had ended before it got that reply, or so soon that it never did.
    fn ended_before(&self, duty: &Duty) -> bool {
        let sent_at = self.sent_at(duty.due).unwrap_or(usize::MAX);
        let ended = |seen: &Seen| matches!(seen, Seen::Fin | Seen::Rst | Seen::Exited(_));
        let mut counting = self.transcript.counting();
        self.transcript.has_client_ended()
            && counting.any(|(index, entry)| index < sent_at && ended(&entry.seen))
    }

    /// Whether what is beyond ASCII is shown otherwise than in the text that it must be like.
    fn unlike(&self, showing: &Showing, output: &str) -> Option<Text> {
        if self.traits.shows == Shows::NextRequest {
            return None;
        }
        let other = match &self.permitted.duties.get(showing.like?)?.owes {
            Owes::Showing(other) => other,
            _ => return None,
        };
        let (here, there) = (middle(&showing.text, output), middle(&other.text, output));
        (here != there).then(|| {
            let [here, there] = [here, there].map(|middle| middle.unwrap_or_default());
            say!(
                "the client shows {here} where it showed {there} when the same came whole",
                here = format!("{here:?}"),
                there = format!("{there:?}")
            )
        })
    }

    /// More replies shown than were sent, where nothing was sent but replies.
    pub(super) fn too_many(&mut self) {
        let Some(shape) = &self.traits.shape else {
            return;
        };
        let duties = &self.permitted.duties;
        let is_clean =
            |duty: &Duty| matches!(&duty.owes, Owes::Showing(showing) if !showing.unless_ended);
        if duties.is_empty() || !duties.iter().all(is_clean) || !self.findings.is_empty() {
            return;
        }
        let (shown, sent) = (shape.count(&self.transcript.output()), duties.len());
        if shown > sent {
            let what = say!(
                "the client shows {shown} replies, and {sent} were sent",
                shown,
                sent
            );
            self.must(self.context(), what);
        }
    }

    pub(super) fn printed_instead(&self) -> Text {
        let much = self
            .transcript
            .counting()
            .find_map(|(_, entry)| match entry.seen {
                Seen::PrintedTooMuch(octets) => Some(octets),
                _ => None,
            });
        much.map_or(Text::default(), |octets| {
            say!(
                ": it prints without end, {octets} KiB so far",
                octets = octets >> 10
            )
        })
    }

    fn hidden(&mut self, hidden: &Hidden, output: &str) {
        let (is_shown, level) = match &self.traits.shape {
            Some(shape) => (shape.is_shown(output, &hidden.text), hidden.level),
            // Whether it is shown as replies are cannot be told: it may be logged as what it is.
            None => (
                output.contains(&hidden.text),
                hidden.level.min(Level::Should),
            ),
        };
        if is_shown {
            let what = say!(
                "the client shows {brief} as a reply: {about}",
                brief = brief(&hidden.text),
                about = hidden.about
            );
            self.find(hidden.clause, level, what);
        }
    }

    /// The entry with which so many octets had been sent to the client.
    pub(super) fn sent_at(&self, due: usize) -> Option<usize> {
        let mut sent = 0_usize;
        self.transcript
            .counting()
            .find(|(_, entry)| {
                if let Seen::Sent(octets) = &entry.seen {
                    sent = sent.saturating_add(*octets);
                }
                sent >= due
            })
            .map(|(index, _)| index)
    }
}

/// Where a text ends in the output, if it stands there from `from` on. Of a text beyond ASCII only the
/// ASCII parts are looked for: how the rest is shown depends on the client.
#[must_use]
pub fn found(text: &str, output: &str, from: usize) -> Option<usize> {
    let mut at = from;
    for part in text.split(|c: char| !c.is_ascii()) {
        let rest = output.get(at..)?;
        at = at
            .saturating_add(rest.find(part)?)
            .saturating_add(part.len());
    }
    Some(at)
}

/// What the output shows between the first and the last of a text's ASCII parts.
fn middle<'a>(text: &str, output: &'a str) -> Option<&'a str> {
    let mut parts = text.split(|c: char| !c.is_ascii());
    let (first, last) = (parts.next()?, parts.next_back()?);
    let from = output.find(first)?.saturating_add(first.len());
    let rest = output.get(from..)?;
    rest.get(..rest.find(last)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_ascii_parts_in_order() {
        let text = "one é two";
        assert_eq!(found(text, "> one é two", 0), Some(12));
        assert_eq!(found(text, "'one \\u00e9 two'", 0), Some(15));
        assert_eq!(found(text, " two one ", 0), None);
        assert_eq!(found("a", "a b", 1), None);
        assert_eq!(middle(text, "> 'one \\xe9 two'"), Some("\\xe9"));
    }
}
