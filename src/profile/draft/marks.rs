//! The octets around length and body, and that an id in them can be repeated.

use crate::profile::{Mark, Profile, ProfileError, ReplyOrder};

const MAX_MARK: usize = 64;

/// What may stand in front of a length and behind it.
pub(in crate::profile) const OCTETS_OF_HEADER: &str = "at most 64 octets as hex pairs in quotes, ?? for any octet, ??=01 for any that is sent as 01, id for each octet of an id: at most 8, side by side; ck for each octet of a checksum";

/// What may stand behind a body.
pub(in crate::profile) const OCTETS: &str = "at most 64 octets as hex pairs in quotes, ?? for any octet, ??=01 for any that is sent as 01, ck for each octet of a checksum";

/// What something else than a reply may begin with.
pub(in crate::profile) const PLAIN_OCTETS: &str =
    "at most 64 octets as hex pairs in quotes, ?? for any octet";

pub(super) fn mark(field: &'static str, source: &str) -> Result<Mark, ProfileError> {
    Mark::read(source, MAX_MARK).ok_or_else(|| mark_refused(field, source, OCTETS_OF_HEADER))
}

/// Octets where no id can be.
pub(super) fn mark_without_id(field: &'static str, source: &str) -> Result<Mark, ProfileError> {
    let mark = Mark::read(source, MAX_MARK).filter(|mark| mark.id().is_empty());
    mark.ok_or_else(|| mark_refused(field, source, OCTETS))
}

/// Octets without an id or a checksum.
pub(super) fn plain_mark(field: &'static str, source: &str) -> Result<Mark, ProfileError> {
    let is_plain = |mark: &Mark| mark.id().is_empty() && mark.checksum().is_empty();
    let mark = Mark::read(source, MAX_MARK).filter(is_plain);
    mark.ok_or_else(|| mark_refused(field, source, PLAIN_OCTETS))
}

/// One octet of a refusal at least is another than replies begin with.
pub(super) fn refusals_are_no_replies(profile: &Profile) -> Result<(), ProfileError> {
    let replies = profile.of_replies();
    let refusal = profile.refusal.octets();
    let mut pairs = refusal.iter().zip(replies.before.octets());
    let differs = pairs.any(|pair| matches!(pair, (Some(one), Some(other)) if one != other));
    if refusal.is_empty() || differs {
        return Ok(());
    }
    let allowed = "octets of which one is another than replies begin with, by replies.before or header.before";
    let source = profile.refusal.to_string();
    Err(mark_refused("replies.refusal", &source, allowed))
}

/// The last frame of a reply is told by octets that replies leave free, and one of which is sent otherwise.
pub(super) fn last_frames_are_told(profile: &Profile) -> Result<(), ProfileError> {
    let replies = profile.of_replies();
    let (last, before) = (profile.reply_last.octets(), &replies.before);
    let is_known = |at: &usize| before.checksum().contains(at);
    let places = before.octets().iter().zip(before.sent()).enumerate();
    let places: Vec<_> = places
        .filter_map(|(at, place)| {
            let octet = (*last.get(at)?)?;
            Some((at, octet, place))
        })
        .collect();
    let is_free = |(at, _, (expected, _)): &(usize, u8, (&Option<u8>, &u8))| {
        expected.is_none() && !is_known(at)
    };
    let differs = |(_, octet, (_, sent)): &(usize, u8, (&Option<u8>, &u8))| octet != *sent;
    let fits = last.len() <= before.len() && places.iter().all(is_free);
    if last.is_empty() || fits && places.iter().any(differs) && !profile.has_ids() {
        return Ok(());
    }
    let allowed = format!(
        "at most {} octets, as many as stand in front of the length of replies; fixed only where any octet may stand there, and one of them another than is sent; none where headers have an id",
        before.len()
    );
    Err(mark_refused(
        "replies.last",
        &profile.reply_last.to_string(),
        &allowed,
    ))
}

fn mark_refused(field: &'static str, source: &str, allowed: &str) -> ProfileError {
    ProfileError::new(field, format!("{source:?}"), allowed)
}

/// What replies have in the place of a mark.
pub(super) fn in_replies(
    field: &'static str,
    source: Option<&str>,
    requests: &Mark,
) -> Result<Mark, ProfileError> {
    let Some(source) = source else {
        return Ok(requests.clone());
    };
    let replies = mark(field, source)?;
    if replies.len() != requests.len() {
        let allowed = format!("as many octets as requests have there: {}", requests.len());
        return Err(mark_refused(field, source, &allowed));
    }
    Ok(replies)
}

/// A frame has one id or none, and its reply has one of the same width.
pub(super) fn ids_can_be_repeated(profile: &Profile) -> Result<(), ProfileError> {
    let one_side =
        |(before, after): (&Mark, &Mark)| before.id().is_empty() || after.id().is_empty();
    let refuse =
        |field, mark: &Mark, allowed: &str| Err(mark_refused(field, &mark.to_string(), allowed));
    if !one_side((&profile.before, &profile.after)) {
        let allowed = "no id, as there is one in header.before";
        return refuse("header.after", &profile.after, allowed);
    }
    let width =
        |(before, after): (&Mark, &Mark)| before.id().len().saturating_add(after.id().len());
    if let Some((before, after)) = &profile.replies
        && (!one_side((before, after)) || width((before, after)) != profile.id_width())
    {
        let allowed = format!(
            "with replies.after, as many octets of id as requests have: {}",
            profile.id_width()
        );
        return refuse("replies.before", before, &allowed);
    }
    if profile.reply_order == ReplyOrder::Any && !profile.has_ids() {
        let allowed = "\"requests\", unless a header has an id";
        return Err(ProfileError::new("exchange.order", "\"any\"", allowed));
    }
    Ok(())
}
