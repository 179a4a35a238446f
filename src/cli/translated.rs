//! The help of commands in the reader's language: the texts that stand at the arguments, and those of the parser.

use crate::lang::{Text, say, shown};
use clap::builder::StyledStr;
use clap::{Arg, Command};

/// The command with its help in the reader's language, as far as there are texts.
pub(crate) fn translated(mut command: Command) -> Command {
    if shown().is_none() {
        return command;
    }
    command.build();
    of_command(command)
}

fn of_command(command: Command) -> Command {
    let about = command.get_about().map(whole).unwrap_or_default();
    let long_about = command.get_long_about().map(whole);
    let command = match long_about {
        Some(text) => command.long_about(text),
        None => command,
    };
    let command = command
        .about(about)
        .subcommand_help_heading(say!("Commands").to_string())
        .subcommand_value_name(say!("COMMAND").to_string())
        .mut_args(of_argument)
        .mut_subcommands(of_command);
    let usage = usage(&command);
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        say!("Usage")
    );
    command.override_usage(usage).help_template(template)
}

/// How it is used, without the word for that.
fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let options = say!("OPTIONS").to_string();
    usage.replace("[OPTIONS]", &format!("[{options}]"))
}

fn of_argument(argument: Arg) -> Arg {
    let is_option = !argument.is_positional();
    let heading = argument.get_help_heading().map(Text::whole);
    let heading = heading.unwrap_or_else(|| match is_option {
        true => say!("Options"),
        false => say!("Arguments"),
    });
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<String> = names
        .iter()
        .map(|name| Text::whole(name).to_string())
        .collect();
    let help = argument.get_help().map(whole).unwrap_or_default();
    let long_help = argument.get_long_help().map(whole);
    let beyond = beyond(&argument);
    let long_help = long_help.unwrap_or_else(|| help.clone());
    let (short, long) = match beyond.is_empty() {
        true => (help, long_help),
        false => (
            format!("{help} {beyond}"),
            format!("{long_help}\n\n{beyond}"),
        ),
    };
    let argument = argument
        .help_heading(heading.to_string())
        .help(short)
        .long_help(long)
        .hide_default_value(true)
        .hide_possible_values(true);
    match names.is_empty() {
        true => argument,
        false => argument.value_names(names),
    }
}

/// What else there is to say of it: its default, and the values that it takes.
fn beyond(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let mut told = Vec::new();
    let default = argument.get_default_values();
    if !default.is_empty() && !argument.is_hide_default_value_set() {
        let default: Vec<_> = default
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        told.push(say!("[default: {value}]", value = default.join(" ")).to_string());
    }
    let possible = argument.get_possible_values();
    if !possible.is_empty() && !argument.is_hide_possible_values_set() {
        let possible: Vec<&str> = possible.iter().map(|value| value.get_name()).collect();
        told.push(say!("[possible values: {values}]", values = possible.join(", ")).to_string());
    }
    told.join(" ")
}

/// A text of the help, paragraph by paragraph.
fn whole(text: &StyledStr) -> String {
    let paragraphs = paragraphs(text);
    let paragraphs = paragraphs.iter().map(|one| Text::whole(one).to_string());
    paragraphs.collect::<Vec<String>>().join("\n\n")
}

fn paragraphs(text: &StyledStr) -> Vec<String> {
    text.to_string().split("\n\n").map(str::to_owned).collect()
}

/// All that is told of a command in texts: its own, and those of its arguments.
#[cfg(test)]
fn told(command: &Command) -> Vec<String> {
    let about = [command.get_about(), command.get_long_about()];
    let mut told: Vec<String> = about.into_iter().flatten().flat_map(paragraphs).collect();
    for argument in command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
    {
        let help = [argument.get_help(), argument.get_long_help()];
        told.extend(help.into_iter().flatten().flat_map(paragraphs));
        told.extend(argument.get_help_heading().map(str::to_owned));
        let names = argument.get_value_names().unwrap_or_default();
        let names = names
            .iter()
            .filter(|_| argument.get_action().takes_values());
        told.extend(names.map(ToString::to_string));
    }
    told.retain(|text| !text.is_empty());
    told
}

/// The same of a command and of all below it.
#[cfg(test)]
fn told_below(command: &Command) -> Vec<String> {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let mut told = told(command);
    told.extend(shown.flat_map(told_below));
    told
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::super::help::EXIT_CODES;
    use super::*;
    use crate::lang::Language;
    use clap::CommandFactory as _;
    use std::collections::BTreeSet;

    /// Names of values that are the same in every language.
    const NAMES: [&str; 2] = ["N", "PID"];

    #[test]
    fn each_language_has_the_help_of_every_command_and_no_other() {
        let mut program = Cli::command();
        program.build();
        let mut told: BTreeSet<String> = told_below(&program).into_iter().collect();
        told.extend(EXIT_CODES.map(|(_, meaning)| meaning.to_owned()));
        told.retain(|text| !NAMES.contains(&text.as_str()));
        let language = Language::named("es").unwrap().unwrap();
        let is_told = |text: &&String| language.text(text).is_some();
        let missing: Vec<&String> = told.iter().filter(|text| !is_told(text)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
        let table = language.table("help").map(|(english, _)| english);
        let unused: Vec<&str> = table.filter(|text| !told.contains(*text)).collect();
        assert!(unused.is_empty(), "{unused:#?}");
    }
}
