//! The rubric: how many points there are, and what each mistake costs.

use crate::diagnosis::Knowledge;
use crate::report::class::{Found, Mistake, Shown};
use crate::spec::{Clause, Role};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use toml::Spanned;

/// What points can be, in words.
const POINTS: &str = "points from 0 to 1000, with no more than two decimals";

/// A number of points, kept in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Points(u32);

impl Points {
    /// The most that can be written.
    const MOST: Self = Self::whole(1_000);

    const fn whole(points: u32) -> Self {
        Self(points.saturating_mul(100))
    }
}

/// As few digits as it takes.
impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match (part, part % 10) {
            (0, _) => write!(f, "{whole}"),
            (part, 0) => write!(f, "{whole}.{}", part / 10),
            (part, _) => write!(f, "{whole}.{part:02}"),
        }
    }
}

/// A text that is no number of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{POINTS}")]
pub struct NoPoints;

impl FromStr for Points {
    type Err = NoPoints;

    fn from_str(text: &str) -> Result<Self, NoPoints> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if !is_digits(whole) || !is_digits(part) || part.len() > 2 {
            return Err(NoPoints);
        }
        let whole: u32 = whole.parse().map_err(|_| NoPoints)?;
        let part: u32 = format!("{part:0<2}").parse().map_err(|_| NoPoints)?;
        let all = whole.checked_mul(100).and_then(|all| all.checked_add(part));
        all.filter(|all| *all <= Self::MOST.0)
            .map(Self)
            .ok_or(NoPoints)
    }
}

