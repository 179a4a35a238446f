//! How a server may treat messages that are owed no reply.

use super::super::client::{Client, Variant};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::Need;
use crate::session::{Reply, Request};
use std::time::Duration;
use tokio::time::sleep;

pub(in super::super) const VARIANTS: &[Variant] = &[Variant::new(
    "what-is-owed-no-reply-takes-a-while",
    "A message that is owed no reply keeps what is behind it waiting for 30 ms.",
    |h| h.answer = |c, request| Box::pin(after_a_while(c, request)),
)
.only_in(Need::Unanswered)];

async fn after_a_while(c: &mut Client, request: Request) -> Result<Vec<Reply>, End> {
    let replies = honest::answer(c, request).await?;
    if replies.is_empty() {
        sleep(Duration::from_millis(30)).await;
    }
    Ok(replies)
}
