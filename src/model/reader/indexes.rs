//! The index in front of each chunk: read one by one, and counted where the length counts them.

use super::number::{Number, integer};
use super::{Fault, Wrong, header_len};
use crate::profile::{Index, Profile, Region};

/// Octets of all indexes in a body that has so many octets besides.
pub(super) fn in_all(index: Index, body: u128) -> u128 {
    let chunks = body.div_ceil(index.chunk().into());
    chunks.saturating_mul(index.width() as u128)
}

/// The indexes behind a header, as far as they are there.
pub(super) fn indexes_in(
    index: Index,
    octets: &[u8],
    header: usize,
    end: usize,
) -> Result<(), Wrong> {
    let step = index.width().saturating_add(octets_of(index));
    let numbers = (0..index.width()).fold(1_u128, |all, _| all.saturating_mul(256));
    let mut expected = u128::from(index.from());
    for at in (header..octets.len()).step_by(step) {
        let field = octets.get(at..).unwrap_or_default();
        let Number::Whole(found, _) = integer(index.width(), index.order(), false, field) else {
            break;
        };
        if !index.is_free() && u128::try_from(found) != Ok(expected) {
            let few = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
            let found = u64::try_from(found).unwrap_or(u64::MAX);
            let expected = few(expected);
            let fault = Fault::Index { found, expected };
            return Err(Wrong { fault, at, end });
        }
        // Behind the largest number comes 0.
        expected = expected.saturating_add(1).checked_rem(numbers).unwrap_or(0);
    }
    Ok(())
}

/// What a length leaves when the indexes that it counts are taken off, chunk by chunk, and what is wrong with it if it
/// ends in or behind one of them.
pub(super) fn without_indexes(profile: &Profile, counted: u128) -> (u128, Option<Fault>) {
    let index = profile.index().filter(|_| profile.covers(Region::Indexes));
    let Some(index) = index else {
        return (counted, None);
    };
    let (width, octets) = (index.width() as u128, u128::from(index.chunk()));
    let chunk = width.saturating_add(octets);
    let chunks = counted.div_ceil(chunk);
    let whole = chunks.saturating_sub(1).saturating_mul(octets);
    let indexes = chunks.saturating_mul(width);
    let left = counted.saturating_sub(indexes).max(whole);
    let ends_in_index = chunks > 0 && left <= whole;
    let odd = Fault::NotWholeChunks {
        body: counted,
        chunk,
    };
    (left, ends_in_index.then_some(odd))
}

/// What has come of the payload and padding of a frame that is not whole.
#[must_use]
pub fn content_so_far(profile: &Profile, frame: &[u8]) -> Vec<u8> {
    let body = frame.get(header_len(profile, frame)..).unwrap_or_default();
    let Some(index) = profile.index() else {
        return body.to_vec();
    };
    let step = index.width().saturating_add(octets_of(index));
    let chunks = body.chunks(step);
    chunks
        .flat_map(|chunk| chunk.get(index.width()..).unwrap_or_default())
        .copied()
        .collect()
}

/// Octets of a chunk behind its index.
pub(super) fn octets_of(index: Index) -> usize {
    usize::try_from(index.chunk()).unwrap_or(usize::MAX)
}
