//! What stands in front of each chunk, and that the length can say it.

use crate::profile::{Draft, Index, Last, Order, OverLimit, Profile, ProfileError, Region, Unit};

/// The index that a description has.
pub(super) fn read(draft: &Draft) -> Result<Option<Index>, ProfileError> {
    let refuse = |field, value: &str, allowed: &str| Err(ProfileError::new(field, value, allowed));
    let Some(width) = draft.index else {
        return match (draft.index_order, draft.index_from, draft.last) {
            (Order::Little, _, _) => refuse("body.index.order", "\"little\"", WITHOUT_WIDTH),
            (_, 1.., _) => refuse(
                "body.index.from",
                &draft.index_from.to_string(),
                WITHOUT_WIDTH,
            ),
            (_, _, Last::Short) => refuse("body.last", "\"short\"", WITHOUT_INDEX),
            _ => Ok(None),
        };
    };
    if !(1..=8).contains(&width) {
        return refuse("body.index.width", &width.to_string(), "1 to 8 octets");
    }
    if draft.index_from > 1 {
        let from = draft.index_from.to_string();
        return refuse("body.index.from", &from, "0 or 1");
    }
    Ok(Some(Index {
        width,
        order: draft.index_order,
        from: draft.index_from,
        chunk: draft.chunk,
        is_free: false,
    }))
}

const WITHOUT_WIDTH: &str = "left out, unless body.index.width says how many octets an index has";

const WITHOUT_INDEX: &str = "\"padded\", unless body.index says what stands in front of each chunk";

/// What bodies are padded to a multiple of.
pub(super) fn padded_to(draft: &Draft) -> u32 {
    match draft.last {
        Last::Padded => draft.chunk,
        Last::Short => 1,
    }
}

/// Indexes are counted only where there are some and octets are counted, no checksum is reckoned around them, and nothing is
/// passed over in which they would stand.
pub(super) fn can_be_counted(profile: &Profile) -> Result<(), ProfileError> {
    let refuse =
        |field, value: String, allowed: &str| Err(ProfileError::new(field, value, allowed));
    let covers_them = profile.covers(Region::Indexes);
    let Some(index) = profile.index else {
        let covers = super::checksum::written(&profile.covers);
        let allowed = "no \"indexes\", unless body.index says what they are";
        return match covers_them {
            true => refuse("length.covers", covers, allowed),
            false => Ok(()),
        };
    };
    let is_short = index.chunk != profile.chunk;
    if profile.unit == Unit::Chunks && (is_short || covers_them) {
        let allowed = "\"octets\" where the last chunk is short, or length.covers has \"indexes\"";
        return refuse("length.unit", "\"chunks\"".to_owned(), allowed);
    }
    if profile.over_limit == OverLimit::Answered {
        let allowed = "\"close\", where body.index says that chunks have an index";
        return refuse("limits.over", "\"answered\"".to_owned(), allowed);
    }
    match &profile.checksum {
        None => Ok(()),
        Some(checksum) => {
            let kind = format!("{:?}", checksum.kind.as_str());
            let allowed = "left out, where body.index says that chunks have an index";
            refuse("checksum.kind", kind, allowed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ChecksumKind;

    fn draft() -> Draft {
        Draft {
            name: "x".into(),
            index: Some(4),
            ..Draft::default()
        }
    }

    #[test]
    fn a_short_last_chunk_is_no_padding() {
        let short = Draft {
            last: Last::Short,
            index_order: Order::Little,
            index_from: 1,
            ..draft()
        };
        let profile = Profile::try_from(short.clone()).unwrap();
        let index = profile.index().unwrap();
        assert_eq!((profile.chunk(), index.chunk(), index.from()), (1, 60, 1));
        assert!(!profile.trims());
        assert_eq!(Draft::from(profile), short);
    }

    #[test]
    fn what_is_wrong_with_an_index_is_refused_by_its_name() {
        type Change = fn(&mut Draft);
        let changes: [(&str, Change); 10] = [
            ("limits.over", |draft| {
                draft.over_limit = OverLimit::Answered
            }),
            ("body.index.width", |draft| draft.index = Some(9)),
            ("body.index.width", |draft| draft.index = Some(0)),
            ("body.index.from", |draft| draft.index_from = 2),
            ("body.index.from", |draft| {
                (draft.index, draft.index_from) = (None, 1);
            }),
            ("body.index.order", |draft| {
                (draft.index, draft.index_order) = (None, Order::Little);
            }),
            ("body.last", |draft| {
                (draft.index, draft.last) = (None, Last::Short);
            }),
            ("length.covers", |draft| {
                draft.index = None;
                draft.covers.push(Region::Indexes);
            }),
            ("length.unit", |draft| {
                (draft.unit, draft.last) = (Unit::Chunks, Last::Short);
            }),
            ("checksum.kind", |draft| {
                draft.trailer = "ck ck ck ck".into();
                draft.checksum = Some(ChecksumKind::Crc32);
            }),
        ];
        for (field, change) in changes {
            let mut draft = draft();
            change(&mut draft);
            assert_eq!(Profile::try_from(draft).unwrap_err().field, field);
        }
    }
}
