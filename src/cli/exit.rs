//! How the program ends, and what it says when it ends badly.

use crate::event::Conclusion;
use crate::lang::{Text, say};
use crate::report::escape;
use std::io;
use std::process::ExitCode;

/// Exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All is well.
    Ok = 0,
    /// What was looked for was found.
    Findings = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// The arguments are right, and still it could not be done.
    CouldNot = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Conclusion> for Exit {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Passed => Self::Ok,
            Conclusion::Failed => Self::Findings,
            Conclusion::Undecided => Self::CouldNot,
        }
    }
}

/// Why the program ends early, and what the user can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What is wrong; empty if there is nobody left to be told.
    pub(crate) what: Text,
    /// What to try next; empty if there is nothing to be said.
    pub(crate) hint: Text,
}

impl Failure {
    /// The arguments are wrong.
    pub(crate) fn usage(what: impl Into<Text>) -> Self {
        Self {
            exit: Exit::Usage,
            what: what.into().heard(),
            hint: Text::default(),
        }
    }

    /// The arguments are right, and still it could not be done.
    pub(crate) fn could_not(what: impl Into<Text>) -> Self {
        Self {
            exit: Exit::CouldNot,
            ..Self::usage(what)
        }
    }

    /// The same with advice.
    pub(crate) fn hint(self, hint: impl Into<Text>) -> Self {
        Self {
            hint: hint.into().heard(),
            ..self
        }
    }

    /// Whether nobody is left to be told.
    pub(crate) fn is_untold(&self) -> bool {
        self.what.is_empty()
    }

    /// Tells the user, on stderr.
    pub(crate) fn report(self) -> ExitCode {
        // Nobody can be told if even this fails; the exit code still tells.
        let _ = io::Write::write_all(&mut anstream::stderr(), self.told().as_bytes());
        self.exit.into()
    }

    /// All that is said, in lines. Names and pieces of files may stand in it, and none of them acts on a terminal.
    fn told(&self) -> String {
        let mut text = String::new();
        for (label, said) in [(say!("error"), &self.what), (say!("try"), &self.hint)] {
            if !said.is_empty() {
                let said = format!("{label}: {said}");
                escape::lines(&said).for_each(|line| text.push_str(&format!("{line}\n")));
            }
        }
        text
    }
}

/// Output that could not be written. A closed pipe means that the reader has seen enough.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::could_not(""),
            _ => Self::could_not(say!("cannot write the output: {error}", error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_does_not_act_on_a_terminal() {
        let failure = Failure::usage("line 1:\n  \u{1b}[2J\u{202e}x").hint("a\rb");
        let told = failure.told();
        assert_eq!(told, "error: line 1:\n  \\u{1b}[2J\\u{202e}x\ntry: a\\rb\n");
    }
}
