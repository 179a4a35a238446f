//! Plays: what the server's side does to a client, and what must be seen then.

use crate::spec::Level;
use std::time::Duration;

/// What a user types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is typed, without the end of the line; it may hold several lines.
    pub typed: String,
    /// The text that the request must then hold.
    pub text: String,
}

/// One thing that is done or waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The user types a line. Nothing where the client sends by itself.
    Type(Line),
    /// The client connects, which is otherwise waited for with the first act that needs it.
    Connect,
    /// Wait for the client's next request.
    Request,
    /// Send these segments, each when the client has taken the one before.
    Send(Vec<Vec<u8>>),
    /// Wait until the texts of the replies sent so far are shown, in the way that the client has.
    Shown,
    /// Do nothing for that long, and see what processor time the client uses meanwhile.
    Pause(Duration),
    /// Give a client that has reason to end the connection the time to do so.
    Settle,
    /// See whether something stands behind the last request.
    Linger,
    /// End the server's stream.
    Fin,
    /// Reset the connection.
    Rst,
    /// Wait until the client ends the connection or itself.
    Ended,
    /// The same; if it does not do so by itself, this line is typed, so that it wants to use the
    /// connection.
    EndedOnceUsed(Line),
    /// Wait until the client shows that it has noticed the reset, the line as above.
    Noticed(Line),
}

/// What must become of the text of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The client shows it.
    Shown,
    /// It shows it, and what is beyond ASCII in it just as in that earlier text.
    ShownLike(usize),
    /// It shows it, unless it has ended the connection or itself before the reply was sent.
    ShownUnlessEnded,
    /// It does not show it as it shows replies. How bad it is if it does.
    Hidden(Level),
}

/// The text of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text; only its ASCII parts are looked for.
    pub text: String,
    /// It is complete when so many octets have been sent to the client.
    pub due: usize,
    /// What must become of it.
    pub fate: Fate,
    /// What is wrong, or odd, with the reply that carries it, in a few words; empty if nothing is.
    pub about: &'static str,
}

/// A play.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Play {
    /// What is done, in order.
    pub acts: Vec<Act>,
    /// What the replies carry, in order.
    pub texts: Vec<Text>,
    /// How many requests must come.
    pub requests: usize,
    /// Why the client must end the connection, if it must.
    pub must_end: Option<&'static str>,
    /// Whether it is measured what memory the client takes once octets are sent to it.
    pub weighs: bool,
    /// Octets of payload that the last request must have; if it has not, the case has missed its aim.
    pub aims_at: Option<usize>,
}

impl Play {
    /// Octets that are sent to the client.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.acts
            .iter()
            .map(|act| match act {
                Act::Send(segments) => segments.iter().map(Vec::len).sum(),
                _ => 0,
            })
            .sum()
    }

    /// What is permitted, one line for each thing.
    #[must_use]
    pub fn permitted(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match self.requests {
            0 => {}
            1 => lines.push("the client sends one well-formed request".to_owned()),
            more => lines.push(format!("the client sends {more} well-formed requests")),
        }
        lines.extend(self.texts.iter().map(Text::permitted));
        let ends = |why| format!("it ends the connection, or itself: {why}");
        lines.extend(self.must_end.map(ends));
        if self.weighs {
            lines.push("it takes no memory for what has not arrived".to_owned());
        }
        lines
    }
}

impl Text {
    fn permitted(&self) -> String {
        let text = self.brief();
        match self.fate {
            Fate::Shown | Fate::ShownLike(_) => format!("it shows {text}"),
            Fate::ShownUnlessEnded => {
                format!("it shows {text}, or has ended the connection or itself before")
            }
            Fate::Hidden(_) => format!("it does not show {text}: {}", self.about),
        }
    }

    /// The beginning of it, in quotes.
    #[must_use]
    pub fn brief(&self) -> String {
        const MOST: usize = 24;
        if self.text.chars().count() <= MOST {
            return format!("{:?}", self.text);
        }
        let head: String = self.text.chars().take(MOST).collect();
        format!("{head:?}… ({} octets)", self.text.len())
    }

    /// Whether it stands in the output from `from` on, and where it ends there. Of a text beyond ASCII
    /// only the ASCII parts are looked for: how the rest is shown depends on the client.
    #[must_use]
    pub fn find(&self, output: &str, from: usize) -> Option<usize> {
        let mut at = from;
        for part in self.text.split(|c: char| !c.is_ascii()) {
            let rest = output.get(at..)?;
            at = at
                .saturating_add(rest.find(part)?)
                .saturating_add(part.len());
        }
        Some(at)
    }
}

impl Text {
    /// What the output shows between the first and the last of its ASCII parts.
    #[must_use]
    pub fn middle<'a>(&self, output: &'a str) -> Option<&'a str> {
        let mut parts = self.text.split(|c: char| !c.is_ascii());
        let (first, last) = (parts.next()?, parts.next_back()?);
        let from = output.find(first)?.saturating_add(first.len());
        let rest = output.get(from..)?;
        rest.get(..rest.find(last)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text {
            text: text.into(),
            due: 0,
            fate: Fate::Shown,
            about: "",
        }
    }

    #[test]
    fn a_text_is_found_by_its_ascii_parts_in_order() {
        let found = |output| text("one é two").find(output, 0);
        assert_eq!(found("> one é two"), Some(12));
        assert_eq!(found("'one \\u00e9 two'"), Some(15));
        assert_eq!(found(" two one "), None);
        assert_eq!(text("a").find("a b", 1), None);
        assert_eq!(text("one é two").middle("> 'one \\xe9 two'"), Some("\\xe9"));
    }

    #[test]
    fn a_long_text_is_told_by_its_beginning() {
        assert_eq!(text("short").brief(), "\"short\"");
        assert!(text(&"x".repeat(1000)).brief().len() < 60);
    }
}
