//! The number in a header: how it is read, and what is believed of it.

use super::super::client::{Client, Fault};
use super::super::honest;
use super::super::hooks::End;
use crate::altered::alteration::{Mend, Need};
use crate::altered::frame::{self, Body, Malformed, Sizes};
use crate::altered::room::Room;
use crate::altered::sketch;
use crate::profile::{Mark, Profile};
use crate::session::Reply;
use crate::spec::Clause;

#[rustfmt::skip]
pub(super) const FAULTS: &[Fault] = &[
    Fault::new("other-octet-order", Clause::LengthPrefix, "",
        "The length is read in the other octet order.",
        Mend::by("The length is read in the wrong octet order", "Read the length in the order that the protocol says, which for the tutorial's is the most significant octet first.", sketch::LENGTH),
        |h| h.count = in_other_order),
    Fault::new("length-of-one-octet", Clause::LengthPrefix, "contiki-ng#813",
        "Only the least significant octet of the length is looked at.",
        Mend::by("Only the last octet of the length is used", "Put the number together from all of its octets.", sketch::LENGTH),
        |h| h.count = |profile, field| honest::count(profile, field).rem_euclid(256)),
    Fault::new("length-of-two-octets", Clause::LengthPrefix, "",
        "The length goes through a variable of 16 bits on its way from the check to the read.",
        Mend::by("The length passes through 16 bits", "Keep the length in a type at least as wide as its field, all the way from the check to the read.", sketch::LENGTH),
        |h| h.body = |c, wanted| Box::pin(honest::body(c, wanted & 0xffff))),
    Fault::new("lower-half-of-the-length", Clause::LengthPrefix, "",
        "Only the lower 16 bits of the length are looked at, and checked as if they were all of it.",
        Mend::by("Only the lower 16 bits of the length are used", "Put the number together from all of its octets.", sketch::LENGTH),
        |h| h.count = |profile, field| honest::count(profile, field).rem_euclid(1 << 16)),
    Fault::new("lower-24-bits-of-the-length", Clause::LengthLimit, "",
        "Only the lower 24 bits of the length are looked at, and checked as if they were all of it.",
        Mend::by("Only the lower bits of the length are used", "Put the number together from all of its octets, and compare it with the limit before it is made smaller.", sketch::LENGTH),
        |h| h.count = |profile, field| lower_bits(profile, field, 24)),
    Fault::new("signed-octets", Clause::LengthPrefix, "rsync#873",
        "The octets of the length are taken for signed ones, so that those above 127 count backwards.",
        Mend::by("The octets of the length are taken for signed numbers", "Read octets as unsigned before they are put together.", sketch::LENGTH),
        |h| h.count = of_signed_octets),
    Fault::new("chunk-counter-of-one-octet", Clause::LengthPrefix, "contiki-ng#813",
        "The chunks of a body are counted down in a variable of 8 bits.",
        Mend::by("The chunks of a body are counted in 8 bits", "Count octets or chunks in a type as wide as the length.", sketch::LENGTH),
        |h| h.body = |c, wanted| Box::pin(with_a_small_counter(c, wanted))),

    Fault::new("no-limit", Clause::LengthLimit, "CVE-2022-34917, CVE-2021-32675",
        "Any length is believed, and its body waited for.",
        Mend::by("No length is too large", "Compare the length with a limit before anything of the body is read, and close the connection if it is above.", sketch::LIMIT),
        |h| h.sizes = |profile, count| honest::sizes_up_to(profile, count, i128::MAX)),
    Fault::new("lengths-unchecked", Clause::LengthLimit, "CVE-2022-34917, CVE-2021-32675",
        "Any length is believed, be it a whole number of chunks or not, and its body waited for.",
        Mend::by("No length is refused", "Compare the length with a limit, and see that it is a whole number of chunks, before anything of the body is read; close the connection if not.", sketch::LIMIT),
        |h| h.sizes = honest::sizes_unchecked),
    Fault::new("limit-a-chunk-too-high", Clause::LengthLimit, "swift-nio-http2#96",
        "A body of one chunk above the limit is taken.",
        Mend::by("The limit lets one chunk too many pass", "Refuse every length that is greater than the limit.", sketch::LIMIT),
        |h| h.sizes = |profile, count| honest::sizes_up_to(profile, count, limit(profile, 1))).needing(Need::DeclaredLimit),
    Fault::new("limit-a-chunk-too-low", Clause::LengthLimit, "hyperframe#3",
        "A body of exactly the limit is refused.",
        Mend::by("A body of exactly the limit is refused", "Refuse only what is greater than the limit, not what is equal to it.", sketch::LIMIT),
        |h| h.sizes = |profile, count| honest::sizes_up_to(profile, count, limit(profile, -1))).needing(Need::DeclaredLimit),
    Fault::new("limit-of-16-kib", Clause::LengthLimit, "",
        "Bodies of more than 16 KiB are refused, although they are within any limit that there may be.",
        Mend::by("Bodies above 16 KiB are refused", "Set the limit no lower than what the protocol lets every client send.", sketch::LIMIT),
        |h| h.sizes = |profile, count| honest::sizes_up_to(profile, count, 16 << 10)),
    Fault::new("length-clamped", Clause::LengthLimit, "",
        "A length above the limit is silently lowered to it, and the rest of the body read as frames.",
        Mend::by("A length above the limit is lowered to it", "Close the connection instead, since what follows cannot be told from frames.", sketch::LIMIT),
        |h| h.sizes = clamped),
    Fault::new("oversize-drained", Clause::LengthLimit, "",
        "A body above the limit is read to its end and dropped, and the connection goes on.",
        Mend::by("A body above the limit is read and dropped", "Close the connection as soon as the header has been read.", sketch::LIMIT),
        |h| h.take = |c| Box::pin(draining(c))),
    Fault::new("oversize-answered-and-read-on", Clause::LengthLimit, "capsem#128",
        "A header above the limit is answered with an error, and what follows it is read as the next header.",
        Mend::by("After a length above the limit the next octets are read as a header", "Close the connection behind the complaint, if there is one.", sketch::LIMIT),
        |h| h.ended = |c, end| Box::pin(answering_malformed(c, end))),
    Fault::new("limit-for-the-first-frame-only", Clause::LengthLimit, "",
        "The limit is applied to the first frame of a connection and to no other.",
        Mend::by("The limit is checked for the first frame only", "Check it in the one place where every header is read.", sketch::LIMIT),
        |h| h.take = |c| Box::pin(trusting_after_one(c))),
    Fault::new("negative-length-passes", Clause::LengthLimit, "httpcomponents-client#854",
        "The length is a signed number when it is compared with the limit, and a negative one is an empty body.",
        Mend::by("A length above 2 GiB counts as negative and passes the check", "Read the length as an unsigned number.", sketch::LENGTH),
        |h| h.sizes = negative_is_nothing),
    Fault::new("negative-whole-chunks-pass", Clause::LengthLimit, "",
        "The length is a signed number, and a negative one that is a whole number of chunks is an empty body, as it is to CPython's multiprocessing.",
        Mend::by("A length above 2 GiB counts as negative, and passes as whole chunks", "Read the length as an unsigned number.", sketch::LENGTH),
        |h| h.sizes = negative_chunks_are_nothing),
    Fault::new("negative-length-turned-round", Clause::LengthLimit, "",
        "The length is a signed number, and of a negative one the sign is dropped.",
        Mend::by("A length above 2 GiB counts as negative, and its sign is dropped", "Read the length as an unsigned number.", sketch::LENGTH),
        |h| h.sizes = without_sign),
    Fault::new("negative-length-forgotten", Clause::LengthLimit, "kafka-python#3014",
        "A length that is negative as a signed number ends the client's task and leaves its socket open.",
        Mend::by("A length above 2 GiB leaves the connection dead but open", "Read the length as unsigned, and close the socket on every way out.", sketch::ALWAYS_CLOSE),
        |h| h.take = |c| Box::pin(forgetting_negative(c))),
    Fault::new("negative-length-ends-the-server", Clause::LengthLimit, "",
        "A length that is negative as a signed number ends the whole server, as an allocation of so much does.",
        Mend::by("A length above 2 GiB ends the whole server", "Read the length as an unsigned number, compare it with the limit before room is made for it, and catch what goes wrong where the client is served.", sketch::LENGTH),
        |h| h.take = |c| Box::pin(dying_of_negative(c))),
    Fault::new("length-plus-header-wraps", Clause::LengthLimit, "libzmq#1488, CVE-2019-6250",
        "The header's size is added to the length in as many bits as the field has, and the sum compared with the limit.",
        Mend::by("Adding the header's size to the length overflows", "Compare the length with the limit before anything is added to it, or add with a check.", sketch::LIMIT),
        |h| h.sizes = header_added),
    Fault::new("length-times-eight-wraps", Clause::LengthLimit, "",
        "The length is turned into bits in as many bits as the field has, and the product compared with the limit.",
        Mend::by("Multiplying the length overflows", "Compare the length with the limit before it is multiplied, or multiply with a check.", sketch::LIMIT),
        |h| h.sizes = counted_in_bits),

    Fault::new("length-below-header-waited-for", Clause::LengthLimit, "rabbitmq-c#878",
        "From a length that is less than the header that it counts the header is taken all the same, and what would come out as a number without sign is waited for.",
        Mend::by("A length below the header's own size wraps round and is waited for", "Refuse a length that is less than what it counts, before the header's size is taken from it.", sketch::LIMIT),
        |h| h.sizes = unsigned_below_the_header).needing(Need::FullHeader).within(&[Room::CountedHeader]),
    Fault::new("length-below-header-is-empty", Clause::LengthLimit, "",
        "A length that is less than the header that it counts is taken for that of an empty body.",
        Mend::by("A length below the header's own size counts as an empty body", "Refuse a length that is less than what it counts, before the header's size is taken from it.", sketch::LIMIT),
        |h| h.sizes = empty_below_the_header).needing(Need::FullHeader).within(&[Room::CountedHeader]),
    Fault::new("length-plus-header-wraps-31-bits", Clause::LengthLimit, "DitchOoM/buffer#309",
        "The header's size is added to the length in a signed number of 32 bits, and a sum below zero is no more than any limit.",
        Mend::by("Adding the header's size to the length overflows 31 bits", "Compare the length with the limit before anything is added to it, and keep it unsigned.", sketch::LIMIT),
        |h| h.sizes = header_added_in_31_bits).needing(Need::FullHeader),
    Fault::new("fixed-octets-not-looked-at", Clause::LengthPrefix, "",
        "Nobody looks at the fixed octets of a header.",
        Mend::by("The fixed octets of a header are not checked", "Compare each fixed octet of the header with what it has to be, and close the connection if one differs.", sketch::HEADER),
        |h| h.take = |c| Box::pin(without_looking_at(c, Unseen::All))).needing(Need::FullHeader).within(&[Room::FixedOctets]),
    Fault::new("first-fixed-octet-only", Clause::LengthPrefix, "",
        "Of the fixed octets of a header only the first is looked at.",
        Mend::by("Only the first fixed octet of a header is checked", "Compare each fixed octet of the header with what it has to be, and close the connection if one differs.", sketch::HEADER),
        |h| h.take = |c| Box::pin(without_looking_at(c, Unseen::AllButTheFirst))).needing(Need::FullHeader).within(&[Room::FixedBehindTheFirst]),
    Fault::new("fixed-octets-behind-the-length-not-looked-at", Clause::LengthPrefix, "",
        "The fixed octets behind the length are read and not looked at.",
        Mend::by("The fixed octets behind the length are not checked", "Compare each fixed octet of the header with what it has to be, and close the connection if one differs.", sketch::HEADER),
        |h| h.take = |c| Box::pin(without_looking_at(c, Unseen::BehindTheLength))).needing(Need::FullHeader).within(&[Room::FixedBehindTheLength]),
    Fault::new("free-octets-have-to-be-zero", Clause::LengthPrefix, "",
        "A header in which an octet that may be anything is not zero is refused.",
        Mend::by("A header octet that may be anything has to be zero", "Look at no octet of the header to which the protocol gives no meaning.", sketch::HEADER),
        |h| h.take = |c| Box::pin(with_zeros_where_anything_may_be(c))).needing(Need::FullHeader).within(&[Room::FreeOctets]),
    Fault::new("replies-taken-for-requests", Clause::LengthPrefix, "",
        "A frame with the fixed octets that only replies have is taken for a request: one reader serves both sides.",
        Mend::by("A frame that is marked as a reply is taken for a request", "Compare the fixed octets of a header with those of requests alone, and close the connection if one differs.", sketch::HEADER),
        |h| h.take = |c| Box::pin(of_either_side(c))).needing(Need::OwnMarks),

    Fault::new("odd-length-rounded-up", Clause::ChunkMultiple, "",
        "Of a body that is no whole number of chunks, whole chunks are read, beyond its end.",
        Mend::by("A length that is no multiple of the chunk is rounded up", "Close the connection upon such a length, or read exactly so many octets.", sketch::LIMIT),
        |h| h.sizes = |profile, count| rounded(profile, count, 1)).within(&[Room::CountedPadding]),
    Fault::new("odd-length-rounded-down", Clause::ChunkMultiple, "",
        "Of a body that is no whole number of chunks, the last part is left for the next header.",
        Mend::by("A length that is no multiple of the chunk is rounded down", "Close the connection upon such a length, or read exactly so many octets.", sketch::LIMIT),
        |h| h.sizes = |profile, count| rounded(profile, count, 0)).within(&[Room::CountedPadding]),
    Fault::new("odd-length-passed-over", Clause::ChunkMultiple, "",
        "A frame whose length is no whole number of chunks is read to its end and passed over in silence.",
        Mend::by("A frame whose length is no multiple of the chunk is passed over in silence", "Close the connection upon such a length, so that the client learns of it.", sketch::LIMIT),
        |h| h.take = |c| Box::pin(passing_over_odd(c))).within(&[Room::CountedPadding]),
    Fault::new("odd-length-answered-and-read-on", Clause::ChunkMultiple, "",
        "A length that is no whole number of chunks is answered with an error, and what follows it is read as the next header.",
        Mend::by("After a length that is no multiple of the chunk the body is read as a header", "Close the connection behind the complaint, if there is one.", sketch::LIMIT),
        |h| h.take = |c| Box::pin(complaining_of_odd(c))).within(&[Room::CountedPadding]),
    Fault::new("odd-length-forgotten", Clause::ChunkMultiple, "",
        "A length that is no whole number of chunks ends the client's task and leaves its socket open.",
        Mend::by("A length that is no multiple of the chunk leaves the connection dead but open", "Close the socket on every way out of the loop.", sketch::ALWAYS_CLOSE),
        |h| h.take = |c| Box::pin(forgetting_odd(c))).within(&[Room::CountedPadding]),
];

