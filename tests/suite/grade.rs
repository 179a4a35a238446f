//! `grade`: a class whose servers conform, fail, or are trouble, each in its row, and nothing left running.
#![cfg(target_os = "linux")]

use super::exec::until;
use super::program::{GUARD_OF_A_RUN, command, conformance};
use super::python::{self, Python};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

/// What makes a class of these.
fn class(python: Python, names: &[&str]) -> TempDir {
    let folder = TempDir::with_prefix("grade-test-").unwrap();
    let submissions = folder.path().join("class");
    let mut maker = python.peer("submissions.py");
    assert!(
        maker
            .arg(submissions)
            .args(names)
            .status()
            .unwrap()
            .success()
    );
    fs::create_dir(folder.path().join("space")).unwrap();
    folder
}

fn server(python: Python) -> String {
    python.words("{dir}/server.py {port}")
}

/// Grades with whatever is made for a time in that folder too; the exit code, and what stands on stdout and stderr.
fn graded(folder: &TempDir, exec: &str, args: &[&str]) -> (i32, String, String) {
    let output = conformance()
        .env("TMPDIR", folder.path().join("space"))
        .arg("grade")
        .arg(folder.path().join("class"))
        .args(["--exec", exec])
        .args(args)
        .timeout(GUARD_OF_A_RUN)
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// The rows of grades.csv by name.
fn rows(output: &Path) -> BTreeMap<String, csv::StringRecord> {
    let mut reader = csv::Reader::from_path(output.join("grades.csv")).unwrap();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| (row[0].to_owned(), row)).collect()
}

/// Processes that were started from within a folder, whatever has become of their parents.
fn running(folder: &Path) -> Vec<String> {
    let all = procfs::process::all_processes().unwrap().flatten();
    let within = |process: &procfs::process::Process| {
        let is_there = process.stat().is_ok_and(|stat| stat.state != 'Z');
        is_there && process.cwd().is_ok_and(|cwd| cwd.starts_with(folder))
    };
    let words = |process: procfs::process::Process| process.cmdline().unwrap_or_default().join(" ");
    all.filter(within).map(words).collect()
}

const TROUBLE: [(&str, &str); 8] = [
    ("allocates", "it took more than 96 MiB of memory"),
    (
        "asks",
        "it reads its standard input, in which there is nothing",
    ),
    ("floods", "it wrote more than 256 MiB to its output"),
    ("forks", "it ran more than 12 processes at once"),
    ("hides", "it went into the background"),
    ("lacks", "a_module_that_nobody_has"),
    ("pipes", "it has put pipes there"),
    ("writes", "it wrote more than 64 MiB of files"),
];

/// What is written of the class is in its folder, and no submission. The second time nothing is checked again but what has
/// changed; of one that cannot be written down that is said, and whoever has left is set aside.
#[test]
fn each_has_a_row_whatever_its_server_does_and_nothing_is_left() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let others = ["correct", "header-from-one-recv"];
    let names: Vec<&str> = TROUBLE
        .map(|(name, _)| name)
        .into_iter()
        .chain(others)
        .collect();
    let folder = class(python, &names);
    let output = folder.path().join("class/out");
    fs::write(folder.path().join("class/bob.zip"), "x").unwrap();
    let args = [
        "--output",
        output.to_str().unwrap(),
        "--memory=96M",
        "--processes=12",
        "--disk=64M",
        "--jobs=3",
        "--run=reassembly/header-in-two",
        "--run=one-reply/single",
    ];
    let (code, said, notes) = graded(&folder, &server(python), &args);
    assert_eq!(code, 1, "{said}{notes}");
    assert_eq!(running(folder.path()), [""; 0]);
    assert_eq!(
        fs::read_dir(folder.path().join("space")).unwrap().count(),
        0
    );
    let rows = rows(&output);
    for (name, why) in TROUBLE {
        let row = &rows[name];
        assert_eq!((&row[1], &row[3]), ("0", "not served"), "{row:?}");
        assert!(row[6].contains(why), "{row:?}");
    }
    assert_eq!((&rows["correct"][1], &rows["correct"][3]), ("10", "passed"));
    let bug = &rows["header-from-one-recv"];
    assert_eq!(
        (&bug[1], &bug[3], &bug[5]),
        ("9", "failed", "header-in-one-read")
    );
    assert!(said.contains("10 submissions: 8 not served"), "{said}");
    assert!(said.contains("as it is no folder: bob.zip"), "{said}");
    assert!(output.join(&bug[8]).is_file() && output.join("index.html").is_file());
    let page = fs::read_to_string(output.join(&rows["lacks"][8])).unwrap();
    assert!(
        page.contains("Traceback") && page.contains("class/lacks/server.py"),
        "{page}"
    );

    let class = folder.path().join("class");
    fs::write(class.join("lacks/server.py"), "raise SystemExit(3)").unwrap();
    fs::remove_dir_all(class.join("asks")).unwrap();
    let page = output.join(&rows["correct"][8]);
    fs::remove_file(&page).unwrap();
    fs::create_dir_all(page.join("in the way")).unwrap();
    let (code, _, notes) = graded(&folder, &server(python), &args);
    assert_eq!(code, 3, "{notes}");
    let now = self::rows(&output);
    assert_eq!((now.len(), &now["correct"][3]), (9, "not graded"));
    assert!(now["correct"][6].contains("pages/correct.html"), "{now:?}");
    assert!(output.join("left/pages/asks.html").is_file());
    let changed: Vec<&str> = notes
        .lines()
        .filter(|line| line.contains("points"))
        .collect();
    let changed: Vec<&&str> = changed
        .iter()
        .filter(|line| !line.ends_with("as it was"))
        .collect();
    assert_eq!(changed.len(), 2, "{notes}");
    assert!(notes.contains(": lacks, 0 points\n"), "{notes}");
}

