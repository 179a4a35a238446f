//! The proof of the suite, and the document that shows it.

use crate::generated;
use crate::program::{Served, conformance, said};
use framespec::altered::Need;
use framespec::cases;
use framespec::event::Verdict;
use framespec::profile::{Carriage, Profile};
use framespec::selftest::{
    Alarm, Fate, FaultRow, HonestRow, Matrix, Options, Permitted, Planted, Program, ROLES,
    cases_table, faults_table, honest_table, selftest,
};
use framespec::spec::{CaseId, Role};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = "docs/KILL-MATRIX.md";

/// How often everything is played to make the document.
const ROUNDS: usize = 3;

/// All of it: also what takes a minute, and what needs a process to look at.
fn play() -> Matrix {
    played(&everything())
}

fn everything() -> Options {
    Options {
        slow: true,
        program: Some(Program {
            path: env!("CARGO_BIN_EXE_conformance").into(),
            profile: "tutorial".into(),
        }),
        ..Options::new(Profile::tutorial(), &ROLES)
    }
}

fn played(options: &Options) -> Matrix {
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(selftest(options, &mut |_| {}))
        .unwrap()
}

/// How often what was seen only at times is looked at again.
const LOOKS: usize = 3;

/// What was seen once of four times, or was not seen, on a machine that plays the whole suite beside it, is
/// looked at again without all the rest. A false alarm that was confirmed stands, and a case that is blind
/// stays blind.
fn looked_at_again(matrix: Matrix) -> Matrix {
    (0..LOOKS).fold(matrix, |matrix, _| look_again(matrix))
}

fn look_again(mut matrix: Matrix) -> Matrix {
    let unsure = Unsure::of(&matrix);
    if unsure.faults.is_empty() && !matrix.honest.iter().any(is_unsure) {
        return matrix;
    }
    eprintln!("looked at again: {}", matrix.complaints().join("\n"));
    let again = played(&Options {
        faults: unsure.faults,
        variants: unsure.variants,
        each_case: false,
        jobs: 2,
        ..everything()
    });
    for row in matrix.honest.iter_mut().filter(|row| is_unsure(row)) {
        let same = |other: &&HonestRow| other.name == row.name && other.declared == row.declared;
        *row = again.honest.iter().find(same).unwrap().clone();
    }
    for row in &mut matrix.faults {
        if let Some(other) = again.faults.iter().find(|other| other.name == row.name) {
            *row = other.clone();
        }
    }
    let finds =
        |case: &CaseId, row: &FaultRow| matches!(&row.fate, Fate::Found(by) if by.contains(case));
    let is_blind = |case: &CaseId| !again.faults.iter().any(|row| finds(case, row));
    matrix.never_failed.retain(is_blind);
    matrix
}

/// What a busy machine may have hidden, or feigned.
struct Unsure {
    faults: Vec<Planted>,
    variants: Vec<Permitted>,
}

impl Unsure {
    fn of(matrix: &Matrix) -> Self {
        let is_found_at_times = |fault: &Planted| {
            let mut rows = matrix.faults.iter();
            rows.any(|row| {
                row.name == fault.name && matches!(row.fate, Fate::Unsure(_) | Fate::Survived)
            })
        };
        let is_doubted = |variant: &Permitted| {
            let mut rows = matrix.honest.iter();
            rows.any(|row| row.name == variant.name && is_unsure(row))
        };
        Self {
            faults: Planted::all().filter(is_found_at_times).collect(),
            variants: Permitted::all().filter(is_doubted).collect(),
        }
    }
}

/// Whether there were alarms, and none that was confirmed.
fn is_unsure(row: &HonestRow) -> bool {
    let unstable = |alarm: &Alarm| alarm.verdict == Verdict::Unstable;
    !row.alarms.is_empty() && row.alarms.iter().all(unstable)
}

