//! Durations on the command line.

use crate::lang::say;
use std::str::FromStr;
use std::time::Duration;

/// The longest duration that can be given: a year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// A duration as `humantime` reads it: `250ms`, `1.5s`, `2m`, `1m 30s`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let is_bare = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let unit = if is_bare { "s" } else { "" };
    // `humantime` wants a digit in front of the point.
    let zero = if text.starts_with('.') { "0" } else { "" };
    match humantime::parse_duration(&format!("{zero}{text}{unit}")) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        Ok(_) => Err(say!("give no more than a year").to_string()),
        Err(_) => Err(say!("give a duration, such as 250ms, 1.5s or 2m").to_string()),
    }
}

/// The same above 0: how long something is waited for.
pub(crate) fn waiting(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(Duration::ZERO) => {
            Err(say!("give a duration above 0, such as 250ms, 1.5s or 2m").to_string())
        }
        other => other,
    }
}

/// A duration as one word that [`duration`] reads back.
pub(crate) fn word(duration: Duration) -> String {
    let words = humantime::format_duration(duration).to_string();
    words.replace(' ', "")
}

/// A duration that may be without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) Option<Duration>);

impl FromStr for Deadline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self(None)),
            _ => match duration(text) {
                Ok(Duration::ZERO) => Err(say!("give a duration above 0, or never").to_string()),
                Ok(duration) => Ok(Self(Some(duration))),
                Err(error) => Err(say!("{error}, or never", error).to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_or_refused() {
        let millis = |text, count| assert_eq!(duration(text), Ok(Duration::from_millis(count)));
        millis("250ms", 250);
        millis("1.5", 1_500);
        millis(".5", 500);
        millis("0", 0);
        millis("2m", 120_000);
        millis("1m 30s", 90_000);
        for bad in [
            "",
            "s",
            "-1",
            "inf",
            "nan",
            "1e9",
            "1.",
            "1 x",
            "366d",
            "99999999999999",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(waiting("0s").unwrap_err().contains("above 0"));
        assert_eq!(waiting("1ms"), duration("1ms"));
        assert_eq!("never".parse(), Ok(Deadline(None)));
        assert!("0".parse::<Deadline>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 0..365 * 86_400_u64, nanos in 0..1_000_000_000_u32) {
            let any = Duration::new(seconds, nanos);
            prop_assert!(!word(any).contains(' '));
            prop_assert_eq!(duration(&word(any)), Ok(any));
        }
    }
}
