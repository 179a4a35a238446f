//! Files to which others add lines while they are read here.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// The most octets that are read at a time.
const MOST: u64 = 1 << 20;

/// A file to which lines are added, as far as it was read.
#[derive(Debug)]
pub(super) struct TellsOn {
    path: PathBuf,
    read: u64,
}

impl TellsOn {
    /// None of it was read. There may be no such file yet.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// The lines that were added since the last time, as far as they are whole.
    pub(super) fn lines(&mut self) -> Vec<Vec<u8>> {
        let mut new = self.rest().unwrap_or_default();
        // The last line may still be in the making.
        let whole = new.iter().rposition(|octet| *octet == b'\n');
        new.truncate(whole.map_or(0, |at| at.saturating_add(1)));
        self.read = self.read.saturating_add(new.len() as u64);
        let lines = new.split(|octet| *octet == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    }

    fn rest(&self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let mut new = Vec::new();
        file.seek(SeekFrom::Start(self.read))?;
        file.take(MOST).read_to_end(&mut new)?;
        Ok(new)
    }
}
