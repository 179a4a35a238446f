//! Names that are like one that does not exist.

/// How many are suggested at most.
const MOST: usize = 3;

/// The names that are most like `wrong`, the nearest first; none if none is.
pub(crate) fn suggestions<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| Some((unlikeness(wrong, name)?, name)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).take(MOST).collect()
}

/// How unlike a name is; `None` if too much so. One that holds what was written is like it.
fn unlikeness(wrong: &str, name: &str) -> Option<usize> {
    let edits = strsim::damerau_levenshtein(wrong, name);
    let few = wrong.chars().count() / 3;
    if edits <= few.max(1) {
        return Some(edits);
    }
    let holds = wrong.len() >= 3 && name.contains(wrong);
    let words = |text: &str| -> Vec<String> { text.split(['-', '/']).map(str::to_owned).collect() };
    let all_words = words(wrong)
        .iter()
        .all(|word| word.len() >= 3 && words(name).contains(word));
    (holds || all_words).then(|| edits.saturating_add(few))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = [
        "no-limit",
        "limit-a-chunk-too-high",
        "greeting",
        "two-writers",
    ];

    #[test]
    fn what_is_slightly_wrong_is_recognised() {
        assert_eq!(suggestions("greting", NAMES), ["greeting"]);
        assert_eq!(suggestions("nolimit", NAMES)[0], "no-limit");
        assert_eq!(suggestions("wtiters-two", NAMES), [""; 0]);
    }

    #[test]
    fn a_part_of_a_name_is_enough() {
        assert_eq!(
            suggestions("limit", NAMES),
            ["no-limit", "limit-a-chunk-too-high"]
        );
        assert_eq!(suggestions("writers-two", NAMES), ["two-writers"]);
    }

    #[test]
    fn what_is_like_nothing_is_like_nothing() {
        assert!(suggestions("zzz", NAMES).is_empty());
        assert!(suggestions("", NAMES).is_empty());
    }
}
