//! The number in a header: how it is read, and how large it may be.

use super::{Case, Maker};
use crate::lang::{Text, say};
use crate::model::{SURE_BODY, SURELY_TOO_LARGE};
use crate::profile::{Length, OverLimit, Unit};
use crate::script::Conn;
use crate::spec::Clause;

pub(super) const LENGTH_PREFIX: &[Case] = &[
    Case::must(
        Clause::LengthPrefix,
        "one-chunk",
        "The plainest request there is: a body of one chunk. Whoever misreads its header can do nothing else.",
        |s| {
            let a = s.open();
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "two-chunks",
        "The smallest length that is not one chunk tells a server that reads lengths from one that assumes them.",
        |s| {
            let a = s.open();
            let request = s.request_of_chunks(2);
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "octet-over-127",
        "A length whose low octet has its high bit set comes out negative where octets are signed.",
        |s| {
            let a = s.open();
            for octets in [130, 200, 255] {
                let body = octets / s.chunk() * s.chunk();
                let request = s.request_of(body);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "second-octet",
        "A length above 255 needs two octets; their order and weight must be right.",
        |s| {
            let a = s.open();
            for octets in [256, 300, 512, 1_000] {
                let request = s.request_of(octets);
                s.send(a, &request);
                s.wait(a);
            }
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "high-second-octet",
        "Around 32,000 octets the sign bit of a 16-bit length is next.",
        |s| {
            let a = s.open();
            let request = s.request_of(32_000);
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "third-octet",
        "A length above 65,535 that is cut to 16 bits makes the server answer the first octets of a body and take the rest for frames.",
        |s| {
            s.need_body(65_600);
            let a = s.open();
            let request = s.request_of(65_600);
            s.send_cut(a, &request, &[2_000]);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "sixteen-bits-fit",
        "A large length of which the lower 16 bits alone make a length in order too: whoever reads only those answers the beginning of the body, and reads frames in the rest.",
        |s| {
            let body = beyond_sixteen_bits(s);
            let a = s.open();
            let frame = frame_full_of_frames(s, body);
            s.send(a, &frame);
            s.wait(a);
            s.quiet(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "each-size",
        "Bodies of one to twenty chunks, one behind the other: every length must mean itself.",
        |s| {
            let a = s.open();
            for chunks in 1..=20 {
                let request = s.request_of_chunks(chunks);
                s.send(a, &request);
                s.wait(a);
            }
        },
    ),
    Case::must(
        Clause::LengthPrefix,
        "first-octet-is-no-sign",
        "A header that begins like a text, like HTTP or like TLS is a header: a length of its own, or one that is too large. Whoever guesses what is spoken from the first octet is wrong sooner or later.",
        |s| {
            let all = OTHER_PROTOCOLS.len();
            let mut others = OTHER_PROTOCOLS.iter();
            s.come_and_go(all, all, |s, few| {
                let said: Vec<&[u8]> = others.by_ref().take(few.len()).copied().collect();
                begins_like(s, few, &said);
            });
        },
    ),
];

/// Each of some clients sends a frame that begins like something else, and then something else.
fn begins_like(s: &mut Maker<'_>, clients: &[Conn], said: &[&[u8]]) {
    for (a, said) in clients.iter().zip(said) {
        let first = said.first().copied().unwrap_or_default();
        if let Some(request) = request_that_begins_with(s, first) {
            s.send(*a, &request);
        }
    }
    s.wait_for_all(clients);
    for (a, said) in clients.iter().zip(said) {
        let behind = s.request();
        s.send(*a, &[said, behind.as_slice()].concat());
    }
    // What comes to the others meanwhile is noted too.
    if let Some(last) = clients.last() {
        s.quiet(*last);
    }
    for a in clients {
        s.done_with(*a);
    }
}

/// What is said first where something else is spoken.
const OTHER_PROTOCOLS: &[&[u8]] = &[
    b"{\"a\": 1}\n",
    b"[1, 2, 3]\n",
    b" {\"a\": 1}\r\n",
    b"\t\"text\"\n",
    b"\n\n\n\n\n\n\n\n",
    b"\r\n\r\n\r\n\r\n",
    b"\"text\" and text\n",
    b"Content-Length: 2\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03",
];

pub(super) const LENGTH_LIMIT: &[Case] = &[
    Case::must(
        Clause::LengthLimit,
        "largest",
        "The largest length that a header can claim must be refused on sight; a server that believes it waits or allocates for ever.",
        |s| {
            let claim = s.craft().largest_body();
            oversize(s, claim, false);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "two-gib",
        "2 GiB is where a signed 32-bit length turns negative and slips past a check that only looks upwards.",
        |s| oversize(s, SURELY_TOO_LARGE, false),
    ),
    Case::must(
        Clause::LengthLimit,
        "all-ones",
        "All bits set is -1 to a signed reader, and a loop that counts down from -1 never ends or never begins.",
        |s| {
            let count = if s.craft().is_signed() {
                -1
            } else {
                s.craft().largest_count()
            };
            if !s.craft().is_signed() {
                need_close(s);
            }
            let claims_enough = s.craft().is_signed() || s.craft().largest_body() > limit(s);
            s.need(claims_enough, small_field());
            let a = s.open();
            let header = s.craft().header_with(count);
            s.send(a, &header);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "negative-whole-chunks",
        "Minus one chunk, minus two, minus as many as there can be: where the length is a signed number, each is a whole number of chunks and below any limit.",
        |s| {
            for count in negative_counts(s) {
                let a = s.open();
                let header = s.craft().header_with(count);
                s.send(a, &header);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "lower-bits-fit",
        "Lengths far above any limit of which the lower 16 bits, or 24 or 32 or more, make a length in order: whoever keeps the number in too small a type checks a small one, and answers what is no frame.",
        |s| {
            need_close(s);
            let claims = claims_that_look_small(s);
            s.need(!claims.is_empty(), small_field());
            for claim in claims {
                let a = s.open();
                let header = s.craft().header_with(claim);
                let octets = frames_behind(s, header);
                s.send(a, &octets);
                s.wait(a);
                s.done_with(a);
            }
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "after-requests",
        "A connection that has behaved so far earns no credit: the header is refused all the same, and the replies before it are not lost.",
        |s| {
            let a = s.open();
            s.ask(a);
            s.ask(a);
            let claim = too_large(s);
            oversize_on(s, a, claim, false);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "behind-a-request",
        "The request in front of the refused header arrived in the same segment and is still answered.",
        |s| {
            let claim = too_large(s);
            need_claim(s, claim);
            let a = s.open();
            let mut octets = s.request();
            octets.extend(s.craft().header(whole_chunks(s, claim)));
            s.send(a, &octets);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "in-pieces",
        "The refused header arrives octet by octet; no early octet of it tells anything yet.",
        |s| {
            let claim = too_large(s);
            need_claim(s, claim);
            let a = s.open();
            let header = s.craft().header(whole_chunks(s, claim));
            s.send_octets(a, &header);
            s.wait(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "body-is-not-read-as-frames",
        "What follows a refused header is the body of a frame that will never be read. A server that goes on reading there answers requests that were never made.",
        |s| {
            let claim = too_large(s);
            oversize(s, claim, true);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "sure-body",
        "Every server takes bodies of up to 32 KiB unless it says otherwise.",
        |s| {
            let most = SURE_BODY.min(s.profile().max_body());
            let a = s.open();
            let request = s.request_of_chunks(chunks_in(s, most));
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "at-the-limit",
        "A body of exactly the declared limit is taken.",
        |s| {
            need_declared(s);
            let a = s.open();
            let request = s.spacious_request(chunks_in(s, s.profile().max_body()));
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "chunk-below-the-limit",
        "A body of one chunk less than the limit is taken; the twin of the case one chunk above.",
        |s| {
            need_declared(s);
            let chunks = chunks_in(s, s.profile().max_body());
            s.need(chunks > 1, say!("the limit is one chunk"));
            let a = s.open();
            let request = s.spacious_request(chunks.saturating_sub(1));
            s.send(a, &request);
            s.wait(a);
            s.ask(a);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "chunk-above-the-limit",
        "One chunk more than the limit is too much, and is refused on the header alone.",
        |s| {
            need_declared(s);
            let chunk = u64::from(s.profile().chunk());
            let whole = chunks_in(s, s.profile().max_body()) as u64;
            oversize(s, whole.saturating_add(1).saturating_mul(chunk), false);
        },
    ),
    Case::must(
        Clause::LengthLimit,
        "twice-the-limit",
        "A server that clamps a length to its limit reads the rest of the body as frames.",
        |s| {
            need_declared(s);
            let limit = s.profile().max_body();
            oversize(s, limit.saturating_mul(2), true);
        },
    ),
];

/// The most that such a body may take: what many servers bear.
const MOST_BEYOND: u64 = 1 << 20;

/// A request of moderate size whose header begins with that octet, if there is one.
fn request_that_begins_with(s: &mut Maker<'_>, octet: u8) -> Option<Vec<u8>> {
    let most = chunks_in(s, SURE_BODY.min(s.profile().max_body()));
    let begins = |chunks: &usize| {
        let body = chunks.saturating_mul(s.chunk());
        body >= s.shortest() && s.craft().header(body as u64).first() == Some(&octet)
    };
    let chunks = (1..=most).find(begins)?;
    Some(s.request_of_chunks(chunks))
}

/// Octets of two chunks, or of as many as a request needs.
pub(super) fn two_chunks(s: &Maker<'_>) -> usize {
    let chunks = s.shortest().div_ceil(s.chunk()).max(2);
    chunks.saturating_mul(s.chunk())
}

/// Octets of a body whose count differs from that of two chunks in nothing but the bits above the 16th; none
/// where that is more than can be sent, so that nobody makes room for it.
fn beyond_sixteen_bits(s: &mut Maker<'_>) -> usize {
    let chunk = u64::from(s.profile().chunk());
    let unit = match s.profile().unit() {
        Unit::Octets => 1,
        Unit::Chunks => chunk,
    };
    let round = unit << 16;
    let mut body = round;
    while !body.is_multiple_of(chunk) && body <= MOST_BEYOND {
        body = body.saturating_add(round);
    }
    let body = body.saturating_add(u64::try_from(two_chunks(s)).unwrap_or(u64::MAX));
    s.need(
        body <= MOST_BEYOND,
        say!("bodies that only look small in 16 bits are larger than 1 MiB in this profile"),
    );
    s.need_body(body);
    let body = if s.is_unfit() { 0 } else { body };
    usize::try_from(body).unwrap_or_default()
}

/// A frame with such a body: a message that fills two chunks, then requests, then text.
fn frame_full_of_frames(s: &mut Maker<'_>, body: usize) -> Vec<u8> {
    let header = s.craft().header(u64::try_from(body).unwrap_or(u64::MAX));
    let mut content = two_chunks_and_requests(s).concat();
    content.resize(body, b'x');
    let body = s.craft().with_indexes(&content);
    [header, body, s.craft().trailer()].concat()
}

/// A header, and behind it what it would announce if it said two chunks: a message that fills them, then requests.
fn frames_behind(s: &mut Maker<'_>, header: Vec<u8>) -> Vec<u8> {
    let [body, behind] = two_chunks_and_requests(s);
    [header, s.craft().with_indexes(&body), behind].concat()
}

/// The body of a message that fills two chunks, and what stands behind it: requests.
fn two_chunks_and_requests(s: &mut Maker<'_>) -> [Vec<u8>; 2] {
    let payload = s.payload_of(two_chunks(s));
    let mut behind = s.craft().trailer();
    for _ in 0..3 {
        behind.extend(s.request());
    }
    [s.craft().body(&payload, 0), behind]
}

/// Bits of what a length is kept in by mistake: whole octets, groups of seven, and numbers with a sign.
const TOO_FEW_BITS: [u32; 10] = [16, 24, 28, 31, 32, 35, 40, 48, 56, 63];

/// Counts over the limit that cannot be told from that of two chunks by so many of their lower bits.
fn claims_that_look_small(s: &Maker<'_>) -> Vec<i128> {
    let claims = TOO_FEW_BITS.map(|bits| claim_that_looks_small(s, bits));
    let mut claims: Vec<i128> = claims.into_iter().flatten().collect();
    claims.sort_unstable();
    claims.dedup();
    claims
}

fn claim_that_looks_small(s: &Maker<'_>, bits: u32) -> Option<i128> {
    let craft = s.craft();
    let small = craft.count_for(i128::try_from(two_chunks(s)).ok()?);
    let each = craft
        .count_for(s.profile().chunk().into())
        .saturating_sub(craft.count_for(0));
    // The least that is added to the one without a change to the lower bits, and to the other in whole chunks.
    let odd = each >> each.trailing_zeros().min(bits);
    let round = 1_i128.checked_shl(bits)?.checked_mul(odd)?;
    let least = craft.count_for(limit(s).into());
    let rounds = least.checked_div(round)?.checked_add(1)?;
    let claim = round.checked_mul(rounds)?.checked_add(small)?;
    let most = craft.largest_count().min(u64::MAX.into());
    (claim <= most).then_some(claim)
}

fn small_field() -> Text {
    say!("the length field cannot claim more than the limit")
}

fn limit(s: &Maker<'_>) -> u64 {
    s.profile()
        .declared_max_body()
        .unwrap_or(SURELY_TOO_LARGE.saturating_sub(1))
}

pub(super) fn need_declared(s: &mut Maker<'_>) {
    let declared = s.profile().declared_max_body().is_some();
    s.need(
        declared,
        say!("the server's limit is not declared: give --max-frame or a profile that does"),
    );
    let moderate = s.profile().max_body() <= 16 << 20;
    s.need(
        moderate,
        say!("the limit is above 16 MiB, more than a case sends"),
    );
}

/// A length that is too large for any limit, or at least as large as the field can claim.
fn too_large(s: &Maker<'_>) -> u64 {
    SURELY_TOO_LARGE.min(s.craft().largest_body())
}

/// A length over the limit is closed upon.
pub(super) fn need_close(s: &mut Maker<'_>) {
    let closes = s.profile().over_limit() == OverLimit::Close;
    s.need(
        closes,
        say!("the profile has the server answer a length over its limit, and go on behind a body that no case sends"),
    );
}

/// The length field can claim that much, and that is too much and closed upon.
pub(super) fn need_claim(s: &mut Maker<'_>, body: u64) {
    need_close(s);
    need_expressible(s, body);
}

fn need_expressible(s: &mut Maker<'_>, body: u64) {
    let largest = s.craft().largest_body();
    let limit = limit(s);
    s.need(largest > limit, small_field());
    s.need(
        largest >= body,
        say!("the length field cannot claim that much"),
    );
    s.need(body > limit, say!("that much is not over the limit"));
}

fn whole_chunks(s: &Maker<'_>, octets: u64) -> u64 {
    let chunk = u64::from(s.profile().chunk());
    octets
        .checked_next_multiple_of(chunk)
        .unwrap_or_else(|| s.craft().largest_body())
}

fn chunks_in(s: &Maker<'_>, octets: u64) -> usize {
    let chunks = octets
        .checked_div(u64::from(s.profile().chunk()))
        .unwrap_or_default();
    usize::try_from(chunks).unwrap_or(usize::MAX)
}

/// Counts that claim more than the limit, and as signed numbers a body of some whole number of chunks below
/// nothing.
fn negative_counts(s: &mut Maker<'_>) -> Vec<i128> {
    let craft = s.craft();
    let chunk = i128::from(s.profile().chunk());
    let width = match s.profile().length() {
        Length::Binary { width, .. } => u32::from(width),
        Length::Varint { .. } | Length::Decimal { .. } => 0,
    };
    s.need(width > 0, say!("a length of this form has no sign"));
    if !craft.is_signed() {
        need_close(s);
    }
    let rest = craft.count_for(0);
    let each = craft
        .count_for(s.profile().chunk().into())
        .saturating_sub(rest);
    let half = 1_i128
        .checked_shl(width.saturating_mul(8).saturating_sub(1))
        .unwrap_or(i128::MAX);
    let most = half
        .saturating_sub(rest)
        .checked_div(each)
        .unwrap_or_default();
    let wide = s.craft().is_signed()
        || half.saturating_mul(chunk.checked_div(each).unwrap_or(1)) > i128::from(limit(s));
    s.need(wide, small_field());
    let chunks = [1, 2, 17, most / 2, most]
        .into_iter()
        .filter(|chunks| *chunks > 0);
    chunks
        .map(|chunks| rest.saturating_sub(each.saturating_mul(chunks)))
        .collect()
}

/// On a fresh connection, a header that claims too much.
fn oversize(s: &mut Maker<'_>, claim: u64, with_requests_behind: bool) {
    let a = s.open();
    oversize_on(s, a, claim, with_requests_behind);
}

fn oversize_on(s: &mut Maker<'_>, conn: usize, claim: u64, with_requests_behind: bool) {
    if s.profile().over_limit() == OverLimit::Answered && claim <= MOST_PASSED_OVER {
        return passed_over(s, conn, claim);
    }
    need_claim(s, claim);
    let mut octets = s.craft().header(whole_chunks(s, claim));
    if with_requests_behind {
        for _ in 0..3 {
            octets.extend(s.request());
        }
    }
    s.send(conn, &octets);
    s.wait(conn);
}

/// The largest body over a limit that is sent to a server that passes it over.
const MOST_PASSED_OVER: u64 = 4 << 20;

/// A whole frame over the limit that a server may answer, and requests behind it that are to be in step.
fn passed_over(s: &mut Maker<'_>, conn: usize, claim: u64) {
    need_expressible(s, claim);
    let body = if s.is_unfit() { 0 } else { claim };
    let body = whole_chunks(s, body);
    let mut octets = s.craft().header(body);
    let body = usize::try_from(body).unwrap_or_default();
    octets.resize(octets.len().saturating_add(body), b'x');
    octets.extend(s.craft().trailer());
    for _ in 0..2 {
        octets.extend(s.request());
    }
    s.send(conn, &octets);
    s.wait(conn);
}
