//! What the program is to those who live in a shell: completions, the manual, what failed last time, watching, files to
//! begin with, badges.

use crate::program::{GUARD, Served, command, conformance, path, said};
use framespec::event::Event;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use tempfile::TempDir;

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let (current, before) = words.split_last().unwrap();
    let script = format!(
        "source <(conformance completions bash)
         COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
         $(complete -p conformance | sed 's/.*-F \\([^ ]*\\).*/\\1/') conformance '{current}' '{}'
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        before.last().unwrap()
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &script, "bash"]).args(words);
    let output = bash.env("PATH", path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// A file is no command, whatever it is called.
#[test]
fn bash_offers_names_of_files_in_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("q$(touch pwned)`id` *;.toml");
    std::fs::write(&hostile, "").unwrap();
    let begun = folder.path().join("q");
    let offered = offered(&["conformance", "check", "--profile", begun.to_str().unwrap()]);
    let [line] = &offered[..] else {
        panic!("{offered:?}")
    };
    let words = shell_words::split(line).unwrap();
    assert_eq!(words, [hostile.to_str().unwrap()]);
}

#[test]
fn bash_completes_commands_options_and_names() {
    for (words, expected) in [
        (&["conformance", "compl"][..], "completions"),
        (&["conformance", "check", "--last-f"], "--last-failed"),
        (
            &["conformance", "check", "--run", "truncation/in-h"],
            "truncation/in-header",
        ),
        // Bash makes three words of it.
        (
            &["conformance", "check", "--run", "=", "truncation/in-h"],
            "truncation/in-header",
        ),
        (&["conformance", "check", "--run", "="], "truncation"),
        (&["conformance", "watch", "--skip", "truncat"], "truncation"),
        (
            &["conformance", "check-client", "--run", "client-cl"],
            "client-close",
        ),
        (
            &["conformance", "explain", "header-in-one"],
            "header-in-one-read",
        ),
        (
            &["conformance", "serve", "--fault", "header-in-one"],
            "header-in-one-read",
        ),
        (
            &["conformance", "causes", "play", "--fault", "header-in-one"],
            "header-in-one-read",
        ),
        (
            &["conformance", "profiles", "postgresql-"],
            "postgresql-query",
        ),
        (
            &["conformance", "check", "--profile", "Cargo.to"],
            "Cargo.toml",
        ),
    ] {
        let offered = offered(words);
        assert!(
            offered.iter().any(|it| it == expected),
            "{words:?}: {offered:?}"
        );
    }
    assert!(
        offered(&["conformance", "explain", "zzz"])
            .concat()
            .is_empty()
    );
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = TempDir::new().unwrap();
    let pages = folder.path().join("man1");
    let (exit, told) = said(&["man", "--output", pages.to_str().unwrap()]);
    assert_eq!(exit, 0, "{told}");
    assert!(told.lines().count() > 15, "{told}");
    for page in told.lines() {
        // Headings may stand in quotation marks.
        let text = fs::read_to_string(page).unwrap().replace('"', "");
        for part in [".TH ", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH EXIT STATUS"] {
            assert!(text.contains(part), "{page}: {part}");
        }
    }
    let check = fs::read_to_string(pages.join("conformance-check.1")).unwrap();
    assert_eq!(said(&["man", "check"]), (0, check));
}

