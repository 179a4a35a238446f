//! What a dissector knows of its format, as a table of Lua.

use super::Dissector;
use crate::profile::{Index, Length, Mark, Order, Payload, Profile, Region, Unit};
use std::fmt::{self, Display};

/// The largest limit that Wireshark can be told, and reads to.
const MOST_BODY: u64 = i32::MAX as u64;

/// The table.
pub(super) struct Table<'a>(pub(super) &'a Dissector<'a>);

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let profile = self.0.profile;
        let replies = profile.of_replies();
        writeln!(f, "local FORMAT = {{")?;
        entry(f, "name", Text(&self.0.name()))?;
        entry(f, "profile", Text(profile.name()))?;
        if let Some(port) = self.0.port {
            entry(f, "port", port)?;
        }
        entry(f, "request", around(profile))?;
        entry(f, "reply", around(&replies))?;
        entry(f, "length", length(profile.length()))?;
        entry(f, "unit", unit(profile))?;
        entry(f, "covered", profile.covered_header_len())?;
        entry(f, "covers", regions(|region| profile.covers(region)))?;
        entry(f, "chunk", profile.chunk())?;
        entry(f, "pad", format_args!("{:#04x}", profile.pad()))?;
        if let Some(index) = profile.index() {
            entry(f, "index", indexes(index))?;
        }
        entry(f, "trailer", mark(profile.trailer()))?;
        if let Some(checksum) = profile.checksum() {
            let kind = Text(checksum.kind().as_str());
            let order = Text(order(checksum.order()));
            let covers = regions(|region| checksum.covers(region));
            let all = format_args!("{{ kind = {kind}, order = {order}, covers = {covers} }}");
            entry(f, "checksum", all)?;
        }
        entry(f, "payload", Text(payload(profile.payload())))?;
        entry(f, "limit", profile.max_body().min(MOST_BODY))?;
        writeln!(f, "}}")
    }
}

fn entry(f: &mut fmt::Formatter<'_>, key: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "    {key} = {value},")
}

/// The marks around the length.
fn around(profile: &Profile) -> String {
    let (before, after) = (mark(profile.before()), mark(profile.after()));
    format!("{{ before = {before}, after = {after} }}")
}

fn mark(mark: &Mark) -> String {
    Text(&mark.to_string()).to_string()
}

fn length(length: Length) -> String {
    match length {
        Length::Binary {
            width,
            order: ordered,
            signed,
        } => format!(
            "{{ form = \"binary\", kind = \"{}\", most = {width}, order = \"{}\", signed = {signed} }}",
            kind(width.into(), signed),
            order(ordered)
        ),
        Length::Varint { most, overlong } => format!(
            "{{ form = \"varint\", kind = \"uint64\", most = {most}, overlong = {overlong} }}"
        ),
        Length::Decimal {
            most,
            end,
            overlong,
        } => format!(
            "{{ form = \"decimal\", kind = \"uint64\", most = {most}, stop = {}, overlong = {overlong} }}",
            Text(end.as_str())
        ),
    }
}

fn indexes(index: Index) -> String {
    format!(
        "{{ width = {}, kind = \"{}\", order = \"{}\", from = {}, chunk = {} }}",
        index.width(),
        kind(index.width(), false),
        order(index.order()),
        index.from(),
        index.chunk()
    )
}

/// What Wireshark calls a field with a number of so many octets.
const fn kind(width: usize, signed: bool) -> &'static str {
    match (width, signed) {
        (..=1, false) => "uint8",
        (2, false) => "uint16",
        (3, false) => "uint24",
        (4, false) => "uint32",
        (_, false) => "uint64",
        (..=1, true) => "int8",
        (2, true) => "int16",
        (3, true) => "int24",
        (4, true) => "int32",
        (_, true) => "int64",
    }
}

const fn order(order: Order) -> &'static str {
    match order {
        Order::Big => "big",
        Order::Little => "little",
    }
}

/// Octets that one count of the length stands for.
fn unit(profile: &Profile) -> u32 {
    match profile.unit() {
        Unit::Octets => 1,
        Unit::Chunks => profile.chunk(),
    }
}

fn regions(is_covered: impl Fn(Region) -> bool) -> String {
    let all = [
        Region::Before,
        Region::Length,
        Region::After,
        Region::Payload,
        Region::Padding,
        Region::Indexes,
    ];
    let covered = all.into_iter().filter(|region| is_covered(*region));
    let covered: Vec<String> = covered
        .map(|region| format!("{} = true", region.as_str()))
        .collect();
    format!("{{ {} }}", covered.join(", "))
}

const fn payload(payload: Payload) -> &'static str {
    match payload {
        Payload::Json => "json",
        Payload::Utf8 => "utf-8",
        Payload::Opaque => "opaque",
    }
}

/// A text as a literal of Lua, in which nothing can end it.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for octet in self.0.bytes() {
            match octet {
                b'"' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                b' '..=b'~' => write!(f, "{}", char::from(octet))?,
                _ => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_str("\"")
    }
}
