//! What a case is called.

use super::Clause;
use std::cmp::Ordering;
use std::fmt;

/// The name of a case, written `clause/variant`. Names are ordered as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaseId {
    /// The clause that the case holds its subject to.
    pub clause: Clause,
    /// What it is called among the cases of that clause: lower-case words joined by `-`.
    pub variant: &'static str,
}

impl CaseId {
    /// The name of a variant of that clause.
    #[must_use]
    pub const fn new(clause: Clause, variant: &'static str) -> Self {
        Self { clause, variant }
    }

    /// Whether this is how it is written.
    #[must_use]
    pub fn is_written(self, text: &str) -> bool {
        text.split_once('/') == Some((self.clause.slug(), self.variant))
    }
}

impl Ord for CaseId {
    fn cmp(&self, other: &Self) -> Ordering {
        let written = |id: &Self| (id.clause.slug(), id.variant);
        written(self).cmp(&written(other))
    }
}

impl PartialOrd for CaseId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `clause/variant`.
impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.clause, self.variant))
    }
}

/// As it is written.
impl serde::Serialize for CaseId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_with_a_slash_and_read_no_other_way() {
        let id = CaseId::new(Clause::OneReply, "single");
        assert_eq!(id.to_string(), "one-reply/single");
        assert_eq!(format!("{id:<18}|"), "one-reply/single  |");
        assert_eq!(serde_json::to_value(id).unwrap(), "one-reply/single");
        assert!(id.is_written("one-reply/single"));
        for other in [
            "one-reply",
            "one-reply/",
            "one-reply/single/",
            "order/single",
        ] {
            assert!(!id.is_written(other), "{other}");
        }
    }

    #[test]
    fn names_are_ordered_as_they_are_written() {
        let [first, last] = [Clause::Order, Clause::Truncation];
        assert!(first > last);
        assert!(CaseId::new(first, "z") < CaseId::new(last, "a"));
        assert!(CaseId::new(last, "a") < CaseId::new(last, "z"));
    }
}
