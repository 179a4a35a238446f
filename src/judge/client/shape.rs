//! How a reply stands in a client's output.

/// What stands in front of a reply's text on the lines that hold it.
///
/// Learned from two replies. It tells a reply that was read from octets that were merely logged, and how
/// many replies were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    fronts: Vec<String>,
    /// Those with which as many lines begin as there are replies.
    counting: Vec<String>,
}

impl Shape {
    /// What stands in front of both texts, if the same does.
    #[must_use]
    pub fn learn(output: &str, one: &str, other: &str) -> Option<Self> {
        let fronts = in_front(output, one);
        if fronts.is_empty() || fronts != in_front(output, other) {
            return None;
        }
        let counts = |front: &&String| !front.trim().is_empty() && begin(output, front) == 2;
        let counting = fronts.iter().filter(counts).cloned().collect();
        Some(Self { fronts, counting })
    }

    /// Whether the text stands in the output as a reply does, on one line at least.
    #[must_use]
    pub fn is_shown(&self, output: &str, text: &str) -> bool {
        in_front(output, text)
            .iter()
            .any(|front| self.fronts.contains(front))
    }

    /// How many replies the output shows; 0 if its lines do not tell.
    #[must_use]
    pub fn count(&self, output: &str) -> usize {
        let counts = self.counting.iter().map(|front| begin(output, front));
        counts.max().unwrap_or_default()
    }
}

fn begin(output: &str, front: &str) -> usize {
    output
        .lines()
        .filter(|line| line.starts_with(front))
        .count()
}

fn in_front(output: &str, text: &str) -> Vec<String> {
    output
        .lines()
        .filter_map(|line| line.split_once(text))
        .map(|(front, _)| front.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_front_of_two_texts_is_their_shape() {
        let output = "got: alpha!\ndone: alpha\n> got: beta!\ndone: beta\n";
        assert_eq!(Shape::learn(output, "alpha", "beta"), None);
        let output = "got: alpha!\ndone: alpha\ngot: beta!\ndone: beta\n";
        let shape = Shape::learn(output, "alpha", "beta").unwrap();
        assert!(shape.is_shown("done: gamma", "gamma"));
        assert!(!shape.is_shown("raw: b'gamma", "gamma"));
        assert_eq!(shape.count("got: \ndone: \ngot: gamma\n"), 2);
    }

    #[test]
    fn what_does_not_stand_there_has_no_shape() {
        assert_eq!(Shape::learn("nothing\n", "alpha", "beta"), None);
    }
}
