//! `conformance explain`: what a case does, why, and what its failure usually means.

use super::check_client::client_rehearsal;
use super::exit::{Exit, Failure};
use super::selection::unknown;
use super::wire_format::WireFormatArgs;
use crate::cases::{self, Case, Circumstances, Unfit};
use crate::client_cases;
use crate::judge::ReplyRule;
use crate::outcome::rehearsal;
use crate::profile::Profile;
use crate::report::{human, terminal};
use crate::reproducer::Reproducer;
use crate::script::Script;
use std::io::Write as _;

/// Explain a case: its clause, why it matters, what is sent, what is permitted, what usually fails
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Name of the case, as `list` and every report give it
    #[arg(value_name = "CASE")]
    case: String,
    #[command(flatten)]
    format: WireFormatArgs,
    /// Print its script alone: a file for replay
    #[arg(long)]
    script: bool,
}

impl ExplainArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if let Some(case) = client_cases::case(&self.case) {
            explain_client_case(case, &self.format.profile()?)?;
            return Ok(Exit::Ok);
        }
        let case = cases::case(&self.case).ok_or_else(|| unknown(&self.case))?;
        let profile = self.format.profile()?;
        let script = case.script(&Circumstances::best(&profile, &ReplyRule::Echo));
        if self.script {
            let script = script.map_err(|unfit| Failure::could_not(unfit_words(&unfit)))?;
            let mut file = Reproducer::new(&profile, &script);
            file.stands_for(case.id);
            write!(anstream::stdout().lock(), "{file}")?;
            return Ok(Exit::Ok);
        }
        explain(case, &profile, script)?;
        Ok(Exit::Ok)
    }
}

/// The most steps of a script that are shown.
const STEPS: usize = 14;

/// The most characters of a step that are shown.
const STEP_WIDTH: usize = 150;

fn explain(case: &Case, profile: &Profile, script: Result<Script, Unfit>) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let look = terminal::look();
    writeln!(out, "{} ({})\n", case.id, case.level)?;
    writeln!(out, "{}\n", human::wrapped(case.why, look.width, 0))?;
    if let Some(clause) = case.clause() {
        let clause = format!(
            "Clause {} ({}): {}",
            clause.slug, clause.level, clause.sentence
        );
        writeln!(out, "{}\n", human::wrapped(&clause, look.width, 0))?;
    }
    match script {
        Ok(script) => {
            steps(case, profile, &script, &mut out)?;
            human::exchange(&rehearsal(profile, &script), look, &mut out)?;
        }
        Err(unfit) => writeln!(out, "{}", unfit_words(&unfit))?,
    }
    writeln!(out, "\nWhat usually is behind a failure:")?;
    for cause in cases::likely_causes(case.slug()) {
        writeln!(out, "  - {}", human::wrapped(cause, look.width, 4))?;
    }
    let place = case.place;
    writeln!(out, "\nDefined in {}:{}", place.file(), place.line())
}

/// The same of a case for clients, as it is played to a client that can do everything.
fn explain_client_case(case: &client_cases::Case, profile: &Profile) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let look = terminal::look();
    writeln!(out, "{} ({})\n", case.id, case.level)?;
    writeln!(out, "{}\n", human::wrapped(case.why, look.width, 0))?;
    if let Some(clause) = case.clause() {
        let clause = format!(
            "Clause {} ({}): {}",
            clause.slug, clause.level, clause.sentence
        );
        writeln!(out, "{}\n", human::wrapped(&clause, look.width, 0))?;
    }
    match client_rehearsal(case, profile) {
        Ok(evidence) => human::exchange(&evidence, look, &mut out)?,
        Err(why) => writeln!(out, "It does not apply here: {why}")?,
    }
    writeln!(out, "\nWhat usually is behind a failure:")?;
    for cause in client_cases::likely_causes(case.slug()) {
        writeln!(out, "  - {}", human::wrapped(cause, look.width, 4))?;
    }
    let place = case.place;
    writeln!(out, "\nDefined in {}:{}", place.file(), place.line())
}

/// The script as text: what is done, and where segments are cut.
fn steps(
    case: &Case,
    profile: &Profile,
    script: &Script,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let steps = script.steps();
    writeln!(
        out,
        "Its script in the profile {}; | cuts segments:",
        profile.name()
    )?;
    for step in steps.iter().take(STEPS) {
        let line = step.to_string();
        match line.char_indices().nth(STEP_WIDTH) {
            Some((end, _)) => writeln!(out, "    {} …", line.get(..end).unwrap_or_default())?,
            None => writeln!(out, "    {line}")?,
        }
    }
    let more = steps.len().saturating_sub(STEPS);
    if more > 0 {
        let id = case.id;
        writeln!(
            out,
            "    … {more} steps more: conformance explain {id} --script"
        )?;
    }
    writeln!(out)
}

fn unfit_words(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Skipped(why) => format!("It does not apply here: {why}"),
        Unfit::Broken(error) => format!("It has no valid script here: {error}"),
    }
}
