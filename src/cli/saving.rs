//! `--save`: what fails, as files to be replayed, and on request as small as it gets.

use super::command::CommandLine;
use super::durations::duration;
use super::exit::Failure;
use super::out;
use crate::cases;
use crate::event::{Attempts, CaseResult, Event, FindingNote, Verdict};
use crate::report::Destination;
use crate::reproducer::Reproducer;
use crate::run::{Bounds, Minimised, Options, Player, Target, minimise};
use crate::script::Script;
use crate::shrink::Size;
use crate::spec::Clause;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Findings that a file tells beside the first.
const FURTHER_FINDINGS: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct SaveArgs {
    /// Save every case that does not pass as a file for replay, in this folder
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Make each saved case as small as it gets while it fails in the same way, in a second file
    #[arg(long, alias = "minimize", requires = "save")]
    minimise: bool,
    /// How long one case may be made smaller
    #[arg(long, alias = "minimize-for", value_name = "TIME", default_value = "20s", value_parser = duration, requires = "minimise")]
    minimise_for: Duration,
}

impl SaveArgs {
    /// The folder, if there is to be one.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.save.clone()
    }

    /// Makes sure that files can be saved, before anything is played.
    /// The words are those with which `replay` is told of the peer.
    pub(crate) fn open(&self, peer: Vec<String>) -> Result<Option<Saver>, Failure> {
        let Some(folder) = &self.save else {
            return Ok(None);
        };
        probe(folder).map_err(|error| {
            let what = format!("--save {}: cannot write there: {error}", folder.display());
            Failure::usage(what).hint("name a folder that can be written, or that can be made")
        })?;
        let bounds = Bounds {
            time: self.minimise_for,
            ..Bounds::default()
        };
        Ok(Some(Saver {
            folder: folder.clone(),
            peer,
            bounds: self.minimise.then_some(bounds),
            saved: Vec::new(),
            failed: None,
        }))
    }
}

/// Whether a folder is there, or can be made, and takes a file.
pub(super) fn probe(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder).map(drop)
}

/// Saves what fails.
#[derive(Debug)]
pub(crate) struct Saver {
    folder: PathBuf,
    /// The peer as replay is to be told.
    peer: Vec<String>,
    /// How much work is made of each file, if it is to be made smaller.
    bounds: Option<Bounds>,
    saved: Vec<Saved>,
    /// Why the first file that could not be written could not.
    failed: Option<String>,
}

/// A case that was saved.
#[derive(Debug)]
struct Saved {
    result: CaseResult,
    script: Script,
}

impl Saver {
    /// Takes notice of what happens: a case that does not pass is on disk before anybody hears of it,
    /// and what is told of it says how to replay it.
    pub(crate) fn event(&mut self, event: &mut Event, options: &Options) {
        let Event::CaseFinished(result) = event else {
            return;
        };
        let is_saved = !matches!(result.verdict, Verdict::Pass | Verdict::Skip);
        let script = result.evidence.as_ref().filter(|_| is_saved);
        let Some(script) = script.and_then(|evidence| evidence.script.parse::<Script>().ok())
        else {
            return;
        };
        let path = self.path(&result.id, "script");
        let mut file = self.file(result, &result.findings, &script, options);
        say_how_often(&mut file, result.attempts);
        file.say("replay", self.replay(&path));
        if !self.write(&path, &file) {
            return;
        }
        let again = self.replay(&path);
        if !result.rerun.is_empty() {
            result.rerun.push('\n');
        }
        result.rerun.push_str(&again);
        result.file = Some(path.display().to_string());
        let result = CaseResult {
            evidence: None,
            ..(**result).clone()
        };
        self.saved.push(Saved { result, script });
    }

