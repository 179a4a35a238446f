//! A profile worked out beforehand, so that reading a header costs next to nothing.
//!
//! These are the quick ways, and they stand beside the general one in `format`. They only ever say yes: to a
//! header that is there, has the right marks and gives a length that is permitted. Whatever else comes is
//! left to the general way, which knows what is wrong and where. So both must agree only on what a frame
//! is, and the room `fuzz` holds both against a third, naive reading.

use super::chunk::Chunk;
use super::format::Sizes;
use crate::profile::{Length, Mark, Order, Profile, Region, Unit};
use bytes::{BufMut, BytesMut};

/// How headers are read and made without the general way.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    /// The header is nothing but four octets that count the body.
    Plain(Plain),
    /// The header lies in one word.
    Word(Word),
    /// There is no quick way for this profile.
    General,
}

impl Layout {
    pub(super) fn new(profile: &Profile) -> Self {
        Field::of(profile).map_or(Self::General, |field| {
            let plain = Plain::new(profile, field).map(Self::Plain);
            plain
                .or_else(|| Word::new(profile, field).map(Self::Word))
                .unwrap_or(Self::General)
        })
    }

    /// What a plain header at the front says, if there is one and nothing is wrong with it.
    ///
    /// It is small, so that it can stand in every loop that decodes.
    #[inline(always)]
    pub(super) fn read_plain(&self, octets: &[u8]) -> Option<Sizes> {
        match self {
            Self::Plain(plain) => plain.read(octets),
            Self::Word(_) | Self::General => None,
        }
    }

    /// What the header at the front says, if there is a quick way and nothing is wrong with it.
    #[inline]
    pub(super) fn read(&self, octets: &[u8]) -> Option<Sizes> {
        match self {
            Self::Plain(plain) => plain.read(octets),
            Self::Word(word) => word.read(octets),
            Self::General => None,
        }
    }

    /// Appends the header for a payload of so many octets, with room for the body, if there is a quick way and
    /// the profile permits it. The octets of the body.
    #[inline]
    pub(super) fn put_header(&self, payload: usize, out: &mut BytesMut) -> Option<usize> {
        match self {
            Self::Plain(plain) => plain.put_header(payload, out),
            Self::Word(word) => word.put_header(payload, out),
            Self::General => None,
        }
    }
}

/// A length field of a fixed width. All quick ways need one, in a frame that ends with its body and has neither checksum nor
/// indexes.
#[derive(Debug, Clone, Copy)]
struct Field {
    width: usize,
    order: Order,
    /// The largest value that is not negative.
    most: u64,
}

impl Field {
    fn of(profile: &Profile) -> Option<Self> {
        let Length::Binary { width, order, .. } = profile.length() else {
            return None;
        };
        let most = profile.length().most_counted()?;
        let width = usize::from(width);
        let field = Self { width, order, most };
        let has_more = profile.checksum().is_some() || profile.index().is_some();
        let is_plain = profile.trailer().is_empty() && !has_more;
        is_plain.then_some(field)
    }
}

/// Four octets that count those of the body, padding included, and no other part of a header.
///
/// Most formats are that, and a load, a byte swap and a comparison are all that they need.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    order: Order,
    /// The largest body.
    most: u32,
    /// Chunks that the body is a whole number of.
    chunk: Option<Chunk>,
}

impl Plain {
    fn new(profile: &Profile, field: Field) -> Option<Self> {
        let is_plain = profile.header_len() == 4 && field.width == 4;
        if !is_plain || profile.covers(Region::Length) {
            return None;
        }
        let body = Body::new(profile);
        let most = body.most(profile.max_body()).min(field.most);
        let chunk = match body {
            Body::Octets => None,
            Body::Padded(chunk) => Some(chunk),
            Body::Chunks(_) | Body::Payload(_) => return None,
        };
        Some(Self {
            order: field.order,
            most: most.try_into().unwrap_or(u32::MAX),
            chunk,
        })
    }

