//! Logs: to stderr, since stdout belongs to results.

use super::exit::Failure;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Where the filter is taken from when `--log` is not given.
const VARIABLE: &str = "RUST_LOG";

#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// What to log to stderr: off, error, warn, info, debug, trace [default: $RUST_LOG, else warn]
    ///
    /// Or TARGET=LEVEL, with commas between several, such as framespec::server=debug.
    #[arg(long, value_name = "FILTER", global = true, display_order = 900)]
    log: Option<String>,
}

impl LogArgs {
    /// Starts logging, for the whole process.
    pub(crate) fn start(&self) -> Result<(), Failure> {
        tracing_subscriber::fmt()
            .with_env_filter(self.filter()?)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .init();
        Ok(())
    }

    fn filter(&self) -> Result<EnvFilter, Failure> {
        let (from, filter) = match &self.log {
            Some(filter) => ("--log", filter.clone()),
            None => (VARIABLE, std::env::var(VARIABLE).unwrap_or_default()),
        };
        let filter = if filter.trim().is_empty() {
            "warn"
        } else {
            filter.as_str()
        };
        EnvFilter::try_new(filter).map_err(|error| {
            Failure::usage(format!("{from} {filter:?}: {error}"))
                .hint("--log debug, or --log framespec::server=debug")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(log: &str) -> Result<EnvFilter, Failure> {
        let log = Some(log.to_owned());
        LogArgs { log }.filter()
    }

    #[test]
    fn filters_are_read_or_refused() {
        assert_eq!(filter("debug").unwrap().to_string(), "debug");
        assert_eq!(filter("").unwrap().to_string(), "warn");
        assert!(filter("framespec::server=trace,info").is_ok());
        assert!(filter("a=b=c").unwrap_err().what.as_str().contains("a=b=c"));
    }
}
