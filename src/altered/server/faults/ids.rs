//! Ids of requests: what of them comes back with the reply.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::exchange::noting_errors;
use crate::altered::alteration::{Mend, Need};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::spec::Clause;
use crate::wire::{Decoder, EncodeError};

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("id-not-repeated", Clause::Order, "",
        "Replies have zeros where the id of their request should be.",
        Mend::by("Replies do not repeat the id of their request", "Keep the id of a request with it, and write it into the header of its reply.", sketch::ID),
        |h| h.encode = |c, payload| honest::encode_with_id(c, payload, 0)).needing(Need::Ids),
    Fault::new("ids-swapped", Clause::Order, "",
        "Of two requests that arrive together, each is answered under the id of the other.",
        Mend::by("Replies have the ids of other requests that arrived with theirs", "Keep the id of a request with it, and not in a place that the next request writes to as well.", sketch::ID),
        |h| h.encode = under_the_other_id).needing(Need::Ids),
    Fault::new("id-kept-in-16-bits", Clause::Order, "",
        "Of an id the lowest 16 bits are repeated.",
        Mend::by("Only the lowest 16 bits of an id are repeated", "Keep as many octets of the id as there are, or repeat them as they came.", sketch::ID),
        |h| h.encode = |c, payload| honest::encode_with_id(c, payload, c.id & 0xffff)).needing(Need::Ids).within(&[Room::WideIds]),
    Fault::new("complaint-without-id", Clause::Order, "",
        "What is said to a payload that cannot be decoded has zeros for an id.",
        Mend::by("The reply to an undecodable payload does not repeat the id", "Write the id into complaints too: the header was read, whatever was wrong with the payload.", sketch::ID),
        |h| {
            h.read = noting_errors;
            h.encode = |c, payload| honest::encode_with_id(c, payload, if c.memory.flag { 0 } else { c.id });
        }).needing(Need::Ids).within(&[Room::Undecodable]),
];

fn under_the_other_id(c: &mut Client, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let id = match (c.memory.id.take(), next_id(c)) {
        (Some(of_the_one_before), _) => of_the_one_before,
        (None, Some(of_the_next)) => {
            c.memory.id = Some(c.id);
            of_the_next
        }
        (None, None) => c.id,
    };
    honest::encode_with_id(c, payload, id)
}

/// The id of the next request, if that is here whole.
fn next_id(c: &mut Client) -> Option<u64> {
    c.look_ahead();
    let mut decoder = Decoder::new(c.profile());
    let next = decoder.decode(&mut c.inbox.clone()).ok()??;
    decoder.id_of(&next)
}
