//! Any profile there can be, out of octets: for property tests and fuzz targets.

use super::{
    ChecksumKind, DigitsEnd, Draft, Form, Last, Order, OverLimit, Payload, Profile, Region, Reply,
    ReplyOrder, Unit,
};
use arbitrary::{Arbitrary, Result, Unstructured};

/// Few octets make the plain formats, zeros the plainest: that is what a failing one shrinks to.
impl<'a> Arbitrary<'a> for Profile {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut draft = Draft {
            name: name(u)?,
            about: String::new(),
            width: u.int_in_range(1..=8)?,
            order: *u.choose(&[Order::Big, Order::Little])?,
            signed: u.arbitrary()?,
            form: Form::Binary,
            end: DigitsEnd::Colon,
            overlong: false,
            index: None,
            index_order: Order::Big,
            index_from: 0,
            last: Last::Padded,
            trailer: String::new(),
            checksum: None,
            checksum_order: Order::Big,
            checksum_covers: vec![Region::Payload, Region::Padding],
            reply_before: None,
            reply_after: None,
            refusal: String::new(),
            reply_last: String::new(),
            unit: *u.choose(&[Unit::Octets, Unit::Chunks])?,
            covers: covers(u)?,
            chunk: chunk(u)?,
            before: mark(u)?,
            after: mark(u)?,
            pad: *u.choose(&[0, b' ', b'.', 0xff])?,
            payload: *u.choose(&[Payload::Json, Payload::Utf8, Payload::Opaque])?,
            max_body: None,
            over_limit: OverLimit::Close,
            reply: *u.choose(&[
                Reply::Auto,
                Reply::Echo,
                Reply::Token,
                Reply::Any,
                Reply::None,
            ])?,
            reply_order: ReplyOrder::Requests,
            request: u.ratio(1, 4)?.then(|| r#"{"echo":["{text}"]}"#.to_owned()),
            unanswered: None,
            prologue: Vec::new(),
            requests_per_connection: None,
        };
        draft.max_body = limit(u, draft.chunk)?;
        grown(u, &mut draft)?;
        with_id(u, &mut draft)?;
        with_checksum(u, &mut draft)?;
        if u.ratio(1, 8)? {
            draft.over_limit = OverLimit::Answered;
        }
        if u.ratio(1, 8)? {
            draft.about = about(u)?;
        }
        with_index(u, &mut draft)?;
        with_exchange(u, &mut draft)?;
        consistent(draft)
    }
}

/// A count of chunks leaves less choice than a count of octets: what breaks it is taken back.
fn consistent(mut draft: Draft) -> Result<Profile> {
    if draft.unit == Unit::Chunks {
        draft.covers.push(Region::Padding);
    }
    if let Ok(profile) = Profile::try_from(draft.clone()) {
        return Ok(profile);
    }
    draft.covers = vec![Region::Payload, Region::Padding];
    Profile::try_from(draft).map_err(|_| arbitrary::Error::IncorrectFormat)
}

/// A length that grows with its number, and what stands behind a body: now and then, and read last, so that what
/// made a format before makes the same one.
fn grown(u: &mut Unstructured<'_>, draft: &mut Draft) -> Result<()> {
    if u.ratio(1, 4)? {
        draft.trailer = mark(u)?;
    }
    if u.ratio(1, 8)? {
        draft.reply_before = Some(alike(u, &draft.before)?);
        draft.reply_after = Some(alike(u, &draft.after)?);
    }
    if u.ratio(1, 8)? {
        let turns = [
            "client 01 ??",
            "server frame",
            "server ff 00",
            "client frame",
        ];
        let turn = |_| u.choose(&turns).map(|turn| (*turn).to_owned());
        draft.prologue = (0..3).map(turn).collect::<Result<_>>()?;
    }
    let (form, most) = match u.int_in_range(0..=7)? {
        0..=4 => return Ok(()),
        5 | 6 => (Form::Varint, 10),
        _ => (Form::Decimal, 20),
    };
    draft.form = form;
    draft.width = u.int_in_range(1..=most)?;
    (draft.order, draft.signed) = (Order::Big, false);
    draft.overlong = u.arbitrary()?;
    draft.covers.retain(|region| *region != Region::Length);
    if form == Form::Decimal {
        draft.end = *u.choose(&[DigitsEnd::Colon, DigitsEnd::CrLf])?;
    }
    Ok(())
}

/// An id in place of the first octets of a header: now and then.
fn with_id(u: &mut Unstructured<'_>, draft: &mut Draft) -> Result<()> {
    if !u.ratio(1, 8)? {
        return Ok(());
    }
    let is_first = !draft.before.is_empty();
    let (requests, replies) = match is_first {
        true => (&mut draft.before, &mut draft.reply_before),
        false => (&mut draft.after, &mut draft.reply_after),
    };
    let width = u.int_in_range(1..=8)?.min(requests.len() / 2);
    if width == 0 {
        return Ok(());
    }
    for mark in [Some(requests), replies.as_mut()].into_iter().flatten() {
        mark.replace_range(..width.saturating_mul(2), &"id".repeat(width));
    }
    if u.arbitrary()? {
        draft.reply_order = ReplyOrder::Any;
    }
    Ok(())
}

