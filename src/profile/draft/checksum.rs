//! What a checksum is reckoned from, and that it stands somewhere where that can be done.

use crate::profile::{Checksum, ChecksumKind, Draft, Mark, Order, Profile, ProfileError, Region};

/// What a checksum is reckoned from if nothing is said.
pub(super) fn body() -> Vec<Region> {
    vec![Region::Payload, Region::Padding]
}

pub(super) fn read(draft: &Draft) -> Result<Option<Checksum>, ProfileError> {
    let refuse = |field, value: &str, allowed: &str| Err(ProfileError::new(field, value, allowed));
    let covers = covers(draft)?;
    let Some(kind) = draft.checksum else {
        return match (draft.checksum_order, covers == body()) {
            (Order::Little, _) => refuse("checksum.order", "\"little\"", WITHOUT_KIND),
            (Order::Big, true) => Ok(None),
            (Order::Big, false) => refuse("checksum.covers", &written(&covers), WITHOUT_KIND),
        };
    };
    if !cfg!(feature = "checksum") {
        let allowed = "left out, unless framespec is built with its feature checksum";
        return refuse("checksum.kind", &quoted(kind), allowed);
    }
    if draft.checksum_order != Order::Big && !kind.is_number() {
        let allowed = "left out, unless checksum.kind is a CRC";
        return refuse("checksum.order", "\"little\"", allowed);
    }
    let order = draft.checksum_order;
    Ok(Some(Checksum {
        kind,
        order,
        covers,
    }))
}

const WITHOUT_KIND: &str = "left out, unless checksum.kind says what the checksum is";

fn quoted(kind: ChecksumKind) -> String {
    format!("{:?}", kind.as_str())
}

pub(super) fn written(covers: &[Region]) -> String {
    let words: Vec<&str> = covers.iter().map(|region| region.as_str()).collect();
    format!("{words:?}")
}

fn covers(draft: &Draft) -> Result<Vec<Region>, ProfileError> {
    let mut covers = draft.checksum_covers.clone();
    covers.sort_unstable();
    covers.dedup();
    if covers.contains(&Region::Payload) && !covers.contains(&Region::Indexes) {
        return Ok(covers);
    }
    let allowed = "\"payload\", and with it any of \"before\", \"length\", \"after\", \"padding\"";
    Err(covers_refused(&covers, allowed))
}

fn covers_refused(covers: &[Region], allowed: &str) -> ProfileError {
    ProfileError::new("checksum.covers", written(covers), allowed)
}

/// A frame has one checksum or none, of the width that its kind has, and none that is reckoned from itself.
pub(super) fn can_be_reckoned(profile: &Profile) -> Result<(), ProfileError> {
    let mut marks = marks_with_checksums(profile);
    let (first, second) = (marks.next(), marks.next());
    match (first, second, &profile.checksum) {
        (None, _, None) => Ok(()),
        (Some((field, mark)), _, None) => {
            let allowed = "no ck, unless checksum.kind says what the checksum is";
            Err(mark_refused(field, mark, allowed))
        }
        (None, _, Some(checksum)) => {
            let allowed = "left out, unless ck in header.before, header.after or trailer.octets says where the checksum stands";
            let value = quoted(checksum.kind);
            Err(ProfileError::new("checksum.kind", value, allowed))
        }
        (Some((first, _)), Some((field, mark)), Some(_)) => {
            let allowed = format!("no ck, as there is a checksum in {first}");
            Err(mark_refused(field, mark, &allowed))
        }
        (Some((field, mark)), None, Some(checksum)) => {
            is_wide_enough(field, mark, checksum)?;
            replies_have_it_there(profile)?;
            is_not_its_own(field, mark, checksum)
        }
    }
}

fn marks_with_checksums(profile: &Profile) -> impl Iterator<Item = (&'static str, &Mark)> {
    let marks = [
        ("header.before", &profile.before),
        ("header.after", &profile.after),
        ("trailer.octets", &profile.trailer),
    ];
    let has_one = |(_, mark): &(_, &Mark)| !mark.checksum().is_empty();
    marks.into_iter().filter(has_one)
}

fn mark_refused(field: &'static str, mark: &Mark, allowed: &str) -> ProfileError {
    ProfileError::new(field, format!("{:?}", mark.to_string()), allowed)
}

