//! Everything that is played at, of both roles, as rows of one kind.

use crate::altered::{Alterable, Alteration, Fault, Mend, Need, Room, Variant, client, server};
use crate::cases::{self, Case, Circumstances};
use crate::judge::ReplyRule;
use crate::model;
use crate::profile::{Carriage, Profile, ReplyOrder};
use crate::spec::{Clause, Role};

/// Both roles, in the order in which they are told of.
pub const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// A planted fault.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// Whose fault it is.
    pub role: Role,
    /// Its theme.
    pub theme: &'static str,
    /// Its name, which no other has in either role.
    pub name: &'static str,
    /// The clause that it breaks.
    pub clause: Clause,
    /// The real bug that it copies, if one is known.
    pub copies: &'static str,
    /// What the peer does, in a sentence.
    pub about: &'static str,
    /// What there is to be said to somebody whose peer has it.
    pub mend: Mend,
    /// What has to be so for anybody to notice.
    pub needs: Need,
    /// What a wire format has to have besides, so that there is room for it.
    pub room: &'static [Room],
}

impl Planted {
    /// Every fault: servers' first.
    pub fn all() -> impl Iterator<Item = Self> {
        planted::<server::Hooks>(Role::Server).chain(planted::<client::Hooks>(Role::Client))
    }

    /// The fault of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|fault| fault.name == name)
    }

    /// Why there is no room for it in a wire format; `None` if there is.
    #[must_use]
    pub fn has_no_room_in(&self, profile: &Profile) -> Option<&'static str> {
        if self.role == Role::Client && !has_clients(profile) {
            return Some(NO_CLIENTS);
        }
        let needed = self
            .needs
            .room()
            .into_iter()
            .chain(self.room.iter().copied());
        let mut lacking = needed.filter(|room| !room.is_in(profile));
        lacking.next().map(Room::lacking)
    }

    /// Whether both can be planted in one peer, and noticed in it.
    #[must_use]
    pub fn goes_with(&self, other: &Self) -> bool {
        let go_together = match self.role {
            Role::Server => go_together::<server::Hooks>,
            Role::Client => go_together::<client::Hooks>,
        };
        self.role == other.role
            && can_be_had_together(self.needs, other.needs)
            && go_together(self.name, other.name)
    }
}

/// Why no fault of a client can be looked for in some formats.
const NO_CLIENTS: &str = "clients cannot be checked";

/// Whether a client can be checked in a wire format: what it answers is written down before the client has asked.
pub(super) fn has_clients(profile: &Profile) -> bool {
    let asks_as_often_as_it_likes = profile.requests_per_connection().is_none();
    let others = [Room::Ids, Room::LongReplies, Room::Unanswered];
    asks_as_often_as_it_likes && !others.into_iter().any(|room| room.is_in(profile))
}

/// Whether two faults with these needs show in one peer: nobody declares a limit where the process is looked at, and
/// there is one format only.
fn can_be_had_together(one: Need, other: Need) -> bool {
    let needs = [one, other];
    let is_hidden = needs.contains(&Need::Process) && needs.contains(&Need::DeclaredLimit);
    !is_hidden && (one == other || !needs.into_iter().any(Need::is_a_format))
}

fn go_together<H: Alterable>(one: &str, other: &str) -> bool {
    let named = |name| Fault::<H>::named(name).map(Alteration::from);
    matches!((named(one), named(other)), (Some(one), Some(other)) if one.goes_with(other))
}

fn planted<H: Alterable>(role: Role) -> impl Iterator<Item = Planted> {
    Fault::<H>::themes().flat_map(move |(theme, faults)| {
        faults.iter().map(move |fault| Planted {
            role,
            theme,
            name: fault.name,
            clause: fault.clause,
            copies: fault.copies,
            about: fault.about,
            mend: fault.mend,
            needs: fault.needs,
            room: fault.room,
        })
    })
}

/// A permitted difference.
#[derive(Debug, Clone, Copy)]
pub struct Permitted {
    /// Whose difference it is.
    pub role: Role,
    /// Its name, which no other has in either role.
    pub name: &'static str,
    /// What the peer does, in a sentence.
    pub about: &'static str,
    /// Whether it leaves undone something that it should do, so that there are warnings.
    pub warned: bool,
    /// What has to carry frames for it to be permitted, or to be a difference, if not anything does.
    pub only_over: Option<Carriage>,
    /// The format in which it is permitted, or is a difference, if that is only one.
    pub only_in: Option<Need>,
    /// What a format has to have for it to be permitted, if not any will do.
    pub only_with: Option<Room>,
}

