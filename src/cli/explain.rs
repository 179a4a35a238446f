//! `conformance explain`: what a case does, why, and what its failure usually means; or what a cause is.

use super::check_client::best_script;
use super::exit::{Exit, Failure};
use super::selection::unknown;
use super::suggestions::suggestions;
use super::wire_format::WireFormatArgs;
use crate::cases::{self, Case, Circumstances, Unfit};
use crate::diagnosis::{Entry, FIRST_LOOK, Knowledge};
use crate::judge::ReplyRule;
use crate::lang::{Hole, Text, say};
use crate::outcome::rehearsal;
use crate::profile::Profile;
use crate::report::{human, terminal};
use crate::reproducer::Reproducer;
use crate::script::Script;
use crate::spec::{CaseId, Clause, Level, Role};
use std::io::Write as _;

/// Explain a case, or a clause or a cause that a report names
///
/// Of a case it tells the clause, why it matters, what is sent, what is permitted, and what is usually behind a failure;
/// of a clause its cases; of a cause what is wrong, what to do about it, how that is done, and which cases it fails.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Name of the case, as `list` and every report give it, or of a clause or a cause
    #[arg(value_name = "NAME")]
    case: String,
    #[command(flatten)]
    format: WireFormatArgs,
    /// Print its script alone: a file for replay
    #[arg(long)]
    script: bool,
}

impl ExplainArgs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if let Some(entry) = Knowledge::embedded().entry(&self.case) {
            cause(entry)?;
            return Ok(Exit::Ok);
        }
        if let Some(known) = Clause::from_slug(&self.case) {
            clause(known)?;
            return Ok(Exit::Ok);
        }
        let case = cases::case(&self.case).ok_or_else(|| neither(&self.case))?;
        let profile = self.format.profile()?;
        let script = match case.role() {
            Role::Server => case.script(&Circumstances::best(&profile, &ReplyRule::Echo)),
            Role::Client => best_script(case, &profile),
        };
        if self.script {
            let script = script.map_err(|unfit| Failure::could_not(unfit_words(&unfit)))?;
            let mut file = Reproducer::new(&profile, &script);
            file.stands_for(&case.id.to_string());
            write!(anstream::stdout().lock(), "{file}")?;
            return Ok(Exit::Ok);
        }
        explain(case, &profile, script)?;
        Ok(Exit::Ok)
    }
}

/// There is no case, clause or cause of that name; what is like it.
fn neither(name: &str) -> Failure {
    let causes = Knowledge::embedded().entries().iter();
    let causes = causes.map(|entry| entry.head.id.as_str());
    let clauses = [Role::Server, Role::Client].map(Role::clauses);
    let clauses = clauses.into_iter().flatten().map(Clause::slug);
    let alike = suggestions(name, causes.chain(clauses));
    if alike.is_empty() || name.contains('/') {
        return unknown(name);
    }
    Failure::usage(say!(
        "no case and no cause is called {name}",
        name = format!("{name:?}")
    ))
    .hint(Text::joined(
        alike.into_iter().map(Text::from),
        &say!(", or "),
    ))
}

/// The most steps of a script that are shown.
const STEPS: usize = 14;

/// The most characters of a step that are shown where no terminal is narrower.
const STEP_WIDTH: usize = 150;

fn explain(case: &Case, profile: &Profile, script: Result<Script, Unfit>) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let look = terminal::look();
    heading(case.id, case.level, case.why, look, &mut out)?;
    match script {
        Ok(script) => {
            steps(case, profile, &script, &mut out)?;
            human::exchange(&rehearsal(profile, &script), look, &mut out)?;
        }
        Err(unfit) => writeln!(out, "{}", unfit_words(&unfit))?,
    }
    usual_causes(case.clause(), look, &mut out)?;
    let place = format!("{}:{}", case.place.file(), case.place.line());
    writeln!(out, "\n{}", say!("Defined in {place}", place))
}

/// A clause: what it asks, what is usually behind a failure, and its cases.
fn clause(clause: Clause) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let look = terminal::look();
    writeln!(out, "{clause} ({})\n", clause.level().text())?;
    let sentence = Text::whole(clause.sentence());
    writeln!(out, "{}", human::wrapped(&sentence.shown(), look.width, 0))?;
    usual_causes(clause, look, &mut out)?;
    writeln!(out, "\n{}:", say!("Its cases"))?;
    for case in cases::of(clause) {
        let why = Text::whole(case.why);
        writeln!(out, "  {}", case.id)?;
        writeln!(out, "      {}", human::wrapped(&why.shown(), look.width, 6))?;
    }
    Ok(())
}

