//! Frames as octets, right ones and wrong ones, for those who write scripts.
//!
//! Literal like the model, and like it without any code of `wire`: what the cases send must not
//! depend on the encoder that the reference server answers with.

use super::checksum::{self, Ends};
use super::index;
use crate::profile::{DigitsEnd, Length, Order, Payload, Profile, Region, Unit};
use std::borrow::Cow;

/// The octets of frames of one profile.
#[derive(Debug, Clone, Copy)]
pub struct Craft<'a> {
    profile: &'a Profile,
}

impl<'a> Craft<'a> {
    /// For frames of that profile.
    #[must_use]
    pub const fn new(profile: &'a Profile) -> Self {
        Self { profile }
    }

    /// The frame of a payload: header, payload, just enough padding, and the trailer, with the
    /// right checksum and indexes.
    #[must_use]
    pub fn frame(&self, payload: &[u8]) -> Vec<u8> {
        self.frame_with(payload, 0)
    }

    /// The frame of a payload, with that many chunks of padding more than it needs.
    #[must_use]
    pub fn frame_with(&self, payload: &[u8], more_chunks: usize) -> Vec<u8> {
        let body = self.body(payload, more_chunks);
        let mut octets = self.header_of(payload.len(), body.len());
        let header = octets.len();
        octets.extend(self.with_indexes(&body));
        let ends = Ends {
            header,
            payload: header.saturating_add(payload.len()),
            body: octets.len(),
        };
        octets.extend(self.trailer());
        checksum::put(self.profile, &mut octets, ends);
        octets
    }

    /// What stands behind a body, with zeros where a checksum does.
    #[must_use]
    pub fn trailer(&self) -> Vec<u8> {
        self.profile.trailer().sent().to_vec()
    }

    /// A payload and its padding.
    #[must_use]
    pub fn body(&self, payload: &[u8], more_chunks: usize) -> Vec<u8> {
        let chunk = self.chunk();
        let chunks = payload.len().div_ceil(chunk).saturating_add(more_chunks);
        let mut body = payload.to_vec();
        body.resize(chunks.saturating_mul(chunk), self.profile.pad());
        body
    }

    /// A payload and its padding as they stand in a frame: with the index in front of each chunk, if chunks have one.
    #[must_use]
    pub fn with_indexes(&self, body: &[u8]) -> Vec<u8> {
        index::put_in(self.profile, body)
    }

    /// A header that claims a body of that many octets, all of it payload where that matters.
    #[must_use]
    pub fn header(&self, body: u64) -> Vec<u8> {
        self.header_with(self.count_for(body.into()))
    }

    /// A header with that number in its length field, cut to what the field has room for.
    #[must_use]
    pub fn header_with(&self, count: i128) -> Vec<u8> {
        self.header_around(&self.field(count))
    }

    /// A header with these octets for its length field.
    #[must_use]
    pub fn header_around(&self, field: &[u8]) -> Vec<u8> {
        let (before, after) = (self.profile.before(), self.profile.after());
        [before.sent(), field, after.sent()].concat()
    }

    /// The largest number that the length field can hold.
    #[must_use]
    pub fn largest_count(&self) -> i128 {
        let numbers = match self.profile.length() {
            Length::Binary { width, signed, .. } => {
                let bits = u32::from(width).saturating_mul(8);
                1_i128.checked_shl(bits.saturating_sub(signed.into()))
            }
            Length::Varint { most, .. } => 128_i128.checked_pow(most.into()),
            Length::Decimal { most, .. } => 10_i128.checked_pow(most.into()),
        };
        numbers.unwrap_or(i128::MAX).saturating_sub(1)
    }

