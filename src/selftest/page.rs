//! The matrix as a page of Markdown.

use super::{Fate, HonestRow, Matrix};
use crate::server::{Fault, Variant};
use std::fmt::Write as _;

/// The tables of docs/KILL-MATRIX.md.
#[must_use]
pub fn page(matrix: &Matrix) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, matrix);
    out
}

fn write(out: &mut String, matrix: &Matrix) -> std::fmt::Result {
    writeln!(
        out,
        "{} faults, {} of them found by a case of their own clause, {} not looked for. {} servers that are as they should be, {} false alarms.\n",
        matrix.faults.len(),
        matrix.found(),
        matrix.not_looked(),
        matrix.honest.len() / 2,
        matrix
            .honest
            .iter()
            .map(|row| row.alarms.len())
            .sum::<usize>(),
    )?;
    for (theme, faults) in Fault::themes() {
        writeln!(out, "### Faults: {theme}\n")?;
        writeln!(
            out,
            "| fault | clause | what the server does | copies | found by |"
        )?;
        writeln!(out, "|---|---|---|---|---|")?;
        for fault in faults {
            let Some(row) = matrix.faults.iter().find(|row| row.name == fault.name) else {
                continue;
            };
            let copies = if fault.copies.is_empty() {
                "–"
            } else {
                fault.copies
            };
            writeln!(
                out,
                "| `{}` | {} | {} | {copies} | {} |",
                fault.name,
                fault.clause,
                fault.about,
                fate(&row.fate),
            )?;
        }
        writeln!(out)?;
    }
    honest(out, matrix)?;
    cases(out, matrix)
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Found(cases) => {
            let variant = |case: &&str| {
                case.split_once('/')
                    .map_or("", |(_, variant)| variant)
                    .to_owned()
            };
            cases.iter().map(variant).collect::<Vec<_>>().join(", ")
        }
        Fate::Unsure(cases) => format!("**at times only**: {}", cases.join(", ")),
        Fate::Survived => "**nobody**".into(),
        Fate::NotLooked(why) => format!("not looked for: {why}"),
    }
}

fn honest(out: &mut String, matrix: &Matrix) -> std::fmt::Result {
    writeln!(out, "### Servers that are as they should be\n")?;
    writeln!(out, "| server | what it does | false alarms | warnings |")?;
    writeln!(out, "|---|---|---|---|")?;
    let mut done: Vec<&str> = Vec::new();
    for row in &matrix.honest {
        if done.contains(&row.name) {
            continue;
        }
        done.push(row.name);
        let same: Vec<&HonestRow> = matrix
            .honest
            .iter()
            .filter(|other| other.name == row.name)
            .collect();
        let about = Variant::named(row.name)
            .map_or("What the others are measured against.", |variant| {
                variant.about
            });
        let alarms: Vec<&str> = same
            .iter()
            .flat_map(|row| row.alarms.iter().map(|alarm| alarm.case))
            .collect();
        let mut warnings: Vec<&str> = same
            .iter()
            .flat_map(|row| row.warnings.iter().copied())
            .collect();
        warnings.sort_unstable();
        warnings.dedup();
        let listed = |cases: &[&str]| {
            if cases.is_empty() {
                "none".to_owned()
            } else {
                cases.join(", ")
            }
        };
        writeln!(
            out,
            "| {} | {about} | {} | {} |",
            row.name,
            listed(&alarms),
            listed(&warnings)
        )?;
    }
    writeln!(out)
}

fn cases(out: &mut String, matrix: &Matrix) -> std::fmt::Result {
    writeln!(out, "### Cases and the faults that fail them\n")?;
    writeln!(out, "| case | faults |")?;
    writeln!(out, "|---|---|")?;
    for (case, faults) in &matrix.failed_by {
        writeln!(out, "| `{case}` | {} |", faults.join(", "))?;
    }
    for case in &matrix.never_failed {
        writeln!(out, "| `{case}` | **none** |")?;
    }
    Ok(())
}
