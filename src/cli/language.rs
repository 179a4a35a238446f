//! Which language the program speaks: what `--lang` says, or else the environment.

use super::out;
use crate::lang::{Language, from_environment, show_in};
use std::ffi::OsString;

/// Which language the program speaks.
#[derive(Debug, clap::Args)]
pub(crate) struct LanguageArgs {
    /// Language of what people read: en or es [default: as LC_ALL, LC_MESSAGES or LANG say]
    ///
    /// Names, and what programs read as JSON, stay in English.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    lang: Option<String>,
}

/// The option, as it stands on the command line.
const OPTION: &str = "--lang";

/// Chooses the language, before the arguments are read: help and complaints are told in it, too.
pub(crate) fn choose(words: impl IntoIterator<Item = OsString>) {
    let chosen = match named(words) {
        Some(name) => Language::named(&name).unwrap_or_else(|unknown| {
            out::note(unknown);
            None
        }),
        None => from_environment(|name| std::env::var(name).ok()),
    };
    if let Some(language) = chosen {
        show_in(language);
    }
}

/// The language that the option names, if it is there. What is wrong with it otherwise is told when arguments are read.
fn named(words: impl IntoIterator<Item = OsString>) -> Option<String> {
    let mut words = words.into_iter().map(|word| word.into_string().ok());
    while let Some(word) = words.next() {
        let word = word.unwrap_or_default();
        match word.strip_prefix(OPTION) {
            _ if word == "--" => return None,
            Some("") => return words.next().flatten(),
            Some(rest) if rest.starts_with('=') => return rest.get(1..).map(str::to_owned),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<String> {
        named(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_option_is_found_wherever_it_may_stand() {
        assert_eq!(of("conformance --lang es check"), Some("es".to_owned()));
        assert_eq!(
            of("conformance check here --lang=es"),
            Some("es".to_owned())
        );
        for none in [
            "conformance check",
            "conformance check --language es",
            "send here -- --lang es",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(of("conformance check --lang"), None);
    }
}