/// Of a number that is none nothing is left out.
pub(super) fn lower_bits(profile: &Profile, field: &[u8], bits: u32) -> i128 {
    let count = honest::count(profile, field);
    let modulus = 1_i128.checked_shl(bits).unwrap_or(i128::MAX);
    count.checked_rem(modulus).unwrap_or(count)
}

fn in_other_order(profile: &Profile, field: &[u8]) -> i128 {
    let mut octets = field.to_vec();
    octets.reverse();
    honest::count(profile, &octets)
}

fn of_signed_octets(profile: &Profile, field: &[u8]) -> i128 {
    let backwards = field.iter().map(|octet| if *octet < 0x80 { 0 } else { 1 });
    let borrowed: Vec<u8> = backwards.collect();
    honest::count(profile, field)
        .saturating_sub(honest::count(profile, &borrowed).saturating_mul(256))
}

async fn with_a_small_counter(c: &mut Client, wanted: usize) -> Result<Vec<u8>, End> {
    let chunk = usize::try_from(c.profile().chunk()).unwrap_or(usize::MAX);
    let chunks = wanted.div_ceil(chunk) & 0xff;
    honest::body(c, chunks.saturating_mul(chunk)).await
}

/// The limit and so many chunks more.
fn limit(profile: &Profile, chunks: i128) -> i128 {
    let chunk = i128::from(profile.chunk());
    i128::from(profile.max_body()).saturating_add(chunks.saturating_mul(chunk))
}

