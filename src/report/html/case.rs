//! One case on the page, with its timeline.

use crate::event::{CaseResult, Evidence, Known, Side, What};
use crate::lang::{Hole, Text, say};
use crate::report::escape::Html;
use crate::report::tally::Mark;
use crate::report::timeline::{
    Cell, Item, Limits, Noun, Part, Row, Stretch, amount, counted, direction, items, millis,
    seconds, words,
};
use std::io::{self, Write};

/// Rows of eight, which a page sets side by side as far as there is room.
const LIMITS: Limits = Limits {
    per_row: 8,
    first_rows: 32,
    last_rows: 8,
    rows_of_client: usize::MAX,
    first_items: 60,
    last_items: 40,
};

/// Writes a case; one of which the causes tell is folded.
pub(super) fn write(
    result: &CaseResult,
    is_explained: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mark = Mark::of(result);
    let has_more = result.evidence.is_some()
        || !result.why.is_empty()
        || !result.rerun.is_empty()
        || result.findings.len() > 1;
    let (tag, inner) = if has_more {
        ("details", "summary")
    } else {
        ("div", "p")
    };
    let open = if has_more && mark.is_bad(false) && !is_explained {
        " open"
    } else {
        ""
    };
    writeln!(
        out,
        "<{tag} class=\"case {mark}\" id=\"{}\"{open}>",
        Html(&result.id)
    )?;
    write!(
        out,
        "<{inner} class=\"line\"><span class=\"mark {mark}\">{}</span> <code class=\"id\">{}</code>",
        mark.word(),
        Html(&result.id)
    )?;
    facts(result, out)?;
    if let Some(Known { kind, reason }) = &result.known {
        write!(
            out,
            " <span class=\"detail\"><b>{}:</b> {}</span>",
            kind.words(),
            Html(reason)
        )?;
    }
    if !result.detail.is_empty() {
        write!(
            out,
            " <span class=\"detail\">{}</span>",
            Html(&result.detail.shown())
        )?;
    }
    writeln!(out, "</{inner}>")?;
    if has_more {
        more(result, out)?;
    }
    writeln!(out, "</{tag}>")
}

fn facts(result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    let attempts = result.attempts;
    write!(
        out,
        " <span class=\"facts\">{}, {}",
        result.level.text(),
        seconds(result.elapsed_ms)
    )?;
    if attempts.of > 1 {
        let failed = say!(
            "failed {failed} of {of} runs",
            failed = attempts.failed,
            of = attempts.of
        );
        write!(out, ", {failed}")?;
    }
    write!(out, "</span>")
}

fn more(result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<div class=\"more\">")?;
    if !result.why.is_empty() {
        writeln!(out, "<p>{}</p>", Html(&result.why.shown()))?;
    }
    findings(result, out)?;
    if let Some(evidence) = &result.evidence {
        timeline(evidence, out)?;
        permitted(evidence, out)?;
        preformatted(
            &say!("What it wrote to its standard error"),
            &evidence.stderr,
            out,
        )?;
        preformatted(&say!("The script"), &evidence.script, out)?;
    }
    if !result.rerun.is_empty() {
        writeln!(out, "<h4>{}</h4>", say!("Run it again"))?;
        writeln!(out, "<pre tabindex=\"0\">{}</pre>", Html(&result.rerun))?;
    }
    writeln!(out, "</div>")
}

fn findings(result: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    if result.findings.len() < 2 {
        return Ok(());
    }
    writeln!(out, "<h4>{}</h4>\n<ul>", say!("All findings"))?;
    for finding in &result.findings {
        write!(
            out,
            "<li><b>{}</b> {}, {}",
            Html(&finding.clause),
            finding.level.text(),
            say!("connection {conn}", conn = Html(&finding.conn).to_string())
        )?;
        if let Some(frame) = finding.frame {
            let frame = format!("{frame:04x}");
            write!(out, ", {}", say!("frame at {frame}", frame))?;
        }
        writeln!(out, ": {}</li>", Html(&finding.what.shown()))?;
    }
    writeln!(out, "</ul>")
}

fn permitted(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    if evidence.permitted.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h4>{}</h4>\n<ul>", say!("What was permitted"))?;
    for line in &evidence.permitted {
        writeln!(out, "<li>{}</li>", Html(&line.shown()))?;
    }
    writeln!(out, "</ul>")
}