#[test]
fn what_failed_last_time_is_played_alone() {
    let (folder, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let served = Served::start(&["--fault", "constant-reply"]);
    let target = served.addr.to_string();
    let check = |more: &[&str]| {
        let mut check = conformance();
        check.args(["check", &target, "--run", "one-reply", "--run", "fidelity"]);
        check.args(more).env("XDG_CACHE_HOME", cache.path());
        let output = check.current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(check(&[]), "");
    let again = check(&["--lf"]);
    assert!(
        again.starts_with("what failed last time is played: "),
        "{again}"
    );
    let other = check(&["--lf", "--profile", "chunk-count"]);
    assert!(
        other.starts_with("nothing is known to have failed"),
        "{other}"
    );

    let kept = cache.path().join("framespec/failed");
    for file in fs::read_dir(kept).unwrap() {
        fs::write(file.unwrap().path(), "{broken").unwrap();
    }
    let broken = check(&["--lf"]);
    assert!(
        broken.starts_with("note: what failed last time cannot be read"),
        "{broken}"
    );
    assert!(
        broken.contains("nothing is known to have failed"),
        "{broken}"
    );
    assert!(check(&["--lf"]).starts_with("what failed last time is played: "));
}

/// The signal comes when the first failure has been told. There are more, one behind the other, each of which takes as long.
#[test]
fn what_failed_before_an_interrupt_is_known_next_time() {
    let cache = TempDir::new().unwrap();
    let served = Served::start(&["--fault", "truncation-never-closed"]);
    let mut check = command()
        .args(["check", &served.addr.to_string(), "--run", "truncation"])
        .args(["--serial", "--thorough", "--timeout", "300ms"])
        .args(["--format", "jsonl"])
        .env("XDG_CACHE_HOME", cache.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(check.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let failure = lines.find(|line| line.contains("\"verdict\":\"fail\""));
    kill_process(Pid::from_child(&check), Signal::INT).unwrap();
    let Event::CaseFinished(failed) = serde_json::from_str(&failure.unwrap()).unwrap() else {
        panic!("a verdict is told of a case");
    };
    assert!(lines.last().unwrap().contains("interrupted"));
    assert_eq!(check.wait().unwrap().code(), Some(3));
    let mut kept = fs::read_dir(cache.path().join("framespec/failed")).unwrap();
    let kept = fs::read_to_string(kept.next().unwrap().unwrap().path()).unwrap();
    assert!(kept.contains(&format!("\"{}\"", failed.id)), "{kept}");
    assert!(kept.matches("truncation/").count() < 9, "{kept}");
}

/// A `conformance watch` with what it says on its standard error, line by line.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(folder: &Path, cache: &Path) -> Self {
        let mut child = command()
            .args(["watch", "--run", "one-reply", "--run", "fidelity"])
            .args([
                "--exec",
                "sh server.sh {port}",
                "--format",
                "json=report.json",
            ])
            .current_dir(folder)
            .env("PATH", path())
            .env("XDG_CACHE_HOME", cache)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .try_for_each(|it| sender.send(it))
        });
        Self { child, lines }
    }

    /// What is said until it waits for a change.
    fn until_it_waits(&self) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(GUARD).expect("more to be said");
            if line.starts_with("waiting for a change") {
                return said;
            }
            said.push(line);
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_is_mended_is_checked_again_and_then_all_of_it() {
    let (folder, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let write = |options: &str| {
        let script = format!("exec conformance serve --listen 127.0.0.1:$1 {options}\n");
        fs::write(folder.path().join("server.sh"), script).unwrap();
    };
    write("--fault constant-reply");
    let mut watching = Watching::start(folder.path(), cache.path());
    let first = watching.until_it_waits();
    assert!(
        first[0].starts_with("nothing is known to have failed"),
        "{first:?}"
    );
    assert_eq!(first.len(), 1, "{first:?}");
    write("");
    let second = watching.until_it_waits();
    assert_eq!(second[0], "== changed: server.sh");
    assert!(
        second[1].starts_with("what failed last time is played: "),
        "{second:?}"
    );
    assert_eq!(second[2..], ["what failed passes: all cases follow"]);

    kill_process(Pid::from_child(&watching.child), Signal::INT).unwrap();
    assert_eq!(watching.child.wait().unwrap().code(), Some(0));
}

#[test]
fn files_to_begin_with_are_written_once_and_are_good_to_use() {
    let folder = TempDir::new().unwrap();
    let init = |more: &[&str]| {
        let root = folder.path().to_str().unwrap();
        said(&[&["init", root, "--profile", "chunk-count"], more].concat())
    };
    let at = |name: &str| folder.path().join(name);
    let (exit, told) = init(&[]);
    assert!(exit == 2 && told.contains("try: --package "), "{told}");
    assert!(!at("profile.toml").exists());

    let package = "--package=git+https://example.org/framespec";
    let (exit, told) = init(&["--exec", "./my-server {port}", package]);
    assert_eq!(exit, 0, "{told}");
    assert!(
        told.contains("conformance check --exec './my-server {port}'"),
        "{told}"
    );
    let workflow = fs::read_to_string(at(".github/workflows/conformance.yml")).unwrap();
    assert!(workflow.contains("'./my-server {port}'"), "{workflow}");

    fs::write(at("profile.toml"), "mine").unwrap();
    let (exit, told) = init(&["--gitlab", package]);
    assert!(exit == 2 && told.contains("--force"), "{told}");
    assert!(!at(".gitlab-ci.yml").exists());
    assert_eq!(fs::read_to_string(at("profile.toml")).unwrap(), "mine");
    assert_eq!(init(&["--gitlab", "--force", package]).0, 0);
    assert!(at(".gitlab-ci.yml").exists());

    let (profile, known) = (at("profile.toml"), at("known-failures.toml"));
    let files = [profile.to_str().unwrap(), known.to_str().unwrap()];
    let check = ["check", "--run", "one-reply/single", "--profile", files[0]];
    let (exit, told) = said(&[&check[..], &["--expect", files[1]]].concat());
    assert_eq!(exit, 0, "{told}");
}

#[test]
fn a_badge_is_drawn_from_a_saved_report() {
    let folder = TempDir::new().unwrap();
    let (report, badge) = (
        folder.path().join("report.json"),
        folder.path().join("badge.svg"),
    );
    let (report, badge) = (report.to_str().unwrap(), badge.to_str().unwrap());
    let format = format!("json={report}");
    let check = ["check", "--run", "one-reply/single", "--format", &format];
    assert_eq!(said(&check).0, 0);
    let (exit, svg) = said(&["badge", report]);
    assert!(exit == 0 && svg.contains(">conforming</text>"), "{svg}");
    assert_eq!(
        said(&["badge", report, "--output", badge]),
        (0, String::new())
    );
    assert_eq!(fs::read_to_string(badge).unwrap(), svg);
    let (exit, told) = said(&["badge", badge]);
    assert!(exit == 2 && told.contains("try: "), "{told}");
}