    #[inline(always)]
    fn read(&self, octets: &[u8]) -> Option<Sizes> {
        let octets = *octets.first_chunk()?;
        let count = match self.order {
            Order::Big => u32::from_be_bytes(octets),
            Order::Little => u32::from_le_bytes(octets),
        };
        let body = u64::from(count);
        if count > self.most || self.chunk.is_some_and(|chunk| !chunk.is_whole(body)) {
            return None;
        }
        let payload = self.chunk.is_none().then_some(body);
        Some(Sizes { body, payload })
    }

    #[inline]
    fn put_header(&self, payload: usize, out: &mut BytesMut) -> Option<usize> {
        let payload = countable(payload)?;
        let body = self.chunk.map_or(payload, |chunk| chunk.round_up(payload));
        let count = u32::try_from(body).ok().filter(|body| *body <= self.most)?;
        let body = usize::try_from(body).ok()?;
        out.reserve(body.checked_add(4)?);
        match self.order {
            Order::Big => out.put_u32(count),
            Order::Little => out.put_u32_le(count),
        }
        Some(body)
    }
}

/// So many octets as a number that chunks can be counted of.
fn countable(octets: usize) -> Option<u64> {
    let octets = u64::try_from(octets).ok();
    octets.filter(|octets| *octets <= Chunk::MOST)
}

/// A header of at most eight octets as one number, of which the length field is some of the bits.
///
/// The octets are read in the order of the length field, whose bits then lie side by side.
#[derive(Debug, Clone)]
pub(super) struct Word {
    order: Order,
    len: usize,
    /// The bits that the marks fix, and the values of those bits.
    marked: u64,
    marks: u64,
    /// The bits of the marks as they are sent.
    sent: u64,
    /// Where the length field begins, and its bits when they have been moved to the end.
    shift: u32,
    field: u64,
    /// The count of an empty body: the header octets that are covered.
    least: u64,
    /// How far above that a count may be. No size of a body up to there overflows.
    span: u64,
    body: Body,
}

/// What a count says of a body, the header octets that it covers being taken off.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Its octets, and there is no padding.
    Octets,
    /// Its octets, which are whole chunks.
    Padded(Chunk),
    /// Its chunks.
    Chunks(Chunk),
    /// The octets of the payload. Padding fills up the last chunk.
    Payload(Chunk),
}

impl Word {
    fn new(profile: &Profile, field: Field) -> Option<Self> {
        let len = profile.header_len();
        let length_at = profile.before().len();
        let after_at = length_at.checked_add(field.width)?;
        if len > 8 {
            return None;
        }
        let body = Body::new(profile);
        let least = body.count(profile.covered_header_len() as u64);
        let room = field.most.checked_sub(least)?;
        let order = field.order;
        // The last octet of the number lies at its low end.
        let last = match order {
            Order::Big => after_at.checked_sub(1)?,
            Order::Little => length_at,
        };
        let (marked, marks) = fixed(profile.before(), 0, order)
            .chain(fixed(profile.after(), after_at, order))
            .fold((0, 0), |all, octet| (all.0 | octet.0, all.1 | octet.1));
        Some(Self {
            order,
            len,
            marked,
            marks,
            sent: sent(profile.before(), 0, order) | sent(profile.after(), after_at, order),
            shift: place(order, last),
            field: u64::MAX >> place(Order::Big, field.width.saturating_sub(1)),
            least,
            span: body.most(profile.max_body()).min(room),
            body,
        })
    }

    fn read(&self, octets: &[u8]) -> Option<Sizes> {
        let octets = *octets.first_chunk()?;
        let word = match self.order {
            Order::Big => u64::from_be_bytes(octets),
            Order::Little => u64::from_le_bytes(octets),
        };
        // What is less than the least wraps, and is more than any span.
        let count = (word.wrapping_shr(self.shift) & self.field).wrapping_sub(self.least);
        if word & self.marked != self.marks || count > self.span {
            return None;
        }
        self.body.sizes(count)
    }