    /// Whether the length is a signed number.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        matches!(self.profile.length(), Length::Binary { signed: true, .. })
    }

    /// The largest body that a header can claim in a number of 64 bits, a whole number of chunks. Longer fields have
    /// room for larger numbers, but no implementation reads those.
    #[must_use]
    pub fn largest_body(&self) -> u64 {
        let chunk = i128::from(self.profile.chunk());
        let count = self.largest_count().min(u64::MAX.into());
        let octets = match self.profile.unit() {
            Unit::Octets => count,
            Unit::Chunks => count.saturating_mul(chunk),
        };
        let body = octets.saturating_sub(self.covered());
        let body = index::uncounted(self.profile, body);
        let whole = body.saturating_sub(body.checked_rem(chunk).unwrap_or_default());
        u64::try_from(whole.max(0)).unwrap_or(u64::MAX)
    }

    /// Why no frame can have a body of that many octets, if that is so.
    #[must_use]
    pub fn refuses(&self, body: u64) -> Option<&'static str> {
        let limit = self.profile.declared_max_body();
        if body > self.largest_body() {
            Some("the length field cannot express the bodies it needs")
        } else if limit.is_some_and(|limit| body > limit) {
            Some("it needs larger bodies than the declared limit allows")
        } else {
            None
        }
    }

    /// A payload of that text: from the profile's template, else a JSON string or the text itself.
    #[must_use]
    pub fn payload(&self, text: &str) -> Vec<u8> {
        let json = self.profile.payload() == Payload::Json;
        let inner = self.inner(text);
        match self.profile.request() {
            Some(template) => template.filled(&inner),
            None if json => format!("\"{inner}\"").into_bytes(),
            None => inner.into_owned().into_bytes(),
        }
    }

    /// A text as it stands in a template.
    fn inner<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.profile.payload() {
            Payload::Json => json_escaped(text),
            Payload::Utf8 | Payload::Opaque => Cow::Borrowed(text),
        }
    }

    /// A payload of that text that is owed no reply, where there are such.
    #[must_use]
    pub fn unanswered(&self, text: &str) -> Option<Vec<u8>> {
        let template = self.profile.unanswered()?;
        Some(template.filled(&self.inner(text)))
    }

    /// Octets that bodies are padded to a multiple of.
    #[must_use]
    pub fn chunk(&self) -> usize {
        usize::try_from(self.profile.chunk()).unwrap_or(usize::MAX)
    }

    fn header_of(&self, payload: usize, body: usize) -> Vec<u8> {
        let counted = if self.profile.covers(Region::Padding) {
            body
        } else {
            payload
        };
        self.header_with(self.count_for(i128::try_from(counted).unwrap_or(i128::MAX)))
    }

    /// What the length field says of that many octets behind the header.
    #[must_use]
    pub fn count_for(&self, octets: i128) -> i128 {
        let indexes = index::counted(self.profile, octets);
        let octets = octets
            .saturating_add(self.covered())
            .saturating_add(indexes);
        match self.profile.unit() {
            Unit::Octets => octets,
            Unit::Chunks => octets
                .checked_div(i128::from(self.profile.chunk()))
                .unwrap_or_default(),
        }
    }

    /// Octets of the header that the length covers.
    fn covered(&self) -> i128 {
        let fixed = [
            (Region::Before, self.profile.before().len()),
            (Region::Length, self.profile.length().most_len()),
            (Region::After, self.profile.after().len()),
        ];
        fixed
            .into_iter()
            .filter(|(region, _)| self.profile.covers(*region))
            .map(|(_, octets)| i128::try_from(octets).unwrap_or_default())
            .sum()
    }

    fn field(&self, count: i128) -> Vec<u8> {
        match self.profile.length() {
            Length::Binary { width, order, .. } => {
                let little = count.to_le_bytes();
                let mut field = little.get(..width.into()).unwrap_or(&little).to_vec();
                if order == Order::Big {
                    field.reverse();
                }
                field
            }
            Length::Varint { most, .. } => groups(count, most),
            Length::Decimal { most, end, .. } => digits(count, most, end),
        }
    }
}

/// A number in groups of seven bits: as many as it needs, and no more than there may be.
fn groups(count: i128, most: u8) -> Vec<u8> {
    let group = |at: u8| {
        let rest = count.wrapping_shr(u32::from(at).saturating_mul(7));
        u8::try_from(rest & 0x7f).unwrap_or_default()
    };
    let mut groups: Vec<u8> = (0..most).map(group).collect();
    while groups.len() > 1 && groups.last() == Some(&0) {
        groups.pop();
    }
    if let Some((_, all_but_last)) = groups.split_last_mut() {
        for group in all_but_last {
            *group |= 0x80;
        }
    }
    groups
}

/// A number in digits: the last of them, if it has more than there may be. A negative one has its sign.
fn digits(count: i128, most: u8, end: DigitsEnd) -> Vec<u8> {
    let modulus = 10_i128.checked_pow(most.into()).unwrap_or(i128::MAX);
    let left = count.checked_rem(modulus).unwrap_or(count);
    let mut field = left.to_string().into_bytes();
    field.extend(end.octets());
    field
}

