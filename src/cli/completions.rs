//! `conformance completions`: what a shell needs to complete command lines, names of cases, clauses, causes and profiles
//! among them.
//!
//! The script asks the program at each turn, so what it knows is what the program knows.

use super::exit::{Exit, Failure};
use super::{table, wire_format};
use crate::altered::{self, Alterable, Fault, Variant};
use crate::cases;
use crate::diagnosis::Knowledge;
use crate::lang::Text;
use crate::report::{Destination, Format};
use crate::selftest::{Permitted, Planted};
use crate::spec::Role;
use clap::{Arg, Command};
use clap_complete::CompleteEnv;
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Shells, Zsh};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

/// Print what makes a shell complete command lines of this program
///
/// Have it read whenever the shell starts: the line is below, and belongs into ~/.bashrc, ~/.zshrc (behind compinit),
/// ~/.config/fish/config.fish or what $PROFILE names in PowerShell. Names of cases, clauses, causes, faults and profiles are completed too.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// The variable by which a script asks the program for completions. The usual name of it is so plain that it may be set for
/// another reason.
const VARIABLE: &str = "CONFORMANCE_COMPLETE";

/// What a program is called on the path.
const PROGRAM: &str = "conformance";

const SHELLS: Shells<'static> = Shells(&[&Bash, &Zsh, &Fish, &Powershell]);

/// For bash a script of our own: the one that comes with the crate knows nothing of words that bash breaks at =.
const IN_BASH: &str = include_str!("completions.bash");

/// What zsh calls the function that completes.
const IN_ZSH: &str = "_clap_dynamic_completer_conformance";

impl CompletionsArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        Destination::Stdout.write(|out| self.shell.write(out))?;
        Ok(Exit::Ok)
    }
}

impl Shell {
    fn write(self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Bash => out.write_all(IN_BASH.as_bytes()),
            Self::Zsh => {
                registered(&Zsh, out)?;
                // As a file of fpath it is read when something is to be completed for the first time: by that name.
                writeln!(out, "[[ ${{funcstack[1]}} != _{PROGRAM} ]] || {IN_ZSH}")
            }
            Self::Fish => registered(&Fish, out),
            Self::Powershell => registered(&Powershell, out),
        }
    }
}

/// The script that comes with the crate.
fn registered(shell: &dyn EnvCompleter, mut out: &mut dyn Write) -> io::Result<()> {
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut out)
}

/// Answers a shell that asks for completions; whether one did.
pub(crate) fn answered() -> Result<bool, Failure> {
    let asked = CompleteEnv::with_factory(with_names)
        .var(VARIABLE)
        .shells(SHELLS);
    let folder = env::current_dir().ok();
    let answered = asked.try_complete(env::args_os(), folder.as_deref());
    answered.map_err(|error| {
        Failure::usage(format!("{VARIABLE} is set: {error}"))
            .hint("conformance completions SHELL, for a script that sets it as it has to be")
    })
}

/// The table, with what completes names where an argument takes them.
fn with_names() -> Command {
    table().mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let command = command.mut_subcommands(|sub| sub.mut_args(|arg| named("selftest", arg)));
        command.mut_args(|arg| named(&name, arg))
    })
}

/// An argument of a command with what completes it, if it takes names.
fn named(command: &str, arg: Arg) -> Arg {
    let completer = match (command, arg.get_id().as_str()) {
        ("check-client", "run" | "skip") => completer(|| selectors(&[Role::Client])),
        (_, "run" | "skip") => completer(|| selectors(&[Role::Server])),
        ("explain", "case") => completer(|| {
            let cases = selectors(&[Role::Server, Role::Client]).into_iter();
            cases
                .filter(|(name, _)| name.contains('/'))
                .chain(causes())
                .collect()
        }),
        ("chat", "fault") => completer(faults::<altered::client::Hooks>),
        ("chat", "variant") => completer(variants::<altered::client::Hooks>),
        ("serve", "fault") => completer(faults::<altered::server::Hooks>),
        ("serve", "variant") => completer(variants::<altered::server::Hooks>),
        (_, "fault") => completer(|| told(Planted::all().map(|it| (it.name, it.about)))),
        (_, "variant") => completer(|| told(Permitted::all().map(|it| (it.name, it.about)))),
        (_, "profile") => ArgValueCompleter::new(|current: &OsStr| {
            let mut found = alike(current, profiles());
            found.extend(PathCompleter::file().complete(current));
            found
        }),
        ("check" | "check-client" | "watch" | "regress", "format") => completer(|| {
            let formats = Format::ALL.into_iter();
            formats.map(|it| (it.to_string(), String::new())).collect()
        }),
        ("man", "command") => completer(|| {
            let table = table();
            let commands = table.get_subcommands();
            let about = |it: &Command| it.get_about().map(ToString::to_string);
            commands
                .map(|it| (it.get_name().to_owned(), about(it).unwrap_or_default()))
                .collect()
        }),
        _ => return arg,
    };
    arg.add(completer)
}

/// A name, and what it is the name of.
type Named = (String, String);

/// What completes names, all of which `names` gives.
fn completer(names: impl Fn() -> Vec<Named> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| alike(current, names()))
}

/// The names that begin with what is there.
fn alike(current: &OsStr, names: Vec<Named>) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let names = names.into_iter();
    names
        .filter(|(name, _)| name.starts_with(current.as_ref()))
        .map(|(name, about)| {
            let help = (!about.is_empty()).then(|| Text::whole(&about).to_string().into());
            CompletionCandidate::new(OsString::from(name)).help(help)
        })
        .collect()
}

fn told<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Named> {
    names
        .map(|(name, about)| (name.to_owned(), about.to_owned()))
        .collect()
}

/// Clauses and cases for these roles.
fn selectors(roles: &[Role]) -> Vec<Named> {
    let clauses = roles.iter().flat_map(|role| role.clauses());
    let clauses = clauses.map(|clause| (clause.to_string(), clause.sentence().to_owned()));
    let cases = roles.iter().flat_map(|role| cases::all(*role));
    let cases = cases.map(|case| (case.id.to_string(), case.why.to_owned()));
    clauses.chain(cases).collect()
}

fn causes() -> Vec<Named> {
    let entries = Knowledge::embedded().entries().iter();
    told(entries.map(|it| (it.head.id.as_str(), it.head.title.as_str())))
}

fn faults<H: Alterable>() -> Vec<Named> {
    told(Fault::<H>::all().map(|it| (it.name, it.about)))
}

fn variants<H: Alterable>() -> Vec<Named> {
    told(Variant::<H>::all().map(|it| (it.name, it.about)))
}

fn profiles() -> Vec<Named> {
    let profiles = wire_format::names().filter_map(|name| wire_format::named(name).ok());
    profiles
        .map(|it| (it.name().to_owned(), it.about().to_owned()))
        .collect()
}
