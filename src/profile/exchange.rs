//! How replies relate to requests, and in how many frames and connections that happens.

use super::{Mark, Profile, Template};
use std::fmt;

/// What the number of requests may be.
pub(super) const REQUESTS: &str =
    "a number of requests, at least 1; leave it out if a connection is there for any number";

/// How a reply relates to its request, as far as a checker can rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "toml", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "toml", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Reply {
    /// Not known: find out by asking.
    #[default]
    Auto,
    /// The reply's message equals the request's.
    Echo,
    /// The reply contains the text that the request carried.
    Token,
    /// Some well-formed reply.
    Any,
    /// Requests get no reply.
    None,
}

impl Reply {
    /// The word for this relation in profile files, options and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Echo => "echo",
            Self::Token => "token",
            Self::Any => "any",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In which order replies come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyOrder {
    /// That of the requests.
    #[default]
    Requests,
    /// Any: the id in a reply says which request it answers.
    Any,
}

impl ReplyOrder {
    /// The word for this order in profile files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Any => "any",
        }
    }
}

impl Profile {
    /// The most requests that a connection is there for, if there is such a number.
    #[must_use]
    pub fn requests_per_connection(&self) -> Option<u32> {
        self.requests_per_connection
    }

    /// The same format, where a connection is there for so many requests, at least 1.
    #[cfg(feature = "check")]
    #[must_use]
    pub(crate) fn with_requests_per_connection(&self, most: u32) -> Self {
        Self {
            requests_per_connection: Some(most),
            ..self.clone()
        }
    }

    /// The template of messages that are owed no reply, if there are such.
    #[must_use]
    pub fn unanswered(&self) -> Option<&Template> {
        self.unanswered.as_ref()
    }

    /// Whether a payload is a message that is owed no reply.
    #[must_use]
    pub fn is_unanswered(&self, payload: &[u8]) -> bool {
        let template = self.unanswered.as_ref();
        template.is_some_and(|template| template.text_in(payload).is_some())
    }

    /// Whether a reply may be several frames, of which the last is told by its first octets.
    #[must_use]
    pub fn has_long_replies(&self) -> bool {
        !self.reply_last.is_empty()
    }

    /// Whether a frame with this header ends the reply that it belongs to: each does, unless replies may be several frames.
    #[must_use]
    pub fn ends_reply(&self, header: &[u8]) -> bool {
        let octets = self.reply_last.octets();
        let fits = |(expected, octet): (&Option<u8>, &u8)| expected.is_none_or(|e| e == *octet);
        header.len() >= octets.len() && octets.iter().zip(header).all(fits)
    }

    /// The format in which the last frame of a reply is written, where replies may be several.
    #[must_use]
    pub fn of_last_frames(&self) -> Option<Self> {
        let mut profile = self.of_replies();
        profile.before = profile.before.overlaid(&self.reply_last);
        self.has_long_replies().then_some(profile)
    }

    /// What the header of the last frame of a reply begins with; nothing where each reply is one frame.
    #[must_use]
    pub fn reply_last(&self) -> &Mark {
        &self.reply_last
    }
}
