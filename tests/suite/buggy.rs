//! The suite on the mistakes that people make: a correct server in Python with one bug at a time, see
//! tests/peers/buggy.py. Each must be found by a case of the clause that it breaks.

use super::peers;
use super::program::{GUARD_OF_A_RUN, conformance, say};
use super::python::{self, Python};
use super::tables;
use framespec::event::{CaseResult, Run, Verdict};
use framespec::profile::Profile;
use framespec::report::read_run;
use framespec::spec::{Clause, Level, Role};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

const SCRIPT: &str = "buggy.py";

/// Bugs that are looked for at the same time, as most of a check is waiting; of those that are seen in the
/// process fewer.
const AT_ONCE: [usize; 2] = [6, 4];

/// A row of what `buggy.py --list` prints.
struct Bug {
    name: String,
    /// The case that finds it.
    case: String,
    needs: String,
}

impl Bug {
    fn is_seen_in_the_process(&self) -> bool {
        self.needs == "process"
    }
}

fn bugs(python: Python) -> Vec<Bug> {
    let list = python.peer(SCRIPT).arg("--list").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let bug = |line: &str| {
        let mut words = line.split('\t').map(str::to_owned);
        let mut next = || words.next().expect("four columns");
        Bug {
            name: next(),
            case: next(),
            needs: next(),
        }
    };
    list.lines().map(bug).collect()
}

/// Runs a check of the server with these options, and reads its report.
fn checked(python: Python, server: &[&str], args: &[&str], with_process: bool) -> Run {
    let mut command = conformance();
    command.timeout(GUARD_OF_A_RUN);
    command
        .args(["check", "--within", "0", "--format", "json"])
        .args(args);
    let peer = (!with_process).then(|| peers::start_with(python, SCRIPT, server));
    match &peer {
        Some(peer) => command.arg(peer.address.to_string()),
        None => {
            let peer = python.peer_in_words("", SCRIPT);
            let exec = format!("{peer} --port {{port}} {}", server.join(" "));
            command.args(["--exec", &exec])
        }
    };
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    read_run(&text).unwrap_or_else(|error| panic!("{server:?}: {error}: {text:.200} {stderr}"))
}

/// What became of the case that should find it, if it did not.
fn missed(python: Python, bug: &Bug) -> Option<String> {
    let mut args = vec!["--run", &bug.case];
    match bug.needs.as_str() {
        "limit" => args.extend(["--max-frame", "1M"]),
        "slow" => args.push("--slow"),
        _ => {}
    }
    let run = checked(
        python,
        &["--bug", &bug.name],
        &args,
        bug.is_seen_in_the_process(),
    );
    let found = |result: &CaseResult| match result.verdict {
        Verdict::Fail => true,
        Verdict::Warn => result.level == Level::Should,
        _ => false,
    };
    let told = |result: &CaseResult| format!("{} {}", result.verdict, result.detail);
    let results: Vec<String> = run.results.iter().map(told).collect();
    (!run.results.iter().any(found))
        .then(|| format!("{} by {}: {}", bug.name, bug.case, results.join("; ")))
}

/// A machine whose cores are all taken can hide a race once, and that is told whatever comes of it; a case
/// that is blind stays blind.
fn missed_twice(python: Python, bug: &Bug) -> Option<String> {
    let at_first = missed(python, bug)?;
    say(&format!("missed at first: {at_first}"));
    missed(python, bug)
}

/// What is seen only in the process is looked for where processes can be seen.
fn is_played(bug: &Bug) -> bool {
    cfg!(target_os = "linux") || !bug.is_seen_in_the_process()
}

#[test]
fn each_bug_is_found_by_a_case_of_its_clause() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let (with_process, without): (Vec<_>, Vec<_>) = bugs(python)
        .into_iter()
        .filter(is_played)
        .partition(Bug::is_seen_in_the_process);
    let queues = [without, with_process].map(|bugs| Mutex::new(bugs.into_iter()));
    let all_missed = Mutex::new(Vec::new());
    let look = |queue: &Mutex<std::vec::IntoIter<Bug>>| {
        loop {
            let Some(bug) = queue.lock().unwrap().next() else {
                return;
            };
            if let Some(missed) = missed_twice(python, &bug) {
                all_missed.lock().unwrap().push(missed);
            }
        }
    };
    thread::scope(|scope| {
        for (queue, at_once) in queues.iter().zip(AT_ONCE) {
            for _ in 0..at_once {
                scope.spawn(|| look(queue));
            }
        }
    });
    let all_missed = all_missed.into_inner().unwrap();
    assert!(all_missed.is_empty(), "{}", all_missed.join("\n"));
}

#[test]
fn the_same_server_without_a_bug_passes() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let with_process = cfg!(target_os = "linux");
    let run = checked(python, &[], &[], with_process);
    let is_bad = |result: &&CaseResult| !matches!(result.verdict, Verdict::Pass | Verdict::Skip);
    let bad: Vec<_> = run.results.iter().filter(is_bad).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let due = tables::played(Profile::tutorial(), with_process).count();
    assert_eq!(run.finished.summary.pass, due);
}

/// The bugs are of all kinds, and no two are the same.
#[test]
fn there_is_a_bug_for_every_clause_but_five() {
    let Some(python) = python::or_skip() else {
        return;
    };
    let bugs = bugs(python);
    let names: BTreeSet<_> = bugs.iter().map(|bug| bug.name.as_str()).collect();
    assert_eq!(names.len(), bugs.len());
    let clauses: BTreeSet<_> = bugs
        .iter()
        .filter_map(|bug| bug.case.split('/').next())
        .collect();
    let without: Vec<_> = Role::Server
        .clauses()
        .filter(|clause| !clauses.contains(clause.slug()))
        .collect();
    // The tutorial's frames have neither checksum nor indexes, no prologue, and are no datagrams, and to see that one is never given
    // up takes a minute.
    let without_any = [
        Clause::Checksum,
        Clause::Datagram,
        Clause::ChunkIndex,
        Clause::Prologue,
        Clause::Deadline,
    ];
    assert_eq!(without, without_any);
}
