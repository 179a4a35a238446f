//! The text form of a script: one step a line, octets as people read them.
//!
//! ```text
//! framespec script 1
//! # a comment
//! open a
//! send a 0000003c | "hi\n" 'it is "quoted"' 00*56
//! pause 200
//! fin a
//! ```
//!
//! Connections are named `a`, `b`, … `z`, `c26`, `c27`, … in the order of opening. Octets are hex
//! pairs, text in double quotes (escapes `\n \r \t \\ \" \0 \xHH`) or in single quotes (no
//! escapes), any of these times a count; `|` cuts segments. A pause is in milliseconds.

use super::{Action, Conn, MAGIC, MAX_OCTETS, Script, Step, StepError};
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

/// Why a text is no script, and on which of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        parse(text)
    }
}

/// The script in a file in text form.
pub(super) fn parse_file(octets: &[u8]) -> Result<Script, ScriptError> {
    let text = std::str::from_utf8(octets).map_err(|error| {
        let before = octets.get(..error.valid_up_to()).unwrap_or_default();
        let breaks = before.iter().filter(|octet| **octet == b'\n').count();
        ScriptError {
            line: breaks.saturating_add(1),
            problem: "not UTF-8; octets beyond text are written in hex".into(),
        }
    })?;
    parse(text)
}

fn parse(text: &str) -> Result<Script, ScriptError> {
    let mut script = Script::new();
    for (index, line) in text.lines().enumerate() {
        let at = |problem: String| ScriptError {
            line: index.saturating_add(1),
            problem,
        };
        if index == 0 {
            if line.trim_end() != MAGIC {
                return Err(at(format!("a script begins with the line {MAGIC:?}")));
            }
            continue;
        }
        if let Some((conn, action)) = step(line.trim()).map_err(at)? {
            script
                .push(conn, action)
                .map_err(|error: StepError| at(error.to_string()))?;
        }
    }
    Ok(script)
}

fn step(line: &str) -> Result<Option<(Conn, Action)>, String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim_start();
    match word {
        "pause" => return Ok(Some((0, Action::Pause(millis(rest)?)))),
        "sample" => return Ok(Some((0, Action::Sample(rest.to_owned())))),
        _ => {}
    }
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let conn = conn(name)?;
    let action = match word {
        "send" => return Ok(Some((conn, Action::Send(segments(rest)?)))),
        "open" => Action::Open,
        "await" => Action::Await,
        "quiet" => Action::Quiet,
        "fin" => Action::Fin,
        "rst" => Action::Rst,
        "stall" => Action::Stall,
        "resume" => Action::Resume,
        _ => return Err(format!("{word:?} is no step: one of {STEPS}")),
    };
    if rest.trim().is_empty() {
        Ok(Some((conn, action)))
    } else {
        Err(format!("{word} takes a connection and nothing more"))
    }
}

const STEPS: &str = "open, send, await, quiet, pause, fin, rst, stall, resume, sample";

fn millis(text: &str) -> Result<Duration, String> {
    text.trim()
        .parse()
        .map(Duration::from_millis)
        .map_err(|_| format!("a pause is a whole number of milliseconds, not {text:?}"))
}

fn conn(name: &str) -> Result<Conn, String> {
    let refuse = || format!("{name:?} is no connection: a to z, then c26, c27 and so on");
    match name.as_bytes() {
        [letter @ b'a'..=b'z'] => Ok(usize::from(letter.saturating_sub(b'a'))),
        [b'c', ..] => name
            .get(1..)
            .and_then(|number| number.parse().ok())
            .filter(|number| (26..100_000).contains(number))
            .ok_or_else(refuse),
        _ => Err(refuse()),
    }
}

fn segments(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut scanner = Scanner { rest: text };
    let mut segments = vec![Vec::new()];
    let mut total = 0_usize;
    while let Some(token) = scanner.token()? {
        match token {
            Token::Cut => segments.push(Vec::new()),
            Token::Octets(octets, times) => {
                total = octets
                    .len()
                    .checked_mul(times)
                    .and_then(|added| total.checked_add(added))
                    .filter(|total| *total <= MAX_OCTETS)
                    .ok_or_else(|| StepError::TooManyOctets.to_string())?;
                if let Some(last) = segments.last_mut() {
                    last.extend_from_slice(&octets.repeat(times));
                }
            }
        }
    }
    Ok(segments)
}

