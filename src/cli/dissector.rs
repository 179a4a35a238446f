//! `conformance dissector`: a wire format as a program with which Wireshark reads it.

use super::exit::{Exit, Failure};
use super::out;
use super::wire_format::named;
use crate::dissector::Dissector;
use crate::report::Destination;
use std::path::PathBuf;

/// Write a dissector for Wireshark and tshark, which reads the frames of a wire format
///
/// It is a program in Lua, for captures of any kind, those of `--pcapng` among them. Frames are read as this program reads
/// them; what is malformed is shown in its words.
#[derive(Debug, clap::Args)]
pub(crate) struct DissectorArgs {
    /// The wire format: a built-in profile, or a profile file (TOML)
    #[arg(value_name = "NAME|FILE")]
    profile: String,
    /// Dissect what goes to this port and comes from it, over TCP and UDP, without being asked to
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Write it into this file, and say how to load it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl DissectorArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let profile = named(&self.profile)?;
        let dissector = Dissector::new(&profile, self.port);
        let Some(path) = self.output else {
            Destination::Stdout.write(|out| write!(out, "{dissector}"))?;
            return Ok(Exit::Ok);
        };
        let file = path.display().to_string();
        Destination::File(path)
            .write(|out| write!(out, "{dissector}"))
            .map_err(|error| {
                Failure::could_not(format!("cannot write {file}: {error}"))
                    .hint("--output FILE in a folder that can be written")
            })?;
        out::note(dissector.command(&shell_words::quote(&file)));
        Ok(Exit::Ok)
    }
}