    fn put_header(&self, payload: usize, out: &mut BytesMut) -> Option<usize> {
        let (count, body) = self.body.made(countable(payload)?);
        if count > self.span {
            return None;
        }
        let field = count.wrapping_add(self.least).wrapping_shl(self.shift);
        let word = self.sent | field;
        let octets = match self.order {
            Order::Big => word.to_be_bytes(),
            Order::Little => word.to_le_bytes(),
        };
        let body = usize::try_from(body).ok()?;
        out.reserve(body.checked_add(self.len)?);
        out.put_slice(octets.get(..self.len)?);
        Some(body)
    }
}

/// Where in a word that is read in this order the octet at `at` begins.
fn place(order: Order, at: usize) -> u32 {
    let octets = match order {
        Order::Big => 7_usize.saturating_sub(at),
        Order::Little => at,
    };
    u32::try_from(octets).unwrap_or(7).saturating_mul(8)
}

/// The bits that a mark at `at` fixes and the values that they have, an octet at a time.
fn fixed(mark: &Mark, at: usize, order: Order) -> impl Iterator<Item = (u64, u64)> {
    let octets = (at..).zip(mark.octets());
    octets.filter_map(move |(at, octet)| {
        let shift = place(order, at);
        octet.map(|octet| (0xff << shift, u64::from(octet) << shift))
    })
}

/// The bits of a mark at `at` as it is sent.
fn sent(mark: &Mark, at: usize, order: Order) -> u64 {
    let octets = (at..).zip(mark.sent());
    octets.fold(0, |bits, (at, octet)| {
        bits | u64::from(*octet) << place(order, at)
    })
}

impl Body {
    fn new(profile: &Profile) -> Self {
        let chunk = Chunk::new(profile.chunk());
        if profile.chunk() == 1 {
            return Self::Octets;
        }
        match profile.unit() {
            Unit::Chunks => Self::Chunks(chunk),
            Unit::Octets if profile.covers(Region::Padding) => Self::Padded(chunk),
            Unit::Octets => Self::Payload(chunk),
        }
    }

    /// The count of so many octets.
    fn count(self, octets: u64) -> u64 {
        match self {
            Self::Chunks(chunk) => chunk.count(octets),
            Self::Octets | Self::Padded(_) | Self::Payload(_) => octets,
        }
    }

    /// The largest count of a body within the limit, as far as it is reckoned with here.
    fn most(self, limit: u64) -> u64 {
        let countable = limit.min(Chunk::MOST);
        match self {
            Self::Octets => limit.min(i64::MAX.unsigned_abs()),
            Self::Padded(_) => countable,
            Self::Chunks(chunk) => chunk.count(countable),
            Self::Payload(chunk) => chunk.octets(chunk.count(countable)),
        }
    }

    /// What a count means that is not over the largest.
    fn sizes(self, count: u64) -> Option<Sizes> {
        let (body, payload) = match self {
            Self::Octets => (count, Some(count)),
            Self::Padded(chunk) if !chunk.is_whole(count) => return None,
            Self::Padded(_) => (count, None),
            Self::Chunks(chunk) => (chunk.octets(count), None),
            Self::Payload(chunk) => (chunk.round_up(count), Some(count)),
        };
        Some(Sizes { body, payload })
    }

    /// The count for a payload, and the octets of its body.
    fn made(self, payload: u64) -> (u64, u64) {
        match self {
            Self::Octets => (payload, payload),
            Self::Padded(chunk) => {
                let body = chunk.round_up(payload);
                (body, body)
            }
            Self::Chunks(chunk) => {
                let body = chunk.round_up(payload);
                (chunk.count(body), body)
            }
            Self::Payload(chunk) => (payload, chunk.round_up(payload)),
        }
    }
}
