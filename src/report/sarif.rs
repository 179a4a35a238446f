//! SARIF, version 2.1.0: what code scanning reads. A result for each case that failed.
//!
//! | verdict | in SARIF |
//! |---|---|
//! | pass, skip | nothing |
//! | warn, unstable | a result of the level `warning` |
//! | fail | a result of the level `error`, or `warning` where the clause is a SHOULD, `note` where it is a MAY |
//! | error | a notification of the tool, since it says nothing about the peer |
//! | whichever, known | a result that is suppressed, with the reason |
//!
//! Rules are the clauses that results are about. A result lies in the file of its script, if there is one, and is
//! named by its case in any. In a strict run warnings are errors here too.

use super::escape::Line;
use super::json;
use crate::event::{Attempts, CaseResult, Known, Run, Verdict};
use crate::spec::{Clause, Level};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};

const VERSION: &str = "2.1.0";
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes a run.
///
/// # Errors
/// When `out` fails.
pub fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    json::write_value(&log(run), out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [RunText; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunText {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<ResultText>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: String,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: Grade,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_configuration_notifications: Vec<Notification>,
    properties: About,
}

/// What was checked, and how.
#[derive(Serialize)]
struct About {
    target: String,
    profile: String,
    seed: u64,
}

#[derive(Serialize)]
struct Notification {
    level: Grade,
    message: Message,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

/// How grave a result is, as SARIF has it.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Note,
    Warning,
    Error,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultText {
    rule_id: String,
    rule_index: usize,
    level: Grade,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: Tried,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    logical_locations: [Logical; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

/// How often it was tried, and how it is tried again.
#[derive(Serialize)]
struct Tried {
    attempts: Attempts,
    #[serde(skip_serializing_if = "String::is_empty")]
    rerun: String,
}

fn log(run: &Run) -> Log {
    let shown: Vec<&CaseResult> = run.results.iter().filter(|one| is_result(one)).collect();
    let mut rules: Vec<&str> = shown.iter().map(|one| rule_id(one)).collect();
    rules.sort_unstable();
    rules.dedup();
    Log {
        schema: SCHEMA,
        version: VERSION,
        runs: [RunText {
            results: shown.iter().map(|one| result(run, one, &rules)).collect(),
            tool: tool(run, &rules),
            invocations: [invocation(run)],
            column_kind: "unicodeCodePoints",
        }],
    }
}

fn tool(run: &Run, rules: &[&str]) -> Tool {
    Tool {
        driver: Driver {
            name: "framespec",
            semantic_version: shown(&run.started.version),
            rules: rules.iter().map(|id| rule(id)).collect(),
        },
    }
}

const fn is_result(result: &CaseResult) -> bool {
    !matches!(
        result.verdict,
        Verdict::Pass | Verdict::Skip | Verdict::Error
    )
}

/// The clause that was broken, which is not always the one that the case is about.
fn rule_id(result: &CaseResult) -> &str {
    let first = result.findings.first();
    first.map_or(&result.clause, |first| &first.clause)
}

fn rule(id: &str) -> Rule {
    let clause = Clause::from_slug(id);
    Rule {
        id: shown(id),
        short_description: message(clause.map_or(id, |clause| clause.sentence())),
        default_configuration: Configuration {
            level: grade(clause.map_or(Level::Must, Clause::level)),
        },
    }
}

const fn grade(level: Level) -> Grade {
    match level {
        Level::Must => Grade::Error,
        Level::Should => Grade::Warning,
        Level::May => Grade::Note,
    }
}

fn result(run: &Run, result: &CaseResult, rules: &[&str]) -> ResultText {
    let id = rule_id(result);
    ResultText {
        rule_id: shown(id),
        rule_index: rules.partition_point(|rule| *rule < id),
        level: match result.verdict {
            Verdict::Fail => grade(result.level),
            _ if run.started.strict => Grade::Error,
            _ => Grade::Warning,
        },
        message: message(&result.detail.shown()),
        locations: [location(result)],
        suppressions: result.known.iter().map(suppression).collect(),
        properties: Tried {
            attempts: result.attempts,
            rerun: shown(&result.rerun),
        },
    }
}

fn location(result: &CaseResult) -> Location {
    let artifact = |path: &String| Physical {
        artifact_location: Artifact { uri: uri(path) },
    };
    Location {
        physical_location: result.file.as_ref().map(artifact),
        logical_locations: [Logical {
            fully_qualified_name: shown(&result.id),
        }],
    }
}

fn suppression(Known { kind, reason }: &Known) -> Suppression {
    Suppression {
        kind: "external",
        justification: shown(&format!("{kind}: {reason}")),
    }
}

/// A run that was broken off did not succeed; what it found before holds all the same.
fn invocation(run: &Run) -> Invocation {
    let error = |text: &str| Notification {
        level: Grade::Error,
        message: message(text),
    };
    let started = &run.started;
    let errors = run.results.iter();
    let errors = errors.filter(|one| one.verdict == Verdict::Error && one.known.is_none());
    let errors = errors.map(|one| error(&format!("{}: {}", one.id, one.detail)));
    let broken_off = run
        .finished
        .broken_off
        .iter()
        .map(|why| error(&why.shown()));
    let stale = run.finished.stale.iter();
    let stale = stale.map(|stale| error(&format!("{} {}", stale.case, stale.problem)));
    let tool_execution_notifications: Vec<_> = errors.chain(broken_off).collect();
    Invocation {
        execution_successful: tool_execution_notifications.is_empty(),
        tool_execution_notifications,
        tool_configuration_notifications: stale.collect(),
        properties: About {
            target: shown(&started.target.shown()),
            profile: shown(&started.profile),
            seed: started.seed,
        },
    }
}

fn message(text: &str) -> Message {
    Message { text: shown(text) }
}

/// On one line, with control characters as numbers.
fn shown(text: &str) -> String {
    Line(text).to_string()
}

/// A path as a reference: relative to wherever the program ran, unless it begins at a root.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut uri = match path.starts_with('/') {
        true => "file://".to_owned(),
        false => String::new(),
    };
    for octet in path.bytes() {
        match octet {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(octet)),
            _ if octet.is_ascii_alphanumeric() => uri.push(char::from(octet)),
            // Writing to a string cannot fail.
            _ => drop(write!(uri, "%{octet:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use serde_json::{Value, json};

    fn written(run: &Run) -> Value {
        let mut out = Vec::new();
        write(run, &mut out).unwrap();
        let mut log: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(log["version"], "2.1.0");
        log["runs"][0].take()
    }

    #[test]
    fn a_result_for_each_case_that_failed_with_the_clause_that_it_broke() {
        let run = fixture::run();
        let log = written(&run);
        let results = log["results"].as_array().unwrap();
        let failed = run.results.iter().filter(|one| is_result(one)).count();
        assert_eq!((results.len(), failed > 3), (failed, true));
        for result in results {
            let rule =
                &log["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            let slug = rule["id"].as_str().unwrap();
            let sentence = Clause::from_slug(slug).unwrap().sentence();
            assert_eq!(rule["shortDescription"]["text"], sentence);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        }
        let invocation = &log["invocations"][0];
        assert_eq!(
            invocation["executionSuccessful"], false,
            "an error is no result"
        );
        assert_eq!(
            invocation["toolExecutionNotifications"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn a_result_lies_in_the_file_of_its_script() {
        let mut run = fixture::full_pass();
        assert_eq!(written(&run)["results"], json!([]));
        assert_eq!(written(&run)["invocations"][0]["executionSuccessful"], true);
        run.results = vec![CaseResult {
            file: Some("out dir/order.1.script".to_owned()),
            ..fixture::case("order/script-7", Verdict::Fail, "late")
        }];
        let log = written(&run);
        let location = &log["results"][0]["locations"][0];
        let uri = &location["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, "out%20dir/order.1.script");
        let name = &location["logicalLocations"][0]["fullyQualifiedName"];
        assert_eq!(
            (name, &log["results"][0]["level"]),
            (&json!("order/script-7"), &json!("error"))
        );
        assert_eq!(super::uri("/a b"), "file:///a%20b");
    }

    #[test]
    fn what_is_known_is_suppressed_and_what_is_stale_is_notified() {
        let run = fixture::known();
        let log = written(&run);
        let results = log["results"].as_array().unwrap();
        let suppressed = results.iter().filter(|one| one["suppressions"].is_array());
        let known = run
            .results
            .iter()
            .filter(|one| one.known.is_some() && is_result(one));
        assert_eq!(suppressed.count(), known.count());
        let stale = &log["invocations"][0]["toolConfigurationNotifications"];
        assert_eq!(stale.as_array().unwrap().len(), run.finished.stale.len());
    }
}
