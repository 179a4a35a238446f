//! Text files that users name, of which no more is read than any such file has.

use crate::lang::say;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// What a file holds.
///
/// # Errors
/// If it cannot be read, is not UTF-8, or has more than that many octets: a part of it would mean something else.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    let read = file
        .take(most.saturating_add(1))
        .read_to_string(&mut text)?;
    match u64::try_from(read).is_ok_and(|read| read <= most) {
        true => Ok(text),
        false => Err(io::Error::other(
            say!("it is larger than any such file").to_string(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to the bound all of it, and of a larger one nothing.
    #[test]
    fn no_file_is_read_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "x".repeat(8)).unwrap();
        assert_eq!(read(&path, 8).unwrap().len(), 8);
        assert!(read(&path, 7).unwrap_err().to_string().contains("larger"));
    }
}
