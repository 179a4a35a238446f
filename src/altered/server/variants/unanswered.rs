//! How a server may treat messages that are owed no reply.

use super::super::client::Variant;
use super::super::hooks::End;
use crate::altered::alteration::Need;
use crate::session::Reply;
use std::time::Duration;
use tokio::time::sleep;

pub(in super::super) const VARIANTS: &[Variant] = &[Variant::new(
    "what-is-owed-no-reply-takes-a-while",
    "A message that is owed no reply keeps what is behind it waiting for 30 ms.",
    |h| h.heed = |_, _| Box::pin(after_a_while()),
)
.only_in(Need::Unanswered)];

async fn after_a_while() -> Result<Vec<Reply>, End> {
    sleep(Duration::from_millis(30)).await;
    Ok(Vec::new())
}
