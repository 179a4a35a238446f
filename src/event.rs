//! What happens during a run, as plain data: all that a report ever sees.
//!
//! A run tells a sequence of [`Event`]s. Reports are made from them and from nothing else, so that a
//! report can be made again from a saved run, and none can reach a socket.
//!
//! The serialised form is what `--format json` and `--format jsonl` write. It is versioned by
//! [`SCHEMA`]: fields are added, never renamed.

mod conclusion;
mod diagnosis;

pub use crate::spec::Role;
pub use conclusion::Conclusion;
pub use diagnosis::{Cause, Confidence, Diagnosis};

use crate::lang::{Hole, Text, say};
use crate::spec::{CaseId, Level};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Name and version of the serialised form.
pub const SCHEMA: &str = "framespec/1";

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins.
    Started(Started),
    /// What the first look at the server found out.
    Calibrated(Calibration),
    /// A case was begun.
    CaseStarted {
        /// Its name.
        id: String,
    },
    /// A case has its verdict.
    CaseFinished(Box<CaseResult>),
    /// What is behind the failures; told behind the last case.
    Diagnosed(Diagnosis),
    /// The run is over.
    Finished(Finished),
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Started {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of this package.
    pub version: String,
    /// Whether a server was checked or a client.
    #[serde(default, skip_serializing_if = "Role::is_server")]
    pub role: Role,
    /// The server or client, as it was named on the command line.
    pub target: Text,
    /// Name of the profile.
    pub profile: String,
    /// Whether its frames were carried by datagrams, which is UDP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub datagrams: bool,
    /// How many cases were selected.
    pub selected: usize,
    /// What every octet that chance chooses is made from.
    pub seed: u64,
    /// When it began, in milliseconds since the beginning of 1970, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unix_ms: Option<u64>,
    /// The selected cases in the order of the table, so that a report can list them in that order
    /// though they end in another, and can tell which of them were never run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<String>,
    /// Whether warnings and unstable cases count as failures.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// What the first look at a server or client found out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// All of it in a sentence, where a client was looked at; the figures below are a server's.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub client: Text,
    /// Median time of a round trip, in microseconds.
    pub round_trip_us: u64,
    /// How its replies relate to requests: `echo`, `token`, `any` or `none`.
    pub reply: String,
    /// Whether it serves several clients at once.
    pub concurrent: bool,
    /// What is added to shown silence, in microseconds.
    pub slack_us: u64,
    /// How long an owed answer is waited for, in milliseconds.
    pub timeout_ms: u64,
    /// What the user should know: oddities that make cases be skipped, or a likely wrong profile.
    pub notes: Vec<Text>,
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The server did what the clause asks.
    Pass,
    /// It broke a SHOULD.
    Warn,
    /// The case does not apply here, or could not be run; the detail says why.
    Skip,
    /// It failed at first and passed when run again alone.
    Unstable,
    /// It broke a MUST.
    Fail,
    /// The harness itself failed.
    Error,
}

impl Verdict {
    /// All verdicts, the most harmless first.
    pub const ALL: [Self; 6] = [
        Self::Pass,
        Self::Warn,
        Self::Skip,
        Self::Unstable,
        Self::Fail,
        Self::Error,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Skip => "skip",
            Self::Unstable => "unstable",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A case and its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// `clause/variant`.
    pub id: String,
    /// Slug of the clause.
    pub clause: String,
    /// How binding the case is.
    pub level: Level,
    /// What became of it.
    pub verdict: Verdict,
    /// That this is known of it and does not count, if it is. The verdict is what it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// One line: what was seen and what should have been, why it was skipped, or nothing.
    pub detail: Text,
    /// Time spent on it, in milliseconds.
    pub elapsed_ms: u64,
    /// Why it matters, as `explain` tells it.
    #[serde(default)]
    pub why: Text,
    /// How often it was run, and how often it failed: `k of n`.
    #[serde(default)]
    pub attempts: Attempts,
    /// Everything that was found, the first being the one that `detail` tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingNote>,
    /// The command that runs this case alone; on a second line one that replays it, if it was saved.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rerun: String,
    /// The script file that shows it, if it came from one or was saved as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What was sent and seen; kept for all but passes and skips, and for those too when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl CaseResult {
    /// Whether it would have been played, had the run not ended before: no time was left or would have been, or the peer was
    /// gone.
    #[must_use]
    pub fn was_not_run(&self) -> bool {
        self.verdict == Verdict::Skip && self.detail.as_str().starts_with("not run: ")
    }

    /// A case of which nothing is known yet; `command` is what repeats the run, up to where a case is selected.
    #[must_use]
    pub fn unjudged(id: CaseId, level: Level, why: &str, command: &str) -> Self {
        Self {
            why: Text::whole(why),
            rerun: format!("{command} --run {id}"),
            ..Self::bare(id.to_string(), id.clause.to_string(), level, Verdict::Error)
        }
    }

    /// A verdict and nothing else: what has no row in the table of the cases, such as a file that was played, begins with that.
    #[must_use]
    pub fn bare(
        id: impl Into<String>,
        clause: impl Into<String>,
        level: Level,
        verdict: Verdict,
    ) -> Self {
        Self {
            id: id.into(),
            clause: clause.into(),
            level,
            verdict,
            known: None,
            detail: Text::default(),
            elapsed_ms: 0,
            why: Text::default(),
            attempts: Attempts::default(),
            findings: Vec::new(),
            rerun: String::new(),
            file: None,
            evidence: None,
        }
    }
}

/// What is known beforehand of a case that fails, and why that is put up with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// How often it fails.
    pub kind: KnownKind,
    /// Why that is put up with.
    pub reason: String,
}