/// A text as it stands inside a JSON string. Most texts stand there as they are, and some of them are megabytes.
fn json_escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |octet: &u8| matches!(octet, b' '..=b'~') && !matches!(octet, b'"' | b'\\');
    if text.as_bytes().iter().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Draft;
    use crate::wire::Encoder;
    use arbitrary::{Arbitrary as _, Unstructured};
    use bytes::BytesMut;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn the_seeds_example_is_crafted_to_the_octet() {
        let payload = b"{\"nombre\": \"Margot\", \"edad\": 15, \"raza\": \"Schnauzer\"}";
        let octets = Craft::new(&Profile::chunk_count()).frame(payload);
        assert_eq!(octets, [b"\x0e\0\0\0", &payload[..], b"\0\0\0"].concat());
        let octets = Craft::new(&Profile::tutorial()).frame(payload);
        assert_eq!(octets, [b"\0\0\0\x3c", &payload[..], &[0; 7]].concat());
    }

    #[test]
    fn the_length_covers_what_the_profile_says() {
        let profile = Profile::try_from(Draft {
            name: "x".into(),
            before: "ca fe".into(),
            width: 2,
            covers: vec![Region::Before, Region::Length, Region::Payload],
            after: "01".into(),
            chunk: 4,
            ..Draft::default()
        })
        .unwrap();
        assert_eq!(
            Craft::new(&profile).frame(b"hello"),
            b"\xca\xfe\0\x09\x01hello\0\0\0"
        );
    }

    #[test]
    fn the_largest_body_fits_the_field() {
        let profile = Profile::tutorial();
        let craft = Craft::new(&profile);
        assert_eq!(craft.largest_count(), 0xffff_ffff);
        assert_eq!(craft.largest_body(), 0xffff_ffff - 0xffff_ffff % 60);
        assert_eq!(
            Craft::new(&Profile::chunk_count()).largest_body(),
            0xffff_ffff * 4
        );
    }

    proptest! {
        /// Two that share no code make the same frames of whatever can be framed.
        #[test]
        fn frames_are_those_of_the_encoder(
            seed in vec(any::<u8>(), 0..60),
            payload in vec(prop_oneof![any::<u8>(), Just(0), Just(b'.')], 0..150),
            chunks in prop_oneof![0..200_u64, any::<u64>()],
        ) {
            let profile = Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap();
            let (craft, encoder) = (Craft::new(&profile), Encoder::new(&profile));
            let mut out = BytesMut::new();
            if encoder.encode(&payload, &mut out).is_ok() {
                prop_assert_eq!(craft.frame(&payload), out.to_vec());
            }
            let body = chunks.saturating_mul(profile.chunk().into());
            let body = body - body % u64::from(profile.chunk());
            out.clear();
            let claimed = encoder.claim(body, &mut out);
            prop_assert_eq!(claimed.is_ok(), body <= craft.largest_body(), "{}", body);
            if claimed.is_ok() {
                prop_assert_eq!(craft.header(body), out.to_vec());
            }
        }
    }

    /// Seven bits ten times are seventy bits, and none of the numbers beyond 64 is anybody's length.
    #[test]
    fn a_length_is_a_number_of_64_bits() {
        let file = r#"
            name = "x"
            header.after = "01"
            length = { form = "varint", width = 10, covers = ["after", "payload", "padding"] }
            body.chunk = 5
        "#;
        let profile = Profile::from_toml(file).unwrap();
        assert_eq!(Craft::new(&profile).largest_count(), (1 << 70) - 1);
        let body = Craft::new(&profile).largest_body();
        assert_eq!(body, u64::MAX - 5);
        let claim = |body| Encoder::new(&profile).claim(body, &mut BytesMut::new());
        assert!(claim(body).is_ok());
        assert!(claim(u64::MAX).is_err());
    }

    #[test]
    fn texts_go_into_the_template() {
        let profile = Profile::try_from(Draft {
            name: "x".into(),
            request: Some("{\"op\": \"say\", \"text\": \"{text}\"}".into()),
            ..Draft::default()
        });
        assert_eq!(
            Craft::new(&profile.unwrap()).payload("a\"b"),
            b"{\"op\": \"say\", \"text\": \"a\\\"b\"}"
        );
        assert_eq!(
            Craft::new(&Profile::tutorial()).payload("é"),
            "\"é\"".as_bytes()
        );
    }
}
