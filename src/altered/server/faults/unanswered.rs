//! Messages that are owed no reply: that they get none, and what becomes of those behind them.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::sketch;
use crate::session::{Reply, Request};
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("reply-to-what-is-owed-none", Clause::Unsolicited, "",
        "Each message is answered, also one of the kind that is owed no reply.",
        Mend::by("Messages that are owed no reply are answered", "Look at what kind of message it is before anything is sent.", sketch::ANSWER_REQUESTS),
        |h| h.heed = |c, request| Box::pin(honest::answer(c, request))).needing(Need::Unanswered),
    Fault::new("reply-to-what-is-owed-none-if-another-waits", Clause::Unsolicited, "",
        "A message of the kind that is owed no reply is answered if what is behind it has come already.",
        Mend::by("Messages that are owed no reply are answered in a row of others", "Look at the kind of each message, also where several came together.", sketch::ANSWER_REQUESTS),
        |h| h.heed = |c, request| Box::pin(if_another_waits(c, request))).needing(Need::Unanswered),
    Fault::new("request-lost-behind-what-is-owed-none", Clause::OneReply, "",
        "The request behind a message that is owed no reply is taken for one as well.",
        Mend::by("The request behind a message without a reply is not answered", "Decide anew for each message whether it is owed a reply.", sketch::ANSWER_REQUESTS),
        |h| {
            h.heed = |c, _| Box::pin(noting(c));
            h.answer = |c, request| Box::pin(not_behind_one(c, request));
        }).needing(Need::Unanswered),
];

async fn if_another_waits(c: &mut Client, message: Request) -> Result<Vec<Reply>, End> {
    match c.has_another() {
        true => honest::answer(c, message).await,
        false => Ok(Vec::new()),
    }
}

async fn noting(c: &mut Client) -> Result<Vec<Reply>, End> {
    c.memory.flag = true;
    Ok(Vec::new())
}

async fn not_behind_one(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    match std::mem::take(&mut c.memory.flag) {
        true => Ok(Vec::new()),
        false => honest::answer(c, request).await,
    }
}