fn clamped(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, payload) = honest::lengths(profile, count);
    if body <= limit(profile, 0) {
        return honest::sizes(profile, count);
    }
    let chunk = u64::from(profile.chunk());
    let chunks = profile.max_body().checked_div(chunk).unwrap_or_default();
    let most = usize::try_from(chunks.saturating_mul(chunk)).map_err(|_| Malformed)?;
    Ok(Sizes {
        body: most,
        payload: payload.map(|payload| usize::try_from(payload).unwrap_or(most).min(most)),
    })
}

/// What the number of a header comes to without any check.
fn claimed(c: &Client, header: &[u8]) -> i128 {
    let profile = c.profile();
    let field = header.get(frame::field(profile, header));
    honest::count(profile, field.unwrap_or_default())
}

async fn draining(c: &mut Client) -> Result<Body, End> {
    loop {
        let header = honest::header(c).await?;
        let (body, _) = honest::lengths(c.profile(), claimed(c, &header));
        if body <= limit(c.profile(), 0) {
            return honest::rest_of_frame(c, &header).await;
        }
        let mut left = usize::try_from(body).unwrap_or(usize::MAX);
        while left > 0 {
            let octets = c.recv(left).await?;
            if octets.is_empty() {
                return Err(End::Eof { inside: true });
            }
            left = left.saturating_sub(octets.len());
        }
        c.frame_taken();
    }
}