impl Permitted {
    /// Every variant: servers' first.
    pub fn all() -> impl Iterator<Item = Self> {
        permitted::<server::Hooks>(Role::Server).chain(permitted::<client::Hooks>(Role::Client))
    }

    /// The variant of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|variant| variant.name == name)
    }
}

fn permitted<H: Alterable>(role: Role) -> impl Iterator<Item = Permitted> {
    Variant::<H>::all().map(move |variant| Permitted {
        role,
        name: variant.name,
        about: variant.about,
        warned: variant.warned,
        only_over: variant.only_over,
        only_in: variant.only_in,
        only_with: variant.only_with,
    })
}

/// The cases of servers that take another course, or are judged otherwise, where the limit on bodies is
/// that of the other profile.
pub(super) fn cases_that_differ(one: &Profile, other: &Profile) -> Vec<&'static Case> {
    cases::all(Role::Server)
        .filter(|case| differs(case, one, other))
        .collect()
}

/// The cases of servers that apply in one wire format and not in the other, and where replies may come in another order
/// there, those in which it can be another.
pub(super) fn cases_of_format(one: &Profile, other: &Profile) -> Vec<&'static Case> {
    let is_free = one.reply_order() == ReplyOrder::Any;
    let is_carried_otherwise = one.carriage() != other.carriage();
    let has_several = |case: &Case| matches!(case.clause(), Clause::Order | Clause::Pipelining);
    let is_long = one.has_long_replies();
    let has_reply = |case: &Case| matches!(case.clause(), Clause::Order | Clause::OneReply);
    cases::all(Role::Server)
        .filter(|case| applies(case, one))
        .filter(|case| {
            let differs = is_free && has_several(case) || is_long && has_reply(case);
            !applies(case, other) || is_carried_otherwise || differs
        })
        .collect()
}

fn applies(case: &Case, profile: &Profile) -> bool {
    let circumstances = Circumstances::best(profile, &ReplyRule::Echo);
    case.script(&circumstances).is_ok()
}

fn differs(case: &Case, one: &Profile, other: &Profile) -> bool {
    let script = |profile| {
        let circumstances = Circumstances::best(profile, &ReplyRule::Echo);
        case.script(&circumstances).ok()
    };
    match (script(one), script(other)) {
        (None, None) => false,
        (Some(script), Some(same)) if script == same => {
            model::permitted(one, &script) != model::permitted(other, &script)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::formats;

    #[test]
    fn there_is_room_for_each_fault_where_it_is_looked_for() {
        let others = formats::others().unwrap();
        for fault in Planted::all() {
            let other = others.iter().find(|(need, _)| *need == fault.needs);
            let profile = other.map_or_else(Profile::tutorial, |(_, profile)| profile.clone());
            assert_eq!(fault.has_no_room_in(&profile), None, "{}", fault.name);
        }
    }

    #[test]
    fn a_fault_has_no_room_where_a_format_lacks_what_it_is_about() {
        let why = |fault: &str, format: &str| {
            let profile = Profile::from_toml(format).unwrap();
            Planted::named(fault).unwrap().has_no_room_in(&profile)
        };
        let plain = "name = 'p'\nlength.width = 2\nbody.payload = 'opaque'";
        let said = "name = 'p'\nlength.width = 2\nheader.before = 'id id ??'\nlength.covers = ['length', 'payload']";
        for (fault, format, lacking) in [
            ("padded-with-spaces", plain, Some(Room::Padding)),
            ("no-limit", plain, None),
            ("number-kept-in-32-bits", plain, Some(Room::MoreBits(32))),
            ("numbers-refused", plain, Some(Room::Json)),
            ("octets-taken-for-utf-8", said, Some(Room::Opaque)),
            ("id-not-repeated", said, None),
            ("id-kept-in-16-bits", said, Some(Room::WideIds)),
            ("free-octets-have-to-be-zero", said, None),
            ("end-read-as-length-zero", said, Some(Room::FrameOfZeros)),
        ] {
            let lacking = lacking.map(Room::lacking);
            assert_eq!(why(fault, format), lacking, "{fault}");
        }
        let client = why("request-length-of-one-octet", said);
        assert_eq!(client, Some(NO_CLIENTS));
    }

    #[test]
    fn only_large_bodies_depend_on_the_limit() {
        let profile = Profile::tutorial();
        let declared = profile.clone().with_max_body(1 << 20).unwrap();
        let differ = cases_that_differ(&declared, &profile);
        let holds = |clause| differ.iter().any(|case| case.clause() == clause);
        assert!(holds(Clause::LengthLimit) && !holds(Clause::Truncation));
        let most = cases::all(Role::Server).count() / 4;
        assert!(differ.len() < most, "{}", differ.len());
        assert!(cases_that_differ(&profile, &profile).is_empty());
    }
}
