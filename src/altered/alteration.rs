//! What a peer does differently, as a row of a table: a fault, or something that it may do.

use super::room::Room;
use super::sketch::Sketch;
use crate::profile::Carriage;
use crate::spec::Clause;
use std::fmt;

/// The replaceable steps that a peer of one role is put together from, with the tables of what may be
/// planted in them.
pub trait Alterable: fmt::Debug + Sized + 'static {
    /// The steps of a peer without an alteration.
    #[doc(hidden)]
    fn unaltered() -> Self;

    /// Whether each step of two peers is the same, in an order of their own.
    #[doc(hidden)]
    fn agreeing(&self, other: &Self) -> Vec<bool>;

    /// The faults, theme by theme.
    fn themes() -> &'static [Theme<Self>];

    /// The permitted differences.
    fn variants() -> &'static [&'static [Variant<Self>]];
}

/// A theme and its faults.
pub type Theme<H> = (&'static str, &'static [Fault<H>]);

/// What a peer does differently from the reference, in steps `H`.
///
/// Made from a [`Fault`] or a [`Variant`], or [`Alteration::NONE`].
pub struct Alteration<H> {
    /// What it is called.
    pub name: &'static str,
    plug: fn(&mut H),
}

impl<H> Alteration<H> {
    /// None: the altered peer behaves like the reference.
    pub const NONE: Self = Self::new("none", |_| {});

    const fn new(name: &'static str, plug: fn(&mut H)) -> Self {
        Self { name, plug }
    }

    /// Puts its steps in place of others.
    pub(super) fn plug(self, hooks: &mut H) {
        (self.plug)(hooks);
    }
}

impl<H> Clone for Alteration<H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Alteration<H> {}

impl<H> fmt::Debug for Alteration<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alteration").field(&self.name).finish()
    }
}

/// What a peer does differently in several ways at once.
///
/// Made from one [`Alteration`], or of several that [go together](Alterations::of).
#[derive(Debug)]
pub struct Alterations<H>(Vec<Alteration<H>>);

/// Why alterations cannot be planted in one peer: they replace the same step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The two, by name.
    pub names: [&'static str; 2],
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = self.names;
        write!(f, "{one} and {other} replace the same step of the peer")
    }
}

impl std::error::Error for Clash {}

impl<H: Alterable> Alterations<H> {
    /// All of these in one peer.
    ///
    /// # Errors
    /// If two of them replace the same step, so that one would undo the other.
    pub fn of(all: impl IntoIterator<Item = Alteration<H>>) -> Result<Self, Clash> {
        let mut taken: Vec<Alteration<H>> = Vec::new();
        for one in all {
            if let Some(other) = taken.iter().find(|other| !other.goes_with(one)) {
                return Err(Clash {
                    names: [other.name, one.name],
                });
            }
            taken.push(one);
        }
        Ok(Self(taken))
    }
}

impl<H> Alterations<H> {
    /// What they are called.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|one| one.name).collect()
    }

    /// Puts their steps in place of others.
    pub(super) fn plug(&self, hooks: &mut H) {
        for one in &self.0 {
            one.plug(hooks);
        }
    }
}

impl<H, A: Into<Alteration<H>>> From<A> for Alterations<H> {
    fn from(one: A) -> Self {
        Self(vec![one.into()])
    }
}

impl<H: Alterable> Alteration<H> {
    /// Whether both can be planted in one peer: each replaces other steps.
    #[must_use]
    pub fn goes_with(self, other: Self) -> bool {
        let (own, others) = (self.kept(), other.kept());
        own.into_iter().zip(others).all(|(own, other)| own || other)
    }

    /// Whether it leaves each step as it is.
    fn kept(self) -> Vec<bool> {
        let (before, mut after) = (H::unaltered(), H::unaltered());
        self.plug(&mut after);
        before.agreeing(&after)
    }
}

impl<H> From<&Fault<H>> for Alteration<H> {
    fn from(fault: &Fault<H>) -> Self {
        fault.alteration
    }
}

impl<H> From<&Variant<H>> for Alteration<H> {
    fn from(variant: &Variant<H>) -> Self {
        variant.alteration
    }
}

/// One deviation from the reference.
#[derive(Debug)]
pub struct Fault<H> {
    /// Its name: lower-case words joined by `-`.
    pub name: &'static str,
    /// The clause that it breaks.
    pub clause: Clause,
    /// The real bug that it copies, as `repository#thread` or CVE; empty if none is known.
    pub copies: &'static str,
    /// What the peer does, in a sentence.
    pub about: &'static str,
    /// What there is to be said to somebody whose peer has it.
    pub mend: Mend,
    /// What has to be so for anybody to notice.
    pub needs: Need,
    /// What a wire format has to have besides, so that there is room for it.
    pub room: &'static [Room],
    alteration: Alteration<H>,
}

/// What there is to be said to somebody whose peer has a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mend {
    /// What is wrong, in plain words and without a full stop.
    pub title: &'static str,
    /// What to do about it, in a sentence.
    pub advice: &'static str,
    /// How it is done.
    pub sketch: Sketch,
}

impl Mend {
    pub(super) const fn by(title: &'static str, advice: &'static str, sketch: Sketch) -> Self {
        Self {
            title,
            advice,
            sketch,
        }
    }
}