enum Token {
    Cut,
    Octets(Vec<u8>, usize),
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn token(&mut self) -> Result<Option<Token>, String> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let octets = match first {
            '|' => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                return Ok(Some(Token::Cut));
            }
            '\'' => self.raw()?,
            '"' => self.quoted()?,
            _ => self.hex()?,
        };
        Ok(Some(Token::Octets(octets, self.times()?)))
    }

    fn raw(&mut self) -> Result<Vec<u8>, String> {
        let body = self.rest.get(1..).unwrap_or_default();
        let (text, rest) = body
            .split_once('\'')
            .ok_or("a single quote is not closed")?;
        self.rest = rest;
        Ok(text.as_bytes().to_vec())
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        let mut octets = Vec::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(at.saturating_add(1)..).unwrap_or_default();
                    return Ok(octets);
                }
                '\\' => octets.push(escape(&mut chars)?),
                c => octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Err("a double quote is not closed".into())
    }

    fn hex(&mut self) -> Result<Vec<u8>, String> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        if pairs.is_empty() || !odd.is_empty() {
            let word: String = self.rest.chars().take(16).collect();
            return Err(format!("octets are hex pairs or quoted text, not {word:?}"));
        }
        self.rest = rest;
        Ok(pairs
            .iter()
            .filter_map(|[high, low]| hex_octet(*high, *low))
            .collect())
    }

    fn times(&mut self) -> Result<usize, String> {
        let Some(counted) = self.rest.strip_prefix('*') else {
            return Ok(1);
        };
        let end = counted
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(counted.len());
        let (digits, rest) = counted.split_at(end);
        self.rest = rest;
        digits
            .parse()
            .map_err(|_| format!("{digits:?} is no count"))
    }
}

fn hex_octet(high: u8, low: u8) -> Option<u8> {
    let digit = |d: u8| char::from(d).to_digit(16);
    u8::try_from(digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?).ok()
}

fn escape(chars: &mut impl Iterator<Item = (usize, char)>) -> Result<u8, String> {
    let mut next = || chars.next().map(|(_, c)| c);
    match next() {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('0') => Ok(0),
        Some('\\') => Ok(b'\\'),
        Some('"') => Ok(b'"'),
        Some('x') => next()
            .zip(next())
            .and_then(|(high, low)| hex_octet(u8::try_from(high).ok()?, u8::try_from(low).ok()?))
            .ok_or_else(|| "\\x takes two hex digits".into()),
        _ => Err("an escape is one of \\n \\r \\t \\0 \\\\ \\\" \\xHH".into()),
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}")?;
        self.steps()
            .iter()
            .try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.action {
            Action::Pause(pause) => return write!(f, "pause {}", pause.as_millis()),
            Action::Sample(name) => return write!(f, "sample {name}"),
            Action::Send(segments) => {
                write!(f, "send {}", ConnName(self.conn))?;
                return write_segments(f, segments);
            }
            Action::Open => "open",
            Action::Await => "await",
            Action::Quiet => "quiet",
            Action::Fin => "fin",
            Action::Rst => "rst",
            Action::Stall => "stall",
            Action::Resume => "resume",
        };
        write!(f, "{word} {}", ConnName(self.conn))
    }
}

/// A connection as scripts and reports call it.
#[derive(Debug, Clone, Copy)]
pub struct ConnName(pub Conn);

impl fmt::Display for ConnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u8::try_from(self.0) {
            Ok(small @ 0..26) => f.write_char(char::from(b'a'.saturating_add(small))),
            _ => write!(f, "c{}", self.0),
        }
    }
}

fn write_segments(f: &mut fmt::Formatter<'_>, segments: &[Vec<u8>]) -> fmt::Result {
    for (i, segment) in segments.iter().enumerate() {
        if i > 0 {
            f.write_str(" |")?;
        }
        write_octets(f, segment)?;
    }
    Ok(())
}

/// Octets as they stand behind `send`: runs of one octet as a count, printable text in quotes, all
/// else in hex. Nothing is printed for none.
#[derive(Debug, Clone, Copy)]
pub struct Octets<'a>(pub &'a [u8]);

impl fmt::Display for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_octets(&mut text, self.0)?;
        f.write_str(text.trim_start())
    }
}

/// The fewest equal octets that are written as a count.
const RUN: usize = 8;

/// The fewest printable octets that are written as text.
const TEXT: usize = 3;

