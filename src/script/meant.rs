//! The wire format that a script file is meant for.
//!
//! A script is octets, and most make sense in one wire format only. A file in text form can say
//! which, in comments that begin with `#:`. Their text, line by line, is a profile file, or just the
//! name of a built-in profile:
//!
//! ```text
//! framespec script 1
//! #: name = "short"
//! #: length.width = 2
//! open a
//! send a 0002 'hi'
//! fin a
//! ```

use super::MAGIC;
use crate::profile::{FileError, Profile};

const MARK: &str = "#:";

/// The profile that a script file names; `None` if it names none, as raw octets never do.
///
/// ```
/// let file = b"framespec script 1\n#: chunk-count\nopen a\n";
/// let profile = framespec::script::profile_of_file(file)?.ok_or("names one")?;
/// assert_eq!(profile.name(), "chunk-count");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If what it holds is no profile. Lines are counted within the profile.
pub fn profile_of_file(octets: &[u8]) -> Result<Option<Profile>, FileError> {
    if !octets.starts_with(MAGIC.as_bytes()) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(octets);
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(MARK));
    let profile = lines.collect::<Vec<_>>().join("\n");
    if profile.trim().is_empty() {
        return Ok(None);
    }
    match Profile::built_in(profile.trim()) {
        Some(built_in) => Ok(Some(built_in)),
        None => Profile::from_toml(&profile).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Script;

    #[test]
    fn a_file_may_hold_its_profile_and_is_a_script_all_the_same() {
        let file =
            b"framespec script 1\n#: name = \"short\"\n# more\n #: length.width = 2\nopen a\n";
        let profile = profile_of_file(file).unwrap().unwrap();
        assert_eq!((profile.name(), profile.header_len()), ("short", 2));
        assert_eq!(Script::from_file(file).unwrap().connections(), 1);
    }

    #[test]
    fn most_files_hold_none() {
        assert_eq!(profile_of_file(b"#: tutorial"), Ok(None));
        assert_eq!(profile_of_file(b"framespec script 1\n#:\nopen a"), Ok(None));
        assert!(profile_of_file(b"framespec script 1\n#: other").is_err());
    }
}