async fn answering_malformed(c: &mut Client, end: End) -> Result<(), End> {
    if !matches!(end, End::Malformed) {
        return Err(end);
    }
    c.frame_taken();
    let told = serde_json::json!({ "error": "too large" });
    honest::say(c, Reply::from(told)).await
}

async fn trusting_after_one(c: &mut Client) -> Result<Body, End> {
    let header = honest::header(c).await?;
    if c.frames == 0 {
        return honest::rest_of_frame(c, &header).await;
    }
    let sizes = honest::sizes_up_to(c.profile(), claimed(c, &header), i128::MAX);
    let Sizes { body, payload } = sizes.map_err(|Malformed| End::Malformed)?;
    let octets = honest::body(c, body).await?;
    Ok(Body { octets, payload })
}

fn is_negative_if_signed(profile: &Profile, count: i128) -> bool {
    count < 0 || count >= frame::modulus(profile) / 2
}

fn negative_is_nothing(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    if is_negative_if_signed(profile, count) {
        let payload = (profile.chunk() == 1).then_some(0);
        return Ok(Sizes { body: 0, payload });
    }
    honest::sizes(profile, count)
}

/// What a number says as a signed one of the field's width.
fn as_signed(profile: &Profile, count: i128) -> i128 {
    if is_negative_if_signed(profile, count) && count >= 0 {
        count.saturating_sub(frame::modulus(profile))
    } else {
        count
    }
}

