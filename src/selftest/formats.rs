//! Wire formats in which faults show that the one that is tried has no room for.

use super::DECLARED_LIMIT;
use crate::altered::Need;
use crate::profile::{
    Carriage, ChecksumKind, Draft, Form, Order, Payload, Profile, ProfileError, Region, ReplyOrder,
};

/// Each with what it is needed for, their limit on bodies declared.
pub(super) fn others() -> Result<Vec<(Need, Profile)>, ProfileError> {
    let drafts = [
        (Need::FullHeader, full_header()),
        (Need::Netstring, netstring()),
        (Need::Varint, varint()),
        (Need::OwnMarks, own_marks()),
        (Need::Ids, ids()),
        (Need::Checksum, checksum()),
        (Need::Index, index()),
        (Need::Prologue, prologue()),
        (Need::LongReplies, long_replies()),
        (Need::Unanswered, unanswered()),
    ];
    let profile = |(need, draft)| Ok((need, Profile::try_from(draft)?));
    let mut others: Vec<_> = drafts
        .into_iter()
        .map(profile)
        .collect::<Result<_, ProfileError>>()?;
    others.push((Need::Datagrams, datagrams()?));
    Ok(others)
}

/// The format of a course, each frame a datagram.
fn datagrams() -> Result<Profile, ProfileError> {
    let draft = Draft {
        name: "datagrams".into(),
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    };
    Ok(Profile::try_from(draft)?.carried_by(Carriage::Datagrams))
}

/// Fixed octets and free ones on both sides of a length that counts all of them.
fn full_header() -> Draft {
    Draft {
        name: "full-header".into(),
        before: "f5 ?? 4d".into(),
        after: "0d 0a".into(),
        covers: vec![
            Region::Before,
            Region::Length,
            Region::After,
            Region::Payload,
        ],
        chunk: 1,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// A length in digits, each number written in one way alone, and an octet behind the body.
fn netstring() -> Draft {
    Draft {
        name: "netstring".into(),
        form: Form::Decimal,
        width: 10,
        covers: vec![Region::Payload],
        chunk: 1,
        trailer: "2c".into(),
        payload: Payload::Opaque,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// A length in groups of seven bits, of which the last may add nothing.
fn varint() -> Draft {
    Draft {
        name: "varint".into(),
        form: Form::Varint,
        width: 5,
        overlong: true,
        covers: vec![Region::Payload],
        chunk: 1,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// A fixed octet on each side of the length that differs between requests and replies, as an opcode's bit for
/// replies does.
fn own_marks() -> Draft {
    Draft {
        name: "own-marks".into(),
        before: "f5 3f".into(),
        after: "01".into(),
        reply_before: Some("f5 21".into()),
        reply_after: Some("81".into()),
        covers: vec![Region::Payload],
        chunk: 1,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// An id that replies repeat, in whatever order they come, between octets that are their own and others that are free.
fn ids() -> Draft {
    Draft {
        name: "ids".into(),
        before: "f5 id id id id ??=01".into(),
        reply_before: Some("75 id id id id ??".into()),
        reply_order: ReplyOrder::Any,
        covers: vec![Region::Payload],
        chunk: 1,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// A reply is several frames, of which the last has another first octet.
fn long_replies() -> Draft {
    Draft {
        name: "long-replies".into(),
        before: "51".into(),
        reply_before: Some("??=44".into()),
        reply_last: "5a".into(),
        covers: vec![Region::Payload],
        chunk: 1,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// Messages of two kinds, of which one is owed no reply.
fn unanswered() -> Draft {
    Draft {
        name: "two-kinds".into(),
        request: Some("{\"ask\": \"{text}\"}".into()),
        unanswered: Some("{\"tell\": \"{text}\"}".into()),
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// Both sides say something in turns before the first frame, the client last.
fn prologue() -> Draft {
    let turns = [
        "server 68 69 ??",
        "client 50 51 ??",
        "server 6f 6b",
        "client 52 47",
    ];
    Draft {
        name: "prologue-first".into(),
        prologue: turns.map(str::to_owned).into(),
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// A checksum behind a padded body, reckoned from all in front of it but the last octets of the header.
fn checksum() -> Draft {
    Draft {
        name: "summed".into(),
        before: "f5 ??".into(),
        after: "0d 0a".into(),
        chunk: 8,
        trailer: "ck ck ck ck".into(),
        checksum: Some(ChecksumKind::Crc32),
        checksum_order: Order::Little,
        checksum_covers: vec![
            Region::Before,
            Region::Length,
            Region::Payload,
            Region::Padding,
        ],
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}

/// An index in front of each chunk, in another order than the length, which counts the payload alone.
fn index() -> Draft {
    Draft {
        name: "indexed".into(),
        covers: vec![Region::Payload],
        chunk: 8,
        index: Some(3),
        index_order: Order::Little,
        index_from: 1,
        max_body: Some(DECLARED_LIMIT),
        ..Draft::default()
    }
}