/// A checksum at the end of what stands behind a length or a body: now and then.
fn with_checksum(u: &mut Unstructured<'_>, draft: &mut Draft) -> Result<()> {
    if !cfg!(feature = "checksum") || !u.ratio(1, 8)? {
        return Ok(());
    }
    let kinds = [
        ChecksumKind::Crc32,
        ChecksumKind::Crc32c,
        ChecksumKind::Crc16Modbus,
        ChecksumKind::Sha256d4,
    ];
    let kind = *u.choose(&kinds)?;
    draft.checksum = Some(kind);
    if kind.is_number() {
        draft.checksum_order = *u.choose(&[Order::Big, Order::Little])?;
    }
    draft.checksum_covers = covers(u)?;
    let mut marks = vec![&mut draft.trailer];
    if u.arbitrary()? {
        draft
            .checksum_covers
            .retain(|region| *region != Region::After);
        marks = vec![&mut draft.after];
        marks.extend(&mut draft.reply_after);
    }
    for mark in marks {
        // In place of what was there, if that is long.
        let kept = mark.len().min(40);
        mark.truncate(kept);
        mark.push_str(&"ck".repeat(kind.width()));
    }
    Ok(())
}

/// An index in front of each chunk: now and then, and where there is no checksum.
fn with_index(u: &mut Unstructured<'_>, draft: &mut Draft) -> Result<()> {
    if draft.checksum.is_some() || !u.ratio(1, 8)? {
        return Ok(());
    }
    draft.over_limit = OverLimit::Close;
    draft.index = Some(u.int_in_range(1..=8)?);
    draft.index_order = *u.choose(&[Order::Big, Order::Little])?;
    draft.index_from = u.int_in_range(0..=1)?;
    if draft.unit == Unit::Octets {
        draft.last = *u.choose(&[Last::Padded, Last::Short])?;
        if u.arbitrary()? {
            draft.covers.push(Region::Indexes);
        }
    }
    Ok(())
}

/// What else can be said of an exchange, now and then, and where it goes with the rest: read last, so that what made a
/// format before makes the same one.
fn with_exchange(u: &mut Unstructured<'_>, draft: &mut Draft) -> Result<()> {
    if rarely(u)? {
        let most = u.int_in_range(1..=4)?;
        with(draft, |draft| draft.requests_per_connection = Some(most));
    }
    if rarely(u)? {
        with(draft, |draft| {
            draft.request = Some(r#"{"echo":["{text}"]}"#.to_owned());
            draft.unanswered = Some(r#"{"note":["{text}"]}"#.to_owned());
        });
    }
    if rarely(u)? {
        let last = u.arbitrary()?;
        with(draft, |draft| end_replies_by(draft, last));
    }
    Ok(())
}

/// Replies of several frames, the last of which has this octet in front, and a prologue that is answered by one.
fn end_replies_by(draft: &mut Draft, last: u8) {
    let others = (draft.before.len() / 2).saturating_sub(1);
    draft.reply_before = Some(format!("??={:02x}{}", !last, "??".repeat(others)));
    draft.reply_last = format!("{last:02x}");
    if !draft.prologue.is_empty() {
        draft.prologue.push("server reply".to_owned());
    }
}

/// Changes a description, if it is one of a format then.
fn with(draft: &mut Draft, change: impl FnOnce(&mut Draft)) {
    let mut changed = draft.clone();
    change(&mut changed);
    if Profile::try_from(changed.clone()).is_ok() {
        *draft = changed;
    }
}

/// Once in eight times, and not where there are no octets left.
fn rarely(u: &mut Unstructured<'_>) -> Result<bool> {
    Ok(u.int_in_range(0..=7)? == 7)
}

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789-";
    let len = u.int_in_range(1..=4)?;
    (0..len)
        .map(|_| u.choose(letters).map(|letter| char::from(*letter)))
        .collect()
}

fn about(u: &mut Unstructured<'_>) -> Result<String> {
    let text: String = u.arbitrary()?;
    let text = text.chars().filter(|c| !c.is_control());
    Ok(text.take(50).collect())
}

fn covers(u: &mut Unstructured<'_>) -> Result<Vec<Region>> {
    let also = [
        Region::Before,
        Region::Length,
        Region::After,
        Region::Padding,
    ];
    let chosen: u8 = u.int_in_range(0..=15)?;
    let chosen = also
        .into_iter()
        .enumerate()
        .filter(|(i, _)| chosen >> i & 1 == 1)
        .map(|(_, region)| region);
    Ok(chosen.chain([Region::Payload]).collect())
}

fn chunk(u: &mut Unstructured<'_>) -> Result<u32> {
    match u.int_in_range(0..=7)? {
        0..=2 => Ok(1),
        3 => Ok(4),
        4 => Ok(60),
        5 | 6 => u.int_in_range(2..=9),
        _ => u.int_in_range(1..=1 << 16),
    }
}

fn mark(u: &mut Unstructured<'_>) -> Result<String> {
    let len = match u.int_in_range(0..=7)? {
        0..=3 => 0,
        4..=6 => u.int_in_range(1..=4)?,
        _ => u.int_in_range(0..=64)?,
    };
    (0..len)
        .map(|_| match u.ratio(1, 4)? {
            true => Ok("??".to_owned()),
            false => Ok(format!("{:02x}", u.arbitrary::<u8>()?)),
        })
        .collect()
}

/// Another mark of as many octets.
fn alike(u: &mut Unstructured<'_>, mark: &str) -> Result<String> {
    let octets = mark.len() / 2;
    let octet = |_| u.arbitrary::<u8>().map(|octet| format!("{octet:02x}"));
    (0..octets).map(octet).collect()
}

fn limit(u: &mut Unstructured<'_>, chunk: u32) -> Result<Option<u64>> {
    let chunk = u64::from(chunk);
    Ok(match u.int_in_range(0..=3)? {
        0 => None,
        1 => Some(chunk),
        2 => Some(chunk.saturating_add(u.int_in_range(0..=300)?)),
        _ => Some(u.int_in_range(chunk..=u64::MAX)?),
    })
}
