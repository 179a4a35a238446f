//! A run in every format: each must be what it is called, and nothing in it may act on whoever reads it.

use crate::event::{Event, Run};
use crate::report::escape::is_harmless;
use crate::report::{Format, Look, read_run};
use serde_json::Value;
use std::io;

/// Elements of HTML that have no end.
const VOID: [&str; 3] = ["meta", "input", "br"];

/// What a page must not hold, since it would ask for something or do something.
const ACTING: [&str; 3] = ["<script", "<b onclick", "</table><"];

/// Writes a run in these formats and reads it again.
///
/// # Errors
/// What is wrong with the first that is wrong.
pub(super) fn written(run: &Run, formats: &[Format]) -> Result<(), String> {
    for format in formats.iter().copied() {
        let octets = octets(format, run, Look::default()).map_err(|error| error.to_string())?;
        is_sound(format, &octets, run).map_err(|what| format!("{format}: {what}"))?;
    }
    match formats.contains(&Format::Human) {
        true => is_shown(run),
        false => Ok(()),
    }
}

/// On a narrow terminal, with all there is to be told, only colours act on it.
fn is_shown(run: &Run) -> Result<(), String> {
    let narrow = Look {
        colour: true,
        width: 40,
        whole: true,
        verbose: true,
    };
    let octets = octets(Format::Human, run, narrow).map_err(|error| error.to_string())?;
    is_coloured(text(&octets)?)
}

fn octets(format: Format, run: &Run, look: Look) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    format.write(run, look, &mut octets)?;
    Ok(octets)
}

fn text(octets: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(octets).map_err(|error| error.to_string())
}

fn is_sound(format: Format, octets: &[u8], run: &Run) -> Result<(), String> {
    if format == Format::Pcapng {
        return is_capture(octets);
    }
    let text = text(octets)?;
    if let Some(harmful) = text.chars().find(|c| *c != '\n' && !is_harmless(*c)) {
        return Err(format!("{harmful:?} in it"));
    }
    match format {
        Format::Json => is_json(text, run),
        Format::Jsonl => text.lines().try_for_each(is_value::<Event>),
        Format::Sarif => is_value::<Value>(text),
        Format::Junit => is_xml(text, run),
        Format::Tap => is_tap(text, run),
        Format::Html => does_nothing(text).and_then(|()| is_page(text)),
        Format::Markdown => does_nothing(text),
        Format::Human | Format::Pcapng => Ok(()),
    }
}

fn is_json(text: &str, run: &Run) -> Result<(), String> {
    let again = read_run(text).map_err(|error| error.to_string())?;
    match again == *run {
        true => Ok(()),
        false => Err(format!("{run:?} reads back as {again:?}")),
    }
}

fn is_value<T: serde::de::DeserializeOwned>(text: &str) -> Result<(), String> {
    let value: Result<T, _> = serde_json::from_str(text);
    value
        .map(|_| ())
        .map_err(|error| format!("{error}: {text}"))
}

fn is_xml(text: &str, run: &Run) -> Result<(), String> {
    does_nothing(text)?;
    let report =
        quick_junit::Report::deserialize_from_str(text).map_err(|error| error.to_string())?;
    match report.tests >= run.results.len() {
        true => Ok(()),
        false => Err(format!("{} of {} cases", report.tests, run.results.len())),
    }
}

/// A point for each case and each stale expectation, in order, and no other line that could be taken for one.
fn is_tap(text: &str, run: &Run) -> Result<(), String> {
    let points = run.results.len().saturating_add(run.finished.stale.len());
    let mut wanted = 1_usize..;
    for line in text.lines().skip(1) {
        let point = line
            .strip_prefix("not ")
            .unwrap_or(line)
            .strip_prefix("ok ");
        if let Some(number) = point.and_then(|point| point.split(' ').next()) {
            if number.parse() != Ok(wanted.next().unwrap_or_default()) {
                return Err(format!("out of order: {line}"));
            }
        } else if line != format!("1..{points}")
            && !line.starts_with([' ', '#'])
            && !line.starts_with("Bail out!")
        {
            return Err(format!("no line of TAP: {line}"));
        }
    }
    match wanted.start == points.saturating_add(1) {
        true => Ok(()),
        false => Err(format!("{} points planned, and {}", points, wanted.start)),
    }
}