/// How often a case fails of which it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownKind {
    /// Every time.
    Failure,
    /// At times.
    Flaky,
}

impl KnownKind {
    /// The words for it where people read them.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::Failure => say!("known failure"),
            Self::Flaky => say!("known flaky"),
        }
    }

    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "known failure",
            Self::Flaky => "known flaky",
        }
    }
}

impl fmt::Display for KnownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that was held to be known and is not so; it fails the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The case that it names.
    pub case: String,
    /// What is the matter with it.
    pub problem: Problem,
    /// What was held to be known.
    #[serde(flatten)]
    pub known: Known,
}

/// Why something that was held to be known is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The case does not fail.
    Passes,
    /// There is no such case.
    NoSuchCase,
}

impl Problem {
    /// What is the matter with the case, and what is to be done.
    #[must_use]
    pub fn words(self) -> Text {
        match self {
            Self::Passes => say!("is listed as a known failure and passes: take its entry out"),
            Self::NoSuchCase => {
                say!("is listed and is not the name of a case: correct its entry or take it out")
            }
        }
    }
}

/// In the language of the reader.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().fmt(f)
    }
}

impl Hole for Level {
    fn text(&self) -> Text {
        match self {
            Self::May => say!("MAY"),
            Self::Should => say!("SHOULD"),
            Self::Must => say!("MUST"),
        }
    }
}

impl Hole for Role {
    fn text(&self) -> Text {
        match self {
            Self::Server => say!("server"),
            Self::Client => say!("client"),
        }
    }
}

/// How often a case was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attempts {
    /// Times that it failed.
    pub failed: u32,
    /// Times that it was run.
    pub of: u32,
}

/// One breach of a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingNote {
    /// Slug of the clause that was broken; not always the one that the case is about.
    pub clause: String,
    /// How binding that clause is here.
    pub level: Level,
    /// What was seen, and what should have been.
    pub what: Text,
    /// The connection, as the script calls it.
    pub conn: String,
    /// Offset in the client's stream of the frame that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
}

/// What was sent and seen while a case was run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The script in its text form: save it and `replay` it. Empty where a client was checked.
    pub script: String,
    /// What was sent and seen, in order.
    pub timeline: Vec<Moment>,
    /// Where frames lie in what was sent and seen, as far as that can be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<FrameMark>,
    /// What was permitted, one line for each thing owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<Text>,
    /// The last of what the server or client wrote to its standard error, if the checker started it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}

/// Something sent or seen, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Microseconds since the script began.
    pub at_us: u64,
    /// The connection, as the script calls it.
    pub conn: String,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// The connection was made.
    Connected,
    /// These octets were sent as one segment.
    Sent {
        /// The octets.
        #[serde(with = "hex")]
        octets: Vec<u8>,
    },
    /// These octets came.
    Received {
        /// The octets.
        #[serde(with = "hex")]
        octets: Vec<u8>,
    },
    /// The client ended its stream.
    ClientFin,
    /// The client reset the connection.
    ClientRst,
    /// The server ended its stream.
    Fin,
    /// The server reset the connection.
    Rst,
    /// Anything else, in words: refused, blocked, silent, given up, a reading of the process.
    Note {
        /// The words.
        text: Text,
    },
}

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The client: the checker, unless a client is checked.
    Client,
    /// The server: the checker, if a client is checked.
    Server,
}

