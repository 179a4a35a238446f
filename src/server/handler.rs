//! What is said to requests.

use super::python;
use crate::message::{Message, Undecodable};
use crate::profile::Payload;
use crate::session::Reply;
use std::future::{Future, ready};

/// Answers requests. Shared by all connections; on each, one request at a time is answered.
///
/// The clients of a thread wait while one of them is answered: what takes long is waited for, as by
/// `tokio::task::spawn_blocking`.
///
/// Any closure from a [`Message`] to something that is [`Into<Reply>`] is a handler; [`from_async`]
/// makes one of a closure that returns a future.
pub trait Handler: Send + Sync + 'static {
    /// The reply to a message.
    fn reply(&self, message: Message) -> impl Future<Output = Reply> + Send;

    /// The reply to a payload that is no message; unless overridden, `{"error": …}`.
    fn undecodable(&self, why: Undecodable) -> Reply {
        Reply::undecodable(&why)
    }
}

impl<F, R> Handler for F
where
    F: Fn(Message) -> R + Send + Sync + 'static,
    R: Into<Reply>,
{
    fn reply(&self, message: Message) -> impl Future<Output = Reply> + Send {
        ready(self(message).into())
    }
}

/// A handler that answers by a future, for replies that have to be waited for.
///
/// ```
/// use framespec::message::Message;
/// use framespec::server::{Handler, from_async};
///
/// let handler = from_async(|message: Message| async move {
///     tokio::task::yield_now().await;
///     message
/// });
/// # fn is_handler(_: impl Handler) {}
/// # is_handler(handler);
/// ```
pub fn from_async<F, T, R>(answer: F) -> impl Handler
where
    F: Fn(Message) -> T + Send + Sync + 'static,
    T: Future<Output = R> + Send,
    R: Into<Reply>,
{
    Async(answer)
}

struct Async<F>(F);

impl<F, T, R> Handler for Async<F>
where
    F: Fn(Message) -> T + Send + Sync + 'static,
    T: Future<Output = R> + Send,
    R: Into<Reply>,
{
    fn reply(&self, message: Message) -> impl Future<Output = Reply> + Send {
        let answer = (self.0)(message);
        async { answer.await.into() }
    }
}

/// Every message is its own reply, octet for octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Echo;

impl Handler for Echo {
    fn reply(&self, message: Message) -> impl Future<Output = Reply> + Send {
        ready(message.into())
    }
}

/// The answer of the tutorial's server: a sentence, as a JSON string, that ends in the message as
/// Python prints it. What it cannot decode it takes for an empty message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tutorial;

const SENTENCE: &str = "Respuesta asociada al mensaje ";

impl Handler for Tutorial {
    fn reply(&self, message: Message) -> impl Future<Output = Reply> + Send {
        ready(tutorial_reply(&message))
    }

    fn undecodable(&self, _: Undecodable) -> Reply {
        SENTENCE.into()
    }
}

fn tutorial_reply(message: &Message) -> Reply {
    match (message.kind(), message.text()) {
        (Payload::Json, Some(text)) => {
            let said = format!("\"{SENTENCE}{}\"", python::str_in_json(text));
            Message::read(Payload::Json, said.into()).map_or_else(|_| SENTENCE.into(), Reply::from)
        }
        _ => format!("{SENTENCE}{}", String::from_utf8_lossy(message.payload())).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tutorial(text: &str) -> String {
        let message = Message::read(Payload::Json, text.to_owned().into()).unwrap();
        match tutorial_reply(&message) {
            Reply::Message(message) => message.value().unwrap().as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_tutorials_sentence_ends_in_the_message() {
        assert_eq!(tutorial("\"hola\""), format!("{SENTENCE}hola"));
        assert_eq!(
            tutorial(r#"{"nombre": "Margot", "edad": 15, "ok": true}"#),
            format!("{SENTENCE}{{'nombre': 'Margot', 'edad': 15, 'ok': True}}")
        );
    }

    fn reply(handler: impl Handler) -> Reply {
        let one = Message::from_value(&1.into());
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(handler.reply(one))
    }

    #[test]
    fn closures_are_handlers() {
        let one = Reply::from(Message::from_value(&1.into()));
        assert_eq!(reply(Echo), one);
        assert_eq!(reply(|message: Message| message), one);
        assert_eq!(reply(|_: Message| "text"), "text".into());
        assert_eq!(reply(|_: Message| Reply::Close), Reply::Close);
        assert_eq!(reply(from_async(|message| async { message })), one);
    }
}