/// Not even the end of the program itself by force leaves a server behind, with all that is in its group.
#[test]
fn servers_end_with_a_grader_that_is_killed() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let folder = class(python, &["silent", "elsewhere"]);
    let mut grader = command()
        .env("TMPDIR", folder.path().join("space"))
        .arg("grade")
        .arg(folder.path().join("class"))
        .args(["--jobs=2", "--exec", &server(python)])
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let count = || running(folder.path()).len();
    until("both run", || (count() == 2).then_some(()));
    kill_process_group(Pid::from_child(&grader), Signal::KILL).unwrap();
    grader.wait().unwrap();
    until("none is left", || (count() == 0).then_some(()));
}

/// Of a command that is right for nobody it is said that it is.
#[test]
fn a_class_without_a_single_server_is_no_grade() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let folder = class(python, &["elsewhere"]);
    let (code, said, notes) = graded(&folder, &server(python), &["--startup=2s"]);
    assert!(said.contains(", and listens on port "), "{said}");
    assert_eq!(code, 3, "{notes}");
    assert!(notes.contains("not one server was there"), "{notes}");
}

/// Two would take each other's pages for those of people who have left.
#[test]
fn one_class_at_a_time_is_written_into_a_folder() {
    let folder = TempDir::with_prefix("grade-test-").unwrap();
    fs::create_dir_all(folder.path().join("class/one")).unwrap();
    fs::create_dir(folder.path().join("space")).unwrap();
    let output = folder.path().join("out");
    fs::create_dir_all(output.join(".kept")).unwrap();
    let lock = fs::File::create(output.join(".kept/lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let args = ["--output", output.to_str().unwrap()];
    let (code, _, notes) = graded(&folder, "{dir}/server {port}", &args);
    assert_eq!(code, 3, "{notes}");
    assert!(notes.contains("another grading writes into"), "{notes}");
}

#[test]
fn what_cannot_be_graded_so_is_a_usage_error() {
    let folder = TempDir::with_prefix("grade-test-").unwrap();
    fs::create_dir_all(folder.path().join("class/one")).unwrap();
    fs::create_dir(folder.path().join("space")).unwrap();
    let rubric = folder.path().join("rubric.toml");
    fs::write(&rubric, "points = 5\ncuase = 1\n").unwrap();
    let rubric = format!("--rubric={}", rubric.display());
    for (exec, args, says) in [
        ("server {port}", &[][..], "{dir} has to stand"),
        ("{dir}/{file} {port}", &[], "a submission is one of the two"),
        ("{dir}/server", &[], "there is no {port} in it"),
        ("{file} {port}", &[], "there is no file in"),
        (
            "{dir}/server {port}",
            &[&*rubric],
            "unknown field `cuase`, expected one of `points`",
        ),
        ("{dir}/server {port}", &["--run=nothing"], "nothing"),
        ("{dir}/server {port}", &["--memory=1k"], "give 1M or more"),
    ] {
        let (code, _, notes) = graded(&folder, exec, args);
        assert_eq!(code, 2, "{exec} {args:?}: {notes}");
        assert!(notes.contains(says), "{exec} {args:?}: {notes}");
    }
}