/// What has to be so for a fault to be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// Nothing in particular.
    Nothing,
    /// The peer's limit on bodies is declared, and 1 MiB or so.
    DeclaredLimit,
    /// There is more in a header than a length, which counts all of it.
    FullHeader,
    /// A length is written in digits, in one way alone, and a fixed octet stands behind each body.
    Netstring,
    /// A length is a varint, which may have octets that add nothing.
    Varint,
    /// Replies have fixed octets of their own in their headers.
    OwnMarks,
    /// Requests have an id, and their replies may come in any order.
    Ids,
    /// A checksum in little-endian order stands behind each body, and is reckoned from nearly all of the frame.
    Checksum,
    /// Each frame is a datagram.
    Datagrams,
    /// A reply may be several frames, of which the last begins with another octet than the others.
    LongReplies,
    /// Some messages are owed no reply.
    Unanswered,
    /// Both sides say something before the first frame, and the client last.
    Prologue,
    /// A little-endian index that counts from 1 stands in front of each chunk, the last of which is padded, and the length
    /// is that of the payload alone.
    Index,
    /// The peer's process can be looked at, and its limit on bodies is not declared.
    Process,
    /// There is a minute of time.
    Time,
}

impl Need {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::DeclaredLimit => "declared-limit",
            Self::FullHeader => "full-header",
            Self::Netstring => "netstring",
            Self::Varint => "varint",
            Self::OwnMarks => "own-marks",
            Self::Ids => "ids",
            Self::Checksum => "sum-behind-a-body",
            Self::Datagrams => "datagrams",
            Self::LongReplies => "replies-of-several-frames",
            Self::Unanswered => "messages-owed-no-reply",
            Self::Prologue => "prologue-first",
            Self::Index => "index-of-each-chunk",
            Self::Process => "process",
            Self::Time => "time",
        }
    }

    /// What any wire format has that will do.
    #[must_use]
    pub const fn room(self) -> Option<Room> {
        match self {
            Self::Varint => Some(Room::LongVarints),
            Self::OwnMarks => Some(Room::OwnMarks),
            Self::Ids => Some(Room::Ids),
            Self::Checksum => Some(Room::Checksum),
            Self::Datagrams => Some(Room::Datagrams),
            Self::LongReplies => Some(Room::LongReplies),
            Self::Unanswered => Some(Room::Unanswered),
            Self::Prologue => Some(Room::Prologue),
            Self::Index => Some(Room::Index),
            Self::Nothing
            | Self::DeclaredLimit
            | Self::FullHeader
            | Self::Netstring
            | Self::Process
            | Self::Time => None,
        }
    }

    /// Whether it is a wire format other than the one that is tried.
    #[must_use]
    pub const fn is_a_format(self) -> bool {
        matches!(
            self,
            Self::FullHeader
                | Self::Netstring
                | Self::Varint
                | Self::OwnMarks
                | Self::Ids
                | Self::Checksum
                | Self::Datagrams
                | Self::LongReplies
                | Self::Unanswered
                | Self::Prologue
                | Self::Index
        )
    }
}

impl<H> Fault<H> {
    pub(super) const fn new(
        name: &'static str,
        clause: Clause,
        copies: &'static str,
        about: &'static str,
        mend: Mend,
        plug: fn(&mut H),
    ) -> Self {
        Self {
            name,
            clause,
            copies,
            about,
            mend,
            needs: Need::Nothing,
            room: &[],
            alteration: Alteration::new(name, plug),
        }
    }

    pub(super) const fn needing(self, needs: Need) -> Self {
        Self { needs, ..self }
    }

    pub(super) const fn within(self, room: &'static [Room]) -> Self {
        Self { room, ..self }
    }
}

impl<H: Alterable> Fault<H> {
    /// Every fault, theme by theme.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        Self::themes().flat_map(|(_, faults)| faults)
    }

    /// The themes, each with its faults.
    pub fn themes() -> impl Iterator<Item = Theme<H>> {
        H::themes().iter().copied()
    }

    /// The fault of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|fault| fault.name == name)
    }
}

/// A peer that differs from the reference as it may.
#[derive(Debug)]
pub struct Variant<H> {
    /// Its name: lower-case words joined by `-`.
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
    alteration: Alteration<H>,
}

impl<H> Variant<H> {
    pub(super) const fn new(name: &'static str, about: &'static str, plug: fn(&mut H)) -> Self {
        Self {
            name,
            about,
            warned: false,
            only_over: None,
            only_in: None,
            only_with: None,
            alteration: Alteration::new(name, plug),
        }
    }

    pub(super) const fn warned(self) -> Self {
        Self {
            warned: true,
            ..self
        }
    }

    pub(super) const fn only_in(self, format: Need) -> Self {
        Self {
            only_in: Some(format),
            ..self
        }
    }

    pub(super) const fn only_with(self, room: Room) -> Self {
        Self {
            only_with: Some(room),
            ..self
        }
    }

    pub(super) const fn only_over(self, carriage: Carriage) -> Self {
        Self {
            only_over: Some(carriage),
            ..self
        }
    }
}

impl<H: Alterable> Variant<H> {
    /// Every variant.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        H::variants().iter().copied().flatten()
    }

    /// The variant of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|variant| variant.name == name)
    }
}
