//! What carries frames from one side to the other.

/// What carries frames from one side to the other.
///
/// No file says it: the same format goes over both, and where a peer is met decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carriage {
    /// A stream of octets, in which each frame begins where the one before it ended.
    #[default]
    Stream,
    /// Datagrams: each is one frame, and says nothing of any other.
    Datagrams,
}

impl Carriage {
    /// The most octets of a frame that one datagram carries: those of UDP over IPv4.
    pub const MOST_IN_DATAGRAM: usize = 65_507;

    /// Whether each frame comes by itself.
    #[must_use]
    pub const fn is_datagrams(self) -> bool {
        matches!(self, Self::Datagrams)
    }
}