/// A cause: what is wrong, what to do about it, how that is done, and which cases it fails.
fn cause(entry: &Entry) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let (head, width) = (&entry.head, terminal::look().width);
    writeln!(out, "{} ({})\n", head.id, head.clause.level().text())?;
    writeln!(
        out,
        "{}.\n",
        human::wrapped(&Text::whole(&head.title).shown(), width, 0)
    )?;
    writeln!(
        out,
        "{}\n",
        human::wrapped(&Text::whole(&head.advice).shown(), width, 0)
    )?;
    let clause = say!(
        "Clause {clause}: {sentence}",
        clause = head.clause.slug(),
        sentence = Text::whole(head.clause.sentence())
    );
    writeln!(out, "{}", human::wrapped(&clause.shown(), width, 0))?;
    for sketch in Knowledge::embedded().sketches(entry) {
        writeln!(
            out,
            "\n{}:\n",
            say!("In {language}", language = sketch.language)
        )?;
        for (code, comment) in sketch.lines() {
            let comment = comment.map_or(Text::default(), Text::whole);
            writeln!(out, "{}", format!("    {code}{comment}").trim_end())?;
        }
    }
    let failed = entry.lessons().map(|(case, _)| case);
    let failed: Vec<&str> = failed.filter(|case| *case != FIRST_LOOK).collect();
    if !failed.is_empty() {
        let failed = say!(
            "Cases that failed where it was planted: {failed}",
            failed = failed.join(", ")
        );
        writeln!(out, "\n{}", human::wrapped(&failed.shown(), width, 0))?;
    }
    Ok(())
}

fn heading(
    id: CaseId,
    level: Level,
    why: &str,
    look: human::Look,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let (clause, width) = (id.clause, look.width);
    writeln!(out, "{id} ({})\n", level.text())?;
    writeln!(
        out,
        "{}\n",
        human::wrapped(&Text::whole(why).shown(), width, 0)
    )?;
    let clause = say!(
        "Clause {clause} ({level}): {sentence}",
        clause = clause.slug(),
        level = clause.level(),
        sentence = Text::whole(clause.sentence())
    );
    writeln!(out, "{}\n", human::wrapped(&clause.shown(), width, 0))
}

fn usual_causes(
    clause: Clause,
    look: human::Look,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    writeln!(out, "\n{}:", say!("What usually is behind a failure"))?;
    for cause in clause.likely_causes() {
        let cause = Text::whole(cause);
        writeln!(out, "  - {}", human::wrapped(&cause.shown(), look.width, 4))?;
    }
    Ok(())
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
        "{}:",
        say!(
            "Its script in the profile {profile}; | cuts segments",
            profile = profile.name()
        )
    )?;
    let width = terminal::width().map_or(STEP_WIDTH, |width| width.saturating_sub(6));
    for step in steps.iter().take(STEPS) {
        let line = step.to_string();
        match line.char_indices().nth(width) {
            Some((end, _)) => writeln!(out, "    {} …", line.get(..end).unwrap_or_default())?,
            None => writeln!(out, "    {line}")?,
        }
    }
    let more = steps.len().saturating_sub(STEPS);
    if more > 0 {
        let id = case.id;
        writeln!(
            out,
            "    {}",
            say!(
                "… {more} steps more: conformance explain {id} --script",
                more,
                id = id.to_string()
            )
        )?;
    }
    writeln!(out)
}

fn unfit_words(unfit: &Unfit) -> Text {
    match unfit {
        Unfit::Skipped(why) => say!("It does not apply here: {why}", why),
        Unfit::Broken(error) => say!(
            "It has no valid script here: {error}",
            error = Text::from(error.to_string()).heard()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_cause_leads_to_one_and_a_mistyped_case_to_a_case() {
        assert!(neither("no-limt").hint.as_str().starts_with("no-limit"));
        assert!(
            neither("one-reply/singel")
                .hint
                .as_str()
                .starts_with("one-reply/single")
        );
        assert!(neither("zzz").what.as_str().contains("no case"));
    }
}
