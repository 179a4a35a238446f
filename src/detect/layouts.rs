//! The layouts that could be meant, each with what it costs to believe in it: the plainer it is, the less.

use crate::profile::{DigitsEnd, Draft, Form, Order, Payload, Profile, Region};

/// A layout, and how many bits have to speak for it before it counts.
pub(super) struct Layout {
    pub(super) profile: Profile,
    pub(super) cost: f64,
    pub(super) is_known: bool,
}

/// What a format costs that is known.
pub(super) const KNOWN: f64 = 5.0;

/// Octets in front of a length, at most.
const MOST_BEFORE: usize = 16;

/// Octets behind a length that it does not count, at most.
const MOST_AFTER: usize = 16;

/// The chunks that padding beyond the length is looked for in.
const CHUNKS: [u32; 4] = [1, 4, 8, 60];

/// Layouts without a name: any octets behind lengths of every form.
pub(super) fn plain() -> impl Iterator<Item = Layout> {
    let drafts = binary().chain(varint()).chain(decimal());
    drafts.filter_map(|(draft, cost)| {
        Some(Layout {
            profile: Profile::try_from(draft).ok()?,
            cost,
            is_known: false,
        })
    })
}

fn draft() -> Draft {
    Draft {
        name: "detected".to_owned(),
        payload: Payload::Opaque,
        chunk: 1,
        ..Draft::default()
    }
}

/// So many octets that may be anything.
fn any(octets: usize) -> String {
    vec!["??"; octets].join(" ")
}

fn binary() -> impl Iterator<Item = (Draft, f64)> {
    let widths = [(4, 0.0), (2, 1.0), (8, 3.0), (1, 3.0), (3, 4.0)];
    let orders = [(Order::Big, 0.0), (Order::Little, 1.0)];
    let fields = (0..=MOST_BEFORE).flat_map(move |before| {
        widths
            .into_iter()
            .flat_map(move |width| orders.map(|order| (before, width, order)))
    });
    let fields = fields.filter(|(_, (width, _), (order, _))| *width > 1 || *order == Order::Big);
    fields.flat_map(|(before, (width, of_width), (order, of_order))| {
        let cost = 4.0 + spread(before) + of_width + of_order;
        let field = Draft {
            before: any(before),
            width,
            order,
            ..draft()
        };
        covered(field, before > 0, cost)
    })
}

/// The further from the front the length is, the more places it could be at.
fn spread(octets: usize) -> f64 {
    u32::try_from(octets).map_or(f64::MAX, f64::from) * 0.75
}

/// What a length can count: what is behind it, itself too, all of the frame; or less than what is behind it.
fn covered(field: Draft, has_before: bool, cost: f64) -> Vec<(Draft, f64)> {
    use Region::{Before, Length, Padding, Payload};
    let covering = |covers: &[Region], cost: f64| {
        let covers = covers.to_vec();
        (
            Draft {
                covers,
                ..field.clone()
            },
            cost,
        )
    };
    let mut all = vec![covering(&[Length, Payload, Padding], cost + 2.0)];
    if has_before {
        all.push(covering(&[Before, Length, Payload, Padding], cost + 2.0));
        all.push(covering(&[Before, Payload, Padding], cost + 6.0));
    }
    for chunk in CHUNKS {
        let (mut draft, cost) = match chunk {
            1 => covering(&[Payload, Padding], cost),
            _ => covering(&[Payload], cost + 4.0),
        };
        draft.chunk = chunk;
        all.push((draft, cost));
    }
    all.extend((1..=MOST_AFTER).map(|after| {
        let (mut draft, cost) = covering(&[Payload, Padding], cost + 3.0 + spread(after));
        draft.after = any(after);
        (draft, cost)
    }));
    all
}

fn varint() -> impl Iterator<Item = (Draft, f64)> {
    (0..=4).map(|before| {
        let draft = Draft {
            before: any(before),
            form: Form::Varint,
            width: 5,
            ..draft()
        };
        (draft, 6.0 + spread(before))
    })
}

fn decimal() -> impl Iterator<Item = (Draft, f64)> {
    let ends = [DigitsEnd::Colon, DigitsEnd::CrLf];
    ends.into_iter().flat_map(|end| {
        (0..=2).flat_map(move |before| {
            (0..=2).map(move |trailer| {
                let draft = Draft {
                    before: any(before),
                    form: Form::Decimal,
                    width: 9,
                    end,
                    trailer: any(trailer),
                    ..draft()
                };
                (draft, 4.0 + spread(before) + spread(trailer))
            })
        })
    })
}
