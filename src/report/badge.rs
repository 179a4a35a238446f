//! A badge: what a run came to, as a small picture in SVG, for a page about a server.
//!
//! | badge | the run |
//! |---|---|
//! | `conforming` | passed, and something was checked |
//! | `3 known failures` | passed, since what failed is known |
//! | `2 causes`, `2 causes and 5 more`, `5 failures` | failed: causes that explain failures, and failures that none explains |
//! | `2 stale` | failed only because of expectations that no longer hold |
//! | `not finished` | was broken off, or the harness failed |
//! | `not carried out` | came to no verdict of any case |

use super::causes;
use super::escape::Html;
use super::timeline::{Noun, counted};
use crate::event::{Conclusion, Run, Verdict};
use std::io::{self, Write};

/// What stands on the left.
const LABEL: &str = "conformance";

/// As much of a name as is told, in characters.
const NAME: usize = 120;

/// What is said of a run, and in which colour. White text can be read on each of them.
struct Said {
    text: String,
    ground: &'static str,
}

const GOOD: &str = "#1a7438";
const BAD: &str = "#b3261e";
const DOUBTFUL: &str = "#8a5a00";
const UNKNOWN: &str = "#5a6470";

/// Writes the badge of a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let Said { text, ground } = said(run);
    let title = title(run, &text);
    let (left, right) = (width(LABEL), width(&text));
    let whole = left.saturating_add(right);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" aria-label=\"{0}\">\n\
         <title>{0}</title>\n\
         <clipPath id=\"round\"><rect width=\"{whole}\" height=\"20\" rx=\"3\"/></clipPath>\n\
         <g clip-path=\"url(#round)\">\n\
         <rect width=\"{left}\" height=\"20\" fill=\"#444b54\"/>\n\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{ground}\"/>\n\
         </g>\n\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" font-size=\"11\" text-rendering=\"geometricPrecision\">",
        Html(&title)
    )?;
    writing(LABEL, 0, left, out)?;
    writing(&text, left, right, out)?;
    writeln!(out, "</g>\n</svg>")
}

/// A text in its half. Its length is stated, so that it fits whichever of the fonts is there.
fn writing(text: &str, at: usize, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let at = at.saturating_add(MARGIN);
    let length = width.saturating_sub(MARGIN.saturating_mul(2));
    let text = Html(text);
    writeln!(
        out,
        "<text x=\"{at}\" y=\"14\" textLength=\"{length}\">{text}</text>"
    )
}

/// What is left free on each side of a text, in pixels.
const MARGIN: usize = 6;

/// How wide a text is with its margins, in pixels: as Verdana has it at 11 pixels, letters by their width in tenths.
fn width(text: &str) -> usize {
    let tenths = |c: char| match c {
        'i' | 'j' | 'l' | ' ' => 34,
        'f' | 'r' | 't' => 45,
        'm' | 'w' => 98,
        _ => 69,
    };
    let text: usize = text.chars().map(tenths).sum();
    text.div_ceil(10).saturating_add(MARGIN.saturating_mul(2))
}

fn said(run: &Run) -> Said {
    let of = |text: String, ground| Said { text, ground };
    let is_decided = |verdict| !matches!(verdict, Verdict::Skip | Verdict::Error);
    let mut verdicts = run.results.iter().map(|result| result.verdict);
    let known = run.finished.summary.known;
    match run.conclusion() {
        Conclusion::Failed => of(found(run), BAD),
        _ if !verdicts.any(is_decided) => of("not carried out".to_owned(), UNKNOWN),
        Conclusion::Undecided => of("not finished".to_owned(), UNKNOWN),
        Conclusion::Passed if known > 0 => of(
            counted(known, Noun::KnownFailure).as_str().to_owned(),
            DOUBTFUL,
        ),
        Conclusion::Passed => of("conforming".to_owned(), GOOD),
    }
}