/// Where a frame lies in the octets of one side of a connection; the last one may be cut short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameMark {
    /// The connection, as the script calls it.
    pub conn: String,
    /// Who sent it.
    pub from: Side,
    /// Offset of its first octet in all that this side sent on the connection.
    pub start: usize,
    /// Octets of its header.
    pub header: usize,
    /// Octets of its payload.
    pub payload: usize,
    /// Octets of its padding.
    pub padding: usize,
    /// The headers in front of the chunks of its body, if chunks have one. Payload and padding count those that stand in
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<ChunkMarks>,
}

/// Where headers lie in front of the chunks of a body, the first of them behind the header of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkMarks {
    /// How many there are.
    pub count: usize,
    /// Octets of each.
    pub header: usize,
    /// Octets behind each but the last, which may have fewer.
    pub octets: usize,
}

/// Verdicts counted, and the time that the whole run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Cases passed.
    pub pass: usize,
    /// Cases failed.
    pub fail: usize,
    /// Cases with a warning.
    pub warn: usize,
    /// Cases skipped.
    pub skip: usize,
    /// Cases that failed and then passed.
    pub unstable: usize,
    /// Cases in which the harness failed.
    pub error: usize,
    /// How many of these are [known](CaseResult::known) and do not count.
    #[serde(default)]
    pub known: usize,
    /// What was held to be known and is not so: the number of [`Finished::stale`].
    #[serde(default)]
    pub stale: usize,
    /// Time of the whole run, in milliseconds.
    pub elapsed_ms: u64,
}

impl Summary {
    /// Counts one more case.
    pub fn count(&mut self, verdict: Verdict) {
        let slot = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Skip => &mut self.skip,
            Verdict::Unstable => &mut self.unstable,
            Verdict::Error => &mut self.error,
        };
        *slot = slot.saturating_add(1);
    }

    /// How many cases got that verdict.
    #[must_use]
    pub const fn of(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Warn => self.warn,
            Verdict::Skip => self.skip,
            Verdict::Unstable => self.unstable,
            Verdict::Error => self.error,
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Finished {
    /// Verdicts counted.
    pub summary: Summary,
    /// Why the run ended before all cases had been run, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_off: Option<Text>,
    /// What was held to be known and is not so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Stale>,
    /// Clauses of which at least one case gave a verdict of its own: not skipped, not an error.
    #[serde(default)]
    pub clauses_checked: Vec<String>,
    /// Clauses of which none did, and why.
    #[serde(default)]
    pub clauses_unchecked: Vec<Unchecked>,
}

/// A clause that was not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchecked {
    /// Its slug.
    pub clause: String,
    /// Why not.
    pub why: Text,
}

/// A whole run: what the JSON report holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Run {
    /// How it began.
    #[serde(flatten)]
    pub started: Started,
    /// What the first look found out; `None` if the server could not be looked at.
    pub calibration: Option<Calibration>,
    /// Verdicts counted, and what was left unchecked.
    #[serde(flatten)]
    pub finished: Finished,
    /// What is behind the failures.
    #[serde(flatten)]
    pub diagnosis: Diagnosis,
    /// All cases that were selected, in the order of the table.
    #[serde(rename = "cases")]
    pub results: Vec<CaseResult>,
}

/// Octets as a string of hex pairs.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Write as _;

    pub(super) fn serialize<S: Serializer>(octets: &[u8], s: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(octets.len().saturating_mul(2));
        for octet in octets {
            // Writing to a string cannot fail.
            let _ = write!(text, "{octet:02x}");
        }
        s.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        let (pairs, odd) = text.as_bytes().as_chunks::<2>();
        if !odd.is_empty() {
            return Err(D::Error::custom("octets are hex pairs"));
        }
        pairs
            .iter()
            .map(|pair| {
                let pair = std::str::from_utf8(pair).map_err(D::Error::custom)?;
                u8::from_str_radix(pair, 16).map_err(D::Error::custom)
            })
            .collect()
    }
}
