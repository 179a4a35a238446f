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
//! A script of the server's side says so before its first step, accepts the client's connection, and may
//! say what a user types at the client, which text of that the request must hold, and how many octets
//! its payload is meant to have:
//!
//! ```text
//! framespec script 1
//! side server
//! replies '{"said": "{text}"}'
//! type 'say hello' holds 'hello' payload 7
//! accept a
//! await a
//! send a 0000003c '{"said": "hello, too"}' 00*38
//! shown a
//! ```
//!
//! Where the profile has a prologue, `begin` connects like `open` and then says what stands behind it where the
//! client has to speak, right or wrong; with `+` at its end the last segment goes out with what is sent next:
//!
//! ```text
//! begin a 50 52 | 49 +
//! send a 0000003c '{}' 00*58
//! ```
//!
//! Connections are named `a`, `b`, … `z`, `c26`, `c27`, … in the order of opening. Octets are hex
//! pairs, text in double quotes (escapes `\n \r \t \\ \" \0 \xHH`) or in single quotes (no
//! escapes), any of these times a count; `|` cuts segments. A pause is in milliseconds.

use super::{
    Action, Conn, MAGIC, MAX_OCTETS, Opening, ReplyTemplate, Script, Side, StepError, Typed,
};
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
        if let Some(changed) = heading(&script, line.trim()) {
            script = changed.map_err(at)?;
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

/// The script as a line in front of its steps has it, if it is such a line.
fn heading(script: &Script, line: &str) -> Option<Result<Script, String>> {
    let (word, rest) = line.split_once(char::is_whitespace)?;
    let changed = match word {
        "side" => side(rest.trim()).map(Script::of),
        "replies" => replies(script, rest),
        _ => return None,
    };
    Some(match script.steps() {
        [] => changed,
        _ => Err(format!("{word} stands before the first step")),
    })
}

fn side(named: &str) -> Result<Side, String> {
    match named {
        "client" => Ok(Side::Client),
        "server" => Ok(Side::Server),
        other => Err(format!("a side is client or server, not {other:?}")),
    }
}

fn replies(script: &Script, text: &str) -> Result<Script, String> {
    if script.side() == Side::Client {
        return Err("replies are made by the server's side".into());
    }
    let template = Scanner { rest: text }.text()?;
    Ok(Script::serving(ReplyTemplate::new(Some(template))))
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
        "type" => return Ok(Some((0, Action::Type(typed(rest)?)))),
        _ => {}
    }
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let conn = conn(name)?;
    let action = match word {
        "send" => return Ok(Some((conn, Action::Send(segments(rest)?)))),
        "begin" => return Ok(Some((conn, Action::Begin(opening(rest)?)))),
        "open" | "accept" => Action::Open,
        "empty" => Action::SendEmpty,
        "await" => Action::Await,
        "quiet" => Action::Quiet,
        "shown" => Action::Shown,
        "settle" => Action::Settle,
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

const STEPS: &str = "open, accept, begin, send, empty, await, quiet, pause, fin, rst, stall, resume, sample, type, shown, settle";

/// What stands behind `type`.
fn typed(text: &str) -> Result<Typed, String> {
    let mut scanner = Scanner { rest: text };
    let line = scanner.text()?;
    let text = match scanner.word("holds") {
        true => scanner.text()?,
        false => line.clone(),
    };
    let payload = match scanner.word("payload") {
        true => Some(scanner.number()?),
        false => None,
    };
    match scanner.rest.trim() {
        "" => Ok(Typed {
            line,
            text,
            payload,
        }),
        more => Err(format!(
            "behind what is typed stand at most `holds` and `payload`, not {more:?}"
        )),
    }
}

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

/// What stands behind `begin`: segments, and a plus sign if the last of them waits for what is sent next.
fn opening(text: &str) -> Result<Opening, String> {
    let rest = text.trim_end();
    let (rest, is_glued) = match rest.strip_suffix('+') {
        Some(rest) => (rest.trim_end(), true),
        None => (rest, false),
    };
    let segments = match rest {
        "" => Vec::new(),
        rest => segments(rest)?,
    };
    Ok(Opening { segments, is_glued })
}

fn segments(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut scanner = Scanner { rest: text };
    let (mut segments, mut last) = (Vec::new(), Vec::new());
    let mut before = 0_usize;
    while let Some(token) = scanner.token()? {
        match token {
            Token::Cut => {
                before = before.saturating_add(last.len());
                segments.push(std::mem::take(&mut last));
            }
            Token::Octets(octets, times) => append(&mut last, &octets, times)?,
        }
        if before.saturating_add(last.len()) > MAX_OCTETS {
            return Err(StepError::TooManyOctets.to_string());
        }
    }
    segments.push(last);
    Ok(segments)
}

/// Adds octets so many times, as far as a script may be long.
fn append(to: &mut Vec<u8>, octets: &[u8], times: usize) -> Result<(), String> {
    let added = octets.len().checked_mul(times);
    let total = added.and_then(|added| to.len().checked_add(added));
    match total {
        Some(0..=MAX_OCTETS) => {
            to.extend_from_slice(&octets.repeat(times));
            Ok(())
        }
        _ => Err(StepError::TooManyOctets.to_string()),
    }
}

enum Token {
    Cut,
    Octets(Vec<u8>, usize),
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    /// Octets up to a word, the end or a cut, as text.
    fn text(&mut self) -> Result<String, String> {
        let mut text = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let is_over = ["holds", "payload", "|"]
                .iter()
                .any(|word| self.rest.starts_with(word));
            if is_over {
                break;
            }
            match self.token()? {
                Some(Token::Octets(octets, times)) => append(&mut text, &octets, times)?,
                Some(Token::Cut) | None => break,
            }
        }
        String::from_utf8(text).map_err(|_| "what is typed is text in UTF-8".into())
    }

    /// Whether that word comes next; if so, it is passed over.
    fn word(&mut self, word: &str) -> bool {
        let behind = self.rest.trim_start().strip_prefix(word);
        if let Some(behind) = behind {
            self.rest = behind;
        }
        behind.is_some()
    }

    fn number(&mut self) -> Result<usize, String> {
        self.rest = self.rest.trim_start();
        self.digits()
    }

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
        self.rest = counted;
        self.digits()
    }

    fn digits(&mut self) -> Result<usize, String> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
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

#[cfg(test)]
mod tests {
    use super::super::Octets;
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
                "line 2: \"jump\" is no step: one of open, accept, begin, send, empty, await",
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
    fn the_side_is_named_first_and_binds() {
        let served =
            script("side server\ntype 'say hi' holds 'hi' payload 4\naccept a\nshown a").unwrap();
        assert_eq!(served.side(), Side::Server);
        let Action::Type(typed) = &served.steps()[0].action else {
            panic!()
        };
        assert_eq!((typed.line.as_str(), typed.text.as_str()), ("say hi", "hi"));
        assert_eq!(typed.payload, Some(4));
        for (text, error) in [
            ("open a\nside server", "line 3: side stands before"),
            ("replies 'x'", "line 2: replies are made by"),
            ("side left", "line 2: a side is client or server"),
            (
                "open a\nshown a",
                "line 3: the client side does no such thing",
            ),
            (
                "side server\naccept a\nstall a",
                "line 4: the server side does no",
            ),
            ("side server\ntype 'a' and", "line 3: octets are hex pairs"),
            (
                "side server\ntype ff",
                "line 3: what is typed is text in UTF-8",
            ),
            (
                "side server\ntype 'a' payload x",
                "line 3: \"\" is no count",
            ),
        ] {
            let problem = script(text).unwrap_err();
            assert!(problem.starts_with(error), "{text}: {problem}");
        }
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
            let is_glued = pause % 2 == 0;
            let opening = Opening { segments: segments.clone(), is_glued };
            script.push(30, Action::Begin(opening)).unwrap();
            script.push(29, Action::Send(segments)).unwrap();
            script.push(0, Action::Pause(Duration::from_millis(pause))).unwrap();
            for action in [Action::SendEmpty, Action::Stall, Action::Resume, Action::Await, Action::Quiet, Action::Fin] {
                script.push(3, action).unwrap();
            }
            script.push(3, Action::Rst).unwrap();
            script.push(0, Action::Sample("before".into())).unwrap();
            prop_assert_eq!(script.to_string().parse::<Script>().unwrap(), script);
        }

        #[test]
        fn what_is_typed_reads_back(
            line in ".{0,40}",
            text in ".{0,20}",
            payload in any::<Option<usize>>(),
            template in any::<Option<String>>(),
        ) {
            let mut script = Script::serving(ReplyTemplate::new(template));
            script.push(0, Action::Type(Typed { line, text, payload })).unwrap();
            script.push(0, Action::Open).unwrap();
            for action in [Action::Await, Action::Shown, Action::Settle, Action::Rst, Action::Await] {
                script.push(0, action).unwrap();
            }
            prop_assert_eq!(script.to_string().parse::<Script>().unwrap(), script);
        }

        #[test]
        fn no_text_panics(text in "[a-z0-9 *|'\"\\\\\n]{0,80}") {
            let _ = script(&text);
        }
    }
}
