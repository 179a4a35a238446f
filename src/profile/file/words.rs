//! The words for the choices in a profile file: one table each, for reading and for writing.

use crate::profile::{
    ChecksumKind, DigitsEnd, Form, Last, Order, OverLimit, Payload, Region, Reply, ReplyOrder, Unit,
};
use toml::de::DeValue;

/// The words of a choice and what they mean.
pub(super) type Words<T> = [(&'static str, T)];

pub(super) const ORDERS: [(&str, Order); 2] = [("big", Order::Big), ("little", Order::Little)];
pub(super) const FORMS: [(&str, Form); 3] = [
    ("binary", Form::Binary),
    ("varint", Form::Varint),
    ("decimal", Form::Decimal),
];
pub(super) const ENDS: [(&str, DigitsEnd); 2] = [
    (DigitsEnd::Colon.as_str(), DigitsEnd::Colon),
    (DigitsEnd::CrLf.as_str(), DigitsEnd::CrLf),
];
pub(super) const UNITS: [(&str, Unit); 2] = [("octets", Unit::Octets), ("chunks", Unit::Chunks)];
pub(super) const LASTS: [(&str, Last); 2] = [
    (Last::Padded.as_str(), Last::Padded),
    (Last::Short.as_str(), Last::Short),
];
pub(super) const REGIONS: [(&str, Region); 6] = [
    (Region::Before.as_str(), Region::Before),
    (Region::Length.as_str(), Region::Length),
    (Region::After.as_str(), Region::After),
    (Region::Payload.as_str(), Region::Payload),
    (Region::Padding.as_str(), Region::Padding),
    (Region::Indexes.as_str(), Region::Indexes),
];
pub(super) const CHECKSUMS: [(&str, ChecksumKind); 4] = [
    (ChecksumKind::Crc32.as_str(), ChecksumKind::Crc32),
    (ChecksumKind::Crc32c.as_str(), ChecksumKind::Crc32c),
    (
        ChecksumKind::Crc16Modbus.as_str(),
        ChecksumKind::Crc16Modbus,
    ),
    (ChecksumKind::Sha256d4.as_str(), ChecksumKind::Sha256d4),
];
pub(super) const PAYLOADS: [(&str, Payload); 3] = [
    ("json", Payload::Json),
    ("utf-8", Payload::Utf8),
    ("opaque", Payload::Opaque),
];
pub(super) const REPLIES: [(&str, Reply); 5] = [
    (Reply::Auto.as_str(), Reply::Auto),
    (Reply::Echo.as_str(), Reply::Echo),
    (Reply::Token.as_str(), Reply::Token),
    (Reply::Any.as_str(), Reply::Any),
    (Reply::None.as_str(), Reply::None),
];

pub(super) const OVER_LIMIT: [(&str, OverLimit); 2] = [
    (OverLimit::Close.as_str(), OverLimit::Close),
    (OverLimit::Answered.as_str(), OverLimit::Answered),
];

pub(super) const REPLY_ORDERS: [(&str, ReplyOrder); 2] = [
    (ReplyOrder::Requests.as_str(), ReplyOrder::Requests),
    (ReplyOrder::Any.as_str(), ReplyOrder::Any),
];

pub(super) fn meant<T: Copy>(words: &Words<T>, value: &DeValue<'_>) -> Option<T> {
    let written = value.as_str()?;
    let mut words = words.iter();
    words.find(|(word, _)| *word == written).map(|(_, t)| *t)
}

pub(super) fn word_for<T: PartialEq>(words: &Words<T>, meant: &T) -> &'static str {
    let mut words = words.iter();
    words
        .find(|(_, t)| t == meant)
        .map_or("", |(word, _)| *word)
}

pub(super) fn quoted<T>(words: &Words<T>) -> String {
    let words: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    words.join(", ")
}