fn negative_chunks_are_nothing(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, _) = honest::lengths(profile, as_signed(profile, count));
    let is_whole = body.checked_rem(profile.chunk().into()) == Some(0);
    if body < 0 && is_whole {
        return negative_is_nothing(profile, count);
    }
    honest::sizes(profile, count)
}

fn without_sign(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    honest::sizes(profile, as_signed(profile, count).saturating_abs())
}

async fn forgetting_negative(c: &mut Client) -> Result<Body, End> {
    let header = honest::header(c).await?;
    if is_negative_if_signed(c.profile(), claimed(c, &header)) {
        return Err(End::Forgotten);
    }
    honest::rest_of_frame(c, &header).await
}

async fn dying_of_negative(c: &mut Client) -> Result<Body, End> {
    let header = honest::header(c).await?;
    if is_negative_if_signed(c.profile(), claimed(c, &header)) {
        return Err(End::Fatal);
    }
    honest::rest_of_frame(c, &header).await
}

fn header_added(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, _) = honest::lengths(profile, count);
    let header = i128::try_from(profile.header_len()).unwrap_or_default();
    let sum = body.saturating_add(header);
    if sum < frame::modulus(profile) {
        return honest::sizes(profile, count);
    }
    let left = sum.checked_rem(frame::modulus(profile)).unwrap_or_default();
    believed(profile, left.saturating_sub(header).max(0))
}

fn counted_in_bits(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, _) = honest::lengths(profile, count);
    let bits = body.saturating_mul(8);
    if bits < frame::modulus(profile) {
        return honest::sizes(profile, count);
    }
    believed(
        profile,
        bits.checked_rem(frame::modulus(profile))
            .unwrap_or_default()
            / 8,
    )
}

/// A body of so many octets, if that is within the limit.
fn believed(profile: &Profile, body: i128) -> Result<Sizes, Malformed> {
    if body > limit(profile, 0) {
        return Err(Malformed);
    }
    let body = usize::try_from(body).map_err(|_| Malformed)?;
    let payload = (profile.chunk() == 1).then_some(body);
    Ok(Sizes { body, payload })
}

/// Octets of body if they are no whole number of chunks, within the limit.
fn odd(profile: &Profile, count: i128) -> Option<i128> {
    let (body, _) = honest::lengths(profile, count);
    let over = body.checked_rem(profile.chunk().into()).unwrap_or_default();
    (over > 0 && body <= limit(profile, 0)).then_some(body)
}

