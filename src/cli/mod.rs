//! The program `conformance`: arguments, output streams and exit codes. All else is in the library.

mod alterations;
mod badge;
mod causes;
mod chat;
mod check;
mod check_client;
mod client_target;
mod command;
mod compare;
mod complaints;
mod completions;
mod detect;
mod dissector;
mod durations;
mod exit;
mod explain;
mod fuzz;
mod grade;
mod help;
mod init;
mod keep;
mod language;
mod last_failed;
mod lines;
mod list;
mod log;
mod man;
mod opening;
mod out;
mod plain;
mod profiles;
mod regress;
mod replay;
mod reporting;
mod running;
mod runtime;
mod saved_run;
mod saving;
mod script_file;
mod selection;
mod selftest;
mod send;
mod serve;
mod show;
mod signals;
mod suggestions;
mod target;
mod text_file;
mod tls;
mod translated;
mod watch;
mod wire_format;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use exit::{Exit, Failure};
use std::io;
use std::process::ExitCode;

/// Conformance and fuzzing for servers that speak length-prefixed frames
#[derive(Debug, Parser)]
#[command(
    name = "conformance",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(flatten)]
    log: log::LogArgs,
    #[command(flatten)]
    language: language::LanguageArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(Box<check::CheckArgs>),
    CheckClient(Box<check_client::CheckClientArgs>),
    Watch(Box<watch::WatchArgs>),
    List(list::ListArgs),
    Explain(explain::ExplainArgs),
    Serve(serve::ServeArgs),
    Selftest(selftest::SelftestArgs),
    Causes(causes::CausesArgs),
    Send(send::SendArgs),
    Chat(chat::ChatArgs),
    Compare(compare::CompareArgs),
    Badge(badge::BadgeArgs),
    Grade(Box<grade::GradeArgs>),
    Replay(Box<replay::ReplayArgs>),
    Regress(Box<regress::RegressArgs>),
    Fuzz(Box<fuzz::FuzzArgs>),
    Show(show::ShowArgs),
    Profiles(profiles::ProfilesArgs),
    Detect(detect::DetectArgs),
    Dissector(dissector::DissectorArgs),
    Init(init::InitArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    #[command(name = keep::WORD, hide = true)]
    Keep(keep::KeepArgs),
}

impl Command {
    fn run(self) -> Result<ExitCode, Failure> {
        let done = match self {
            // It ends as another program does.
            Self::Keep(args) => return args.run(),
            Self::Check(args) => args.run(),
            Self::CheckClient(args) => args.run(),
            Self::Watch(args) => args.run(),
            Self::List(args) => read_enough(args.run()),
            Self::Explain(args) => read_enough(args.run()),
            Self::Serve(args) => args.run(),
            Self::Selftest(args) => args.run(),
            Self::Causes(args) => args.run(),
            Self::Send(args) => args.run(),
            Self::Chat(args) => args.run(),
            Self::Compare(args) => args.run(),
            Self::Badge(args) => read_enough(args.run()),
            Self::Grade(args) => args.run(),
            Self::Replay(args) => args.run(),
            Self::Regress(args) => args.run(),
            Self::Fuzz(args) => args.run(),
            Self::Show(args) => read_enough(args.run()),
            Self::Profiles(args) => read_enough(args.run()),
            Self::Detect(args) => read_enough(args.run()),
            Self::Dissector(args) => read_enough(args.run()),
            Self::Init(args) => args.run(),
            Self::Completions(args) => read_enough(args.run()),
            Self::Man(args) => read_enough(args.run()),
        };
        done.map(ExitCode::from)
    }
}

/// What comes of printing something whose reader may have seen enough of it, which is no failure.
fn read_enough(done: Result<Exit, Failure>) -> Result<Exit, Failure> {
    match done {
        Err(failure) if failure.is_untold() => Ok(Exit::Ok),
        done => done,
    }
}

/// Runs the program with the arguments of this process.
///
/// Exit codes: 0 all is well, 1 something was found, 2 the arguments are wrong, 3 it could not be
/// done.
#[must_use]
pub fn main() -> ExitCode {
    language::choose(std::env::args_os());
    match completions::answered() {
        Ok(false) => {}
        Ok(true) => return Exit::Ok.into(),
        Err(failure) => return failure.report(),
    }
    let cli = match parsed() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let done = cli.log.start().and_then(|()| cli.command.run());
    match done {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}

/// The table of arguments, by which they are read, completed and told of.
fn table() -> clap::Command {
    translated::translated(help::with_examples(Cli::command()))
}

fn parsed() -> Result<Cli, clap::Error> {
    let read = table().try_get_matches()?;
    Cli::from_arg_matches(&read).map_err(|error| error.format(&mut table()))
}

/// Help and version go to stdout with exit code 0. What is wrong with the arguments is told as any other failure.
fn usage(error: &clap::Error) -> ExitCode {
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.use_stderr() && !is_help {
        return complaints::refused(error).report();
    }
    let exit = if is_help { Exit::Usage } else { Exit::Ok };
    match error.print() {
        Ok(()) => exit.into(),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit.into(),
        Err(_) => Exit::CouldNot.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_arguments_is_told_in_a_line_with_advice() {
        let told = |line: &str| {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            let failure = complaints::refused(&error);
            assert_eq!(failure.exit, Exit::Usage);
            (failure.what, failure.hint)
        };
        let (what, hint) = told("conformance check --jobs 0");
        assert_eq!(
            what,
            "invalid value '0' for '--jobs <N>': give a number from 1 to 64"
        );
        assert_eq!(hint, "conformance --help");
        let (what, hint) = told("conformance check --formt json");
        assert_eq!(what, "unexpected argument '--formt' found");
        assert_eq!(hint, "a similar argument exists: '--format'");
        let (what, hint) = told("conformance send");
        assert!(
            what.as_str()
                .starts_with("the following required arguments were not provided: <"),
            "{what}"
        );
        assert_eq!(hint, "conformance send --help");
    }

    #[test]
    fn the_arguments_are_consistent() {
        table().debug_assert();
    }
}
