//! The index in front of each chunk, octet by octet: literal, without the code of the codec.

use crate::profile::{Index, Order, Profile, Region};

/// The index of the chunk that is so many behind the first of its frame.
#[must_use]
pub fn octets(index: Index, chunk: usize) -> Vec<u8> {
    let number = u64::try_from(chunk).unwrap_or(u64::MAX);
    written(index, number.wrapping_add(index.from()))
}

/// A number as an index: the lowest octets of it that there is room for.
#[must_use]
pub fn written(index: Index, number: u64) -> Vec<u8> {
    let mut octets = number.to_le_bytes().to_vec();
    octets.truncate(index.width());
    if index.order() == Order::Big {
        octets.reverse();
    }
    octets
}

/// Payload and padding as they stand in a frame: with the index in front of each chunk, if chunks have one.
#[must_use]
pub fn put_in(profile: &Profile, content: &[u8]) -> Vec<u8> {
    let Some(index) = profile.index() else {
        return content.to_vec();
    };
    let indexes = content
        .len()
        .div_ceil(chunk(index).max(1))
        .saturating_mul(index.width());
    let mut body = Vec::with_capacity(content.len().saturating_add(indexes));
    for (number, chunk) in content.chunks(chunk(index)).enumerate() {
        body.extend(octets(index, number));
        body.extend(chunk);
    }
    body
}

/// Where the octet of a payload at that offset stands in a body.
#[must_use]
pub fn place(profile: &Profile, at: usize) -> usize {
    let Some(index) = profile.index() else {
        return at;
    };
    let chunks = at.checked_div(chunk(index)).unwrap_or_default();
    let indexes = chunks.saturating_add(1).saturating_mul(index.width());
    at.saturating_add(indexes)
}

/// Octets of a chunk behind its index.
#[must_use]
pub fn chunk(index: Index) -> usize {
    usize::try_from(index.chunk()).unwrap_or(usize::MAX)
}

/// Octets of indexes that a length counts where it counts so many of payload and padding; of a number below zero, below
/// zero.
pub(super) fn counted(profile: &Profile, octets: i128) -> i128 {
    let Some((width, chunk)) = covered(profile) else {
        return 0;
    };
    let more = chunk.saturating_sub(1).saturating_mul(octets.signum());
    let chunks = octets.saturating_add(more).checked_div(chunk);
    chunks.unwrap_or_default().saturating_mul(width)
}

/// How many octets of payload and padding there are at most where a length counts so many with the indexes.
pub(super) fn uncounted(profile: &Profile, octets: i128) -> i128 {
    let Some((width, chunk)) = covered(profile) else {
        return octets;
    };
    let whole = width.saturating_add(chunk);
    let chunks = octets.checked_div(whole).unwrap_or_default();
    let last = octets.checked_rem(whole).unwrap_or_default();
    let rest = last.saturating_sub(width).max(0);
    chunks.saturating_mul(chunk).saturating_add(rest)
}

/// Octets of an index and of a chunk, if the length counts both.
fn covered(profile: &Profile) -> Option<(i128, i128)> {
    let index = profile
        .index()
        .filter(|_| profile.covers(Region::Indexes))?;
    let width = i128::try_from(index.width()).unwrap_or_default();
    Some((width, index.chunk().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(body: &str) -> Profile {
        Profile::from_toml(&format!("name = 'p'\nlength.width = 1\n{body}")).unwrap()
    }

    #[test]
    fn each_chunk_has_the_next_number() {
        let profile = profile(
            "body = { chunk = 2, last = 'short', index = { width = 2, order = 'little', from = 1 } }",
        );
        assert_eq!(put_in(&profile, b"abc"), b"\x01\0ab\x02\0c");
        assert_eq!(put_in(&profile, b""), b"");
        assert_eq!([0, 1, 2, 3].map(|at| place(&profile, at)), [2, 3, 6, 7]);
        let index = profile.index().unwrap();
        assert_eq!(octets(index, 0x1_0000), [1, 0]);
    }

    #[test]
    fn a_length_counts_them_where_it_says_so() {
        let text =
            "length.covers = ['payload', 'indexes']\nbody = { chunk = 3, index = { width = 2 } }";
        let profile = profile(text);
        let counted = |octets| counted(&profile, octets);
        assert_eq!([0, 1, 3, 4, -1, -3].map(counted), [0, 2, 2, 4, -2, -2]);
        let uncounted = |octets| uncounted(&profile, octets);
        assert_eq!([0, 2, 3, 5, 7, 8].map(uncounted), [0, 0, 1, 3, 3, 4]);
    }
}