fn rounded(profile: &Profile, count: i128, more: i128) -> Result<Sizes, Malformed> {
    let Some(body) = odd(profile, count) else {
        return honest::sizes(profile, count);
    };
    let chunk = i128::from(profile.chunk());
    let chunks = body
        .checked_div(chunk)
        .unwrap_or_default()
        .saturating_add(more);
    let body = usize::try_from(chunks.saturating_mul(chunk)).map_err(|_| Malformed)?;
    Ok(Sizes {
        body,
        payload: None,
    })
}

async fn passing_over_odd(c: &mut Client) -> Result<Body, End> {
    loop {
        let header = honest::header(c).await?;
        let Some(body) = odd(c.profile(), claimed(c, &header)) else {
            return honest::rest_of_frame(c, &header).await;
        };
        let body = usize::try_from(body).unwrap_or(usize::MAX);
        honest::body(c, body).await?;
        c.frame_taken();
    }
}

async fn complaining_of_odd(c: &mut Client) -> Result<Body, End> {
    loop {
        let header = honest::header(c).await?;
        if odd(c.profile(), claimed(c, &header)).is_none() {
            return honest::rest_of_frame(c, &header).await;
        }
        c.frame_taken();
        let told = serde_json::json!({ "error": "no whole number of chunks" });
        honest::say(c, Reply::from(told)).await?;
    }
}

async fn forgetting_odd(c: &mut Client) -> Result<Body, End> {
    let header = honest::header(c).await?;
    if odd(c.profile(), claimed(c, &header)).is_some() {
        return Err(End::Forgotten);
    }
    honest::rest_of_frame(c, &header).await
}

/// Waits for a body that is too large for any client.
fn without_end() -> Result<Sizes, Malformed> {
    let (body, payload) = (usize::MAX, None);
    Ok(Sizes { body, payload })
}

fn unsigned_below_the_header(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, _) = honest::lengths(profile, count);
    if body < 0 {
        return without_end();
    }
    honest::sizes(profile, count)
}

fn empty_below_the_header(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let (body, _) = honest::lengths(profile, count);
    if body < 0 {
        return believed(profile, 0);
    }
    honest::sizes(profile, count)
}

/// The first number that 31 bits do not hold.
const MORE_THAN_31_BITS: i128 = 1 << 31;

fn header_added_in_31_bits(profile: &Profile, count: i128) -> Result<Sizes, Malformed> {
    let header = i128::try_from(profile.header_len()).unwrap_or_default();
    let wraps = MORE_THAN_31_BITS.saturating_sub(header);
    if (wraps..MORE_THAN_31_BITS).contains(&count) {
        return without_end();
    }
    honest::sizes(profile, count)
}

/// Which octets of a header are not looked at.
enum Unseen {
    All,
    AllButTheFirst,
    BehindTheLength,
}

/// The next frame, of whose header some fixed octets are taken for what they should be.
async fn without_looking_at(c: &mut Client, unseen: Unseen) -> Result<Body, End> {
    let mut header = honest::header(c).await?;
    let from = match unseen {
        Unseen::All => 0,
        Unseen::AllButTheFirst => 1,
        Unseen::BehindTheLength => frame::field(c.profile(), &header).end,
    };
    mend_marks(c.profile(), &mut header, from);
    honest::rest_of_frame(c, &header).await
}

/// The next frame, be it marked as a request or as a reply.
async fn of_either_side(c: &mut Client) -> Result<Body, End> {
    let mut header = honest::header(c).await?;
    let replies = c.profile().of_replies();
    if frame::sizes_in(&replies, &header, honest::count, honest::sizes).is_ok() {
        mend_marks(c.profile(), &mut header, 0);
    }
    honest::rest_of_frame(c, &header).await
}

/// Puts each fixed octet of a header behind the first so many in its place.
fn mend_marks(profile: &Profile, header: &mut [u8], from: usize) {
    let fixed = |mark: &Mark| mark.octets().to_vec();
    let length = vec![None; frame::field(profile, header).len()];
    let all = [fixed(profile.before()), length, fixed(profile.after())].concat();
    for (octet, expected) in header.iter_mut().zip(all).skip(from) {
        *octet = expected.unwrap_or(*octet);
    }
}

async fn with_zeros_where_anything_may_be(c: &mut Client) -> Result<Body, End> {
    let header = honest::header(c).await?;
    let before = c.profile().before().octets().iter();
    let mut pairs = before.zip(&header);
    if pairs.any(|(expected, octet)| expected.is_none() && *octet != 0) {
        return Err(End::Malformed);
    }
    honest::rest_of_frame(c, &header).await
}