#[test]
fn every_fault_is_found_and_nothing_else() {
    let matrix = looked_at_again(play());
    let complaints = matrix.complaints();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    assert_eq!(matrix.faults.len(), Planted::all().count());
    // Servers are played with a declared limit and without one; over datagrams it makes no difference.
    let rows = |variant: Permitted| match (variant.role, variant.only_over) {
        (Role::Client, _) | (_, Some(Carriage::Datagrams)) => 1,
        (Role::Server, _) if variant.only_in.is_some() => 1,
        (Role::Server, _) => 2,
    };
    let variants: usize = Permitted::all().map(rows).sum();
    assert_eq!(matrix.honest.len(), 2 * 2 + 1 + variants);
    let by_process = |fault: &Planted| fault.needs == Need::Process;
    let out_of_sight = match cfg!(target_os = "linux") {
        true => 0,
        false => Planted::all().filter(by_process).count(),
    };
    assert_eq!(matrix.not_looked(), out_of_sight);
    if generated::is_blessing() {
        let rounds = (1..ROUNDS).map(|_| play());
        return write(&rounds.fold(matrix, both));
    }
    let documented = documented();
    let rows = matrix.faults.iter().zip(&documented.faults);
    for (row, shown) in rows.filter(|(row, _)| !is_the_servers_end(row.name)) {
        if let (Fate::Found(found), Fate::Found(shown)) = (&row.fate, &shown.fate) {
            assert!(
                found.iter().any(|case| shown.contains(case)),
                "{}: found by {found:?}, and {DOCUMENT} shows {shown:?}",
                row.name
            );
        }
    }
}

/// Whether the server does not outlive a fault: then it is found by whichever case comes first.
fn is_the_servers_end(fault: &str) -> bool {
    fault.ends_with("-ends-the-server") || fault == "reset-ends-the-accept-loop"
}

/// What two rounds agree on, and both of what they found where chance has chosen.
fn both(one: Matrix, other: Matrix) -> Matrix {
    let faults = one.faults.iter().zip(&other.faults).map(|(row, other)| {
        let fate = match (&row.fate, &other.fate) {
            (Fate::Found(one), Fate::Found(other)) if is_the_servers_end(row.name) => {
                let mut either: Vec<_> = one.iter().chain(other).copied().collect();
                either.sort_unstable();
                either.dedup();
                Fate::Found(either)
            }
            (Fate::Found(one), Fate::Found(other)) => Fate::Found(common(one, other)),
            (fate, _) => fate.clone(),
        };
        FaultRow {
            fate,
            ..row.clone()
        }
    });
    let others: BTreeMap<_, _> = other.failed_by.into_iter().collect();
    let failed_by = one.failed_by.iter().map(|(case, faults)| {
        let agreed = others.get(case).map(|other| common(faults, other));
        (
            *case,
            agreed
                .filter(|agreed| !agreed.is_empty())
                .unwrap_or_else(|| faults.clone()),
        )
    });
    Matrix {
        faults: faults.collect(),
        failed_by: failed_by.collect(),
        ..one
    }
}

fn common<T: Copy + PartialEq>(one: &[T], other: &[T]) -> Vec<T> {
    let kept = one.iter().filter(|name| other.contains(name));
    kept.copied().collect()
}

fn write(matrix: &Matrix) {
    for row in &matrix.faults {
        let sure = !matches!(&row.fate, Fate::Found(cases) if cases.is_empty());
        assert!(sure, "{}: each round another case found it", row.name);
    }
    generated::part(DOCUMENT, "faults", &faults_table(matrix));
    generated::part(DOCUMENT, "honest", &honest_table(matrix));
    generated::part(DOCUMENT, "cases", &cases_table(matrix));
}

/// The document is what its own findings and the tables of the sources make: no row is missing, none
/// is left over, and none tells of a fault, a variant or a case as it no longer is.
#[test]
fn the_document_shows_every_fault_every_variant_and_every_case() {
    if generated::is_blessing() {
        return;
    }
    let documented = documented();
    generated::part(DOCUMENT, "faults", &faults_table(&documented));
    generated::part(DOCUMENT, "honest", &honest_table(&documented));
    generated::part(DOCUMENT, "cases", &cases_table(&documented));
    for row in &documented.faults {
        assert!(
            matches!(&row.fate, Fate::Found(cases) if !cases.is_empty()),
            "{}",
            row.name
        );
    }
    let shown = |case: &CaseId| documented.failed_by.iter().any(|(shown, _)| shown == case);
    let cases = ROLES.into_iter().flat_map(cases::all).map(|case| case.id);
    let missing: Vec<_> = cases.filter(|case| !shown(case)).collect();
    assert!(missing.is_empty(), "{DOCUMENT} does not show {missing:?}");
}

