//! What no peer can get wrong in a wire format, as there is nothing of it there.

use crate::cases::arises;
use crate::diagnosis::Lacking;
use crate::profile::{Length, Payload, Profile, Region};
use crate::spec::Clause;

/// What a format has nothing of.
pub(super) fn lacking(profile: &Profile) -> Lacking {
    let needs = NEEDS.iter().filter(|(_, is_met)| !is_met(profile));
    let clauses = CLAUSES.iter().filter(|(_, is_met)| !is_met(profile));
    let clauses = clauses.map(|(clause, _)| *clause);
    let others = Clause::all().filter(|clause| !arises(*clause, profile));
    Lacking {
        needs: needs.map(|(need, _)| *need).collect(),
        clauses: clauses.chain(others).collect(),
    }
}

/// Whether a format has something.
type Has = fn(&Profile) -> bool;

/// What causes can need of a format, by name, and whether it has it.
const NEEDS: &[(&str, Has)] = &[
    ("declared-limit", |profile| {
        profile.declared_max_body().is_some()
    }),
    ("full-header", has_more_than_a_length),
    ("netstring", |profile| {
        is_decimal(profile) || !profile.trailer().is_empty()
    }),
    ("varint", may_be_longer),
    ("own-marks", |profile| {
        let replies = profile.of_replies();
        (replies.before(), replies.after()) != (profile.before(), profile.after())
    }),
    ("ids", Profile::has_ids),
    ("sum-behind-a-body", |profile| profile.checksum().is_some()),
    ("datagrams", comes_in_datagrams),
    ("index-of-each-chunk", |profile| profile.index().is_some()),
    ("replies-of-several-frames", Profile::has_long_replies),
    ("messages-owed-no-reply", |profile| {
        profile.unanswered().is_some()
    }),
    ("prologue-first", |profile| !profile.prologue().is_empty()),
];

/// The same for whole clauses.
const CLAUSES: &[(Clause, Has)] = &[
    (Clause::MinimalPadding, |profile| profile.chunk() > 1),
    (Clause::ReplyText, is_json),
    (Clause::JsonText, is_json),
    (Clause::Undecodable, is_json),
    (Clause::Nesting, is_json),
];

fn is_json(profile: &Profile) -> bool {
    profile.payload() == Payload::Json
}

fn comes_in_datagrams(profile: &Profile) -> bool {
    profile.carriage().is_datagrams()
}

fn is_decimal(profile: &Profile) -> bool {
    matches!(profile.length(), Length::Decimal { .. })
}

fn may_be_longer(profile: &Profile) -> bool {
    match profile.length() {
        Length::Varint { overlong, .. } | Length::Decimal { overlong, .. } => overlong,
        Length::Binary { .. } => false,
    }
}

fn has_more_than_a_length(profile: &Profile) -> bool {
    let marks = profile.before().len().saturating_add(profile.after().len());
    marks > 0 || profile.covers(Region::Length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Carriage;

    #[test]
    fn the_tutorials_format_has_a_length_and_chunks_of_json() {
        let found = lacking(&Profile::tutorial());
        let all = NEEDS.iter().map(|(need, _)| *need);
        assert_eq!(found.needs, all.collect::<Vec<_>>());
        let all = [
            Clause::Checksum,
            Clause::Datagram,
            Clause::ChunkIndex,
            Clause::Prologue,
        ];
        assert_eq!(found.clauses, all);
    }

    #[test]
    fn datagrams_lack_what_a_stream_has() {
        let profile = Profile::tutorial().carried_by(Carriage::Datagrams);
        let found = lacking(&profile);
        assert!(!found.needs.contains(&"datagrams"));
        assert!(found.clauses.contains(&Clause::HalfClose));
        assert!(!found.clauses.contains(&Clause::Datagram));
    }

    #[test]
    fn each_format_lacks_what_others_have() {
        let lacks = |name| lacking(&Profile::shipped(name).unwrap());
        let (mqtt, mongodb, netstring) = (lacks("mqtt"), lacks("mongodb"), lacks("netstring"));
        assert_eq!(
            mqtt.needs,
            [
                "declared-limit",
                "netstring",
                "own-marks",
                "ids",
                "sum-behind-a-body",
                "datagrams",
                "index-of-each-chunk",
                "replies-of-several-frames",
                "messages-owed-no-reply",
                "prologue-first"
            ]
        );
        assert_eq!(
            mongodb.needs,
            [
                "netstring",
                "varint",
                "sum-behind-a-body",
                "datagrams",
                "index-of-each-chunk",
                "replies-of-several-frames",
                "messages-owed-no-reply",
                "prologue-first"
            ]
        );
        assert_eq!(netstring.clauses.len(), CLAUSES.len() + 4);
    }
}
