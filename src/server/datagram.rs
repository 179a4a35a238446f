//! One datagram: a request, if it is one whole frame and no more, and the reply to it.

use super::Handler;
use super::connection::answer;
use crate::profile::{Carriage, Profile};
use crate::session::{Limits, Session};
use crate::transport::Stream;
use crate::wire::Decoder;
use std::io;
use std::time::Instant;

/// Answers a datagram by another. One that is no frame is passed over in silence: its sender may be anybody, and who
/// answers whatever comes can be made to answer somebody else.
///
/// # Errors
/// If the reply cannot be sent, as one that is larger than any datagram.
pub(super) async fn serve<H: Handler>(
    stream: &Stream,
    profile: &Profile,
    limits: Limits,
    handler: &H,
) -> io::Result<()> {
    let mut room = vec![0; Carriage::MOST_IN_DATAGRAM];
    let octets = stream.read(&mut room).await?;
    let datagram = room.get(..octets).unwrap_or_default();
    if !is_one_frame(profile, datagram) {
        return Ok(());
    }
    let now = Instant::now();
    let mut session = Session::new(profile, limits, now);
    session.handle_input(datagram, now);
    drop(room);
    answer(handler, &mut session).await;
    match session.poll_output() {
        [] => Ok(()),
        reply => stream.write(reply).await.map(drop),
    }
}

fn is_one_frame(profile: &Profile, datagram: &[u8]) -> bool {
    let mut rest = datagram;
    let first = Decoder::new(profile).decode_ref(&mut rest);
    matches!(first, Ok(Some(_))) && rest.is_empty()
}
