//! What `--help` and the manual tell beyond `-h`: examples of each command, and the exit codes.

use crate::lang::{Text, say};
use clap::Command;

/// Exit codes, and what each means.
pub(crate) const EXIT_CODES: [(u8, &str); 4] = [
    (0, "all is well"),
    (
        1,
        "something was found: a clause was broken, or an expectation not met",
    ),
    (
        2,
        "the arguments or the profile are wrong; nothing was checked",
    ),
    (
        3,
        "it could not be done: nothing listens there, the server did not start, a file cannot be written, or the run was interrupted",
    ),
];

/// Examples of a command; the program itself has no name.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "conformance check localhost:5000",
            "conformance check --exec 'python3 server.py --port {port}'",
            "conformance explain header-in-one-read",
        ],
    ),
    (
        "check",
        &[
            "conformance check localhost:5000",
            "conformance check --exec 'python3 server.py --port {port}'",
            "conformance check --exec 'python3 server.py --port {port}' --last-failed",
            "conformance check --run 'truncation/*' --trace localhost:5000",
            "conformance check --profile chunk-count --format json=report.json --format html=report.html localhost:5000",
            "conformance check --save failures --minimise localhost:5000",
            "conformance check --open localhost:5000",
        ],
    ),
    (
        "check-client",
        &[
            "conformance check-client --exec 'python3 client.py {host} {port}'",
            "conformance check-client --listen 127.0.0.1:7000",
        ],
    ),
    (
        "grade",
        &[
            "conformance grade submissions --exec 'python3 {dir}/server.py {port}'",
            "conformance grade submissions --exec 'python3 {file} --port {port}' --output class --rubric points.toml",
        ],
    ),
    (
        "watch",
        &[
            "conformance watch --exec 'python3 server.py --port {port}'",
            "conformance watch --watch src --exec 'cargo run -- {port}' --startup 60s",
        ],
    ),
    (
        "list",
        &[
            "conformance list",
            "conformance list --run truncation --format names",
        ],
    ),
    (
        "explain",
        &[
            "conformance explain length-limit/two-gib",
            "conformance explain header-in-one-read",
            "conformance explain one-reply/single --script",
        ],
    ),
    (
        "serve",
        &[
            "conformance serve",
            "conformance serve --listen 127.0.0.1:0 --profile chunk-count",
            "conformance serve --fault header-in-one-read",
        ],
    ),
    (
        "selftest",
        &[
            "conformance selftest",
            "conformance selftest --fault header-in-one-read",
        ],
    ),
    (
        "causes",
        &["conformance causes play --fault header-in-one-read --rounds 1"],
    ),
    (
        "causes-play",
        &["conformance causes play --fault header-in-one-read --rounds 1"],
    ),
    ("causes-learn", &["conformance causes learn plays.jsonl"]),
    (
        "causes-measure",
        &["conformance causes measure --misses plays.jsonl"],
    ),
    (
        "send",
        &[
            r#"conformance send localhost:5000 '{"nombre": "Margot"}'"#,
            "conformance send localhost:5000 - < requests.txt",
        ],
    ),
    ("chat", &["conformance chat localhost:5000"]),
    (
        "compare",
        &[
            "conformance compare alice.json bob.json",
            "conformance compare --format html --output class.html alice.json bob.json",
        ],
    ),
    (
        "badge",
        &["conformance badge report.json --output badge.svg"],
    ),
    (
        "replay",
        &[
            "conformance replay failures localhost:5000",
            "conformance replay failures --exec 'python3 server.py --port {port}'",
        ],
    ),
    (
        "regress",
        &[
            "conformance regress corpus",
            "conformance regress findings localhost:5000 --expect known.toml --format junit=report.xml",
        ],
    ),
    (
        "fuzz",
        &[
            "conformance fuzz localhost:5000 --time 60s --out findings",
            "conformance fuzz --runtime > framespec_cov.c",
        ],
    ),
    (
        "show",
        &["conformance show failures/truncation.in-header.min.script --as python"],
    ),
    (
        "profiles",
        &[
            "conformance profiles",
            "conformance profiles tutorial --toml",
            "conformance profiles my-format.toml",
        ],
    ),
    (
        "detect",
        &[
            "conformance detect localhost:9000",
            "conformance detect --from talk.pcap",
        ],
    ),
    (
        "dissector",
        &[
            "conformance dissector chunk-count --output chunk-count.lua",
            "conformance dissector tutorial --port 5000 --output tutorial.lua",
        ],
    ),
    (
        "init",
        &[
            "conformance init --package git+https://HOST/OWNER/framespec --exec 'python3 server.py --port {port}'",
            "conformance init --package ./framespec-0.1.0-py3-none-manylinux_2_28_x86_64.whl --gitlab --profile chunk-count submissions/alice",
        ],
    ),
    (
        "completions",
        &[
            "source <(conformance completions bash)",
            "source <(conformance completions zsh)",
            "conformance completions fish | source",
            "conformance completions powershell | Out-String | Invoke-Expression",
        ],
    ),
    (
        "man",
        &[
            "conformance man | man -l -",
            "conformance man check | man -l -",
            "conformance man --output share/man/man1",
        ],
    ),
];

