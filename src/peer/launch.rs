//! The command that starts the server or client under test.

use super::Confinement;
use crate::lang::{Hole, Text, say};
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::str::FromStr;

/// Stands in a command for the port that the server has to listen on.
const PORT: &str = "{port}";

/// Stands in a command for the address that it has to listen on.
const HOST: &str = "{host}";

/// A command that starts a server on a port that it is given.
///
/// It is split into words as a shell would, and run without one. Only a command that asks more of a
/// shell, such as a variable or a second command, is given to `sh`.
///
/// ```
/// use framespec::peer::Launch;
///
/// let launch: Launch = "./server --listen {host}:{port}".parse()?;
/// assert_eq!(launch.to_string(), "./server --listen {host}:{port}");
/// assert!("./server --listen 7060".parse::<Launch>().is_err());
/// # Ok::<(), framespec::peer::LaunchError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    text: String,
    form: Form,
    /// What else stands in it for something, and for what.
    holes: Vec<(&'static str, String)>,
    /// Variables that it is started with, beside those of this process.
    environment: Vec<(OsString, OsString)>,
    /// What keeps it within limits, if something does.
    confinement: Option<Box<Confinement>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// The program and its arguments.
    Words(String, Vec<String>),
    /// For a shell to read.
    Shell,
}

/// Why a text is no command that starts a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchError {
    /// The server could not be told where to listen.
    NoPort,
    /// There is no program.
    Empty,
    /// A quote that is opened and not closed.
    Unclosed,
}

impl Hole for LaunchError {
    fn text(&self) -> Text {
        match self {
            Self::NoPort => say!(
                "there is no {hole} in it: it has to stand where the server is told its port, as in './server --port {hole}'",
                hole = PORT
            ),
            Self::Empty => say!("there is no program in it"),
            Self::Unclosed => say!("a quotation mark in it is not closed"),
        }
    }
}

/// In the language of the reader.
impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for LaunchError {}

impl FromStr for Launch {
    type Err = LaunchError;

    fn from_str(text: &str) -> Result<Self, LaunchError> {
        let launch = Self::of(text)?;
        if launch.names_port() {
            Ok(launch)
        } else {
            Err(LaunchError::NoPort)
        }
    }
}

impl Launch {
    /// A command that may do without a port, as one does whose server speaks on its standard input and output.
    ///
    /// # Errors
    /// If there is no program in it, or a quotation mark is not closed.
    pub fn of(text: &str) -> Result<Self, LaunchError> {
        let text = text.trim().to_owned();
        let mut words = shell_words::split(&text)
            .map_err(|_| LaunchError::Unclosed)?
            .into_iter();
        let program = words.next().ok_or(LaunchError::Empty)?;
        let form = if asks_for_a_shell(&text) {
            Form::Shell
        } else {
            Form::Words(program, words.collect())
        };
        Ok(Self {
            text,
            form,
            holes: Vec::new(),
            environment: Vec::new(),
            confinement: None,
        })
    }

    /// The same command, in which that stands for this. It stays one word, whatever is in it.
    #[must_use]
    pub(crate) fn with_hole(mut self, hole: &'static str, value: String) -> Self {
        self.holes.push((hole, value));
        self
    }

