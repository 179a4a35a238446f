//! `conformance show`: a script file in another form.

use super::exit::{Exit, Failure};
use super::script_file;
use super::wire_format::named;
use crate::lang::{Text, say};
use crate::profile::Profile;
use crate::reproducer::{Reproducer, hex, python};
use std::io::Write as _;
use std::path::PathBuf;

/// Show a script file as text, as hex, or as a Python program that needs nothing else
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The file: a script in text form, or raw octets
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The form
    #[arg(long = "as", value_enum, value_name = "FORM", default_value = "text")]
    form: Form,
    /// The wire format, instead of the one that the file names, else the tutorial's
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// A script file
    Text,
    /// Hex pairs, and what they are in comments
    Hex,
    /// A program for Python 3
    Python,
}

impl ShowArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let path = self.file.display();
        let file = script_file::read(&self.file)
            .map_err(|error| Failure::usage(format!("{path}: {error}")))?;
        let profile = match &self.profile {
            Some(name) => named(name)?,
            None => file.profile.unwrap_or_else(Profile::tutorial),
        };
        let script = &file.script;
        let text = match self.form {
            Form::Hex => hex::text(&profile, script),
            Form::Python => {
                let made = say!(
                    "Made by conformance show from {path}",
                    path = path.to_string()
                )
                .to_string();
                let case = file.case;
                let case = case.map(|case| format!("{}: {}", case.id, Text::whole(case.why)));
                let notes: Vec<String> = [made].into_iter().chain(case).collect();
                python::program(&profile, script, &notes)
            }
            Form::Text => {
                let mut reproducer = Reproducer::new(&profile, script);
                if let Some(case) = file.case {
                    reproducer.stands_for(&case.id.to_string());
                }
                reproducer.to_string()
            }
        };
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(Exit::Ok)
    }
}