/// A number of points in a file: whole, or with decimals.
impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Points;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(POINTS)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Points, E> {
                let wrong = |_| E::invalid_value(Unexpected::Signed(number), &self);
                number.to_string().parse().map_err(wrong)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Points, E> {
                let wrong = |_| E::invalid_value(Unexpected::Float(number), &self);
                number.to_string().parse().map_err(wrong)
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// How points are given. What is found against a server is taken off the points that there are, each mistake but once:
/// the first of these that says what it costs does.
///
/// ```
/// use framespec::grade::Rubric;
///
/// let rubric = Rubric::parse("points = 20\ncause = 2\n[clauses]\ntruncation = 3.5\n")?;
/// assert_eq!(rubric.points().to_string(), "20");
/// # Ok::<(), framespec::grade::RubricError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rubric {
    /// All that there is.
    points: Points,
    /// What is left in any case, and all that there is for a server that passes no case.
    floor: Points,
    /// What a cause costs.
    cause: Points,
    /// What a clause costs that is broken without a cause that is known.
    failure: Points,
    /// What either costs if it only led to warnings.
    warning: Points,
    /// What a mistake costs that breaks a clause.
    clauses: BTreeMap<Spanned<String>, Points>,
    /// What a cause costs.
    causes: BTreeMap<Spanned<String>, Points>,
}

/// Ten points, of which each cause costs one, each clause that is broken for no cause that is known a half, since several may
/// be of one mistake, and each warning a quarter.
impl Default for Rubric {
    fn default() -> Self {
        Self {
            points: Points::whole(10),
            floor: Points::default(),
            cause: Points::whole(1),
            failure: Points(50),
            warning: Points(25),
            clauses: BTreeMap::new(),
            causes: BTreeMap::new(),
        }
    }
}

/// Why a text is no rubric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RubricError {
    /// It is not TOML, or not of this form: where, and what may stand there.
    #[error("{}", .0.to_string().trim_end())]
    Malformed(#[from] toml::de::Error),
    /// A clause or cause that there is none of.
    #[error("line {line}: no {what} is called {name:?}")]
    Unknown {
        /// What it was to be.
        what: &'static str,
        /// As it is called.
        name: String,
        /// Where it is named, counted from 1.
        line: usize,
    },
    /// More is left in any case than there is.
    #[error("floor = {floor}: no more than points = {points}")]
    Floor {
        /// What is left.
        floor: Points,
        /// What there is.
        points: Points,
    },
}

impl Rubric {
    /// Reads a rubric.
    ///
    /// # Errors
    /// If it is not TOML of this form, a number is none of points, or it names a clause or cause that there is none of.
    pub fn parse(text: &str) -> Result<Self, RubricError> {
        let rubric: Self = toml::from_str(text)?;
        let is_clause = |name: &str| {
            Clause::from_slug(name).is_some_and(|clause| clause.role() == Role::Server)
        };
        let is_cause = |name: &str| Knowledge::embedded().entry(name).is_some();
        named("clause", text, &rubric.clauses, is_clause)?;
        named("cause", text, &rubric.causes, is_cause)?;
        match rubric.floor > rubric.points {
            true => Err(RubricError::Floor {
                floor: rubric.floor,
                points: rubric.points,
            }),
            false => Ok(rubric),
        }
    }

    /// All that there is.
    #[must_use]
    pub const fn points(&self) -> Points {
        self.points
    }

    /// What there is for a server that was not there to be checked.
    #[must_use]
    pub const fn floor(&self) -> Points {
        self.floor
    }

    /// What there is for a server of which that was found.
    #[must_use]
    pub fn of(&self, found: &Found) -> Points {
        if !found.passes {
            return self.floor;
        }
        let costs = found.mistakes.iter().map(|mistake| self.cost(mistake).0);
        let cost = costs.fold(0_u32, u32::saturating_add);
        let left = Points(self.points.0.saturating_sub(cost));
        left.min(self.most_for(found.shown)).max(self.floor)
    }

    /// The most that there is for a server of which so much was seen: what nobody has seen earns nothing.
    fn most_for(&self, shown: Shown) -> Points {
        let all = u64::from(shown.clauses).saturating_add(shown.missing.into());
        let part = u64::from(self.points.0)
            .saturating_mul(shown.clauses.into())
            .checked_div(all);
        part.and_then(|part| u32::try_from(part).ok())
            .map_or(self.points, Points)
    }

    fn cost(&self, mistake: &Mistake) -> Points {
        let of = |prices: &BTreeMap<Spanned<String>, Points>, name: &str| {
            let price = prices.iter().find(|(known, _)| *known.get_ref() == name);
            price.map(|(_, points)| *points)
        };
        let cause = mistake.cause.as_ref();
        let usual = match (mistake.fails, cause) {
            (false, _) => self.warning,
            (true, Some(_)) => self.cause,
            (true, None) => self.failure,
        };
        cause
            .and_then(|cause| of(&self.causes, cause))
            .or_else(|| of(&self.clauses, &mistake.clause))
            .unwrap_or(usual)
    }
}

/// Holds that there is what is named.
fn named(
    what: &'static str,
    text: &str,
    prices: &BTreeMap<Spanned<String>, Points>,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), RubricError> {
    let unknown = prices.keys().find(|name| !is_known(name.get_ref()));
    unknown.map_or(Ok(()), |name| {
        let before = text.get(..name.span().start).unwrap_or_default();
        Err(RubricError::Unknown {
            what,
            name: name.get_ref().clone(),
            line: before.matches('\n').count().saturating_add(1),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Conclusion;

    fn found(mistakes: &[(Option<&str>, &str, bool)]) -> Found {
        let mistake = |(cause, clause, fails): &(Option<&str>, &str, bool)| Mistake {
            cause: cause.map(str::to_owned),
            clause: (*clause).to_owned(),
            fails: *fails,
        };
        Found {
            conclusion: Conclusion::Failed,
            causes: Vec::new(),
            mistakes: mistakes.iter().map(mistake).collect(),
            passes: true,
            first: crate::lang::Text::default(),
            broken_off: None,
            shown: Shown {
                clauses: 30,
                missing: 0,
            },
        }
    }

    /// One that ends of every other case is not played to the end, and does not earn what was not seen.
    #[test]
    fn what_was_not_seen_earns_nothing() {
        let rubric = Rubric::default();
        let with = |clauses, missing| {
            let shown = Shown { clauses, missing };
            rubric.of(&Found {
                shown,
                ..found(&[(None, "boundary", true)])
            })
        };
        assert_eq!(with(30, 0).to_string(), "9.5");
        assert_eq!(with(29, 1).to_string(), "9.5");
        assert_eq!(with(9, 21).to_string(), "3");
        assert_eq!(with(0, 30).to_string(), "0");
        assert_eq!(with(0, 0).to_string(), "9.5");
    }

    #[test]
    fn the_most_particular_price_is_taken_and_the_floor_is_left() {
        let rubric = "points = 12\nfloor = 1.5\ncause = 2\nfailure = 0.75\n\
                      [clauses]\ntruncation = 3\n[causes]\nheader-in-one-read = 0.5";
        let rubric = Rubric::parse(rubric).unwrap();
        let points = |mistakes: &[_]| rubric.of(&found(mistakes)).to_string();
        assert_eq!(points(&[]), "12");
        assert_eq!(
            points(&[(Some("header-in-one-read"), "truncation", true)]),
            "11.5"
        );
        assert_eq!(points(&[(Some("x"), "truncation", true)]), "9");
        assert_eq!(points(&[(None, "truncation", false)]), "9");
        assert_eq!(
            points(&[(Some("x"), "order", true), (None, "order", true)]),
            "9.25"
        );
        assert_eq!(points(&[(None, "order", false)]), "11.75");
        assert_eq!(points(&[(None, "truncation", true); 9]), "1.5");
        let nothing = Found {
            passes: false,
            ..found(&[])
        };
        assert_eq!(rubric.of(&nothing).to_string(), "1.5");
    }

    #[test]
    fn what_is_no_rubric_is_refused_with_line_and_what_may_be() {
        let refused = |text: &str| Rubric::parse(text).unwrap_err().to_string();
        for (text, says) in [
            (
                "points = 1\npionts = 2",
                "unknown field `pionts`, expected one of `points`",
            ),
            ("points = 1\npionts = 2", "line 2"),
            ("cause = -1", "points from 0 to 1000"),
            ("cause = 0.125", "no more than two decimals"),
            ("cause = nan", "points from 0 to 1000"),
            ("cause = \"1\"", "points from 0 to 1000"),
            ("points = 1001", "line 1"),
            (
                "[clauses]\norder = 1\ntrunctaion = 2",
                "line 3: no clause is called \"trunctaion\"",
            ),
            ("[clauses]\nclient-reset = 2", "no clause is called"),
            ("[causes]\nx = 2", "line 2: no cause is called \"x\""),
            (
                "points = 3\nfloor = 4",
                "floor = 4: no more than points = 3",
            ),
            ("points", "line 1"),
        ] {
            assert!(refused(text).contains(says), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn points_are_written_as_they_are_read() {
        for text in ["0", "7", "7.5", "0.25", "1000", "12.05"] {
            assert_eq!(text.parse::<Points>().unwrap().to_string(), text);
        }
        for text in ["", "-1", "1e3", "1000.01", "1.255", "inf", "+1", "1.2.3"] {
            assert_eq!(text.parse::<Points>(), Err(NoPoints), "{text}");
        }
        assert_eq!(Rubric::parse(""), Ok(Rubric::default()));
    }
}
