//! Octets at a place of a frame that is known beforehand.

use std::fmt;
use std::ops::Range;

/// The most octets of an id, and of a checksum.
pub(super) const MOST_ID: usize = 8;

/// Octets at a known place of a frame: each is one value, or any, or a part of an id or of a checksum.
///
/// Written as hex pairs, `??` for an octet that may be anything and is sent as zero, `??=01` for one that is sent as
/// 01, `id` for each octet of an id, 1 to 8 of them side by side, and `ck` for each octet of a checksum, all of them side by side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    expected: Vec<Option<u8>>,
    sent: Vec<u8>,
    id: Range<usize>,
    checksum: Range<usize>,
}

impl Mark {
    /// So many octets that may be anything.
    pub(super) fn free(octets: usize) -> Self {
        Self {
            expected: vec![None; octets],
            sent: vec![0; octets],
            id: 0..0,
            checksum: 0..0,
        }
    }

    /// The same with any octets in place of a checksum.
    pub(super) fn unsummed(&self) -> Self {
        Self {
            checksum: 0..0,
            ..self.clone()
        }
    }

    /// What is written so; `None` if it is anything else, or more than so many octets.
    pub(super) fn read(source: &str, most: usize) -> Option<Self> {
        let is_space = |octet: &u8| octet.is_ascii_whitespace();
        let text: Vec<u8> = source.bytes().filter(|octet| !is_space(octet)).collect();
        let (mut mark, mut rest) = (Self::default(), text.as_slice());
        while let Some((pair, behind)) = rest.split_first_chunk() {
            let (octet, behind) = octet(*pair, behind)?;
            mark.push(octet)?;
            rest = behind;
        }
        (rest.is_empty() && mark.len() <= most).then_some(mark)
    }

    fn push(&mut self, octet: Octet) -> Option<()> {
        match octet {
            Octet::Id => self.id = wider(&self.id, self.len())?,
            Octet::Checksum => self.checksum = wider(&self.checksum, self.len())?,
            Octet::Fixed(_) | Octet::Free(_) => {}
        }
        self.expected.push(match octet {
            Octet::Fixed(value) => Some(value),
            Octet::Free(_) | Octet::Id | Octet::Checksum => None,
        });
        self.sent.push(match octet {
            Octet::Fixed(value) | Octet::Free(value) => value,
            Octet::Id | Octet::Checksum => 0,
        });
        Some(())
    }

    /// The same with the octets of another in place of its own, wherever those are fixed.
    pub(super) fn overlaid(&self, other: &Self) -> Self {
        let mut mark = self.clone();
        let places = mark.expected.iter_mut().zip(&mut mark.sent);
        for ((expected, sent), over) in places.zip(&other.expected) {
            if let Some(octet) = over {
                (*expected, *sent) = (Some(*octet), *octet);
            }
        }
        mark
    }

    /// How many octets the mark takes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expected.len()
    }

    /// Whether the mark takes no octets, which means that there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expected.is_empty()
    }

    /// Each octet's required value; `None` where any will do.
    #[must_use]
    pub fn octets(&self) -> &[Option<u8>] {
        &self.expected
    }

    /// What is sent, an id or a checksum aside: of those there are zeros.
    #[must_use]
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// Which of the octets are an id; an empty range if none are.
    #[must_use]
    pub fn id(&self) -> Range<usize> {
        self.id.clone()
    }

    /// Which of the octets are a checksum; an empty range if none are.
    #[must_use]
    pub fn checksum(&self) -> Range<usize> {
        self.checksum.clone()
    }
}

/// Where something lies if the octet at `at` is one more of it.
fn wider(range: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let start = match range.is_empty() {
        true => at,
        false if range.end == at => range.start,
        false => return None,
    };
    let wider = start..at.saturating_add(1);
    (wider.len() <= MOST_ID).then_some(wider)
}

/// What one octet of a mark is.
enum Octet {
    Fixed(u8),
    /// Anything, and what is sent.
    Free(u8),
    Id,
    Checksum,
}

/// The octet that begins with that pair, and what is behind it.
fn octet(pair: [u8; 2], behind: &[u8]) -> Option<(Octet, &[u8])> {
    match &pair {
        b"id" => return Some((Octet::Id, behind)),
        b"ck" => return Some((Octet::Checksum, behind)),
        _ => {}
    }
    if pair != *b"??" {
        return Some((Octet::Fixed(hex(pair)?), behind));
    }
    let Some(value) = behind.strip_prefix(b"=") else {
        return Some((Octet::Free(0), behind));
    };
    let (value, behind) = value.split_first_chunk()?;
    Some((Octet::Free(hex(*value)?), behind))
}

fn hex(pair: [u8; 2]) -> Option<u8> {
    let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
    let value = high?.checked_mul(16)?.checked_add(low?)?;
    u8::try_from(value).ok()
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.expected.iter().zip(&self.sent);
        for (at, (expected, sent)) in octets.enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            match (expected, sent) {
                (Some(octet), _) => write!(f, "{octet:02x}")?,
                (None, _) if self.id.contains(&at) => f.write_str("id")?,
                (None, _) if self.checksum.contains(&at) => f.write_str("ck")?,
                (None, 0) => f.write_str("??")?,
                (None, sent) => write!(f, "??={sent:02x}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_back_as_written() {
        let mark = Mark::read("CA fe??01 id id ??=0A ckck", 64).unwrap();
        let fixed = [Some(0xca), Some(0xfe), None, Some(1)];
        assert_eq!(mark.octets(), [&fixed[..], &[None; 5]].concat());
        assert_eq!(mark.sent(), [0xca, 0xfe, 0, 1, 0, 0, 10, 0, 0]);
        assert_eq!((mark.id(), mark.checksum()), (4..6, 7..9));
        assert_eq!(mark.to_string(), "ca fe ?? 01 id id ??=0a ck ck");
        assert_eq!(mark.unsummed().to_string(), "ca fe ?? 01 id id ??=0a ?? ??");
    }

    #[test]
    fn anything_else_is_refused() {
        let wide = "id ".repeat(9);
        for source in [
            "0", "0g", "??=", "??=1", "??=??", "i d 0", "id 00 id", "ck 00 ck", &wide,
        ] {
            assert_eq!(Mark::read(source, 64), None, "{source}");
        }
        assert_eq!(Mark::read("00 01", 1), None);
    }
}
