//! One case: its verdict, why it matters, what was sent and seen, how to run it again.

use super::look::{Ink, Look, wrapped};
use crate::event::{CaseResult, Evidence, FindingNote, Known, Side, Verdict, What};
use crate::lang::{Hole, Text, say};
use crate::report::escape::{Line, lines};
use crate::report::tally::Mark;
use crate::report::timeline::{
    Cell, Item, Limits, Noun, Part, Row, Stretch, amount, counted, direction, items, millis,
    seconds, words,
};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Lines of the server's standard error that are shown.
const STDERR_LINES: usize = 12;

/// Findings told beside the first.
const FURTHER_FINDINGS: usize = 5;

/// The case in full, as plain text for other formats.
pub(in crate::report) fn plain(result: &CaseResult) -> String {
    let mut text = Vec::new();
    // Writing to a vector cannot fail.
    let _ = in_full(result, Look::default(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// What was sent and seen, and what was permitted.
///
/// # Errors
/// When `out` cannot be written.
pub fn exchange(evidence: &Evidence, look: Look, out: &mut dyn Write) -> io::Result<()> {
    timeline(evidence, &whole(look), look, out)?;
    permitted(&evidence.permitted, look, out)
}

/// Two lines and how to see more.
pub(super) fn in_short(result: &CaseResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    heading(result, look, out)?;
    detail(result, look, out)?;
    rerun(result, look, out)
}

/// What was sent and seen in so many lines at most, and how to play it again.
pub(super) fn glimpse(
    result: &CaseResult,
    most: usize,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "    {}", Line(&result.id))?;
    shortened(result, most.saturating_sub(1), look, out)
}

/// Its verdict, and the same.
pub(super) fn in_part(
    result: &CaseResult,
    most: usize,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(result, look, out)?;
    shortened(result, most.saturating_sub(1), look, out)
}

/// How it failed and how it came to that: what was sent first is shortened before the end is, where it shows.
fn shortened(result: &CaseResult, most: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let of_client = [usize::MAX, 2, 1].map(|rows_of_client| Limits {
        rows_of_client,
        ..whole(look)
    });
    let of_both = [(2, 3), (1, 3), (1, 1)].map(|(rows, items)| Limits {
        first_rows: rows,
        last_rows: 0,
        rows_of_client: 1,
        first_items: 1,
        last_items: items,
        ..whole(look)
    });
    let mut told = Vec::new();
    for limits in of_client.into_iter().chain(of_both) {
        told.clear();
        detail(result, look, &mut told)?;
        if let Some(evidence) = &result.evidence {
            timeline(evidence, &limits, look, &mut told)?;
        }
        if told.split(|octet| *octet == b'\n').count() <= most.saturating_add(1) {
            break;
        }
    }
    out.write_all(&told)?;
    rerun(result, look, out)
}

/// So much is shown of an exchange where there is room.
const fn whole(look: Look) -> Limits {
    Limits {
        per_row: look.octets_per_row(),
        first_rows: 6,
        last_rows: 2,
        rows_of_client: usize::MAX,
        first_items: 24,
        last_items: 12,
    }
}

/// Everything that is known of it.
pub(super) fn in_full(result: &CaseResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    heading(result, look, out)?;
    detail(result, look, out)?;
    if let Some(Known { kind, reason }) = &result.known {
        labelled(&kind.words(), reason, look, out)?;
    }
    further(&result.findings, look, out)?;
    labelled(&say!("why"), &result.why.shown(), look, out)?;
    if let Some(evidence) = &result.evidence {
        exchange(evidence, look, out)?;
        stderr(&evidence.stderr, look, out)?;
    }
    rerun(result, look, out)
}

fn heading(result: &CaseResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mark = Mark::of(result);
    let ink = look.mark(mark);
    let bold = look.ink(Ink::Strong);
    let word = match mark {
        Mark::Of(Verdict::Fail) => say!("FAIL"),
        Mark::Of(Verdict::Error) => say!("ERROR"),
        other => other.word(),
    };
    write!(
        out,
        "\n  {ink}{word}{ink:#} {bold}{}{bold:#} ({}, {}",
        Line(&result.id),
        result.level.text(),
        seconds(result.elapsed_ms)
    )?;
    let attempts = result.attempts;
    if attempts.of > 1 {
        let failed = say!(
            "failed {failed} of {of} runs",
            failed = attempts.failed,
            of = attempts.of
        );
        write!(out, ", {failed}")?;
    }
    writeln!(out, ")")
}

fn detail(result: &CaseResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if result.detail.is_empty() {
        return Ok(());
    }
    let text = Line(&result.detail.shown()).to_string();
    writeln!(out, "    {}", wrapped(&text, look.width, 4))
}

/// What was found beside that which the detail tells.
fn further(findings: &[FindingNote], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let others = findings.get(1..).unwrap_or_default();
    for finding in others.iter().take(FURTHER_FINDINGS) {
        let mut text = say!(
            "{clause} {level}, connection {conn}: {what}",
            clause = finding.clause,
            level = finding.level,
            conn = finding.conn,
            what = finding.what
        );
        if let Some(frame) = finding.frame {
            let frame = format!("{frame:04x}");
            text = say!("{text} (frame at {frame})", text, frame);
        }
        labelled(&say!("also"), &text.shown(), look, out)?;
    }
    let untold = others.len().saturating_sub(FURTHER_FINDINGS);
    if untold > 0 {
        let untold = say!("{untold} more findings", untold);
        labelled(&say!("also"), &untold.shown(), look, out)?;
    }
    Ok(())
}

fn labelled(label: &Text, text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let faint = look.ink(Ink::Faint);
    let label = label.shown();
    let indent = label.chars().count().saturating_add(6);
    let text = Line(text).to_string();
    writeln!(
        out,
        "    {faint}{label}:{faint:#} {}",
        wrapped(&text, look.width, indent)
    )
}

fn permitted(permitted: &[Text], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if permitted.is_empty() {
        return Ok(());
    }
    let faint = look.ink(Ink::Faint);
    writeln!(out, "    {faint}{}:{faint:#}", say!("permitted"))?;
    for text in permitted {
        let text = Line(&text.shown()).to_string();
        writeln!(out, "      {}", wrapped(&text, look.width, 8))?;
    }
    Ok(())
}

/// The end of what the server said; never wrapped, since its layout may mean something. The bar in
/// front keeps a CI system from reading a command in it.
fn stderr(text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let faint = look.ink(Ink::Faint);
    writeln!(
        out,
        "    {faint}{}:{faint:#}",
        say!("its standard error ends")
    )?;
    let surplus = text.lines().count().saturating_sub(STDERR_LINES);
    for line in lines(text).skip(surplus) {
        writeln!(out, "      {faint}|{faint:#} {line}")?;
    }
    Ok(())
}

/// Never wrapped, so that it can be copied.
pub(super) fn rerun(result: &CaseResult, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if result.rerun.is_empty() {
        return Ok(());
    }
    let faint = look.ink(Ink::Faint);
    for line in lines(&result.rerun) {
        writeln!(out, "    {faint}{}:{faint:#} {line}", say!("rerun"))?;
    }
    Ok(())
}

fn timeline(
    evidence: &Evidence,
    limits: &Limits,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let items = items(evidence, limits);
    if items.is_empty() {
        return Ok(());
    }
    let faint = look.ink(Ink::Faint);
    let legend = if evidence.frames.is_empty() {
        say!("what was sent and seen")
    } else {
        say!("what was sent and seen, headers in brackets")
    };
    writeln!(out, "    {faint}{legend}:{faint:#}")?;
    let conns = items.iter().map(|item| match item {
        Item::Happened { conn, .. } | Item::Octets(Stretch { conn, .. }) => conn.chars().count(),
        Item::LeftOut(_) => 0,
    });
    let conn_width = conns.max().unwrap_or(0);
    for item in &items {
        let text = match item {
            Item::LeftOut(count) => {
                writeln!(
                    out,
                    "      {faint}{}{faint:#}",
                    say!(
                        "… {moments} left out",
                        moments = counted(*count, Noun::Moment)
                    )
                )?;
                continue;
            }
            Item::Happened { at_us, conn, what } => happened(*at_us, conn, what, conn_width, look),
            Item::Octets(stretch) => octets(stretch, conn_width, look),
        };
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Time, connection and direction, which every line begins with.
fn prefix(at_us: u64, conn: &str, from: Option<Side>, conn_width: usize, look: Look) -> String {
    let faint = look.ink(Ink::Faint);
    let (arrow, ink) = match from {
        Some(Side::Client) => ("→", Ink::Sent),
        Some(Side::Server) => ("←", Ink::Received),
        None => (" ", Ink::Faint),
    };
    let ink = look.ink(ink);
    format!(
        "    {faint}{:>12}{faint:#}  {:conn_width$} {ink}{arrow}{ink:#} ",
        millis(at_us),
        Line(conn).to_string()
    )
}

fn happened(at_us: u64, conn: &str, what: &What, conn_width: usize, look: Look) -> String {
    let mut text = prefix(at_us, conn, direction(what), conn_width, look);
    let said = Line(&words(what).shown()).to_string();
    let indent = conn_width.saturating_add(21);
    let _ = writeln!(text, "{}", wrapped(&said, look.width, indent));
    text
}

fn octets(stretch: &Stretch<'_>, conn_width: usize, look: Look) -> String {
    let faint = look.ink(Ink::Faint);
    let mut text = prefix(
        stretch.at_us,
        stretch.conn,
        Some(stretch.from),
        conn_width,
        look,
    );
    let _ = writeln!(text, "{}", amount(stretch));
    for row in &stretch.rows {
        let _ = match row {
            Row::LeftOut(count) => {
                writeln!(
                    text,
                    "      {faint}     {}{faint:#}",
                    say!(
                        "… {octets} left out …",
                        octets = counted(*count, Noun::Octet)
                    )
                )
            }
            Row::Same { offset, octet, len } => writeln!(
                text,
                "      {faint}{offset:04x}{faint:#}  {octet:02x} {faint}{}{faint:#}",
                say!(
                    "… {octets}, all the same",
                    octets = counted(*len, Noun::Octet)
                )
            ),
            Row::Cells { offset, cells } => {
                let hex = hex(cells, look);
                let ascii = ascii(cells, look);
                writeln!(text, "      {faint}{offset:04x}{faint:#} {hex}  {ascii}")
            }
        };
    }
    text
}

/// The row in hex, as wide as a full one; headers stand in brackets.
fn hex(cells: &[Cell], look: Look) -> String {
    let mut text = String::new();
    let mut before = None;
    for cell in cells {
        text.push(separator(before, Some(*cell)));
        let ink = look.ink(ink(cell.part));
        let _ = write!(text, "{ink}{:02x}{ink:#}", cell.octet);
        before = Some(*cell);
    }
    text.push(separator(before, None));
    let missing = look.octets_per_row().saturating_sub(cells.len());
    text.extend(std::iter::repeat_n("   ", missing));
    text
}

fn separator(before: Option<Cell>, next: Option<Cell>) -> char {
    let is_header = |cell: Option<Cell>| cell.is_some_and(|cell| cell.part == Part::Header);
    let begins = next.is_some_and(|cell| cell.begins);
    match (is_header(before), is_header(next)) {
        (true, true) if begins => '|',
        (false, true) => '[',
        (true, false) => ']',
        _ => ' ',
    }
}

const fn ink(part: Part) -> Ink {
    match part {
        Part::Header => Ink::Header,
        Part::Padding => Ink::Faint,
        Part::Payload | Part::Unknown => Ink::Plain,
    }
}

fn ascii(cells: &[Cell], look: Look) -> String {
    let mut text = String::new();
    for cell in cells {
        let ink = look.ink(ink(cell.part));
        let _ = write!(text, "{ink}{}{ink:#}", cell.as_char());
    }
    text
}