fn does_nothing(text: &str) -> Result<(), String> {
    match ACTING.iter().find(|acting| text.contains(**acting)) {
        None => Ok(()),
        Some(acting) => Err(format!("{acting} in it")),
    }
}

/// Every element is closed by its own end, in order.
fn is_page(page: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').ok_or("a tag without an end")?;
        let name = tag.split(' ').next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("{last:?} is closed by {name}"));
            }
        } else if !VOID.contains(&name) && !name.starts_with('!') {
            open.push(name);
        }
    }
    match open.as_slice() {
        [] => Ok(()),
        open => Err(format!("{open:?} are never closed")),
    }
}

/// The only control characters are those of colours, and ends of lines.
fn is_coloured(text: &str) -> Result<(), String> {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| matches!(c, '[' | ';') || c.is_ascii_digit());
        if !rest.starts_with('m') {
            return Err(format!("an escape that is no colour: {part:?}"));
        }
        are_harmless(rest)?;
    }
    are_harmless(first)
}

fn are_harmless(text: &str) -> Result<(), String> {
    match text.chars().find(|c| *c != '\n' && !is_harmless(*c)) {
        None => Ok(()),
        Some(harmful) => Err(format!("{harmful:?} among colours")),
    }
}

/// Blocks up to the end, each with its length at both ends.
fn is_capture(mut file: &[u8]) -> Result<(), String> {
    const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
    if !file.starts_with(&SECTION) {
        return Err("no section".to_owned());
    }
    while !file.is_empty() {
        let len = number(file, 4).ok_or("a block broken off")?;
        let end = len
            .checked_sub(4)
            .ok_or("a block without room for its length")?;
        if number(file, end) != Some(len) || len % 4 != 0 {
            return Err(format!("a block of {len} octets, that ends otherwise"));
        }
        file = file.get(len..).unwrap_or_default();
    }
    Ok(())
}

fn number(file: &[u8], at: usize) -> Option<usize> {
    let octets = file.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*octets)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::runs;
    use crate::report::{Collector, fixture};
    use crate::script::draws::Draws;

    #[test]
    fn hostile_runs_are_written_and_read() {
        for run in [
            fixture::run(),
            fixture::known(),
            fixture::full_pass(),
            Collector::default().into_run(),
        ] {
            assert_eq!(written(&run, &Format::ALL), Ok(()));
        }
        for seed in 0..60 {
            assert_eq!(
                written(&runs::run(&mut Draws::new(seed)), &Format::ALL),
                Ok(())
            );
        }
    }

    #[test]
    fn what_is_wrong_is_found_out() {
        let run = fixture::run();
        let said = |format, text: &str| is_sound(format, text.as_bytes(), &run).unwrap_err();
        assert!(said(Format::Human, "a\u{1b}[31m").contains("1b"));
        assert!(said(Format::Json, "{}").contains("schema"));
        assert!(said(Format::Jsonl, "{\"event\":\"x\"}").contains("variant"));
        assert!(said(Format::Sarif, "{").contains("EOF"));
        assert!(said(Format::Markdown, "<script>").contains("<script"));
        assert!(said(Format::Html, "<p><b></p>").contains("closed by p"));
        assert!(said(Format::Html, "<p>").contains("never closed"));
        assert!(said(Format::Junit, "<testsuites>").len() > 1);
        assert!(said(Format::Tap, "TAP version 14\n1..13\nok 2 - x\n").contains("order"));
        assert!(said(Format::Tap, "TAP version 14\n1..13\nhello\n").contains("no line"));
        assert!(said(Format::Tap, "TAP version 14\n1..13\nok 1 - x\n").contains("planned"));
        assert!(said(Format::Pcapng, "\n").contains("section"));
        assert!(said(Format::Pcapng, "\n\r\r\n\u{4}").contains("broken off"));
        assert!(is_coloured("\u{1b}[31mred\u{1b}[0m\n").is_ok());
        assert!(is_coloured("\u{1b}[2J").is_err() && is_coloured("\u{1b}[0m\u{7}").is_err());
    }
}