/// Lines as they are, each escaped by itself. A long box can be scrolled by keyboard.
fn preformatted(title: &Text, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h4>{title}</h4>")?;
    write!(out, "<pre tabindex=\"0\">")?;
    for line in text.lines() {
        writeln!(out, "{}", Html(line))?;
    }
    writeln!(out, "</pre>")
}

fn timeline(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let items = items(evidence, &LIMITS);
    if items.is_empty() {
        return Ok(());
    }
    let key = if evidence.frames.is_empty() {
        String::new()
    } else {
        format!(
            " <span class=\"key\"><b class=\"h\">{}</b> <b class=\"p\">{}</b></span>",
            say!("header"),
            say!("padding")
        )
    };
    writeln!(
        out,
        "<h4>{}{key}</h4>\n<ol class=\"timeline\">",
        say!("What was sent and seen")
    )?;
    for item in &items {
        match item {
            Item::LeftOut(count) => {
                writeln!(
                    out,
                    "<li class=\"gap\">{}</li>",
                    say!(
                        "… {moments} left out",
                        moments = counted(*count, Noun::Moment)
                    )
                )?;
            }
            Item::Happened { at_us, conn, what } => happened(*at_us, conn, what, out)?,
            Item::Octets(stretch) => octets(stretch, out)?,
        }
    }
    writeln!(out, "</ol>")
}

fn prefix(at_us: u64, conn: &str, from: Option<Side>, out: &mut dyn Write) -> io::Result<()> {
    let (class, arrow, said) = match from {
        Some(Side::Client) => ("sent", "→", say!("sent")),
        Some(Side::Server) => ("received", "←", say!("received")),
        None => ("note", "·", Text::default()),
    };
    write!(
        out,
        "<li class=\"{class}\"><span class=\"at\">{}</span> <span class=\"conn\">{}</span> \
         <span class=\"arrow\" title=\"{said}\">{arrow}</span> ",
        millis(at_us),
        Html(conn)
    )
}

fn happened(at_us: u64, conn: &str, what: &What, out: &mut dyn Write) -> io::Result<()> {
    prefix(at_us, conn, direction(what), out)?;
    writeln!(
        out,
        "<span class=\"what\">{}</span></li>",
        Html(&words(what).shown())
    )
}

fn octets(stretch: &Stretch<'_>, out: &mut dyn Write) -> io::Result<()> {
    prefix(stretch.at_us, stretch.conn, Some(stretch.from), out)?;
    write!(
        out,
        "<span class=\"what\">{}</span><div class=\"hex\">",
        amount(stretch)
    )?;
    for row in &stretch.rows {
        match row {
            Row::LeftOut(count) => write!(
                out,
                "<p class=\"gap\">{}</p>",
                say!(
                    "… {octets} left out …",
                    octets = counted(*count, Noun::Octet)
                )
            )?,
            Row::Same { offset, octet, len } => write!(
                out,
                "<p><i>{offset:04x}</i> {octet:02x} <span class=\"gap\">{}</span></p>",
                say!(
                    "… {octets}, all the same",
                    octets = counted(*len, Noun::Octet)
                )
            )?,
            Row::Cells { offset, cells } => {
                write!(out, "<span class=\"row\"><i>{offset:04x}</i> ")?;
                runs(cells, " ", |cell| format!("{:02x}", cell.octet), out)?;
                let missing = LIMITS.per_row.saturating_sub(cells.len());
                write!(out, "{}  ", "   ".repeat(missing))?;
                runs(
                    cells,
                    "",
                    |cell| Html(&cell.as_char().to_string()).to_string(),
                    out,
                )?;
                writeln!(out, "</span>")?;
            }
        }
    }
    writeln!(out, "</div></li>")
}

/// Cells side by side, those of the same part in one element.
fn runs(
    cells: &[Cell],
    between: &str,
    show: impl Fn(&Cell) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let runs = cells.chunk_by(|one, next| one.part == next.part && !next.begins);
    for (index, run) in runs.enumerate() {
        let text: Vec<String> = run.iter().map(&show).collect();
        let text = text.join(between);
        let between = if index == 0 { "" } else { between };
        match class(run) {
            Some(class) => write!(out, "{between}<b class=\"{class}\">{text}</b>")?,
            None => write!(out, "{between}{text}")?,
        }
    }
    Ok(())
}

fn class(run: &[Cell]) -> Option<&'static str> {
    match run.first()?.part {
        Part::Header => Some("h"),
        Part::Padding => Some("p"),
        Part::Payload | Part::Unknown => None,
    }
}
