//! Places in the file system where something is to appear as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A file that is to appear as a whole.
pub(super) struct Place {
    /// Open from the beginning.
    file: Shared,
    /// What is to replace the destination, if it can be replaced.
    moved: Option<(PathBuf, PathBuf)>,
}

/// A file with two owners: who writes it and who puts it in its place.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<File>>);

impl Place {
    /// A file beside `path`; or `path` itself where it is a device or a pipe, or its folder takes no
    /// new file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = &followed(path);
        match fs::metadata(path) {
            Ok(known) if !known.is_file() => return Self::direct(path),
            // A file that must not be written is not to be replaced either.
            Ok(_) => drop(OpenOptions::new().write(true).open(path)?),
            Err(_) => {}
        }
        match beside(path) {
            Ok((file, part)) => Ok(Self {
                file: Shared::new(file),
                moved: Some((part, path.clone())),
            }),
            Err(_) => Self::direct(path),
        }
    }

    fn direct(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Self {
            file: Shared::new(file),
            moved: None,
        })
    }

    pub(super) fn writer(&self) -> Shared {
        self.file.clone()
    }

    /// Puts the whole report where it belongs.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.file.end()?;
        match &self.moved {
            Some((part, path)) => fs::rename(part, path),
            None => Ok(()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.moved {
            // Gone already if all went well.
            let _ = fs::remove_file(part);
        }
    }
}

impl Shared {
    fn new(file: File) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }

    fn with<T>(&self, done: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        done(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Cuts off what an older and longer report has left behind this one.
    fn end(&self) -> io::Result<()> {
        self.with(|file| {
            if file.metadata()?.is_file() {
                let end = file.stream_position()?;
                file.set_len(end)?;
            }
            file.flush()
        })
    }
}

impl Write for Shared {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.with(|file| file.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(File::flush)
    }
}

/// The file that a link leads to, so that the link stays one.
fn followed(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A new file in the folder of `path`.
fn beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for attempt in 0..8 {
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{}-{attempt}.part", std::process::id()));
        let part = path.with_file_name(part);
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((file, part)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
