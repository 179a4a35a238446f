//! The last words of a server that has died, or of a thread of it: the last line of what it wrote to its standard error,
//! with the place in its source where Python tells one.

use super::look::{Look, wrapped};
use crate::event::{CaseResult, Cause, Run};
use crate::lang::{Text, say};
use crate::report::escape::Line;
use std::io::{self, Write};

/// Failures at which a server died, with the same last words.
pub(super) type Death<'a> = (String, Vec<&'a CaseResult>);

/// What is said of a server that has died of a case.
const ENDED: [&str; 2] = ["the server exited with code ", "the server was ended by "];

/// What a traceback in Python begins with.
const TRACEBACK: &str = "Traceback (most recent call last)";

/// The last words at most of the failures that a cause explains.
pub(super) fn of_cause(cause: &Cause, run: &Run) -> Option<String> {
    let is_explained = |result: &&CaseResult| cause.explains.contains(&result.id);
    let words = run.results.iter().filter(is_explained).filter_map(of);
    let counted = grouped(words.map(|words| (words, ())));
    let most = counted.into_iter().max_by_key(|(_, times)| times.len());
    most.map(|(words, _)| words)
}

/// The deaths among failures, those with the same words together.
pub(super) fn deaths<'a>(failures: impl Iterator<Item = &'a CaseResult>) -> Vec<Death<'a>> {
    let deaths = failures.filter(|result| is_death(result));
    grouped(deaths.filter_map(|result| Some((of(result)?, result))))
}

/// They as they are told, in a line.
pub(super) fn told(words: &str) -> Text {
    say!("its last words: {words}", words)
}

pub(super) fn write(words: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let told = Line(&told(words).shown()).to_string();
    writeln!(out, "   {}", wrapped(&told, look.width, 3))
}

fn grouped<T>(words: impl Iterator<Item = (String, T)>) -> Vec<(String, Vec<T>)> {
    let mut groups: Vec<(String, Vec<T>)> = Vec::new();
    for (words, of) in words {
        match groups.iter_mut().find(|(known, _)| *known == words) {
            Some((_, all)) => all.push(of),
            None => groups.push((words, vec![of])),
        }
    }
    groups
}

fn is_death(result: &CaseResult) -> bool {
    let detail = result.detail.as_str();
    ENDED.iter().any(|ended| detail.starts_with(ended))
}

/// The most characters of a line that are shown.
const MOST: usize = 120;

/// The last words in a case of which somebody has died.
fn of(result: &CaseResult) -> Option<String> {
    let stderr = &result.evidence.as_ref()?.stderr;
    if !is_death(result) && !stderr.contains(TRACEBACK) {
        return None;
    }
    let mut lines = stderr.lines().filter(|line| !line.trim().is_empty());
    let last: String = lines.next_back()?.trim().chars().take(MOST).collect();
    let places: Vec<(&str, String)> = lines.rev().filter_map(place).collect();
    let own = places.iter().find(|(path, _)| !is_of_the_library(path));
    Some(match own.or(places.first()).map(|(_, place)| place) {
        Some(place) if stderr.contains(TRACEBACK) => format!("{place}: {last}"),
        _ => last,
    })
}

/// Whether a file came with Python, so that the place that matters is where it was called.
fn is_of_the_library(path: &str) -> bool {
    path.starts_with('<') || path.contains("/lib/python") || path.contains("site-packages")
}

/// The path and `server.py:12` of a line `File "/srv/echo/server.py", line 12, in serve`.
fn place(line: &str) -> Option<(&str, String)> {
    let (path, rest) = line
        .trim()
        .strip_prefix("File \"")?
        .split_once("\", line ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let file = path.rsplit(['/', '\\']).next()?;
    Some((path, format!("{file}:{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn said(detail: &str, stderr: &str) -> Option<String> {
        let mut results = fixture::run().results.into_iter();
        let mut result = results.find(|result| result.evidence.is_some())?;
        result.detail = detail.into();
        result.evidence.as_mut()?.stderr = stderr.to_owned();
        of(&result)
    }

    #[test]
    fn last_words_have_the_place_that_python_tells() {
        let traceback = "Traceback (most recent call last):\n  File \"/srv/echo/server.py\", line 9, in <module>\n    serve(conn)\n  File \"/srv/echo/server.py\", line 12, in serve\n    (n,) = struct.unpack('>I', h)\nstruct.error: unpack requires a buffer of 4 bytes\n";
        let words = "server.py:12: struct.error: unpack requires a buffer of 4 bytes";
        assert_eq!(said("no reply", traceback).as_deref(), Some(words));
        assert_eq!(said("no reply", "a client came\n"), None);
        let deeper = traceback.replace(
            "\nstruct.error",
            "\n  File \"/usr/lib/python3.11/struct.py\", line 1, in unpack\nstruct.error",
        );
        assert_eq!(said("no reply", &deeper).as_deref(), Some(words));
        let died = said("the server exited with code 1", "started\npanicked\n\n");
        assert_eq!(died.as_deref(), Some("panicked"));
    }
}
