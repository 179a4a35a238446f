//! One input for every target.

use super::TARGETS;
use std::any::Any;
use std::fmt::Debug;
use std::panic::catch_unwind;

/// A target that found something wrong in the code under it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target}: {what}")]
pub struct Fault {
    /// Its name.
    pub target: &'static str,
    /// What disagreed.
    pub what: String,
}

/// Feeds octets to every target, and names those that could read them.
///
/// # Errors
/// The first target that panics, which is how each says that something is wrong.
pub fn feed(data: &[u8]) -> Result<Vec<&'static str>, Fault> {
    let mut read_by = Vec::new();
    for (target, body) in TARGETS {
        let is_read = catch_unwind(|| body(data)).map_err(|panic| Fault {
            target,
            what: told(&*panic),
        })?;
        if is_read {
            read_by.push(target);
        }
    }
    Ok(read_by)
}

/// What a panic says.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_reads_what_is_for_it() {
        let script = b"framespec script 1\nopen a\nsend a 00000000\nfin a\n";
        let read = feed(script).unwrap();
        assert!(read.starts_with(&["decoder", "session"]) && read.ends_with(&["script"]));
        assert!(!read.contains(&"profile_file"));
        let broken = b"framespec script 1\nsend a 00\n";
        assert!(!feed(broken).unwrap().contains(&"decoder"));
        let profile = b"name = \"x\"\nlength.width = 4\n";
        assert!(feed(profile).unwrap().contains(&"profile_file"));
    }

    #[test]
    fn a_panic_says_what_was_wrong() {
        let panic = catch_unwind(|| panic!("{} of {}", 1, 2)).unwrap_err();
        assert_eq!(told(&*panic), "1 of 2");
        let panic = catch_unwind(|| panic!("plain")).unwrap_err();
        assert_eq!(told(&*panic), "plain");
    }
}
