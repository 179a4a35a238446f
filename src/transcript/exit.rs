//! How a process came to its end.

use crate::lang::{Hole, Text, say};
use std::fmt;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with that code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

const SIGBUS: i32 = if cfg!(target_os = "linux") { 7 } else { 10 };
const SIGSYS: i32 = if cfg!(target_os = "linux") { 31 } else { 12 };

/// Signals that a shell tells of in the exit code of what it started: those by which programs die of
/// their own faults.
const OWN_FAULT: [i32; 6] = [4, 6, SIGBUS, 8, 11, 13];

impl Exit {
    /// How a process ended, seen through a shell, which tells of signals by codes from 128 on.
    #[must_use]
    pub fn through_shell(self) -> Self {
        match self {
            Self::Code(code) => match code.checked_sub(128) {
                Some(signal) if OWN_FAULT.contains(&signal) => Self::Signal(signal),
                _ => self,
            },
            Self::Signal(_) => self,
        }
    }
}

impl Hole for Exit {
    fn text(&self) -> Text {
        match self {
            Self::Code(code) => say!("exited with code {code}", code),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => say!("was ended by {name} (signal {signal})", name, signal),
                None => say!("was ended by signal {signal}", signal),
            },
        }
    }
}

/// In the language of the reader.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// The name of a signal that ends processes, where it is a usual one.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        SIGBUS => "SIGBUS",
        SIGSYS => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_tells_of_signals_by_codes() {
        assert_eq!(Exit::Code(139).through_shell(), Exit::Signal(11));
        assert_eq!(Exit::Code(130).through_shell(), Exit::Code(130));
        assert_eq!(Exit::Code(3).through_shell(), Exit::Code(3));
    }

    #[test]
    fn signals_have_names_where_they_are_the_same_everywhere() {
        let told = Exit::Signal(11).to_string();
        assert_eq!(told, "was ended by SIGSEGV (signal 11)");
        assert_eq!(Exit::Signal(60).to_string(), "was ended by signal 60");
        assert_eq!(Exit::Code(3).to_string(), "exited with code 3");
    }
}
