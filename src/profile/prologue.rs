//! What is said on a connection before its first frame.

use super::{Mark, ProfileError};
use std::fmt;

/// The key of profile files that says it.
const FIELD: &str = "exchange.prologue";

/// The most turns that there may be.
const MOST_TURNS: usize = 32;

/// The most octets of a turn.
const MOST_OCTETS: usize = 512;

const ALLOWED: &str = "at most 32 turns, each \"client\" or \"server\" and then what it says: at most 512 octets as hex pairs, ?? for any octet, or \"frame\"; or \"server reply\", where replies.last says what ends one";

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Who has connected.
    Client,
    /// Whom it has connected to.
    Server,
}

/// What is said in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// So many octets; one that may be anything is sent as zero.
    Octets(Mark),
    /// A frame, whatever is in it and whatever octets stand around its length; who has to say one says an
    /// empty one.
    Frame,
    /// A reply of several frames, up to one that ends it, read like a frame.
    Reply,
}

/// One side's turn in what a connection begins with.
///
/// Written as `client` or `server`, and behind that hex pairs, or `frame`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Whose turn it is.
    pub speaker: Speaker,
    /// What is said.
    pub said: Said,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speaker = match self.speaker {
            Speaker::Client => "client",
            Speaker::Server => "server",
        };
        match &self.said {
            Said::Octets(octets) => write!(f, "{speaker} {octets}"),
            Said::Frame => write!(f, "{speaker} frame"),
            Said::Reply => write!(f, "{speaker} reply"),
        }
    }
}

/// The turns that are written so.
pub(super) fn turns(sources: &[String], has_reply: bool) -> Result<Vec<Turn>, ProfileError> {
    if sources.len() > MOST_TURNS {
        return Err(refused(&format!("{} turns", sources.len())));
    }
    sources
        .iter()
        .map(|source| turn(source, has_reply))
        .collect()
}

fn turn(source: &str, has_reply: bool) -> Result<Turn, ProfileError> {
    let refuse = || refused(&format!("{source:?}"));
    let (speaker, said) = source.trim().split_once(' ').ok_or_else(refuse)?;
    let speaker = match speaker {
        "client" => Speaker::Client,
        "server" => Speaker::Server,
        _ => return Err(refuse()),
    };
    let said = match said.trim() {
        "frame" => Said::Frame,
        "reply" if has_reply && speaker == Speaker::Server => Said::Reply,
        octets => {
            let mark = Mark::read(octets, MOST_OCTETS).filter(|mark| mark.id().is_empty());
            Said::Octets(mark.ok_or_else(refuse)?)
        }
    };
    Ok(Turn { speaker, said })
}

fn refused(value: &str) -> ProfileError {
    ProfileError::new(FIELD, value, ALLOWED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Result<Vec<Turn>, ProfileError> {
        turns(&[source.to_owned()], true)
    }

    #[test]
    fn turns_read_back_as_written() {
        for source in [
            "client 10 0c ?? ff",
            "server frame",
            "server reply",
            "server 00",
        ] {
            assert_eq!(read(source).unwrap()[0].to_string(), source);
        }
        assert_eq!(
            read(" client  0A0b ").unwrap()[0].to_string(),
            "client 0a 0b"
        );
    }

    #[test]
    fn anything_else_is_refused_by_what_it_says() {
        let long = format!("client {}", "00".repeat(513));
        for source in [
            "",
            "client",
            "both 00",
            "server frames",
            "client reply",
            "client 0",
            &long,
        ] {
            let error = read(source).unwrap_err();
            assert_eq!(error.field, FIELD);
            assert_eq!(error.value, format!("{source:?}"));
        }
        assert!(turns(&["server reply".to_owned()], false).is_err());
        let many = vec!["client 00".to_owned(); 33];
        assert_eq!(turns(&many, false).unwrap_err().value, "33 turns");
    }
}