    /// The same command, started with these variables beside those of this process.
    #[must_use]
    pub fn with_environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self {
            environment,
            ..self
        }
    }

    /// The same command, kept within limits.
    #[must_use]
    pub fn confined(self, confinement: Confinement) -> Self {
        Self {
            confinement: Some(Box::new(confinement)),
            ..self
        }
    }

    /// Whether it says where the port goes.
    #[must_use]
    pub fn names_port(&self) -> bool {
        self.text.contains(PORT)
    }
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Launch {
    /// The command with its port, its output not yet led anywhere.
    pub(crate) fn command(&self, address: SocketAddr) -> Command {
        self.filled_by(&[
            (PORT, address.port().to_string()),
            (HOST, address.ip().to_string()),
        ])
    }

    /// The command as it stands.
    #[cfg(unix)]
    pub(crate) fn command_without_port(&self) -> Command {
        self.filled_by(&[])
    }

    fn filled_by(&self, address: &[(&'static str, String)]) -> Command {
        let fill = |text: &str, shown: fn(&str) -> Cow<'_, str>| {
            let holes = address.iter().chain(&self.holes);
            filled(text, holes.map(|(hole, value)| (*hole, shown(value))))
        };
        let mut command = match &self.form {
            Form::Words(program, arguments) => {
                let word = |text: &String| fill(text, |value| Cow::Borrowed(value));
                let mut command = Command::new(word(program));
                command.args(arguments.iter().map(word));
                command
            }
            Form::Shell => {
                let mut command = Command::new("sh");
                command.arg("-c").arg(fill(&self.text, shell_words::quote));
                command
            }
        };
        let environment = self.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        if let Some(confinement) = &self.confinement {
            command = confinement.wrap(&command);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// A text with what its holes stand for. What that is itself has no holes.
fn filled<'a>(
    text: &str,
    holes: impl Iterator<Item = (&'static str, Cow<'a, str>)> + Clone,
) -> String {
    let (mut full, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, from)) = rest.find('{').and_then(|at| rest.split_at_checked(at)) {
        full.push_str(before);
        let mut holes = holes.clone();
        let found = holes.find_map(|(hole, value)| Some((from.strip_prefix(hole)?, value)));
        rest = match found {
            Some((behind, value)) => {
                full.push_str(&value);
                behind
            }
            None => {
                full.push('{');
                from.get(1..).unwrap_or_default()
            }
        };
    }
    full.push_str(rest);
    full
}

/// Where a reader of shell commands stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// Whether something in it means more to a shell than words and quotes.
fn asks_for_a_shell(text: &str) -> bool {
    let mut quotes = Quotes::None;
    let mut before = ' ';
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quotes, c) {
            (Quotes::None, '\'') => quotes = Quotes::Single,
            (Quotes::None, '"') => quotes = Quotes::Double,
            (Quotes::Single, '\'') | (Quotes::Double, '"') => quotes = Quotes::None,
            (Quotes::None | Quotes::Double, '\\') => drop(chars.next()),
            (Quotes::None | Quotes::Double, '$' | '`') => return true,
            (Quotes::None, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '[' | '\n') => {
                return true;
            }
            (Quotes::None, '~' | '#') if before.is_whitespace() => return true,
            _ => {}
        }
        before = c;
    }
    sets_a_variable(text)
}

/// Whether it begins with `NAME=value`.
fn sets_a_variable(text: &str) -> bool {
    let name = text.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let launch: Launch = text.parse().unwrap();
        let command = launch.command("127.0.0.1:7060".parse().unwrap());
        [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|word| word.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn words_are_split_and_filled() {
        assert_eq!(
            words("  './my server' --at {host}:{port} \"a {b}\" c\\ d "),
            ["./my server", "--at", "127.0.0.1:7060", "a {b}", "c d"]
        );
        assert_eq!(words("s{port} 'x;y' '$HOME'"), ["s7060", "x;y", "$HOME"]);
        assert_eq!(words("s {{port}{port}{}{"), ["s", "{70607060{}{"]);
    }

    /// Neither a blank in a path nor the name of another hole means anything.
    #[test]
    fn what_stands_for_something_is_one_word_and_has_no_holes() {
        let path = "/x y/$z/{port}{dir}'.py";
        let of = |text: &str| {
            let launch: Launch = text.parse().unwrap();
            let launch = launch.with_hole("{dir}", path.to_owned());
            let command = launch.command("127.0.0.1:7060".parse().unwrap());
            let words = command
                .get_args()
                .map(|word| word.to_str().unwrap().to_owned());
            words.collect::<Vec<String>>()
        };
        assert_eq!(of("python3 {dir} {port}"), [path, "7060"]);
        let shell = &of("PORT={port} python3 {dir}")[1];
        let words = shell_words::split(shell).unwrap();
        assert_eq!(words, ["PORT=7060", "python3", path]);
    }

    #[test]
    fn a_shell_is_asked_where_one_is_needed() {
        for text in [
            "PORT={port} ./server",
            "cd /srv && ./server {port}",
            "./server \"$HOME\" {port}",
            "./server {port} 2>log",
            "~/server {port}",
            "./server {port} # here",
        ] {
            let words = words(text);
            assert_eq!(words[..2], ["sh", "-c"], "{text}");
            assert_eq!(words[2], text.replace("{port}", "7060"));
        }
        for text in [
            "./server --port={port}",
            "./server a~b c#d '*' {port}",
            "./server \\$HOME {port}",
        ] {
            assert_eq!(words(text)[0], "./server", "{text}");
        }
    }

    #[test]
    fn what_starts_no_server_is_refused() {
        let refused = |text: &str| text.parse::<Launch>().unwrap_err();
        assert_eq!(refused("./server 7060"), LaunchError::NoPort);
        assert_eq!(refused(" "), LaunchError::Empty);
        assert_eq!(refused("./server '{port}"), LaunchError::Unclosed);
    }
}
