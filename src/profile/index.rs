//! Indexes: a number in front of each chunk of a body.

use super::Order;

/// The number in front of each chunk: how it is written, and how many octets stand between two of them.
///
/// The first chunk of each frame has the number [`from`](Self::from), each other the next. Behind the largest that
/// there is room for comes 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    pub(super) width: u8,
    pub(super) order: Order,
    pub(super) from: u8,
    pub(super) chunk: u32,
    /// Whether any octets may stand in its place.
    pub(super) is_free: bool,
}

impl Index {
    /// Octets of the index, 1 to 8.
    #[must_use]
    pub fn width(self) -> usize {
        self.width.into()
    }

    /// In which order they stand.
    #[must_use]
    pub const fn order(self) -> Order {
        self.order
    }

    /// The number of the first chunk of a frame: 0 or 1.
    #[must_use]
    pub fn from(self) -> u64 {
        self.from.into()
    }

    /// Whether any octets may stand in its place: so it is in [`Profile::unsummed`](super::Profile::unsummed), and in no
    /// profile of a file.
    #[must_use]
    pub const fn is_free(self) -> bool {
        self.is_free
    }

    /// The same, with any octets in its place.
    pub(super) const fn freed(self) -> Self {
        Self {
            is_free: true,
            ..self
        }
    }

    /// Octets of a chunk, its index not counted, 1 to 65,536. The last chunk of a body has fewer where the profile
    /// pads nothing.
    #[must_use]
    pub const fn chunk(self) -> u32 {
        self.chunk
    }
}

/// What becomes of a last chunk that the payload does not fill: the choice in a [`Draft`](super::Draft).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Last {
    /// It is padded.
    #[default]
    Padded,
    /// It is as short as what is left of the payload.
    Short,
}

impl Last {
    /// The word for this choice in profile files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Padded => "padded",
            Self::Short => "short",
        }
    }
}
