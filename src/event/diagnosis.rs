//! What is behind the failures of a run, as plain data.

use crate::lang::Text;
use crate::spec::Level;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The fewest causes that explain what failed, and what none of them explains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The causes, in the order in which to mend them.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// Cases that failed and that no cause explains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexplained: Vec<String>,
    /// How many cases were played, where those were too few to tell the causes from others that may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub few: Option<usize>,
}

/// One mistake of the server or client that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Its name, which `explain` takes.
    pub id: String,
    /// What is wrong, in plain words.
    pub title: Text,
    /// Slug of the clause that it breaks.
    pub clause: String,
    /// How binding that clause is.
    pub level: Level,
    /// How sure it is that this is what is wrong.
    pub confidence: Confidence,
    /// What to do about it, in a sentence.
    pub advice: Text,
    /// What good code looks like there: causes of the same sketch are mended in the same lines.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sketch: String,
    /// The cases whose failure it explains, in the order of the table.
    pub explains: Vec<String>,
    /// Those of them that show it best: they failed just as is typical of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<String>,
    /// Other causes that explain the same as well as this one.
    #[serde(default, rename = "or", skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<String>,
}

/// How sure a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It fits, and so may others that are not known.
    Guess,
    /// It fits better than any other that is known, and not in all that was seen.
    Likely,
    /// All that is known of it was seen, and no other explains that.
    Certain,
}

impl Confidence {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