/// Runs of one octet as a count, printable text in quotes, all else in hex.
fn write_octets(f: &mut impl fmt::Write, mut octets: &[u8]) -> fmt::Result {
    while let Some(first) = octets.first() {
        let same = run_len(octets);
        let taken = if same >= RUN {
            write!(f, " {first:02x}*{same}")?;
            same
        } else if is_text(octets) {
            let text = octets.get(..text_len(octets)).unwrap_or_default();
            write!(f, " '{}'", String::from_utf8_lossy(text))?;
            text.len()
        } else {
            write!(f, " {first:02x}")?;
            1
        };
        octets = octets.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// How many octets at the beginning are the same.
fn run_len(octets: &[u8]) -> usize {
    let first = octets.first();
    let is_same = |octet: &&u8| Some(*octet) == first;
    octets.iter().take_while(is_same).count()
}

fn is_text(octets: &[u8]) -> bool {
    octets
        .get(..TEXT)
        .is_some_and(|head| head.iter().all(|octet| is_plain(*octet)))
}

/// How many octets at the beginning are printable, up to where a run begins that is better written as a
/// count. It looks no further than that, so that writing takes as long as there are octets.
fn text_len(octets: &[u8]) -> usize {
    let mut len = 0_usize;
    let mut run = 0_usize;
    let mut last = None;
    for octet in octets.iter().take_while(|octet| is_plain(**octet)) {
        run = if last == Some(octet) {
            run.saturating_add(1)
        } else {
            1
        };
        last = Some(octet);
        len = len.saturating_add(1);
        if run >= RUN {
            return len.saturating_sub(RUN);
        }
    }
    len
}

/// Printable ASCII but the quote that would end it.
fn is_plain(octet: u8) -> bool {
    (b' '..=b'~').contains(&octet) && octet != b'\''
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn script(text: &str) -> Result<Script, String> {
        parse(&format!("{MAGIC}\n{text}")).map_err(|error| error.to_string())
    }

    #[test]
    fn octets_are_read_in_every_notation() {
        let script = script("open a\nsend a 00ff 'a\"' \"\\x7f\\n\\\"é\" 01*3 | 'b'*2").unwrap();
        let Action::Send(segments) = &script.steps()[1].action else {
            panic!()
        };
        assert_eq!(segments[0], b"\x00\xffa\"\x7f\n\"\xc3\xa9\x01\x01\x01");
        assert_eq!(segments[1], b"bb");
    }

    #[test]
    fn errors_name_the_line() {
        for (text, error) in [
            (
                "jump a",
                "line 2: \"jump\" is no step: one of open, send, await",
            ),
            ("open a\nsend a 0", "line 3: octets are hex pairs"),
            ("open a\nsend a 'x", "line 3: a single quote"),
            (
                "open a\nsend a 00*99999999999",
                "line 3: a script sends at most",
            ),
            (
                "open a\nsend a 00*99999999999999999999999",
                "line 3: \"9999",
            ),
            ("open é", "line 2: \"é\" is no connection"),
            ("pause -1", "line 2: a pause is a whole number"),
            ("send a 00", "line 2: the connection has not been opened"),
        ] {
            let problem = script(text).unwrap_err();
            assert!(problem.starts_with(error), "{text}: {problem}");
        }
        assert!(parse("open a").unwrap_err().problem.contains(MAGIC));
    }

    #[test]
    fn octets_that_are_no_text_are_refused_and_not_sent_as_others() {
        let file = b"framespec script 1\nopen a\nsend a 'caf\xe9'\n";
        let error = Script::from_file(file).unwrap_err().to_string();
        assert!(error.starts_with("line 3: not UTF-8"), "{error}");
    }

    /// 680 KB in which every ninth octet ends a stretch of text: looking at the whole rest at each
    /// of them would take minutes.
    #[test]
    fn long_texts_are_written_as_fast_as_short_ones() {
        let octets = b"abcdefghzzzzzzzzz".repeat(40_000);
        let written = Octets(&octets).to_string();
        assert!(
            written.starts_with("'abcdefgh' 7a*9 'abcdefgh' 7a*9"),
            "{written:.40}"
        );
        let script = script(&format!("open a\nsend a {written}")).unwrap();
        assert_eq!(script.stream(0), octets);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(
            segments in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(0u8), Just(b'a'), any::<u8>()], 1..40),
                1..5,
            ),
            pause in 0u64..1000,
        ) {
            let mut script = Script::new();
            for conn in 0..30 {
                script.push(conn, Action::Open).unwrap();
            }
            script.push(29, Action::Send(segments)).unwrap();
            script.push(0, Action::Pause(Duration::from_millis(pause))).unwrap();
            for action in [Action::Stall, Action::Resume, Action::Await, Action::Quiet, Action::Fin] {
                script.push(3, action).unwrap();
            }
            script.push(3, Action::Rst).unwrap();
            script.push(0, Action::Sample("before".into())).unwrap();
            prop_assert_eq!(script.to_string().parse::<Script>().unwrap(), script);
        }

        #[test]
        fn no_text_panics(text in "[a-z0-9 *|'\"\\\\\n]{0,80}") {
            let _ = script(&text);
        }
    }
}
