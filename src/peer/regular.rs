//! Files that others may have put something else in the place of, opened without waiting for anybody.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens what is there, if it is a regular file. A link, a pipe or a device in its place is an error at once: a pipe that
/// nobody writes into would be waited for without end.
pub(crate) fn opened(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = at_once(options).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no regular file")),
    }
}

/// The same for reading.
pub(crate) fn read(path: &Path) -> io::Result<File> {
    opened(OpenOptions::new().read(true), path)
}

#[cfg(unix)]
fn at_once(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed())
}

#[cfg(not(unix))]
fn at_once(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    /// Neither a pipe, at which a plain look would hang, nor a link to something.
    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(read(&at("file")).is_ok());
        for name in ["link", "pipe", "none", "."] {
            assert!(read(&at(name)).is_err(), "{name}");
            let appended = opened(OpenOptions::new().append(true), &at(name));
            assert!(appended.is_err(), "{name}");
        }
    }
}