    fn path(&self, id: &str, extension: &str) -> PathBuf {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '.'
            }
        };
        let name: String = id.chars().map(plain).collect();
        self.folder.join(format!("{name}.{extension}"))
    }

    fn replay(&self, path: &Path) -> String {
        replay(path, &self.peer)
    }

    /// What any file says of its case.
    fn file<'a>(
        &self,
        result: &CaseResult,
        findings: &[FindingNote],
        script: &'a Script,
        options: &'a Options,
    ) -> Reproducer<'a> {
        let mut file = Reproducer::new(&options.profile, script);
        file.stands_for(&result.id);
        if findings.is_empty() {
            file.say("found", result.detail.as_str());
        }
        say_findings(&mut file, findings);
        say_when(&mut file, options.target.as_str());
        file
    }

    /// Writes a file; `false` if that failed, which is told at the end.
    fn write(&mut self, path: &Path, file: &Reproducer<'_>) -> bool {
        match write(path, file) {
            Ok(()) => true,
            Err(why) => {
                self.failed.get_or_insert(why);
                false
            }
        }
    }

    /// Whether there is something to be made smaller.
    pub(crate) fn is_to_minimise(&self) -> bool {
        self.bounds.is_some() && !self.saved.is_empty()
    }

    /// Makes what was saved smaller, one case after the other, and tells of each.
    pub(crate) async fn minimise(
        &mut self,
        player: &mut Player,
        target: &mut Target,
        options: &Options,
    ) {
        let Some(bounds) = self.bounds else {
            return;
        };
        for saved in std::mem::take(&mut self.saved) {
            let id = &saved.result.id;
            let Some(first) = saved.result.findings.first() else {
                continue;
            };
            let Some(clause) = Clause::from_slug(&first.clause) else {
                continue;
            };
            let (script, case) = (&saved.script, cases::case(id));
            match minimise(player, target, script, case, clause, bounds).await {
                Ok(smaller) => self.smaller(&saved.result, &smaller, options),
                Err(error) => out::note(format_args!("{id}: not made smaller: {error}")),
            }
        }
    }

    fn smaller(&mut self, result: &CaseResult, smaller: &Minimised, options: &Options) {
        let path = self.path(&result.id, "min.script");
        let mut file = self.file(result, &smaller.findings, &smaller.script, options);
        let sizes = format!("{}, from {}", size(&smaller.after), size(&smaller.before));
        let ended = smaller.ended.as_str();
        file.say(
            "made smaller",
            format!("{sizes}; {} tried, {ended}", smaller.candidates),
        );
        say_how_often(&mut file, smaller.attempts);
        file.say("replay", self.replay(&path));
        if self.write(&path, &file) {
            out::note(format_args!("{}: {sizes}: {}", result.id, path.display()));
        }
    }

    /// Tells where everything is.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match &self.failed {
            Some(why) => Err(Failure::could_not(why.as_str())),
            None => Ok(()),
        }
    }
}

/// The command that plays a file again at a peer, as `replay` is told of it.
pub(super) fn replay(path: &Path, peer: &[String]) -> String {
    let mut line = CommandLine::new("replay");
    line.word(path.display());
    for word in peer {
        line.word(word);
    }
    line.to_string()
}

/// Writes a file, or says why that cannot be done.
pub(super) fn write(path: &Path, file: &Reproducer<'_>) -> Result<(), String> {
    let written = Destination::File(path.to_owned()).write(|out| write!(out, "{file}"));
    written.map_err(|error| format!("cannot save {}: {error}", path.display()))
}

/// Says in a file what it shows.
pub(super) fn say_findings(file: &mut Reproducer<'_>, findings: &[FindingNote]) {
    let Some((first, others)) = findings.split_first() else {
        return;
    };
    file.say("breaks", format!("{} ({})", first.clause, first.level));
    file.say("found", first.what.as_str());
    for also in others.iter().take(FURTHER_FINDINGS) {
        let (clause, conn, what) = (&also.clause, &also.conn, &also.what);
        file.say("also", format!("{clause}, connection {conn}: {what}"));
    }
}

/// Says in a file when and where that was found.
pub(super) fn say_when(file: &mut Reproducer<'_>, target: &str) {
    let version = env!("CARGO_PKG_VERSION");
    file.say(
        "when",
        format!("{}, at {target}, by version {version}", now()),
    );
}

/// Says in a file how often it failed.
pub(super) fn say_how_often(file: &mut Reproducer<'_>, attempts: Attempts) {
    let Attempts { failed, of } = attempts;
    file.say("how often", format!("{failed} of {of} times"));
}

fn size(size: &Size) -> String {
    let counted = |count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {what}{plural}")
    };
    format!(
        "{} in {} on {}",
        counted(size.frames, "frame"),
        counted(size.octets, "octet"),
        counted(size.connections, "connection")
    )
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saver(folder: &Path) -> Saver {
        let args = SaveArgs {
            save: Some(folder.to_owned()),
            minimise: false,
            minimise_for: Duration::ZERO,
        };
        args.open(vec!["host:1".to_owned()]).unwrap().unwrap()
    }

    #[test]
    fn file_names_follow_from_the_cases() {
        let folder = tempfile::tempdir().unwrap();
        let saver = saver(folder.path());
        let name = |id| {
            let path = saver.path(id, "script");
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(
            name("reassembly/header-in-four"),
            "reassembly.header-in-four.script"
        );
        assert_eq!(name("a b/c"), "a.b.c.script");
    }

    #[test]
    fn the_command_can_be_copied_whatever_the_folder_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let saver = saver(folder.path());
        assert_eq!(
            saver.replay(Path::new("a/b")),
            "conformance replay a/b host:1"
        );
        assert_eq!(
            saver.replay(Path::new("it's b")),
            "conformance replay 'it'\\''s b' host:1"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let args = SaveArgs {
            save: Some(file.join("below")),
            minimise: false,
            minimise_for: Duration::ZERO,
        };
        let failure = args.open(Vec::new()).unwrap_err();
        assert_eq!(failure.exit, super::super::exit::Exit::Usage);
        assert!(
            failure.what.as_str().starts_with("--save "),
            "{}",
            failure.what
        );
    }
}
