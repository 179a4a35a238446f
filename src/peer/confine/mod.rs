//! Limits for a program that is started: how much memory, how many processes, how much it writes.
//!
//! The program is not started itself but a keeper of it, which is this program once more ([`Keeper::keep`]). The keeper
//! has whatever descends from it, since what is orphaned becomes its child: one that goes into the background is found
//! by that, and ends with the others. It is a process for each start, as no process can tell whose orphan it was given
//! where it has started several.

#[cfg(target_os = "linux")]
mod keeper;
#[cfg(target_os = "linux")]
mod kin;
mod told;

#[cfg(target_os = "linux")]
pub use keeper::Keeper;
pub use told::Told;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

/// What a program may have, with all that it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets in the machine's memory, of all its processes together.
    pub memory: u64,
    /// Processes at the same time. Of threads it may have sixteen times as many.
    pub processes: u32,
    /// Octets of the largest file that it may write.
    pub file: u64,
}

/// What is enough for any server that a person writes for a course, and too little to be felt by others.
impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            processes: 64,
            file: 256 << 20,
        }
    }
}

/// How a program is kept within limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// The program that becomes the keeper, and the words that lead it to [`Keeper::keep`]. Behind them come options, one
    /// for each field of a keeper, and behind `--` the program with its arguments.
    pub keeper: Vec<PathBuf>,
    /// What it may have.
    pub limits: Limits,
    /// The folder in which it is started.
    pub folder: PathBuf,
    /// The file to which it is written what it did that it may not; read by [`Told::read`].
    pub told: PathBuf,
    /// Variables that it is started with, beside those of this process.
    pub environment: Vec<(OsString, OsString)>,
}

impl Confinement {
    /// The command that starts this one within limits.
    pub(super) fn wrap(&self, command: &Command) -> Command {
        let mut words = self.keeper.iter();
        let mut kept = Command::new(words.next().map(PathBuf::as_path).unwrap_or("".as_ref()));
        let Limits {
            memory,
            processes,
            file,
        } = self.limits;
        kept.args(words)
            .args(["--memory", &memory.to_string()])
            .args(["--processes", &processes.to_string()])
            .args(["--file", &file.to_string()])
            .args(["--parent", &std::process::id().to_string()])
            .args(["--folder".as_ref(), self.folder.as_os_str()])
            .args(["--told".as_ref(), self.told.as_os_str()])
            .args([OsStr::new("--"), command.get_program()])
            .args(command.get_args());
        let environment = self.environment.iter();
        kept.envs(environment.map(|(name, value)| (name, value)));
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => kept.env(name, value),
                None => kept.env_remove(name),
            };
        }
        kept
    }
}
