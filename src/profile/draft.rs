//! From a plain description to a consistent one: every field is checked here and nowhere else.

mod checksum;
mod index;
mod marks;
mod templates;

#[cfg(feature = "toml")]
pub(super) use marks::{OCTETS, OCTETS_OF_HEADER, PLAIN_OCTETS};

use super::prologue::turns;
use super::{
    Carriage, ChecksumKind, DigitsEnd, Form, Last, Length, Order, OverLimit, Payload, Profile,
    Region, Reply, ReplyOrder, Template, Unit,
};
use marks::{
    ids_can_be_repeated, in_replies, last_frames_are_told, mark, mark_without_id, plain_mark,
    refusals_are_no_replies,
};
use std::fmt;
use templates::{UNANSWERED, payloads_survive_trimming, unanswered_are_told};

/// A description of a wire format before it has been checked.
///
/// [`Draft::default`] is the `tutorial` format without a name. Fields may be added to it, so a literal
/// ends in `..Draft::default()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// 1 to 64 of `a`–`z`, `0`–`9` and `-`.
    pub name: String,
    /// One line for people.
    pub about: String,
    /// Octets before the length field: at most 64, written as a [`Mark`](super::Mark) is.
    pub before: String,
    /// How the number in the length field is written.
    pub form: Form,
    /// Octets of a binary length field, 1 to 8; the most octets of a varint, 1 to 10; the most digits of a
    /// decimal one, 1 to 20.
    pub width: u8,
    /// Octet order of a binary length field; else [`Order::Big`].
    pub order: Order,
    /// Whether a binary length field is two's complement; else `false`.
    pub signed: bool,
    /// What ends a decimal length field; else [`DigitsEnd::Colon`].
    pub end: DigitsEnd,
    /// Whether a varint or decimal length may be longer than it needs to be; else `false`.
    pub overlong: bool,
    /// What the length field counts.
    pub unit: Unit,
    /// The regions it covers; the payload is always one of them.
    pub covers: Vec<Region>,
    /// Octets behind the length field: as `before`.
    pub after: String,
    /// What replies have in place of `before`, if that is something else: as many octets.
    pub reply_before: Option<String>,
    /// What replies have in place of `after`, if that is something else: as many octets.
    pub reply_after: Option<String>,
    /// Octets of a chunk, 1 to 65,536; 1 means no padding.
    pub chunk: u32,
    /// The octet that padding is made of. Where payloads are JSON and the receiver drops the padding,
    /// it is none that a JSON text can end in.
    pub pad: u8,
    /// Octets of the index in front of each chunk, 1 to 8; `None` if chunks have none.
    pub index: Option<u8>,
    /// Octet order of an index; else [`Order::Big`].
    pub index_order: Order,
    /// The index of the first chunk, 0 or 1; 0 if chunks have none.
    pub index_from: u8,
    /// What becomes of a last chunk that the payload does not fill: [`Last::Short`] only where chunks have an index.
    pub last: Last,
    /// Octets behind the body: as `before`, without an id.
    pub trailer: String,
    /// How the checksum is reckoned that one of `before`, `after` and `trailer` has room for. Its octets stand at the same
    /// place in replies.
    pub checksum: Option<ChecksumKind>,
    /// Octet order of a checksum that is a number; else [`Order::Big`].
    pub checksum_order: Order,
    /// The regions that the checksum is reckoned from; the payload is always one of them. Of the one in which it stands itself,
    /// what is in front of it.
    pub checksum_covers: Vec<Region>,
    /// What begins so in the place of a reply is none: it says, before a close, that nothing more is read; none if empty.
    pub refusal: String,
    /// What the last frame of a reply begins with, where a reply may be several frames; none if empty. Only octets that replies
    /// leave free are fixed there, one of them as another than is sent, and headers have no id.
    pub reply_last: String,
    /// What payloads are made of.
    pub payload: Payload,
    /// The largest body in octets, at least one chunk; `None` if the server's is not known.
    pub max_body: Option<u64>,
    /// What is owed for a length over the limit.
    pub over_limit: OverLimit,
    /// How replies relate to requests.
    pub reply: Reply,
    /// In which order replies come: any only if headers have an id.
    pub reply_order: ReplyOrder,
    /// A request with `{text}` in it once, for servers that take only some messages.
    pub request: Option<String>,
    /// A message with `{text}` in it once that is owed no reply, for servers that take such; only where there is a `request`, each
    /// request is owed a reply, and the two begin otherwise.
    pub unanswered: Option<String>,
    /// What is said on a connection before its first frame: at most 32 turns, each as a
    /// [`Turn`](super::Turn) is written.
    pub prologue: Vec<String>,
    /// The most requests that a connection is there for: behind the reply to the last the server closes it; `None` if there is no
    /// such number. At least 1.
    pub requests_per_connection: Option<u32>,
}

