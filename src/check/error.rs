//! Why nothing was checked.

use super::SelectionError;
use crate::expect::ExpectationsError;
use crate::peer::{Launch, LaunchError, ProcessError};
use crate::run::{NoClient, NotStarted, RunError, Unreachable};
use crate::script::HOLE;
use std::io;
use std::path::PathBuf;

/// Why nothing was checked. What was found in a check is no error: it stands in what came of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The name of the server leads nowhere.
    #[error("cannot find {target:?}: {why}")]
    NoAddress {
        /// The name.
        target: String,
        /// What the system said.
        why: String,
    },
    /// Nobody is there.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The server was to be started, and did not come up.
    #[error("{0}{last_words}", last_words = last_words(.0))]
    NotStarted(NotStarted),
    /// There is no client to play to.
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// The command cannot start anything.
    #[error("{command:?}: {error}")]
    Command {
        /// The command.
        command: String,
        /// What is wrong with it.
        error: LaunchError,
    },
    /// The payload of replies has no place for a text.
    #[error("there is no {HOLE} in the reply {0:?}")]
    NoHole(String),
    /// The process that was named cannot be looked at.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// What was selected is nothing.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The file of known failures cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file of known failures is none.
    #[error("{}: {error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ExpectationsError,
    },
    /// There is no port to be had that a client could connect to.
    #[error("cannot listen on this machine: {0}")]
    NoListener(io::Error),
    /// The system gives no thread, or what else a runtime needs.
    #[error("cannot start: {0}")]
    NoRuntime(io::Error),
}

impl From<RunError> for CheckError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Unreachable(unreachable) => unreachable.into(),
            RunError::NotStarted(not_started) => Self::NotStarted(not_started),
            RunError::NoClient(none) => none.into(),
        }
    }
}

impl CheckError {
    /// The command that this text is.
    pub(super) fn launch(command: &str) -> Result<Launch, Self> {
        command.parse().map_err(|error| Self::Command {
            command: command.to_owned(),
            error,
        })
    }
}

/// What a server wrote before it was given up.
fn last_words(not_started: &NotStarted) -> String {
    match not_started.stderr.trim_end() {
        "" => String::new(),
        said => format!("\nthe last it wrote to its standard error:\n{said}"),
    }
}
