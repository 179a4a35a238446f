//! What a server says to a request.

use crate::message::{Message, Undecodable};
use serde_json::{Value, json};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This message.
    Message(Message),
    /// This text: as a JSON string where payloads are JSON, else as it is.
    Text(String),
    /// None. For protocols whose requests are not answered.
    Nothing,
    /// None, and the connection ends once the replies before it are sent.
    Close,
}

impl Reply {
    /// The reply to a payload that is no message: `{"error": …}`.
    #[must_use]
    pub fn undecodable(why: &Undecodable) -> Self {
        Self::error(&why.to_string())
    }

    pub(super) fn error(why: &str) -> Self {
        Self::from(json!({ "error": why }))
    }
}

impl From<Message> for Reply {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::Message(Message::from_value(&value))
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
