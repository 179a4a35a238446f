//! What a wire format has to have, so that there is room for a fault in it.

use crate::profile::{Carriage, Length, Mark, Payload, Profile, Region, ReplyOrder, Speaker, Unit};

/// Something that a wire format may have or lack. Where it lacks what a fault is about, the fault does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Room {
    /// The client says something before its first frame.
    Prologue,
    /// Each frame is a datagram.
    Datagrams,
    /// Frames have a checksum, …
    Checksum,
    /// … of more than two octets, …
    WideChecksum,
    /// … which is reckoned from a part of the header, …
    ChecksumOfHeader,
    /// … or from free octets in front of the length, …
    ChecksumOfFreeOctets,
    /// … or from the length, …
    ChecksumOfLength,
    /// … or from padding.
    ChecksumOfPadding,
    /// Chunks have an index, …
    Index,
    /// … of more than one octet, …
    WideIndex,
    /// … which the length does not count, …
    UncountedIndex,
    /// … and a last chunk that is not full is padded.
    PaddedChunks,
    /// Headers have an id, …
    Ids,
    /// … of more than two octets.
    WideIds,
    /// A reply may be several frames.
    LongReplies,
    /// Some messages are owed no reply.
    Unanswered,
    /// Replies come in the order of their requests.
    RepliesInOrder,
    /// Headers have an octet that is always the same, …
    FixedOctets,
    /// … at another place than the first, …
    FixedBehindTheFirst,
    /// … or behind the length.
    FixedBehindTheLength,
    /// In front of the length stands an octet that differs from frame to frame.
    FreeOctets,
    /// Replies have fixed octets of their own.
    OwnMarks,
    /// The length counts a part of the header.
    CountedHeader,
    /// Lengths have the same number of octets in each header.
    FixedWidth,
    /// A length can be a number of more than so many bits.
    MoreBits(u32),
    /// Lengths are written in digits, …
    Digits,
    /// … without zeros in front.
    StrictDigits,
    /// A varint may have octets that add nothing.
    LongVarints,
    /// A fixed octet stands behind each body.
    FixedTrailer,
    /// Nothing stands behind a body.
    NoTrailer,
    /// Octets as in memory that was cleared are a frame.
    FrameOfZeros,
    /// Bodies are padded, …
    Padding,
    /// … and the length counts octets of padding too.
    CountedPadding,
    /// Payloads are JSON.
    Json,
    /// There are payloads that cannot be decoded.
    Undecodable,
    /// Payloads are any octets.
    Opaque,
}

