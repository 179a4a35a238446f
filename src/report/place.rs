//! Places in the file system where something is to appear as a whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::{Builder, NamedTempFile, TempPath};

/// A file that is to appear as a whole. One that is dropped before it is settled leaves nothing behind.
pub(super) struct Place {
    /// The file as it is written, from its beginning.
    file: Arc<File>,
    /// Where it is written, and what it is to replace, if that can be replaced.
    replaces: Option<(TempPath, PathBuf)>,
}

impl Place {
    /// A file beside `path`; or `path` itself where it is a device or a pipe, or its folder takes no
    /// new file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = &followed(path);
        let known = fs::metadata(path).ok();
        if let Some(known) = &known {
            if !known.is_file() {
                return Self::direct(path);
            }
            // A file that must not be written is not to be replaced either.
            drop(OpenOptions::new().write(true).open(path)?);
        }
        let Ok(part) = beside(path, known.map(|known| known.permissions())) else {
            return Self::direct(path);
        };
        let (file, part) = part.into_parts();
        Ok(Self {
            file: Arc::new(file),
            replaces: Some((part, path.clone())),
        })
    }

    fn direct(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Self {
            file: Arc::new(file),
            replaces: None,
        })
    }

    pub(super) fn writer(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Puts the whole report where it belongs.
    pub(super) fn settle(self) -> io::Result<()> {
        end(&self.file)?;
        match self.replaces {
            Some((part, path)) => part.persist(path).map_err(io::Error::from),
            None => Ok(()),
        }
    }
}

/// Cuts off what an older and longer report has left behind this one.
fn end(mut file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        let end = file.stream_position()?;
        file.set_len(end)?;
    }
    file.flush()
}

/// The file that a link leads to, so that the link stays one.
fn followed(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A new file in the folder of `path`, with these permissions, or those that any new file has.
fn beside(path: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let part = Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .make_in(folder, |part| {
            OpenOptions::new().write(true).create_new(true).open(part)
        })?;
    if let Some(permissions) = permissions {
        part.as_file().set_permissions(permissions)?;
    }
    Ok(part)
}
