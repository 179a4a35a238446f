//! What is wrong with arguments, in the reader's language and with what to do about it.

use super::exit::Failure;
use crate::lang::{Hole, Text, say};
use crate::peer::LaunchError;
use crate::transport::NameError;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;

/// Arguments that could not be read: what is wrong with them, and the help to read.
pub(crate) fn refused(error: &clap::Error) -> Failure {
    let said = error.render().to_string();
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let (what, usage) = said.split_once("\n\nUsage: ").unwrap_or((said, ""));
    let what = what
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let (tips, what): (Vec<&str>, Vec<&str>) = what
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .partition(|line| line.starts_with(TIP));
    let tips: Vec<&str> = tips
        .into_iter()
        .filter_map(|tip| tip.strip_prefix(TIP))
        .collect();
    let what = told(error).unwrap_or_else(|| what.join(" ").into());
    let hint = match like(error) {
        Some(like) => like,
        None if !tips.is_empty() => tips.join("; ").into(),
        None => help(usage).into(),
    };
    Failure::usage(what).hint(hint)
}

/// What the help of an argument is told to be like.
const TIP: &str = "tip: ";

/// The help of the command that this usage is of.
fn help(usage: &str) -> String {
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    let words: Vec<&str> = usage.split_whitespace().take_while(is_word).collect();
    match words.is_empty() {
        true => "conformance --help".to_owned(),
        false => format!("{} --help", words.join(" ")),
    }
}

/// What is wrong, where it is something usual.
fn told(error: &clap::Error) -> Option<Text> {
    let of = |kind| word(error, kind);
    let argument = || of(ContextKind::InvalidArg);
    Some(match error.kind() {
        ErrorKind::UnknownArgument => {
            say!(
                "unexpected argument '{argument}' found",
                argument = argument()?
            )
        }
        ErrorKind::InvalidSubcommand => say!(
            "unrecognized subcommand '{word}'",
            word = of(ContextKind::InvalidSubcommand)?
        ),
        ErrorKind::InvalidValue => bad_value(error, &argument()?)?,
        ErrorKind::ValueValidation => say!(
            "invalid value '{value}' for '{argument}': {why}",
            value = of(ContextKind::InvalidValue)?,
            argument = argument()?,
            why = why(error)?
        ),
        ErrorKind::ArgumentConflict => conflict(&argument()?, &of(ContextKind::PriorArg)?),
        ErrorKind::MissingRequiredArgument => say!(
            "the following required arguments were not provided: {arguments}",
            arguments = argument()?
        ),
        _ => return None,
    })
}

fn bad_value(error: &clap::Error, argument: &str) -> Option<Text> {
    let value = word(error, ContextKind::InvalidValue)?;
    if value.is_empty() {
        return Some(say!(
            "a value is required for '{argument}' but none was supplied",
            argument
        ));
    }
    let wrong = say!("invalid value '{value}' for '{argument}'", value, argument);
    Some(match words(error, ContextKind::ValidValue) {
        Some(values) => say!(
            "{wrong} [possible values: {values}]",
            wrong,
            values = values.join(", ")
        ),
        None => wrong,
    })
}

fn conflict(argument: &str, other: &str) -> Text {
    match argument == other {
        true => say!(
            "the argument '{argument}' cannot be used multiple times",
            argument
        ),
        false => say!(
            "the argument '{argument}' cannot be used with '{other}'",
            argument,
            other
        ),
    }
}

/// What is most like something that there is not: of several it stands last.
fn like(error: &clap::Error) -> Option<Text> {
    let of = |kind| match error.get(kind)? {
        ContextValue::Strings(words) => words.last().cloned(),
        _ => word(error, kind),
    };
    if let Some(like) = of(ContextKind::SuggestedArg) {
        return Some(say!("a similar argument exists: '{like}'", like));
    }
    if let Some(like) = of(ContextKind::SuggestedSubcommand) {
        return Some(say!("a similar subcommand exists: '{like}'", like));
    }
    let like = of(ContextKind::SuggestedValue)?;
    Some(say!("a similar value exists: '{like}'", like))
}

/// What the reader of a value said is wrong with it.
fn why(error: &clap::Error) -> Option<Text> {
    let source = error.source()?;
    if let Some(error) = source.downcast_ref::<NameError>() {
        return Some(no_name(error));
    }
    match source.downcast_ref::<LaunchError>() {
        Some(error) => Some(error.text()),
        None => Some(Text::from(source.to_string()).heard()),
    }
}

/// Why a text names no server.
fn no_name(error: &NameError) -> Text {
    match error {
        NameError::NoPort(host) => {
            say!(
                "there is no port in it: give host:port, such as {host}:7060",
                host
            )
        }
        NameError::NoHost(port) => {
            say!(
                "there is no host in it: give host:port, such as localhost:{port}",
                port
            )
        }
        NameError::Path => say!(
            "that is a path, and a target is host:port, tls:host:port, udp:host:port, unix:PATH or stdio:, such as localhost:7060"
        ),
        NameError::BadPort(port, least) => say!(
            "{port} is no port: a port is a number from {least} to 65535",
            port = format!("{port:?}"),
            least
        ),
        NameError::BareIpv6 => {
            say!("an IPv6 address stands in brackets when a port follows: [::1]:7060")
        }
        NameError::BadIpv6 => {
            say!("what stands in brackets must be an IPv6 address: [::1]:7060")
        }
        NameError::Url(scheme) => say!(
            "a target is host:port, tls:host:port, udp:host:port, unix:PATH or stdio:, not a URL: leave out {scheme} and whatever follows the port",
            scheme = format!("{scheme:?}")
        ),
        NameError::BadHost => say!("a host name holds no spaces or control characters"),
        NameError::NoPath => {
            say!("there is no path in it: give unix:PATH, such as unix:/run/server.sock")
        }
        NameError::BadPath(why) => say!("no socket can have that path: {why}", why),
        NameError::NotHere(what) => {
            say!(
                "this system has no {what}: give host:port, such as localhost:7060",
                what
            )
        }
    }
}

/// What the error says of that, as one word.
fn word(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => Some(words.join(" ")),
        _ => None,
    }
}

fn words(error: &clap::Error, kind: ContextKind) -> Option<&[String]> {
    match error.get(kind)? {
        ContextValue::Strings(words) if !words.is_empty() => Some(words),
        _ => None,
    }
}