impl Default for Draft {
    fn default() -> Self {
        let mut draft = Self::from(Profile::tutorial());
        draft.name.clear();
        draft.about.clear();
        draft
    }
}

impl From<Profile> for Draft {
    fn from(profile: Profile) -> Self {
        let checksum = profile.checksum.as_ref();
        let replies = profile.replies.as_ref();
        let reply_before = replies.filter(|(before, _)| *before != profile.before);
        let reply_after = replies.filter(|(_, after)| *after != profile.after);
        let index = profile.index;
        let is_short = index.is_some_and(|index| index.chunk != profile.chunk);
        let mut draft = Self {
            reply_before: reply_before.map(|(before, _)| before.to_string()),
            reply_after: reply_after.map(|(_, after)| after.to_string()),
            name: profile.name,
            about: profile.about,
            before: profile.before.to_string(),
            form: Form::Binary,
            width: 0,
            order: Order::Big,
            signed: false,
            end: DigitsEnd::Colon,
            overlong: false,
            unit: profile.unit,
            covers: profile.covers,
            after: profile.after.to_string(),
            chunk: index.map_or(profile.chunk, |index| index.chunk),
            pad: profile.pad,
            index: index.map(|index| index.width),
            index_order: index.map_or(Order::Big, |index| index.order),
            index_from: index.map_or(0, |index| index.from),
            last: if is_short { Last::Short } else { Last::Padded },
            trailer: profile.trailer.to_string(),
            checksum: checksum.map(|checksum| checksum.kind),
            checksum_order: checksum.map_or(Order::Big, |checksum| checksum.order),
            checksum_covers: checksum
                .map_or_else(checksum::body, |checksum| checksum.covers.clone()),
            refusal: profile.refusal.to_string(),
            reply_last: profile.reply_last.to_string(),
            payload: profile.payload,
            max_body: profile.max_body,
            over_limit: profile.over_limit,
            reply: profile.reply,
            reply_order: profile.reply_order,
            request: profile.request.map(|template| template.to_string()),
            unanswered: profile.unanswered.map(|template| template.to_string()),
            prologue: profile.prologue.iter().map(ToString::to_string).collect(),
            requests_per_connection: profile.requests_per_connection,
        };
        draft.write_length_as(profile.length);
        draft
    }
}

impl Draft {
    fn write_length_as(&mut self, length: Length) {
        match length {
            Length::Binary {
                width,
                order,
                signed,
            } => (self.width, self.order, self.signed) = (width, order, signed),
            Length::Varint { most, overlong } => {
                (self.form, self.width, self.overlong) = (Form::Varint, most, overlong);
            }
            Length::Decimal {
                most,
                end,
                overlong,
            } => {
                (self.form, self.width) = (Form::Decimal, most);
                (self.end, self.overlong) = (end, overlong);
            }
        }
    }
}

/// Why a description is no profile: the field, its value, and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileError {
    /// The field's key as a profile file spells it, such as `length.width`.
    pub field: &'static str,
    /// The value that was given, as a profile file would write it.
    pub value: String,
    /// What would have been allowed.
    pub allowed: String,
}

impl ProfileError {
    pub(super) fn new(
        field: &'static str,
        value: impl ToString,
        allowed: impl Into<String>,
    ) -> Self {
        Self {
            field,
            value: value.to_string(),
            allowed: allowed.into(),
        }
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.field, self.value, self.allowed)
    }
}

impl std::error::Error for ProfileError {}

