//! Lengths of time on the command line.

use std::str::FromStr;
use std::time::Duration;

/// The longest time that can be given: a year.
const LONGEST: f64 = 365.0 * 86_400.0;

/// A length of time: `250ms`, `1.5s`, `2m`; a bare number is seconds.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let (number, seconds) = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .unwrap_or((text, 1.0));
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let count: Option<f64> = number.parse().ok().filter(|_| plain);
    match count.map(|count| count * seconds) {
        Some(seconds) if seconds <= LONGEST => Ok(Duration::from_secs_f64(seconds)),
        Some(_) => Err("give no more than a year".to_owned()),
        None => Err("give a length of time, such as 250ms, 1.5s or 2m".to_owned()),
    }
}

/// A length of time that may be without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) Option<Duration>);

impl FromStr for Deadline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self(None)),
            _ => match span(text) {
                Ok(Duration::ZERO) => Err("give a time above 0, or never".to_owned()),
                Ok(span) => Ok(Self(Some(span))),
                Err(error) => Err(format!("{error}, or never")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_refused() {
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(span("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "",
            "s",
            "-1",
            "1h",
            "inf",
            "nan",
            "1e9",
            "1 s",
            "99999999999999",
        ] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!("never".parse(), Ok(Deadline(None)));
        assert!("0".parse::<Deadline>().is_err());
    }
}
