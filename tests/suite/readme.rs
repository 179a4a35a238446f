//! The commands of the README: each is run as it stands there, or named here with where it is run instead.
//!
//! What is run is made short, as far as that goes: one case, a second of fuzzing. Ports are those of servers that run here, and
//! each block of commands begins in a folder of its own, which has the files that its commands name.

use crate::program::{GUARD, Served, path, said};
use crate::python;
use std::collections::BTreeSet;
use std::fs;
use std::iter;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use tempfile::TempDir;

/// What is not run here, and where it is, or why it is nowhere.
const ELSEWHERE: [(&str, &str); 13] = [
    (
        "pip install framespec",
        "by scripts/wheel, from what it has built",
    ),
    (
        "pip install framespec pytest",
        "by scripts/wheel, from what it has built",
    ),
    (
        "pytest --conformance 'python3 server.py {port}'",
        "by scripts/wheel",
    ),
    (
        "npx framespec check --exec 'node server.js {port}'",
        "by scripts/npm, at a server in Python",
    ),
    (
        "cargo install --locked --path .",
        "builds for minutes what Cargo has built for these tests",
    ),
    (
        // In two parts, as no test starts it by itself.
        concat!("python", "3 tests/peers/tutorial_like.py --port 5000"),
        "does not end; suite::check_python plays at it",
    ),
    (
        "conformance serve --fault header-in-one-read",
        "does not end; it is what the others here are run at",
    ),
    (
        "conformance watch --open --exec 'python3 server.py --port {port}'",
        "does not end; suite::shell watches, suite::shown opens",
    ),
    (
        "conformance selftest",
        "plays for a minute what suite::kill_matrix plays",
    ),
    (
        "conformance selftest --format markdown",
        "plays for a minute what suite::kill_matrix plays",
    ),
    ("cargo install cargo-fuzz --locked", "by .ci/run"),
    (
        "cargo +nightly fuzz run decoder",
        "does not end, and takes a toolchain of its own",
    ),
    (
        "RUSTUP_TOOLCHAIN=stable cargo fuzz run -s none decoder",
        "by .ci/run, which gives it an end",
    ),
];

/// The reference server, as a program that a command starts.
const SERVER: &str = r#"import os, sys
where = "127.0.0.1:" + sys.argv[-1] if len(sys.argv) > 1 else "stdio:"
os.execvp("conformance", ["conformance", "serve", "--listen", where])
"#;

/// A client that keeps to the protocol.
const CLIENT: &str = r#"import runpy, sys
sys.path.insert(0, "tests/peers")
runpy.run_path("tests/peers/client_correct.py", run_name="__main__")
"#;

/// The commands of the README, block by block.
fn blocks() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    let mut is_fenced = false;
    let outside: Vec<&str> = text
        .lines()
        .map(|line| {
            is_fenced ^= line.starts_with("```");
            if is_fenced { "" } else { line }
        })
        .collect();
    outside
        .chunk_by(|one, next| one.starts_with("    ") == next.starts_with("    "))
        .filter(|lines| lines[0].starts_with("    "))
        .map(|lines| lines.iter().map(|line| line.trim().to_owned()).collect())
        .collect()
}

fn is_elsewhere(command: &str) -> bool {
    ELSEWHERE.iter().any(|(line, _)| *line == command)
}

#[test]
fn what_is_not_run_here_is_in_the_readme() {
    let commands: BTreeSet<String> = blocks().into_iter().flatten().collect();
    for (line, why) in ELSEWHERE {
        assert!(commands.contains(line), "{line} ({why})");
    }
}

#[test]
fn every_other_command_of_the_readme_is_run() {
    if python::or_skip().is_none() {
        return;
    }
    let scene = Scene::begin();
    let is_run = |block: &Vec<String>| block.iter().any(|command| !is_elsewhere(command));
    let blocks: Vec<_> = blocks().into_iter().filter(is_run).collect();
    assert!(blocks.len() > 15, "{blocks:?}");
    let left = Mutex::new(blocks.iter());
    let next = || left.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| iter::from_fn(next).for_each(|block| scene.play(block)));
        }
    });
}

/// What the commands are run at.
struct Scene {
    /// It speaks the format `tutorial`, and makes a mistake.
    at_5000: Served,
    /// It keeps to the protocol.
    at_9000: Served,
    report: String,
}

impl Scene {
    fn begin() -> Self {
        let check = ["check", "--run", "one-reply/single", "--format", "json"];
        let (exit, report) = said(&check);
        assert_eq!(exit, 0, "{report}");
        Self {
            at_5000: Served::start(&["--fault", "header-in-one-read"]),
            at_9000: Served::start(&[]),
            report,
        }
    }

    /// Runs the commands of a block, one behind the other, in the same folder.
    fn play(&self, block: &[String]) {
        let folder = TempDir::new().unwrap();
        self.lay_out(folder.path());
        for command in block.iter().filter(|command| !is_elsewhere(command)) {
            let mut bash = Command::new("bash");
            bash.args(["-o", "pipefail", "-c", &self.short(command)])
                .current_dir(folder.path())
                .env("PATH", path())
                .env("XDG_CACHE_HOME", folder.path())
                .env("PYTHONDONTWRITEBYTECODE", "1");
            let mut bash = assert_cmd::Command::from_std(bash);
            let output = bash.timeout(GUARD).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            let is_done = matches!(output.status.code(), Some(0 | 1));
            assert!(is_done && !told.contains("error: "), "{command}\n{told}");
        }
    }

    /// The files that commands name.
    fn lay_out(&self, folder: &Path) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["corpus", "tests"] {
            symlink(root.join(name), folder.join(name)).unwrap();
        }
        for submissions in ["class/alice", "submissions/bob"] {
            fs::create_dir_all(folder.join(submissions)).unwrap();
            fs::write(folder.join(submissions).join("server.py"), SERVER).unwrap();
        }
        let (_, format) = said(&["profiles", "tutorial", "--toml"]);
        let capture = fs::read_to_string(root.join("corpus/detect/hex-dump")).unwrap();
        for (name, text) in [
            ("server.py", SERVER),
            ("client.py", CLIENT),
            ("alice.json", &self.report),
            ("bob.json", &self.report),
            ("report.json", &self.report),
            ("my-format.toml", &format),
            ("talk.pcap", &capture),
            ("known.toml", ""),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let findings = folder.join("findings");
        fs::create_dir(&findings).unwrap();
        let (exit, script) = said(&["explain", "one-reply/single", "--script"]);
        assert_eq!(exit, 0, "{script}");
        fs::write(findings.join("one.script"), script).unwrap();
    }

    /// The command with the ports of the servers, and with what makes it short.
    fn short(&self, command: &str) -> String {
        let (at_5000, at_9000) = (self.at_5000.addr.to_string(), self.at_9000.addr.to_string());
        let mut line = command
            .replace("localhost:5000", &at_5000)
            .replace("localhost:9000", &at_9000)
            .replace("4711", &self.at_5000.pid().to_string())
            .replace("--time 60s", "--time 1s");
        let case = match command.split(' ').nth(1) {
            Some("check" | "grade") => "truncation/in-header",
            Some("check-client") => "client-framing/first-request",
            _ => return line,
        };
        if !command.contains("--run") {
            line.push_str(&format!(" --run {case}"));
        }
        line
    }
}