const MAX_CHUNK: u32 = 1 << 16;

impl TryFrom<Draft> for Profile {
    type Error = ProfileError;

    fn try_from(draft: Draft) -> Result<Self, ProfileError> {
        let length = length(&draft)?;
        let before = mark("header.before", &draft.before)?;
        let after = mark("header.after", &draft.after)?;
        let reply_before = in_replies("replies.before", draft.reply_before.as_deref(), &before)?;
        let reply_after = in_replies("replies.after", draft.reply_after.as_deref(), &after)?;
        let trailer = mark_without_id("trailer.octets", &draft.trailer)?;
        let checksum = checksum::read(&draft)?;
        chunk(draft.chunk)?;
        let (index, padded_to) = (index::read(&draft)?, index::padded_to(&draft));
        let differ = reply_before != before || reply_after != after;
        let profile = Self {
            name: name(draft.name)?,
            about: about(draft.about)?,
            replies: differ.then_some((reply_before, reply_after)),
            before,
            length,
            unit: draft.unit,
            after,
            chunk: padded_to,
            pad: draft.pad,
            index,
            covers: covers(draft.covers, draft.form)?,
            trailer,
            checksum,
            refusal: plain_mark("replies.refusal", &draft.refusal)?,
            reply_last: plain_mark("replies.last", &draft.reply_last)?,
            payload: draft.payload,
            max_body: draft.max_body,
            over_limit: draft.over_limit,
            reply: draft.reply,
            reply_order: draft.reply_order,
            request: draft
                .request
                .map(|source| Template::read(&source, draft.payload))
                .transpose()?,
            unanswered: draft
                .unanswered
                .map(|source| Template::read_as(UNANSWERED, &source, draft.payload))
                .transpose()?,
            prologue: turns(&draft.prologue, !draft.reply_last.is_empty())?,
            requests_per_connection: requests(draft.requests_per_connection)?,
            carriage: Carriage::default(),
        };
        ids_can_be_repeated(&profile)?;
        refusals_are_no_replies(&profile)?;
        last_frames_are_told(&profile)?;
        checksum::can_be_reckoned(&profile)?;
        index::can_be_counted(&profile)?;
        limit_fits(&profile)?;
        chunks_can_be_counted(&profile)?;
        payloads_survive_trimming(&profile)?;
        for template in profile.request.iter().chain(&profile.unanswered) {
            template.fits(profile.max_body)?;
        }
        unanswered_are_told(&profile)?;
        Ok(profile)
    }
}

fn requests(most: Option<u32>) -> Result<Option<u32>, ProfileError> {
    match most {
        Some(0) => Err(ProfileError::new(
            "exchange.requests_per_connection",
            0,
            super::exchange::REQUESTS,
        )),
        most => Ok(most),
    }
}

fn name(name: String) -> Result<String, ProfileError> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        Ok(name)
    } else {
        Err(ProfileError::new(
            "name",
            format!("{name:?}"),
            "1 to 64 of a-z, 0-9 and -",
        ))
    }
}

fn about(about: String) -> Result<String, ProfileError> {
    if about.len() <= 200 && !about.chars().any(char::is_control) {
        Ok(about)
    } else {
        Err(ProfileError::new(
            "about",
            format!("{about:?}"),
            "one line of at most 200 octets",
        ))
    }
}

fn length(draft: &Draft) -> Result<Length, ProfileError> {
    only_where_it_means_something(draft)?;
    match draft.form {
        Form::Binary => Ok(Length::Binary {
            width: width(draft.width, 8, "octets")?,
            order: draft.order,
            signed: draft.signed,
        }),
        Form::Varint => Ok(Length::Varint {
            most: width(draft.width, 10, "octets of a varint")?,
            overlong: draft.overlong,
        }),
        Form::Decimal => Ok(Length::Decimal {
            most: width(draft.width, 20, "digits")?,
            end: draft.end,
            overlong: draft.overlong,
        }),
    }
}

