//! Dissectors: a wire format written down as a Lua program with which Wireshark reads its frames.
//!
//! What such a program knows of the format is one table in front, made from the profile. What reads by it is the same
//! for every format, and stands in the files beside this one.

mod table;

use crate::profile::{ChecksumKind, Profile};
use crate::report::escape::Line;
use std::fmt;
use table::Table;

/// What every such program is made of, in order, besides its table and its checksum.
const SETUP: &str = include_str!("setup.lua");
const READER: &str = include_str!("reader.lua");
const SHOW: &str = include_str!("show.lua");
const TABLES: &str = include_str!("tables.lua");

/// How checksums are reckoned.
const CRC: &str = include_str!("crc.lua");
const SHA256: &str = include_str!("sha256.lua");

/// The format of a profile as a dissector for Wireshark, which prints itself as a program in Lua.
///
/// ```
/// use framespec::dissector::Dissector;
/// use framespec::profile::Profile;
///
/// let profile = Profile::chunk_count();
/// let dissector = Dissector::new(&profile, Some(7000));
/// assert_eq!(dissector.name(), "framespec_chunk_count");
/// assert!(dissector.to_string().starts_with("-- "));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dissector<'a> {
    profile: &'a Profile,
    port: Option<u16>,
}

impl<'a> Dissector<'a> {
    /// A dissector of that format. With a port, what goes to it or comes from it over TCP or UDP is dissected without
    /// being asked for.
    #[must_use]
    pub fn new(profile: &'a Profile, port: Option<u16>) -> Self {
        Self { profile, port }
    }

    /// What Wireshark calls the protocol: in filters, and where a port is to be decoded as something. Its fields have that name and a
    /// dot in front.
    #[must_use]
    pub fn name(&self) -> String {
        // Wireshark knows some protocols by the very names that profiles have.
        format!("framespec_{}", self.profile.name().replace('-', "_"))
    }

    /// The words with which `tshark` reads frames at a port, if the program is in that file.
    #[must_use]
    pub fn command(&self, file: &str) -> String {
        match self.port {
            Some(_) => format!("tshark -X lua_script:{file}"),
            None => format!("tshark -X lua_script:{file} -d tcp.port==N,{}", self.name()),
        }
    }

    /// What a reader of the program should know first.
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (profile, version) = (self.profile, env!("CARGO_PKG_VERSION"));
        let name = profile.name();
        let command = self.command("FILE");
        writeln!(
            f,
            "-- A dissector of {name}, made by framespec {version}; to load it: {command}"
        )?;
        if !profile.about().is_empty() {
            writeln!(f, "-- {}", Line(profile.about()))?;
        }
        writeln!(
            f,
            "-- Whoever has the port is the server. Over UDP a datagram is one frame (-d udp.port==N,{}).",
            self.name()
        )?;
        if !profile.prologue().is_empty() {
            writeln!(
                f,
                "-- What is said on a connection before its first frame is not dissected: it is read as if it were frames."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Dissector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        write!(f, "\n{}", Table(self))?;
        let checksum = match self.profile.checksum() {
            None => "",
            Some(checksum) if checksum.kind() == ChecksumKind::Sha256d4 => SHA256,
            Some(_) => CRC,
        };
        for part in [SETUP, "\n", READER, checksum, SHOW, TABLES] {
            f.write_str(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
