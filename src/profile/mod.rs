//! The description of a wire format, its limits and its exchange.
//!
//! A [`Profile`] is a value, and every other room works from one: nothing in this crate asks which
//! format it is dealing with. Three are built in: [`Profile::u32_be`] is what most programs want that
//! need some framing, [`Profile::tutorial`] and [`Profile::chunk_count`] are the formats of a course. With the
//! feature `toml`, `Profile::shipped` knows formats that are in use, by name. Others are made from a [`Draft`], in Rust or (feature `toml`) from a file.
//!
//! A frame is laid out so, with every part but the length field optional:
//!
//! ```text
//! +--------+--------+-------+------------------------+---------+---------+
//! | before | length | after |        payload         | padding | trailer |
//! +--------+--------+-------+------------------------+---------+---------+
//! |<------- header -------->|<------------- body ------------->|
//! ```
//!
//! The length field is [binary, a varint or decimal](Length), and counts the regions it
//! [covers](Draft::covers), in octets or in chunks. The body is padded to a whole number of chunks, and in front of each
//! chunk there may be an [`Index`]. In front of the body or behind it there may be a [`Checksum`] (feature `checksum`). A `Profile` that exists is consistent: all checks are made
//! once, by [`Profile::try_from`], and the getters need none.
//!
//! ```
//! use framespec::profile::{Draft, Order, Profile, Region};
//!
//! // A two-octet little-endian length that counts itself too, and no padding.
//! let profile = Profile::try_from(Draft {
//!     name: "short".into(),
//!     width: 2,
//!     order: Order::Little,
//!     covers: vec![Region::Length, Region::Payload],
//!     chunk: 1,
//!     ..Draft::default()
//! })?;
//! assert_eq!(profile.header_len(), 2);
//! # Ok::<(), framespec::profile::ProfileError>(())
//! ```

mod carriage;
mod checksum;
mod draft;
mod exchange;
#[cfg(feature = "toml")]
mod file;
#[cfg(any(test, feature = "fuzz"))]
mod generate;
mod index;
mod length;
mod limit;
mod mark;
mod prologue;
#[cfg(feature = "toml")]
mod shipped;
mod template;

pub use carriage::Carriage;
pub use checksum::{Checksum, ChecksumKind};
pub use draft::{Draft, ProfileError};
pub use exchange::{Reply, ReplyOrder};
#[cfg(feature = "toml")]
pub use file::FileError;
pub use index::{Index, Last};
pub use length::{DigitsEnd, Form, Length};
pub use limit::OverLimit;
pub use mark::Mark;
pub use prologue::{Said, Speaker, Turn};
pub use template::Template;

/// Limit on a body, in octets, wherever neither profile nor caller states one.
pub const DEFAULT_MAX_BODY: u64 = 1 << 20;

/// Octet order of the length field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "toml", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "toml", serde(rename_all = "kebab-case"))]
pub enum Order {
    /// Most significant octet first: network order.
    Big,
    /// Least significant octet first.
    Little,
}

/// What one count of the length field stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "toml", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "toml", serde(rename_all = "kebab-case"))]
pub enum Unit {
    /// One octet.
    Octets,
    /// One chunk, as many octets as the profile says.
    Chunks,
}

/// A part of a frame, as far as the length field may cover it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "toml", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "toml", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Region {
    /// The fixed octets in front of the length field.
    Before,
    /// The length field itself.
    Length,
    /// The fixed octets behind the length field.
    After,
    /// The payload.
    Payload,
    /// The padding behind the payload.
    Padding,
    /// The indexes of all chunks.
    Indexes,
}

impl Region {
    /// The word for this region in profile files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Length => "length",
            Self::After => "after",
            Self::Payload => "payload",
            Self::Padding => "padding",
            Self::Indexes => "indexes",
        }
    }
}

/// What payloads are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "toml", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "toml", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Payload {
    /// One JSON text (RFC 8259) in UTF-8.
    #[default]
    Json,
    /// Any text in UTF-8.
    #[cfg_attr(feature = "toml", serde(rename = "utf-8"))]
    Utf8,
    /// Any octets.
    Opaque,
}