fn is_wide_enough(
    field: &'static str,
    mark: &Mark,
    checksum: &Checksum,
) -> Result<(), ProfileError> {
    let (kind, width) = (checksum.kind.as_str(), checksum.kind.width());
    if mark.checksum().len() == width {
        return Ok(());
    }
    let allowed = format!("ck {width} times, as many octets as {kind} has");
    Err(mark_refused(field, mark, &allowed))
}

/// Who reads replies finds their checksum where that of requests is.
fn replies_have_it_there(profile: &Profile) -> Result<(), ProfileError> {
    let Some((before, after)) = &profile.replies else {
        return Ok(());
    };
    let pairs = [
        ("replies.before", before, &profile.before),
        ("replies.after", after, &profile.after),
    ];
    let differs =
        |(_, replies, requests): &(_, &Mark, &Mark)| replies.checksum() != requests.checksum();
    match pairs.into_iter().find(differs) {
        None => Ok(()),
        Some((field, replies, _)) => {
            let allowed = "ck at the same octets as in requests";
            Err(mark_refused(field, replies, allowed))
        }
    }
}

fn is_not_its_own(
    field: &'static str,
    mark: &Mark,
    checksum: &Checksum,
) -> Result<(), ProfileError> {
    let (own, word) = match field {
        "header.before" => (Region::Before, "before"),
        "header.after" => (Region::After, "after"),
        _ => return Ok(()),
    };
    let at = mark.checksum();
    let ends_it = at.start > 0 && at.end == mark.len();
    if !checksum.covers(own) || ends_it {
        return Ok(());
    }
    let allowed = format!(
        "no {word:?}: the checksum stands there, and none is reckoned from itself. Only if it is at the end of {field}, the octets in front of it can be covered"
    );
    Err(covers_refused(&checksum.covers, &allowed))
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

    /// A format with a CRC where one of these has room for it.
    fn summed(after: &str, trailer: &str) -> Draft {
        Draft {
            after: after.into(),
            trailer: trailer.into(),
            checksum: Some(ChecksumKind::Crc32),
            ..draft()
        }
    }

    #[test]
    #[cfg(feature = "checksum")]
    fn a_checksum_covers_what_is_in_front_of_it_in_its_own_region() {
        let covers = vec![Region::After, Region::Payload];
        let with_flags = Draft {
            checksum_covers: covers.clone(),
            ..summed("01 ck ck ck ck", "")
        };
        let profile = Profile::try_from(with_flags.clone()).unwrap();
        assert!(profile.checksum().unwrap().covers(Region::After));
        assert_eq!(Draft::from(profile), with_flags);
        let alone = Draft {
            checksum_covers: covers,
            ..summed("ck ck ck ck", "")
        };
        let error = Profile::try_from(alone).unwrap_err();
        assert_eq!(error.value, r#"["after", "payload"]"#);
        assert!(error.allowed.contains("none is reckoned from itself"));
    }

    #[test]
    #[cfg(not(feature = "checksum"))]
    fn a_checksum_needs_the_feature() {
        let error = Profile::try_from(summed("", "ck ck ck ck")).unwrap_err();
        assert_eq!(error.field, "checksum.kind");
        assert!(error.allowed.contains("built with its feature checksum"));
    }

    #[test]
    #[cfg(feature = "checksum")]
    fn what_is_wrong_with_a_checksum_is_refused_by_its_name() {
        type Change = fn(&mut Draft);
        let changes: [(&str, Change); 6] = [
            ("checksum.order", |draft| {
                *draft = summed("ck ck ck ck", "");
                draft.checksum = Some(ChecksumKind::Sha256d4);
                draft.checksum_order = Order::Little;
            }),
            ("checksum.covers", |draft| {
                *draft = summed("", "ck ck ck ck");
                draft.checksum_covers = vec![Region::Length, Region::Before];
            }),
            ("checksum.covers", |draft| {
                *draft = summed("ck ck ck ck 01", "");
                draft.checksum_covers = vec![Region::After, Region::Payload];
            }),
            ("header.after", |draft| *draft = summed("ck ck", "")),
            ("trailer.octets", |draft| {
                *draft = summed("ck ck ck ck", "ck ck ck ck");
            }),
            ("replies.after", |draft| {
                *draft = summed("00 ck ck ck ck", "");
                draft.reply_after = Some("ck ck ck ck 00".into());
            }),
        ];
        for (field, change) in changes {
            let mut draft = draft();
            change(&mut draft);
            assert_eq!(Profile::try_from(draft).unwrap_err().field, field);
        }
    }
}
