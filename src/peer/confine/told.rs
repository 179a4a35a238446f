//! What a program did that it may not, as its keeper writes it down.

use crate::peer::regular;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Octets of the file that are read, however many there are: whoever is kept could write into it as well.
const MOST: u64 = 16 << 10;

/// In front of what was over a limit.
const OVER: &str = "over: ";

/// It went into the background.
const LEFT: &str = "left";

/// What a program did that it may not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The limits that it broke, each in words and once.
    pub over: Vec<String>,
    /// It ended and left other processes behind.
    pub left: bool,
}

impl Told {
    /// Reads what has been written so far; nothing, if no file is there. It waits for nothing but the disk, whatever stands
    /// in the place of that file.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let mut text = Vec::new();
        // That nothing can be read is that nothing was told.
        let _ = regular::read(file).and_then(|file| file.take(MOST).read_to_end(&mut text));
        let mut told = Self::default();
        for line in String::from_utf8_lossy(&text).lines() {
            told.left |= line == LEFT;
            let over = line.strip_prefix(OVER).map(str::to_owned);
            told.over
                .extend(over.filter(|over| !told.over.contains(over)));
        }
        told
    }
}

/// The file that a keeper writes down.
#[derive(Debug)]
pub(super) struct Telling(File);

impl Telling {
    /// Opens it before the program is started, which could put something else in its place.
    pub(super) fn into(file: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        regular::opened(options.append(true).create(true), file).map(Self)
    }

    /// Writes down that a limit was broken.
    pub(super) fn over(&mut self, what: &str) -> io::Result<()> {
        writeln!(self.0, "{OVER}{what}")
    }

    /// Writes down that others were left behind.
    pub(super) fn left(&mut self) -> io::Result<()> {
        writeln!(self.0, "{LEFT}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("told");
        assert_eq!(Told::read(&file), Told::default());
        let mut telling = Telling::into(&file).unwrap();
        for what in ["too much", "too many", "too much"] {
            telling.over(what).unwrap();
        }
        assert_eq!(Told::read(&file).over, ["too much", "too many"]);
        assert!(!Told::read(&file).left);
        Telling::into(&file).unwrap().left().unwrap();
        assert!(Told::read(&file).left);
    }
}