/// A consistent description of one wire format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: String,
    about: String,
    before: Mark,
    length: Length,
    unit: Unit,
    covers: Vec<Region>,
    after: Mark,
    /// What replies have around their length, if that is something else.
    replies: Option<(Mark, Mark)>,
    /// What begins so in the place of a reply is none, and says that nothing more is read.
    refusal: Mark,
    /// What the last frame of a reply begins with, where a reply may be several.
    reply_last: Mark,
    chunk: u32,
    pad: u8,
    index: Option<Index>,
    trailer: Mark,
    checksum: Option<Checksum>,
    payload: Payload,
    max_body: Option<u64>,
    over_limit: OverLimit,
    reply: Reply,
    reply_order: ReplyOrder,
    request: Option<Template>,
    /// What messages are made from that are owed no reply.
    unanswered: Option<Template>,
    prologue: Vec<Turn>,
    requests_per_connection: Option<u32>,
    carriage: Carriage,
}

impl Profile {
    /// Names of the built-in profiles, the default first.
    pub const BUILT_IN: [&'static str; 3] = ["tutorial", "chunk-count", "u32-be"];

    /// The format of the tutorial's server and client: four octets, big-endian, counting the octets of a body that is
    /// padded with NUL to chunks of 60.
    #[must_use]
    pub fn tutorial() -> Self {
        Self {
            name: "tutorial".into(),
            about: "4-octet big-endian octet count; JSON padded with NUL to 60-octet chunks".into(),
            before: Mark::default(),
            length: Length::Binary {
                width: 4,
                order: Order::Big,
                signed: false,
            },
            unit: Unit::Octets,
            covers: vec![Region::Payload, Region::Padding],
            after: Mark::default(),
            replies: None,
            refusal: Mark::default(),
            reply_last: Mark::default(),
            chunk: 60,
            pad: 0,
            index: None,
            trailer: Mark::default(),
            checksum: None,
            payload: Payload::Json,
            max_body: None,
            over_limit: OverLimit::Close,
            reply: Reply::Auto,
            reply_order: ReplyOrder::Requests,
            request: None,
            unanswered: None,
            prologue: Vec::new(),
            requests_per_connection: None,
            carriage: Carriage::Stream,
        }
    }

    /// The format of the tutorial's first example: four octets, little-endian, counting chunks of four octets.
    #[must_use]
    pub fn chunk_count() -> Self {
        Self {
            name: "chunk-count".into(),
            about: "4-octet little-endian chunk count; JSON padded with NUL to 4-octet chunks"
                .into(),
            length: Length::Binary {
                width: 4,
                order: Order::Little,
                signed: false,
            },
            unit: Unit::Chunks,
            chunk: 4,
            ..Self::tutorial()
        }
    }

    /// The plainest format: four octets, big-endian, that count the octets of the payload, and then the
    /// payload, which may be any octets. No chunks, no padding, nothing else.
    ///
    /// ```
    /// use framespec::{profile::Profile, wire::FrameWriter};
    ///
    /// let mut writer = FrameWriter::new(Vec::new(), &Profile::u32_be());
    /// writer.write_frame(b"hi")?;
    /// assert_eq!(writer.get_ref(), b"\0\0\0\x02hi");
    /// # Ok::<(), framespec::wire::WriteError>(())
    /// ```
    #[must_use]
    pub fn u32_be() -> Self {
        Self {
            name: "u32-be".into(),
            about: "4-octet big-endian octet count; any octets, no padding".into(),
            chunk: 1,
            payload: Payload::Opaque,
            ..Self::tutorial()
        }
    }

    /// The built-in profile of that name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        match name {
            "tutorial" => Some(Self::tutorial()),
            "chunk-count" => Some(Self::chunk_count()),
            "u32-be" => Some(Self::u32_be()),
            _ => None,
        }
    }

    /// This profile with a declared limit of `max_body` octets on a body.
    ///
    /// # Errors
    /// If not even one chunk fits.
    pub fn with_max_body(self, max_body: u64) -> Result<Self, ProfileError> {
        let carriage = self.carriage;
        let declared = Self::try_from(Draft {
            max_body: Some(max_body),
            ..Draft::from(self)
        });
        Ok(declared?.carried_by(carriage))
    }

    /// This profile, for frames that are carried so. A [`Draft`] and a file do not say it.
    #[must_use]
    pub fn carried_by(self, carriage: Carriage) -> Self {
        Self { carriage, ..self }
    }

    /// This profile with another relation of replies to requests.
    #[must_use]
    pub fn with_reply(self, reply: Reply) -> Self {
        Self { reply, ..self }
    }

    /// The format as replies are written in it: the same, but for the marks of replies where they have their own.
    ///
    /// A profile by itself is that of requests. Who writes replies, or reads them, does so by this one.
    ///
    /// ```
    /// use framespec::profile::{Draft, Profile};
    ///
    /// let profile = Profile::try_from(Draft {
    ///     name: "ask".into(),
    ///     before: "3f".into(),
    ///     reply_before: Some("21".into()),
    ///     ..Draft::default()
    /// })?;
    /// assert_eq!(profile.before().octets(), [Some(b'?')]);
    /// assert_eq!(profile.of_replies().before().octets(), [Some(b'!')]);
    /// # Ok::<(), framespec::profile::ProfileError>(())
    /// ```
    #[must_use]
    pub fn of_replies(&self) -> Self {
        let mut profile = self.clone();
        if let Some((before, after)) = profile.replies.take() {
            (profile.before, profile.after) = (before, after);
        }
        // Which kind of message it is means nothing in a reply.
        profile.unanswered = None;
        profile
    }

    /// The format with any octets around the length: as the frames of a prologue are read. Their checksum and indexes may be
    /// any too.
    #[must_use]
    pub fn unmarked(&self) -> Self {
        let any = |mark: &Mark| Mark::free(mark.len());
        Self {
            before: any(&self.before),
            after: any(&self.after),
            replies: None,
            ..self.unsummed()
        }
    }

    /// The format in which any octets stand where the checksum does, and where the indexes of chunks do.
    #[must_use]
    pub fn unsummed(&self) -> Self {
        let replies = self.replies.as_ref();
        Self {
            before: self.before.unsummed(),
            after: self.after.unsummed(),
            replies: replies.map(|(before, after)| (before.unsummed(), after.unsummed())),
            trailer: self.trailer.unsummed(),
            checksum: None,
            index: self.index.map(Index::freed),
            ..self.clone()
        }
    }

    /// What the format is called: in reports, and as the value of `--profile` when built in.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line for people.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Octets in front of the length field, of requests.
    #[must_use]
    pub fn before(&self) -> &Mark {
        &self.before
    }

    /// How the number in the length field is written.
    #[must_use]
    pub fn length(&self) -> Length {
        self.length
    }

    /// What one count of the length field stands for.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether the length field counts that region.
    #[must_use]
    pub fn covers(&self, region: Region) -> bool {
        self.covers.contains(&region)
    }

    /// Octets behind the length field, of requests.
    #[must_use]
    pub fn after(&self) -> &Mark {
        &self.after
    }

    /// Octets of the shortest header: before, length and after. 1 to 150. No other is longer, unless the
    /// length field grows with its number.
    #[must_use]
    pub fn header_len(&self) -> usize {
        self.header_len_with(self.length.least_len())
    }

    /// Octets of the longest header.
    #[must_use]
    pub fn longest_header_len(&self) -> usize {
        self.header_len_with(self.length.most_len())
    }

    fn header_len_with(&self, length: usize) -> usize {
        let marks = self.before.len().saturating_add(self.after.len());
        marks.saturating_add(length)
    }

    /// Octets of the header that the length field counts too. 0 to 136.
    #[must_use]
    pub fn covered_header_len(&self) -> usize {
        [
            (Region::Before, self.before.len()),
            (Region::Length, self.length.most_len()),
            (Region::After, self.after.len()),
        ]
        .into_iter()
        .filter(|(region, _)| self.covers(*region))
        .fold(0, |all, (_, octets)| all.saturating_add(octets))
    }

    /// Octets of a chunk, 1 to 65,536. The body is a whole number of chunks; 1 means no padding, also where chunks have an
    /// [`Index`] and the last one is short.
    #[must_use]
    pub fn chunk(&self) -> u32 {
        self.chunk
    }

    /// The octet that padding is made of.
    #[must_use]
    pub fn pad(&self) -> u8 {
        self.pad
    }

    /// What stands in front of each chunk, if something does. Neither [`chunk`](Self::chunk) nor the limit counts it; the
    /// length does if it covers [`Region::Indexes`].
    #[must_use]
    pub fn index(&self) -> Option<Index> {
        self.index
    }

    /// Octets behind the body. Neither the length nor the limit counts them.
    #[must_use]
    pub fn trailer(&self) -> &Mark {
        &self.trailer
    }

    /// What the checksum of a frame is, if it has one. Where it stands, one of [`before`](Self::before),
    /// [`after`](Self::after) and [`trailer`](Self::trailer) says.
    #[must_use]
    pub fn checksum(&self) -> Option<&Checksum> {
        self.checksum.as_ref()
    }

    /// Whether a receiver finds the end of the payload by dropping pad octets at the end of the body:
    /// there are chunks, and the length counts the padding too. A payload that ends in the pad octet
    /// cannot be sent then.
    #[must_use]
    pub fn trims(&self) -> bool {
        self.chunk > 1 && self.covers(Region::Padding)
    }

    /// What payloads are made of.
    #[must_use]
    pub fn payload(&self) -> Payload {
        self.payload
    }

    /// The declared limit on a body (payload and padding) in octets, if one is declared.
    #[must_use]
    pub fn declared_max_body(&self) -> Option<u64> {
        self.max_body
    }

    /// The limit on a body in octets: as declared, else [`DEFAULT_MAX_BODY`].
    #[must_use]
    pub fn max_body(&self) -> u64 {
        self.max_body.unwrap_or(DEFAULT_MAX_BODY)
    }

    /// Whether octets in the place of a reply say that nothing more is read, in another form than that of a reply.
    #[must_use]
    pub fn is_refusal(&self, octets: &[u8]) -> bool {
        let expected = self.refusal.octets();
        let matches = |(expected, octet): (&Option<u8>, &u8)| expected.is_none_or(|e| e == *octet);
        let long_enough = octets.len() >= expected.len();
        !expected.is_empty() && long_enough && expected.iter().zip(octets).all(matches)
    }

    /// What is owed for a length over the limit.
    #[must_use]
    pub fn over_limit(&self) -> OverLimit {
        self.over_limit
    }

    /// How replies relate to requests.
    #[must_use]
    pub fn reply(&self) -> Reply {
        self.reply
    }

    /// In which order replies come.
    #[must_use]
    pub fn reply_order(&self) -> ReplyOrder {
        self.reply_order
    }

    /// Whether a request has an id that its reply repeats.
    #[must_use]
    pub fn has_ids(&self) -> bool {
        self.id_width() > 0
    }

    /// Octets of the id in a header, 0 to 8; 0 if there is none.
    #[must_use]
    pub fn id_width(&self) -> usize {
        let (before, after) = (self.before.id().len(), self.after.id().len());
        before.saturating_add(after)
    }

    /// What is said on a connection before its first frame, turn by turn.
    #[must_use]
    pub fn prologue(&self) -> &[Turn] {
        &self.prologue
    }

    /// What carries its frames: a stream, unless [it was said](Self::carried_by).
    #[must_use]
    pub fn carriage(&self) -> Carriage {
        self.carriage
    }

    /// The template that every valid request is made from, if the server needs one.
    #[must_use]
    pub fn request(&self) -> Option<&Template> {
        self.request.as_ref()
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::tutorial()
    }
}
