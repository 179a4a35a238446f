//! `conformance keep`: how this program becomes the keeper of a server. Nobody types it; `grade` does.

use super::exit::Failure;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// The name of the subcommand.
pub(super) const WORD: &str = "keep";

/// Keep a server within limits, which `grade` has it do
#[derive(Debug, clap::Args)]
pub(crate) struct KeepArgs {
    /// Octets of memory of all its processes
    #[arg(long)]
    memory: u64,
    /// Processes at the same time
    #[arg(long)]
    processes: u32,
    /// Octets of a file that it writes
    #[arg(long)]
    file: u64,
    /// Where it is started
    #[arg(long)]
    folder: PathBuf,
    /// Where it is written what it did that it may not
    #[arg(long)]
    told: PathBuf,
    /// The process that starts it
    #[arg(long)]
    parent: u32,
    /// The server
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl KeepArgs {
    /// Ends as the server does, with its exit code.
    #[cfg(target_os = "linux")]
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        use crate::peer::{Keeper, Limits};
        let program = self.command.first().cloned().unwrap_or_default();
        let keeper = Keeper {
            limits: Limits {
                memory: self.memory,
                processes: self.processes,
                file: self.file,
            },
            folder: self.folder,
            told: self.told,
            parent: self.parent,
            command: self.command,
        };
        let kept = keeper.keep().map(ExitCode::from);
        kept.map_err(|error| Failure::could_not(format!("{}: {error}", program.display())))
    }

    /// Not on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let Self { command, .. } = self;
        Err(Failure::could_not(format!(
            "{command:?} cannot be kept within limits on this system"
        )))
    }
}
