//! The matrix as tables of Markdown.

use super::{Fate, HonestRow, Matrix, Permitted, Planted};
use crate::spec::Role;
use std::collections::BTreeSet;

/// Everything, under headings.
#[must_use]
pub fn page(matrix: &Matrix) -> String {
    format!(
        "{}\n\n## Faults\n{}\n## Servers and clients that are as they should be\n{}\n## Cases\n{}",
        matrix.summary(),
        faults_table(matrix),
        honest_table(matrix),
        cases_table(matrix),
    )
}

/// The faults, theme by theme, and the cases of their own clause that found them.
#[must_use]
pub fn faults_table(matrix: &Matrix) -> String {
    let looked_for = Planted::all().filter_map(|fault| {
        let row = matrix.faults.iter().find(|row| row.name == fault.name)?;
        Some((fault, &row.fate))
    });
    let rows: Vec<(Planted, &Fate)> = looked_for.collect();
    let is_theme = |one: &(Planted, &Fate), next: &(Planted, &Fate)| {
        (one.0.role, one.0.theme) == (next.0.role, next.0.theme)
    };
    let mut lines = vec![String::new()];
    for theme in rows.chunk_by(is_theme) {
        lines.extend(theme.first().map(|(fault, _)| heading(*fault)));
        let rows = theme.iter().map(|(fault, fate)| fault_line(*fault, fate));
        lines.extend(rows);
        lines.push(String::new());
    }
    lines.join("\n")
}

/// What stands above the faults of a theme.
fn heading(fault: Planted) -> String {
    let (of, does) = match fault.role {
        Role::Server => ("Servers", "the server does"),
        Role::Client => ("Clients", "the client does"),
    };
    let theme = fault.theme;
    format!(
        "### {of}, in {theme}\n\n| fault | clause | what {does} | as in | found by |\n|---|---|---|---|---|"
    )
}

fn fault_line(fault: Planted, fate: &Fate) -> String {
    let found = match fate {
        Fate::Found(cases) => {
            let variants: Vec<&str> = cases.iter().map(|case| case.variant).collect();
            variants.join(", ")
        }
        Fate::FoundBeside(cases) => joined(cases),
        Fate::NoRoom(why) => format!("no room: {why}"),
        Fate::Unsure(cases) => format!("**only at times:** {}", joined(cases.iter())),
        Fate::Survived => "**nobody**".into(),
        Fate::NotLooked(why) => format!("not looked for: {why}"),
        Fate::NotTried(why) => format!("**could not be tried:** {why}"),
    };
    let Planted {
        name,
        clause,
        about,
        copies,
        ..
    } = fault;
    format!("| `{name}` | {clause} | {about} | {copies} | {found} |")
}

/// The servers and clients that were to pass, and whether they did.
#[must_use]
pub fn honest_table(matrix: &Matrix) -> String {
    let mut lines = vec![String::new()];
    lines.push("| peer | what it does | false alarms | warnings |".into());
    lines.push("|---|---|---|---|".into());
    for rows in matrix.honest.chunk_by(|one, next| one.name == next.name) {
        lines.extend(rows.first().map(|row| honest_line(row.name, rows)));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn honest_line(name: &str, rows: &[HonestRow]) -> String {
    let about = Permitted::named(name).map_or("What all others are measured against.", |v| v.about);
    let alarms = rows
        .iter()
        .flat_map(|row| &row.alarms)
        .map(|alarm| alarm.case);
    let warnings = rows.iter().flat_map(|row| row.warnings.iter().copied());
    format!(
        "| {name} | {about} | {} | {} |",
        listed(alarms),
        listed(warnings)
    )
}

/// The cases, and the faults that they fail for.
#[must_use]
pub fn cases_table(matrix: &Matrix) -> String {
    let mut lines = vec![String::new()];
    lines.push("| case | fails for |".into());
    lines.push("|---|---|".into());
    for (case, faults) in &matrix.failed_by {
        let faults = listed(faults.iter().copied());
        lines.push(format!("| `{case}` | {faults} |"));
    }
    for case in &matrix.never_failed {
        lines.push(format!("| `{case}` | **no fault** |"));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// One behind the other, with commas.
pub(super) fn joined(names: impl IntoIterator<Item = impl ToString>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.join(", ")
}

fn listed<T: Ord + ToString>(names: impl Iterator<Item = T>) -> String {
    let names: BTreeSet<T> = names.collect();
    if names.is_empty() {
        return "none".into();
    }
    joined(names)
}