/// Examples of the command that is called so, with - between its words.
pub(crate) fn examples(name: &str) -> impl Iterator<Item = &'static str> {
    let of_it = EXAMPLES.iter().filter(move |(command, _)| *command == name);
    of_it.flat_map(|(_, examples)| examples.iter().copied())
}

/// The table with what `--help` tells at the end.
pub(crate) fn with_examples(program: Command) -> Command {
    let codes = EXIT_CODES.map(|(code, meaning)| format!("\n  {code}  {}", Text::whole(meaning)));
    let codes = format!("{}\n\n{}:{}", shown(""), say!("Exit codes"), codes.concat());
    below(program, "").after_long_help(codes)
}

/// A command of that name and those below it.
fn below(command: Command, name: &str) -> Command {
    let shown = shown(name);
    let name = name.to_owned();
    let command = command.mut_subcommands(move |sub| {
        let of_sub = match name.as_str() {
            "" => sub.get_name().to_owned(),
            name => format!("{name}-{}", sub.get_name()),
        };
        below(sub, &of_sub)
    });
    command.after_long_help(shown)
}

fn shown(name: &str) -> String {
    let lines: Vec<String> = examples(name).map(|line| format!("\n  {line}")).collect();
    format!("{}:{}", say!("Examples"), lines.concat())
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, table};
    use super::*;
    use crate::cases;
    use crate::diagnosis::Knowledge;
    use clap::FromArgMatches as _;
    use std::fs;
    use std::path::Path;

    /// The program and every command, each as the manual calls it.
    fn commands() -> Vec<(String, Command)> {
        fn collect(name: &str, command: &Command, found: &mut Vec<(String, Command)>) {
            for sub in command
                .get_subcommands()
                .filter(|it| it.get_name() != "help" && !it.is_hide_set())
            {
                collect(&format!("{name}-{}", sub.get_name()), sub, found);
            }
            let name = name.trim_start_matches('-').to_owned();
            found.push((name, command.clone()));
        }
        let mut program = table();
        program.build();
        let mut found = Vec::new();
        collect("", &program, &mut found);
        found
    }

    #[test]
    fn short_help_is_short_and_long_help_tells_more() {
        let mut wrong = Vec::new();
        for (name, command) in commands() {
            let (short, long) = (
                command.clone().render_help().to_string(),
                command.clone().render_long_help().to_string(),
            );
            if examples(&name).next().is_none() || long.len() <= short.len() {
                wrong.push(format!("{name}: --help has no example"));
            }
            for arg in command.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                if help.chars().count() > 100 || help.contains('\n') {
                    wrong.push(format!("{name}: {} of -h is long: {help}", arg.get_id()));
                }
            }
            let about = command.get_about().map(ToString::to_string);
            let about = about.unwrap_or_default();
            if about.is_empty() || about.chars().count() > 100 {
                wrong.push(format!("{name}: -h says: {about}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// What a line of a shell gives to the program, if it starts with the program.
    fn words(line: &str) -> Option<Vec<String>> {
        let line = line
            .split(['|', '<', '>', '&'])
            .find(|part| part.contains("conformance"))?;
        let line = line.trim_matches(['(', ')', ' ']);
        shell_words::split(line).ok()
    }

    /// Why the program would not take a line.
    fn refused(line: &str) -> Option<String> {
        let words = words(line).unwrap_or_default();
        let read = table().try_get_matches_from(&words);
        let read = read.and_then(|read| Cli::from_arg_matches(&read));
        let explained = words
            .get(2)
            .filter(|_| words.get(1).is_some_and(|it| it == "explain"));
        let is_unknown = |name: &&String| {
            cases::case(name).is_none() && Knowledge::embedded().entry(name).is_none()
        };
        let unknown = explained
            .filter(is_unknown)
            .map(|name| format!("{line}: no {name}"));
        read.err()
            .map(|error| format!("{line}\n{error}"))
            .or(unknown)
    }

    #[test]
    fn every_example_is_one_that_the_program_takes() {
        let lines = EXAMPLES.iter().flat_map(|(_, lines)| lines.iter());
        let wrong: Vec<String> = lines.filter_map(|line| refused(line)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn documents() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = fs::read_dir(root.join("docs")).unwrap();
        docs.map(|entry| entry.unwrap().path())
            .chain([root.join("README.md")])
            .filter(|path| path.extension().is_some_and(|it| it == "md"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    #[test]
    fn every_command_in_the_documents_is_one_that_the_program_takes() {
        let documents = documents();
        let lines = documents.iter().flat_map(|text| text.lines());
        let shown: Vec<&str> = lines
            .filter_map(|line| line.strip_prefix("    "))
            .map(str::trim_start)
            .filter(|line| line.contains("conformance ") && !line.ends_with('\\'))
            .filter(|line| line.starts_with("conformance ") || line.starts_with("source "))
            .collect();
        assert!(shown.len() > 60, "{}", shown.len());
        let wrong: Vec<String> = shown.into_iter().filter_map(refused).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
