//! `conformance profiles`: which wire formats are built in.

use super::exit::{Exit, Failure};
use super::{out, wire_format};
use crate::lang::Text;
use crate::report::{human, terminal};

/// List the built-in wire formats, or check a profile file
#[derive(Debug, clap::Args)]
pub(crate) struct ProfilesArgs {
    /// A built-in profile, or a profile file (TOML) to be checked
    #[arg(value_name = "NAME|FILE")]
    profile: Vec<String>,
    /// Print them as profile files, to start one's own from
    #[arg(long)]
    toml: bool,
}

/// Where what is told of a format stands.
const INDENT: usize = 17;

impl ProfilesArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let names = if self.profile.is_empty() {
            wire_format::names().map(str::to_owned).collect()
        } else {
            self.profile
        };
        for name in names {
            let profile = wire_format::named(&name)?;
            if self.toml {
                out::line(profile.to_toml())?;
            } else {
                let about = Text::whole(profile.about()).to_string();
                let about = match terminal::width() {
                    Some(width) => human::wrapped(&about, width, INDENT),
                    None => about,
                };
                out::line(format_args!("{:<16} {about}", profile.name()))?;
            }
        }
        Ok(Exit::Ok)
    }
}