/// How much was found: causes, and what none of them explains.
fn found(run: &Run) -> String {
    let causes = causes::news(run).len();
    let explained = causes::explained(run);
    let is_left = |id: &str| !explained.contains(id);
    let left = run.failures().filter(|result| is_left(&result.id)).count();
    match (causes, left) {
        (0, 0) => format!("{} stale", run.finished.stale.len()),
        (0, left) => counted(left, Noun::Failure).as_str().to_owned(),
        (causes, 0) => counted(causes, Noun::Cause).as_str().to_owned(),
        (causes, left) => format!("{} and {left} more", counted(causes, Noun::Cause).as_str()),
    }
}

/// What is told to whoever does not see it, or points at it.
fn title(run: &Run, text: &str) -> String {
    let target: String = run.started.target.as_str().chars().take(NAME).collect();
    let profile: String = run.started.profile.chars().take(NAME).collect();
    format!("{LABEL}: {text} ({target}, profile {profile})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CaseResult, Known, KnownKind, Problem, Stale};
    use crate::report::fixture;
    use crate::spec::{CaseId, Clause, Level};
    use quick_xml::Reader;
    use quick_xml::events::Event;

    fn svg(run: &Run) -> String {
        let mut svg = Vec::new();
        write(run, &mut svg).unwrap();
        String::from_utf8(svg).unwrap()
    }

    /// The texts of all elements, if it is well-formed.
    fn texts(svg: &str) -> Vec<String> {
        let mut reader = Reader::from_str(svg);
        reader.config_mut().check_end_names = true;
        let (mut texts, mut depth) = (Vec::new(), 0);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => {
                    depth += 1;
                    texts.push(String::new());
                    element.attributes().for_each(|it| {
                        it.unwrap();
                    });
                }
                Event::End(_) => depth -= 1,
                Event::Text(text) => {
                    let text = text.decode().unwrap();
                    texts.last_mut().unwrap().push_str(text.trim());
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        texts
    }

    fn of(verdicts: &[Verdict]) -> Run {
        let results = verdicts.iter().map(|verdict| CaseResult {
            verdict: *verdict,
            ..CaseResult::unjudged(CaseId::new(Clause::Order, "x"), Level::Must, "", "")
        });
        Run {
            results: results.collect(),
            ..Run::default()
        }
    }

    #[test]
    fn it_says_what_the_run_came_to() {
        let told = |run: &Run| texts(&svg(run)).pop().unwrap();
        assert_eq!(told(&of(&[Verdict::Pass, Verdict::Skip])), "conforming");
        assert_eq!(told(&of(&[])), "not carried out");
        assert_eq!(told(&of(&[Verdict::Skip])), "not carried out");
        assert_eq!(told(&of(&[Verdict::Pass, Verdict::Error])), "not finished");
        assert_eq!(told(&of(&[Verdict::Pass, Verdict::Fail])), "1 failure");
        let mut known = of(&[Verdict::Fail]);
        let why = Known {
            kind: KnownKind::Failure,
            reason: "issue 12".to_owned(),
        };
        known.results[0].known = Some(why.clone());
        known.finished.summary.known = 1;
        assert_eq!(told(&known), "1 known failure");
        let mut stale = of(&[Verdict::Pass]);
        stale.finished.stale.push(Stale {
            case: "order/x".to_owned(),
            problem: Problem::Passes,
            known: why,
        });
        assert_eq!(told(&stale), "1 stale");
        let mut explained = of(&[Verdict::Fail]);
        explained.diagnosis.causes = fixture::run().diagnosis.causes;
        explained.diagnosis.causes.truncate(1);
        explained.diagnosis.causes[0].explains = vec![explained.results[0].id.clone()];
        assert_eq!(told(&explained), "1 cause");
    }

    #[test]
    fn whatever_a_report_holds_it_is_xml_and_fits() {
        let mut run = fixture::run();
        run.started.target = fixture::HOSTILE.repeat(50).into();
        run.started.profile = fixture::HOSTILE.to_owned();
        let svg = svg(&run);
        assert!(texts(&svg).len() > 5, "{svg}");
        assert!(svg.len() < 4_000 && !svg.contains("<script"), "{svg}");
        assert_eq!(width("conforming"), 76);
    }
}
