//! The program `conformance`: arguments, output streams and exit codes. All else is in the library.

mod alterations;
mod causes;
mod chat;
mod check;
mod check_client;
mod client_target;
mod command;
mod compare;
mod durations;
mod exit;
mod explain;
mod fuzz;
mod lines;
mod list;
mod log;
mod out;
mod plain;
mod profiles;
mod regress;
mod replay;
mod reporting;
mod running;
mod runtime;
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
mod tls;
mod wire_format;

use clap::Parser;
use exit::{Exit, Failure};
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
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(Box<check::CheckArgs>),
    CheckClient(Box<check_client::CheckClientArgs>),
    List(list::ListArgs),
    Explain(explain::ExplainArgs),
    Serve(serve::ServeArgs),
    Selftest(selftest::SelftestArgs),
    Causes(causes::CausesArgs),
    Send(send::SendArgs),
    Chat(chat::ChatArgs),
    Compare(compare::CompareArgs),
    Replay(Box<replay::ReplayArgs>),
    Regress(Box<regress::RegressArgs>),
    Fuzz(Box<fuzz::FuzzArgs>),
    Show(show::ShowArgs),
    Profiles(profiles::ProfilesArgs),
}

impl Command {
    fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Check(args) => args.run(),
            Self::CheckClient(args) => args.run(),
            Self::List(args) => args.run(),
            Self::Explain(args) => args.run(),
            Self::Serve(args) => args.run(),
            Self::Selftest(args) => args.run(),
            Self::Causes(args) => args.run(),
            Self::Send(args) => args.run(),
            Self::Chat(args) => args.run(),
            Self::Compare(args) => args.run(),
            Self::Replay(args) => args.run(),
            Self::Regress(args) => args.run(),
            Self::Fuzz(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Profiles(args) => args.run(),
        }
    }
}

/// Runs the program with the arguments of this process.
///
/// Exit codes: 0 all is well, 1 something was found, 2 the arguments are wrong, 3 it could not be
/// done.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let done = cli.log.start().and_then(|()| cli.command.run());
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

/// Help and version go to stdout with exit code 0, what is wrong with the arguments to stderr.
fn usage(error: &clap::Error) -> ExitCode {
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Ok
    };
    match error.print() {
        Ok(()) => exit.into(),
        Err(_) => Exit::CouldNot.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
