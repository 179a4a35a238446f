//! Who the files of a corpus are fed to, and what becomes of each.

use super::corpus::Input;
use crate::cli::check::declared;
use crate::cli::exit::Failure;
use crate::cli::replay::{FileResult, Manner, PlayError, Playing, ReplayPeer};
use crate::cli::script_file::ScriptFile;
use crate::cli::target::embedded;
use crate::event::{Role, Verdict};
use crate::fuzz;
use crate::lang::say;
use crate::profile::Profile;
use crate::script::Side;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What it is called where it is counted how many files were fed to whom.
const REFERENCE: &str = "the reference server";
const PEER: &str = "the peer";

/// Who files are fed to, and how many were.
pub(super) struct Feeding {
    to: To,
    /// How many each could read.
    fed: BTreeMap<&'static str, usize>,
    /// Files that belong to no corpus.
    pub(super) unreadable: usize,
}

/// Who files are fed to.
enum To {
    /// The fuzz targets, and reference servers.
    Process(Box<References>),
    Peer(Box<Playing>),
}

/// The reference server, one for each wire format.
struct References {
    manner: Manner,
    started: Vec<(Profile, Playing)>,
}

impl Feeding {
    pub(super) fn in_process(manner: Manner) -> Self {
        Self::to(To::Process(Box::new(References {
            manner,
            started: Vec::new(),
        })))
    }

    pub(super) fn live(manner: Manner, peer: ReplayPeer) -> Self {
        Self::to(To::Peer(Box::new(Playing::new(peer, manner))))
    }

    const fn to(to: To) -> Self {
        Self {
            to,
            fed: BTreeMap::new(),
            unreadable: 0,
        }
    }

    pub(super) fn role(&self) -> Role {
        match &self.to {
            To::Process(_) => Role::Server,
            To::Peer(playing) => playing.peer.target.role(),
        }
    }

    /// As reports call whoever files are fed to.
    pub(super) fn name(&self) -> &str {
        match &self.to {
            To::Process(_) => "this process",
            To::Peer(playing) => &playing.peer.name,
        }
    }

    /// What becomes of a file.
    pub(super) async fn file(
        &mut self,
        name: String,
        input: &Input,
    ) -> Result<FileResult, PlayError> {
        let (result, fed_to) = match &mut self.to {
            To::Process(references) => in_process(references, name, input).await?,
            To::Peer(playing) => at_peer(playing, name, input).await?,
        };
        for to in fed_to {
            let count = self.fed.entry(to).or_default();
            *count = count.saturating_add(1);
        }
        Ok(result)
    }

    /// Whether nobody could read anything.
    pub(super) fn is_idle(&self) -> bool {
        self.fed.is_empty()
    }

    /// Why nobody could.
    pub(super) fn nothing_fed(&self, corpus: &Path) -> Failure {
        match &self.to {
            To::Peer(playing) if playing.is_other_format => playing.not_served(),
            _ => Failure::usage(format!(
                "nothing was fed: no file in {} is meant for {}",
                corpus.display(),
                self.name()
            ))
            .hint("name a folder that fuzz --out, check --save or a fuzz target has filled"),
        }
    }
}

impl fmt::Display for Feeding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fed = self.fed.iter().map(|(to, count)| format!("{to} {count}"));
        let fed: Vec<_> = fed.collect();
        write!(f, "files fed to {}", fed.join(", "))
    }
}

/// What becomes of a file, and who could read it.
type Fed = (FileResult, Vec<&'static str>);

async fn in_process(
    references: &mut References,
    name: String,
    input: &Input,
) -> Result<Fed, PlayError> {
    let mut read_by = match fuzz::feed(&input.octets) {
        Ok(read_by) => read_by,
        Err(fault) => {
            let target = fault.target;
            return Ok((FileResult::fed(name, Some(&fault)), vec![target]));
        }
    };
    let script = input.script.as_ref().filter(|_| input.is_text);
    match script.filter(|file| file.script.side() == Side::Client) {
        None => Ok((FileResult::fed(name, None), read_by)),
        Some(file) => {
            read_by.push(REFERENCE);
            Ok((references.file(name, file).await?, read_by))
        }
    }
}

async fn at_peer(playing: &mut Playing, name: String, input: &Input) -> Result<Fed, PlayError> {
    let Some(script) = &input.script else {
        let why = say!("it is for a fuzz target, and cannot be played");
        return Ok((FileResult::not_played(name, why), Vec::new()));
    };
    let result = playing.file(name, script).await?;
    let fed_to = (result.verdict != Verdict::Skip).then_some(PEER);
    Ok((result, fed_to.into_iter().collect()))
}

impl References {
    /// Plays a file at the reference server in its wire format, which has to answer.
    async fn file(&mut self, name: String, file: &ScriptFile) -> Result<FileResult, PlayError> {
        let profile = self.manner.profile(file)?;
        let known = self.started.iter().position(|(known, _)| *known == profile);
        let mut playing = match known {
            Some(at) => self.started.swap_remove(at).1,
            None => self.started(&profile)?,
        };
        let result = playing.file(name, file).await;
        self.started.push((profile, playing));
        let mut result = result?;
        if result.verdict == Verdict::Skip {
            result.verdict = Verdict::Error;
        }
        Ok(result)
    }

    fn started(&self, profile: &Profile) -> Result<Playing, Failure> {
        let profile = declared(profile.clone())?;
        let peer = ReplayPeer::of(embedded(&profile)?);
        let manner = Manner {
            given: Some(profile),
            ..self.manner.clone()
        };
        Ok(Playing::new(peer, manner))
    }
}
