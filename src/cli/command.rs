//! Command lines that a reader can paste into a shell.

use std::fmt;

/// A command line of this program, word by word; as text, each word is quoted where a shell needs that.
#[derive(Debug, Default)]
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    /// The program with that subcommand.
    pub(crate) fn new(subcommand: &str) -> Self {
        Self(vec!["conformance".to_owned(), subcommand.to_owned()])
    }

    /// Its words.
    pub(crate) fn into_words(self) -> Vec<String> {
        self.0
    }

    pub(crate) fn word(&mut self, word: impl ToString) {
        self.0.push(word.to_string());
    }

    /// An option, if it has a value.
    pub(crate) fn option(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.word(name);
            self.word(value);
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shell_words::join(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_whatever_is_in_them() {
        let mut line = CommandLine::new("check");
        line.word("[::1]:5000");
        line.option("--exec", Some("python3 'it''s' {port}"));
        line.option("--seed", None::<u64>);
        let text = line.to_string();
        assert_eq!(shell_words::split(&text), Ok(line.0));
    }
}
