//! What a script says on a connection where the prologue of its profile has the client speak.

/// The octets of all the client's turns, one behind the other, in the segments in which they go out. Between turns
/// they are cut in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Opening {
    /// The segments; there may be none, and each has at least one octet.
    pub segments: Vec<Vec<u8>>,
    /// Whether the last of them waits for the next octets that are sent on the connection, and goes out with them as
    /// one. Where the server has the last word, it does not.
    pub is_glued: bool,
}

impl Opening {
    /// All its octets.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        self.segments.concat()
    }

    /// What lies between two offsets, in its segments.
    #[must_use]
    pub fn between(&self, start: usize, end: usize) -> Vec<Vec<u8>> {
        let mut at = 0_usize;
        let parts = self.segments.iter().filter_map(|segment| {
            let (from, to) = (start.saturating_sub(at), end.saturating_sub(at));
            at = at.saturating_add(segment.len());
            let part = segment.get(from..to.min(segment.len()))?;
            (!part.is_empty()).then(|| part.to_vec())
        });
        parts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_keeps_its_cuts() {
        let opening = Opening {
            segments: vec![vec![1], vec![2, 3, 4], vec![5]],
            is_glued: false,
        };
        assert_eq!(opening.between(0, 2), [vec![1], vec![2]]);
        assert_eq!(opening.between(2, usize::MAX), [vec![3, 4], vec![5]]);
        assert!(opening.between(5, 9).is_empty());
    }
}