/// What one form has and another does not must not be said of the other.
fn only_where_it_means_something(draft: &Draft) -> Result<(), ProfileError> {
    let binary = draft.form == Form::Binary;
    let refuse = |field, value: &str, form: &str| {
        let allowed = format!("left out, unless length.form is {form}");
        Err(ProfileError::new(field, value, allowed))
    };
    if draft.order != Order::Big && !binary {
        return refuse("length.order", "\"little\"", "\"binary\"");
    }
    if draft.signed && !binary {
        return refuse("length.signed", "true", "\"binary\"");
    }
    if draft.end != DigitsEnd::Colon && draft.form != Form::Decimal {
        let end = format!("{:?}", draft.end.as_str());
        return refuse("length.end", &end, "\"decimal\"");
    }
    if draft.overlong && binary {
        return refuse("length.overlong", "true", "\"varint\" or \"decimal\"");
    }
    Ok(())
}

fn width(width: u8, most: u8, of: &str) -> Result<u8, ProfileError> {
    if (1..=most).contains(&width) {
        Ok(width)
    } else {
        let allowed = format!("1 to {most} {of}");
        Err(ProfileError::new("length.width", width, allowed))
    }
}

fn chunk(chunk: u32) -> Result<(), ProfileError> {
    if (1..=MAX_CHUNK).contains(&chunk) {
        Ok(())
    } else {
        let allowed = format!("1 to {MAX_CHUNK} octets; 1 means no padding");
        Err(ProfileError::new("body.chunk", chunk, allowed))
    }
}

fn covers(mut covers: Vec<Region>, form: Form) -> Result<Vec<Region>, ProfileError> {
    covers.sort_unstable();
    covers.dedup();
    let refuse = |allowed| {
        let words: Vec<&str> = covers.iter().map(|region| region.as_str()).collect();
        ProfileError::new("length.covers", format!("{words:?}"), allowed)
    };
    if !covers.contains(&Region::Payload) {
        return Err(refuse(
            "\"payload\", and with it any of \"before\", \"length\", \"after\", \"padding\", \"indexes\"",
        ));
    }
    if form != Form::Binary && covers.contains(&Region::Length) {
        return Err(refuse(
            "no \"length\" where its octets depend on the number in it: unless length.form is \"binary\"",
        ));
    }
    Ok(covers)
}

fn limit_fits(profile: &Profile) -> Result<(), ProfileError> {
    match profile.max_body {
        Some(max_body) if max_body < u64::from(profile.chunk) => Err(ProfileError::new(
            "limits.max_body",
            max_body,
            format!("at least one chunk, {} octets", profile.chunk),
        )),
        _ => Ok(()),
    }
}