impl Room {
    /// What is missing where there is no such room, in plain words and without a full stop.
    #[must_use]
    pub const fn lacking(self) -> &'static str {
        match self {
            Self::Prologue => "the client says nothing before its first frame",
            Self::Datagrams => "frames are no datagrams",
            Self::Checksum => "there is no checksum",
            Self::WideChecksum => "there is no checksum of more than two octets",
            Self::ChecksumOfHeader => "no checksum is reckoned from the header",
            Self::ChecksumOfFreeOctets => "no checksum is reckoned from octets that are free",
            Self::ChecksumOfLength => "no checksum is reckoned from the length",
            Self::ChecksumOfPadding => "no checksum is reckoned from padding",
            Self::Index => "chunks have no index",
            Self::WideIndex => "chunks have no index of several octets",
            Self::UncountedIndex => "there is no index that the length leaves out",
            Self::PaddedChunks => "there is no chunk with an index and with padding",
            Self::Ids => "there are no ids",
            Self::WideIds => "there are no ids of more than two octets",
            Self::LongReplies => "each reply is one frame",
            Self::Unanswered => "each message is owed a reply",
            Self::RepliesInOrder => "replies may come in any order",
            Self::FixedOctets => "no octet of a header is fixed",
            Self::FixedBehindTheFirst => "no octet of a header but the first is fixed",
            Self::FixedBehindTheLength => "no octet behind the length is fixed",
            Self::FreeOctets => "no octet in front of the length is free",
            Self::OwnMarks => "replies have no fixed octets of their own",
            Self::CountedHeader => "the length counts nothing of the header",
            Self::FixedWidth => "the end of a length can be seen, so that half of one is none",
            Self::MoreBits(_) => "no length is so large a number",
            Self::Digits => "lengths are not written in digits",
            Self::StrictDigits => "there are no digits in front of which a zero would be wrong",
            Self::LongVarints => "no varint may be longer than it needs to be",
            Self::FixedTrailer => "no fixed octet stands behind a body",
            Self::NoTrailer => "what stands behind a body is missing as well",
            Self::FrameOfZeros => "cleared memory is no frame",
            Self::Padding => "there is no padding",
            Self::CountedPadding => "the length counts no padding in octets",
            Self::Json => "payloads are not JSON",
            Self::Undecodable => "any octets are a message",
            Self::Opaque => "payloads are text",
        }
    }

    /// Whether a format has it.
    #[must_use]
    pub fn is_in(self, profile: &Profile) -> bool {
        match self {
            Self::Prologue => says_something(profile),
            Self::Datagrams => profile.carriage() == Carriage::Datagrams,
            Self::Ids => profile.has_ids(),
            Self::WideIds => profile.id_width() > 2,
            Self::LongReplies => profile.has_long_replies(),
            Self::Unanswered => profile.unanswered().is_some(),
            Self::RepliesInOrder => profile.reply_order() == ReplyOrder::Requests,
            Self::Json => profile.payload() == Payload::Json,
            Self::Undecodable => profile.payload() != Payload::Opaque,
            Self::Opaque => profile.payload() == Payload::Opaque,
            Self::Checksum
            | Self::WideChecksum
            | Self::ChecksumOfHeader
            | Self::ChecksumOfFreeOctets
            | Self::ChecksumOfLength
            | Self::ChecksumOfPadding => self.is_of_the_checksum(profile),
            Self::FixedOctets
            | Self::FixedBehindTheFirst
            | Self::FixedBehindTheLength
            | Self::FreeOctets
            | Self::OwnMarks
            | Self::FixedTrailer
            | Self::NoTrailer
            | Self::FrameOfZeros => self.is_of_the_marks(profile),
            Self::CountedHeader
            | Self::FixedWidth
            | Self::MoreBits(_)
            | Self::Digits
            | Self::StrictDigits
            | Self::LongVarints => self.is_of_the_length(profile),
            Self::Index
            | Self::WideIndex
            | Self::UncountedIndex
            | Self::PaddedChunks
            | Self::Padding
            | Self::CountedPadding => self.is_of_the_chunks(profile),
        }
    }

    fn is_of_the_checksum(self, profile: &Profile) -> bool {
        let Some(checksum) = profile.checksum() else {
            return false;
        };
        let header = [Region::Before, Region::Length, Region::After];
        let is_padded = Self::Padding.is_in(profile);
        match self {
            Self::WideChecksum => checksum.kind().width() > 2,
            Self::ChecksumOfHeader => header.iter().any(|region| checksum.covers(*region)),
            Self::ChecksumOfFreeOctets => {
                checksum.covers(Region::Before) && Self::FreeOctets.is_in(profile)
            }
            Self::ChecksumOfLength => checksum.covers(Region::Length),
            Self::ChecksumOfPadding => checksum.covers(Region::Padding) && is_padded,
            _ => true,
        }
    }

    fn is_of_the_marks(self, profile: &Profile) -> bool {
        let (before, after) = (profile.before(), profile.after());
        let length = [None; 1];
        let header = || before.octets().iter().chain(&length).chain(after.octets());
        match self {
            Self::FixedOctets => header().any(Option::is_some),
            Self::FixedBehindTheFirst => header().skip(1).any(Option::is_some),
            Self::FixedBehindTheLength => is_fixed(after),
            Self::FreeOctets => before.octets().iter().any(Option::is_none),
            Self::OwnMarks => has_own_marks(profile),
            Self::FixedTrailer => is_fixed(profile.trailer()),
            Self::NoTrailer => profile.trailer().is_empty(),
            _ => is_frame_of_zeros(profile),
        }
    }

    fn is_of_the_length(self, profile: &Profile) -> bool {
        match (self, profile.length()) {
            (Self::CountedHeader, _) => profile.covered_header_len() > 0,
            (Self::MoreBits(bits), length) => {
                let most = length.most_counted().unwrap_or(u64::MAX);
                most.checked_shr(bits).is_some_and(|rest| rest > 0)
            }
            (Self::FixedWidth, Length::Binary { .. }) | (Self::Digits, Length::Decimal { .. }) => {
                true
            }
            (Self::StrictDigits, Length::Decimal { overlong, .. }) => !overlong,
            (Self::LongVarints, Length::Varint { overlong, .. }) => overlong,
            _ => false,
        }
    }

    fn is_of_the_chunks(self, profile: &Profile) -> bool {
        let is_padded = profile.chunk() > 1;
        let counts = profile.covers(Region::Padding) && profile.unit() == Unit::Octets;
        let index = profile.index();
        match self {
            Self::WideIndex => index.is_some_and(|index| index.width() > 1),
            Self::UncountedIndex => index.is_some() && !profile.covers(Region::Indexes),
            Self::PaddedChunks => index.is_some() && is_padded,
            Self::Padding => is_padded,
            Self::CountedPadding => is_padded && counts,
            _ => index.is_some(),
        }
    }
}

fn says_something(profile: &Profile) -> bool {
    let mut turns = profile.prologue().iter();
    turns.any(|turn| turn.speaker == Speaker::Client)
}

fn is_fixed(mark: &Mark) -> bool {
    mark.octets().iter().any(Option::is_some)
}

/// Whether some octet is fixed in requests and another one in replies.
fn has_own_marks(profile: &Profile) -> bool {
    let replies = profile.of_replies();
    let differ = |one: &Mark, other: &Mark| {
        let mut pairs = one.octets().iter().zip(other.octets());
        pairs.any(|(one, other)| one.is_some() && one != other)
    };
    differ(profile.before(), replies.before()) || differ(profile.after(), replies.after())
}

fn is_frame_of_zeros(profile: &Profile) -> bool {
    let all = [profile.before(), profile.after()];
    let mut fixed = all.iter().flat_map(|mark| mark.octets()).flatten();
    let counts = profile.covered_header_len() > 0;
    fixed.all(|octet| *octet == 0) && profile.trailer().is_empty() && !counts
}
