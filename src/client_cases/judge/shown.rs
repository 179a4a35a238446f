//! Whether the client shows the replies that it was sent, and nothing else as one.

use super::{Finding, Judging};
use crate::client_cases::{Fate, Seen, Shows, Text};
use crate::judge::replies::Reply as Request;
use crate::spec::Level;

impl Judging<'_> {
    pub(super) fn texts(&self, findings: &mut Vec<Finding>) {
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
    pub(super) fn too_many(&self, findings: &mut Vec<Finding>) {
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

    pub(super) fn printed_instead(&self) -> String {
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
}
