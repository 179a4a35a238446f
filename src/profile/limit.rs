//! What a server makes of a body that is larger than its limit.

/// What is owed for a length over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverLimit {
    /// A close, in front of which one reply may say what was wrong.
    #[default]
    Close,
    /// That, or a reply and no close: then the body is passed over, and the next frame begins behind it.
    Answered,
}

impl OverLimit {
    /// The word for it in profile files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Answered => "answered",
        }
    }
}