/// A count of chunks cannot express anything but whole chunks, so that is all it may cover.
fn chunks_can_be_counted(profile: &Profile) -> Result<(), ProfileError> {
    if profile.unit == Unit::Octets {
        return Ok(());
    }
    let refuse = |allowed: &str| ProfileError::new("length.unit", "\"chunks\"", allowed.to_owned());
    if !profile.covers(Region::Padding) {
        return Err(refuse(
            "\"octets\", unless length.covers has \"padding\" too",
        ));
    }
    let covered = profile.covered_header_len();
    if u32::try_from(covered).is_ok_and(|covered| covered.is_multiple_of(profile.chunk)) {
        Ok(())
    } else {
        Err(refuse(
            "\"octets\", unless the header octets that length.covers make whole chunks",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            name: "x".into(),
            ..Draft::default()
        }
    }

    fn refused(draft: Draft) -> &'static str {
        Profile::try_from(draft).unwrap_err().field
    }

    #[test]
    fn the_built_in_profiles_are_consistent() {
        for name in Profile::BUILT_IN {
            let profile = Profile::built_in(name).unwrap();
            assert_eq!(profile.name(), name);
            assert_eq!(Profile::try_from(Draft::from(profile.clone())), Ok(profile));
        }
    }

    #[test]
    fn each_field_is_refused_by_its_name() {
        type Change = fn(&mut Draft);
        let changes: [(&str, Change); 29] = [
            ("checksum.kind", |draft| {
                draft.checksum = Some(ChecksumKind::Crc32);
            }),
            ("checksum.order", |draft| {
                draft.checksum_order = Order::Little;
            }),
            ("checksum.covers", |draft| {
                draft.checksum_covers = vec![Region::Payload];
            }),
            ("header.after", |draft| draft.after = "ck ck".into()),
            ("trailer.octets", |draft| draft.trailer = "id".into()),
            ("header.before", |draft| draft.before = "id 00 id".into()),
            ("header.after", |draft| {
                (draft.before, draft.after) = ("id".into(), "id".into());
            }),
            ("replies.before", |draft| {
                draft.before = "id id 00".into();
                draft.reply_before = Some("id 01 02".into());
            }),
            ("exchange.order", |draft| {
                draft.reply_order = ReplyOrder::Any;
            }),
            ("replies.before", |draft| {
                draft.reply_before = Some("00".into());
            }),
            ("replies.after", |draft| {
                draft.reply_after = Some("0".into())
            }),
            ("trailer.octets", |draft| draft.trailer = "0".into()),
            ("length.width", |draft| {
                (draft.form, draft.width) = (Form::Varint, 11);
            }),
            ("length.covers", |draft| {
                draft.form = Form::Decimal;
                draft.covers = vec![Region::Length, Region::Payload];
            }),
            ("length.overlong", |draft| draft.overlong = true),
            ("length.order", |draft| {
                (draft.form, draft.order) = (Form::Varint, Order::Little);
            }),
            ("name", |draft| draft.name = String::new()),
            ("name", |draft| draft.name = "A b".into()),
            ("about", |draft| draft.about = "a\nb".into()),
            ("length.width", |draft| draft.width = 0),
            ("length.width", |draft| draft.width = 9),
            ("body.chunk", |draft| draft.chunk = 0),
            ("body.chunk", |draft| draft.chunk = 65_537),
            ("length.covers", |draft| draft.covers = vec![]),
            ("header.before", |draft| draft.before = "0".into()),
            ("header.after", |draft| draft.after = "0g".into()),
            ("header.after", |draft| draft.after = "00".repeat(65)),
            ("limits.max_body", |draft| draft.max_body = Some(59)),
            ("exchange.request", |draft| {
                draft.request = Some("{}".into())
            }),
        ];
        for (field, change) in changes {
            let mut draft = draft();
            change(&mut draft);
            assert_eq!(refused(draft), field);
        }
    }

    #[test]
    fn chunks_are_counted_only_where_all_that_is_covered_is_chunks() {
        let counted = |covers: Vec<Region>, chunk| Draft {
            unit: Unit::Chunks,
            covers,
            chunk,
            ..draft()
        };
        use Region::{Length, Padding, Payload};
        assert_eq!(refused(counted(vec![Payload], 4)), "length.unit");
        assert_eq!(
            refused(counted(vec![Length, Payload, Padding], 8)),
            "length.unit"
        );
        assert!(Profile::try_from(counted(vec![Length, Payload, Padding], 4)).is_ok());
    }

    #[test]
    fn what_pads_is_nothing_that_a_message_ends_in() {
        let padded = |pad, payload, request: Option<&str>| Draft {
            pad,
            payload,
            request: request.map(str::to_owned),
            ..draft()
        };
        for text in ["\"a\"", "[]", "{}", "true", "null", "1E5", "-0"] {
            let last = *text.as_bytes().last().unwrap();
            assert_eq!(refused(padded(last, Payload::Json, None)), "body.pad");
            let unpadded = Draft {
                chunk: 1,
                ..padded(last, Payload::Json, None)
            };
            assert!(Profile::try_from(unpadded).is_ok());
            assert!(Profile::try_from(padded(last, Payload::Utf8, None)).is_ok());
        }
        for pad in [0, b' ', b'.', 0xff] {
            assert!(Profile::try_from(padded(pad, Payload::Json, None)).is_ok());
        }
        let request = |text| padded(b'.', Payload::Utf8, Some(text));
        assert_eq!(refused(request("say {text}.")), "exchange.request");
        assert!(Profile::try_from(request("say. {text}")).is_ok());
    }

    #[test]
    fn what_is_covered_is_told_as_a_file_writes_it() {
        let covers = vec![Region::Length, Region::Before];
        let error = Profile::try_from(Draft { covers, ..draft() }).unwrap_err();
        assert_eq!(error.value, r#"["before", "length"]"#);
    }
}
