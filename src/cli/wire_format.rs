//! The options that say which wire format is spoken.

use super::command::CommandLine;
use super::exit::Failure;
use super::suggestions::suggestions;
use super::text_file;
use crate::lang::say;
use crate::profile::Profile;
use std::path::Path;

/// The largest profile file that is read, in octets.
const MOST: u64 = 1 << 20;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct WireFormatArgs {
    /// The wire format: a built-in profile, or a profile file (TOML)
    #[arg(long, value_name = "NAME|FILE", default_value = "tutorial")]
    profile: String,
    /// Largest body in octets, padding included, instead of the profile's; k, M and G may follow
    #[arg(long, value_name = "OCTETS", value_parser = octets, allow_hyphen_values = true)]
    max_frame: Option<u64>,
}

impl WireFormatArgs {
    /// The profile that the options describe.
    pub(crate) fn profile(&self) -> Result<Profile, Failure> {
        limited(named(&self.profile)?, self.max_frame)
    }
}

/// The profile with the limit of `--max-frame`, if that is given.
pub(crate) fn limited(profile: Profile, max_frame: Option<u64>) -> Result<Profile, Failure> {
    let Some(max_body) = max_frame else {
        return Ok(profile);
    };
    let chunk = profile.chunk();
    profile.with_max_body(max_body).map_err(|_| {
        Failure::usage(say!(
            "--max-frame {max_body} does not hold one chunk",
            max_body
        ))
        .hint(say!("--max-frame {chunk} or more", chunk))
    })
}

impl WireFormatArgs {
    /// Adds the options to a command line, as far as they are not the default.
    pub(crate) fn add_to(&self, line: &mut CommandLine) {
        let profile = (self.profile != "tutorial").then_some(&self.profile);
        line.option("--profile", profile);
        line.option("--max-frame", self.max_frame);
    }
}

/// The built-in profile of that name, else the one in that file.
pub(crate) fn named(name: &str) -> Result<Profile, Failure> {
    if let Some(profile) = Profile::built_in(name).or_else(|| Profile::shipped(name)) {
        return Ok(profile);
    }
    if !Path::new(name).exists() {
        return Err(unknown(name));
    }
    let text = text_file::read(name.as_ref(), MOST).map_err(|error| {
        Failure::usage(say!(
            "cannot read {name}: {error}",
            name = format!("{name:?}"),
            error
        ))
    })?;
    Profile::from_toml(&text).map_err(|error| {
        Failure::usage(format!("{name}: {error}")).hint(say!(
            "conformance profiles tutorial --toml, for an example of a profile file"
        ))
    })
}

/// The names of all profiles that come with the program.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    Profile::BUILT_IN
        .into_iter()
        .chain(Profile::shipped_names())
}

/// There is neither a profile nor a file of that name; what is like it.
fn unknown(name: &str) -> Failure {
    let like = match suggestions(name, names()) {
        like if like.is_empty() => Profile::BUILT_IN.to_vec(),
        like => like,
    };
    let what = say!(
        "no profile is called {name}, and no file is there",
        name = format!("{name:?}")
    );
    Failure::usage(what).hint(say!(
        "{like}, another that `conformance profiles` lists, or the path of a profile file",
        like = like.join(", ")
    ))
}

/// A number of octets, with or without a suffix for powers of 1,024.
pub(crate) fn octets(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 30),
        _ => (Some(text), 0),
    };
    digits
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u64>().ok())
        .and_then(|count| count.checked_mul(1 << shift))
        .ok_or_else(|| say!("give a whole number of octets, such as 4096, 64k or 1M").to_string())
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;

    #[test]
    fn octets_are_counted_with_suffixes() {
        assert_eq!(octets("60"), Ok(60));
        assert_eq!(octets("64k"), Ok(65_536));
        assert_eq!(octets("1M"), Ok(1 << 20));
        for bad in ["", "k", "-1", "+1", "1.5M", "1MiB", "99999999999G"] {
            assert!(octets(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_limit_replaces_the_profiles() {
        let args = |max_frame| WireFormatArgs {
            profile: "tutorial".into(),
            max_frame,
        };
        assert_eq!(args(None).profile().unwrap().declared_max_body(), None);
        let limited = args(Some(120)).profile().unwrap();
        assert_eq!(limited.declared_max_body(), Some(120));
        assert_eq!(args(Some(59)).profile().unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn an_unknown_profile_is_a_usage_error_that_names_the_known() {
        let failure = named("nothing-like-it").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.hint.as_str().contains("chunk-count"));
        let hint = |name: &str| named(name).unwrap_err().hint;
        assert!(hint("tutorail").as_str().starts_with("tutorial, another"));
        assert!(
            hint("postgres").as_str().starts_with("postgres"),
            "{}",
            hint("postgres")
        );
    }
}