/// What the document says was found, in the order of the tables.
fn documented() -> Matrix {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let text = fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let row = |first: &str, cells: usize| {
        let found = rows
            .iter()
            .find(|row| row.len() == cells && row[0] == first);
        found.map(|row| row[cells - 1])
    };
    let known = |id: String| cases::case(&id).map(|case| case.id);
    let faults = Planted::all().map(|fault| {
        let shown = row(&format!("`{}`", fault.name), 5).unwrap_or_default();
        let found = shown
            .split(", ")
            .filter_map(|variant| known(format!("{}/{variant}", fault.clause)));
        FaultRow {
            role: fault.role,
            name: fault.name,
            clause: fault.clause,
            fate: Fate::Found(found.collect()),
        }
    });
    let names = [
        (Role::Server, "the reference server"),
        (Role::Server, "without a fault"),
        (Role::Client, "the reference client"),
    ];
    let variants = Permitted::all().map(|variant| (variant.role, variant.name));
    let honest = names.into_iter().chain(variants).map(|(role, name)| {
        let shown = row(name, 4).unwrap_or_default();
        HonestRow {
            role,
            name,
            declared: true,
            passed: 1,
            alarms: Vec::new(),
            warnings: shown
                .split(", ")
                .filter_map(|case| known(case.into()))
                .collect(),
            broken: None,
        }
    });
    let cases = ROLES.into_iter().flat_map(cases::all);
    let failed_by = cases.filter_map(|case| {
        let shown = row(&format!("`{}`", case.id), 2)?;
        let faults = shown
            .split(", ")
            .filter_map(|name| Some(Planted::named(name)?.name));
        Some((case.id, faults.collect()))
    });
    let mut failed_by: Vec<_> = failed_by.collect();
    failed_by.sort_by_key(|(case, _)| *case);
    let mut honest: Vec<_> = honest.collect();
    honest.sort_by_key(|row| row.role != Role::Server);
    Matrix {
        faults: faults.collect(),
        honest,
        failed_by,
        never_failed: Vec::new(),
    }
}

/// The program with these arguments behind `selftest`: its exit code, and both its outputs.
fn program(args: &[&str]) -> (i32, String, String) {
    let output = conformance().arg("selftest").args(args).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_program_looks_for_faults_of_either_role() {
    let both = [
        "--fault",
        "padded-with-spaces",
        "--fault",
        "reply-body-in-one-read",
    ];
    let (code, said, _) = program(&both);
    assert_eq!(code, 0, "{said}");
    for clause in ["minimal-padding/", "client-reassembly/"] {
        assert!(said.contains(&format!("found by {clause}")), "{said}");
    }
    assert!(said.contains("2 of 2 faults found"), "{said}");
}

/// One of the formats that `scripts/formats` plays.
fn format(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("tests/formats").join(name);
    path.with_extension("toml").display().to_string()
}

#[test]
fn in_one_format_a_fault_is_found_or_has_no_room() {
    let format = format("decimal");
    let faults = [
        "http-answered",
        "counts-what-was-asked",
        "padded-with-spaces",
    ];
    let faults = faults.map(|fault| ["--fault", fault]).concat();
    let (code, said, _) = program(&[&["--profile", &format], &faults[..]].concat());
    assert_eq!(code, 0, "{said}");
    for part in [
        "found by length-prefix/",
        "found by reassembly/",
        "no room: there is no padding",
        "2 of 3 faults found, 1 that there is no room for",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// What gave false alarms there.
#[test]
fn in_one_format_what_differs_as_it_may_passes() {
    let decimal = format("decimal");
    let own = ["--profile", &decimal, "--max-frame", "64k"];
    let served = Served::start(&[&own[..], &["--variant", "wraps-replies"]].concat());
    let addr = served.addr.to_string();
    let limit = ["check", &addr, "--run", "length-limit/at-the-limit"];
    let (code, told) = said(&[&limit[..], &own].concat());
    assert_eq!(code, 0, "{told}");
    let prologue = format("prologue");
    let program = shell_words::quote(env!("CARGO_BIN_EXE_conformance"));
    let quoted = shell_words::quote(&prologue);
    let client =
        format!("{program} chat {{host}}:{{port}} --variant connects-again --profile {quoted}");
    let closed = [
        "check-client",
        "--exec",
        &client,
        "--run",
        "client-close/at-once",
    ];
    let (code, told) = said(&[&closed[..], &["--profile", &prologue]].concat());
    assert_eq!(code, 0, "{told}");
}

#[test]
fn the_program_says_what_there_is_instead_of_a_name_that_is_none() {
    let wrong = [
        (
            ["--fault", "body-in-one-reed"],
            "body-in-one-read",
            "--list-faults",
        ),
        (
            ["--variant", "strict-jsson"],
            "strict-json",
            "--list-variants",
        ),
        (["--role", "sever"], "server", "client"),
    ];
    for (args, meant, list) in wrong {
        let (code, _, said) = program(&args);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(meant) && said.contains(list), "{said}");
    }
    let (code, _, said) = program(&["--role", "client", "--fault", "body-in-one-read"]);
    assert!(code == 2 && said.contains("--role"), "{said}");
}
