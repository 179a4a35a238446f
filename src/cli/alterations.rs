//! The faults and variants that `serve` and `chat` know by name.

use super::exit::Failure;
use super::out;
use super::suggestions::suggestions;
use crate::altered::{Alterable, Alteration, Alterations, Fault, Variant};
use crate::lang::{Text, say};
use serde_json::{Value, json};

/// What is to be different, of the role whose steps are `H`.
#[derive(Debug, clap::Args)]
pub(crate) struct AlterationArgs<H: Alterable> {
    /// Behave with this fault, one of --list-faults; may be repeated
    ///
    /// That is for those who test a checker, or the other side.
    #[arg(long, value_name = "NAME", value_parser = fault::<H>, conflicts_with = "variant")]
    fault: Vec<Alteration<H>>,
    /// Behave as this variant, one of --list-variants: as right as without it, but different
    #[arg(long, value_name = "NAME", value_parser = variant::<H>)]
    variant: Option<Alteration<H>>,
    /// List the faults and what each of them does, instead of anything else
    #[arg(long, conflicts_with_all = ["fault", "variant"])]
    list_faults: bool,
    /// List the variants and what each of them does, instead of anything else
    #[arg(long, conflicts_with_all = ["fault", "variant", "list_faults"])]
    list_variants: bool,
    /// Form of the list
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
}

/// The form in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people
    Human,
    /// One JSON array of objects
    Json,
}

impl<H: Alterable> AlterationArgs<H> {
    /// What was asked for, if anything was.
    pub(crate) fn chosen(&self) -> Result<Option<Alterations<H>>, Failure> {
        let all: Vec<_> = self.fault.iter().copied().chain(self.variant).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let all = Alterations::of(all);
        Ok(Some(
            all.map_err(|clash| Failure::usage(clash.to_string()))?,
        ))
    }

    /// Prints the list that was asked for; whether one was.
    pub(crate) fn list(&self) -> Result<bool, Failure> {
        if self.list_faults {
            list_faults::<H>(self.format)?;
        } else if self.list_variants {
            list_variants::<H>(self.format)?;
        }
        Ok(self.list_faults || self.list_variants)
    }
}

/// Why a name is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(kind, near))]
pub(crate) struct Unknown {
    kind: &'static str,
    near: Vec<&'static str>,
}

fn told(kind: &str, near: &[&str]) -> Text {
    let near = meant(near);
    match kind {
        VARIANT => say!(
            "there is no such variant{near}; --list-variants lists all",
            near
        ),
        _ => say!(
            "there is no such fault{near}; --list-faults lists all",
            near
        ),
    }
}

const VARIANT: &str = "variant";

fn meant(near: &[&str]) -> Text {
    match near.is_empty() {
        true => Text::default(),
        false => say!(", but {near}", near = near.join(", ")),
    }
}

fn fault<H: Alterable>(name: &str) -> Result<Alteration<H>, Unknown> {
    let known = Fault::<H>::named(name).map(Alteration::from);
    known.ok_or_else(|| unknown("fault", name, Fault::<H>::all().map(|fault| fault.name)))
}

fn variant<H: Alterable>(name: &str) -> Result<Alteration<H>, Unknown> {
    let known = Variant::<H>::named(name).map(Alteration::from);
    known.ok_or_else(|| unknown(VARIANT, name, Variant::<H>::all().map(|v| v.name)))
}

/// What there is instead of something that there is not.
pub(crate) fn unknown(
    kind: &'static str,
    name: &str,
    names: impl Iterator<Item = &'static str>,
) -> Unknown {
    let near = suggestions(name, names);
    Unknown { kind, near }
}

fn list_faults<H: Alterable>(form: Form) -> Result<(), Failure> {
    if form == Form::Json {
        return out::line(Value::from_iter(Fault::<H>::all().map(fault_in_json)));
    }
    for (theme, faults) in Fault::<H>::themes() {
        out::line(format_args!("{theme}"))?;
        for fault in faults {
            out::line(format_args!("  {:<36} {}", fault.name, fault.clause))?;
            out::line(format_args!("      {}{}", fault.about, origin(fault)))?;
        }
    }
    Ok(())
}

fn origin<H>(fault: &Fault<H>) -> String {
    match fault.copies {
        "" => String::new(),
        copies => format!(" [{copies}]"),
    }
}

fn fault_in_json<H>(fault: &Fault<H>) -> Value {
    let copies: Vec<&str> = fault
        .copies
        .split(", ")
        .filter(|one| !one.is_empty())
        .collect();
    json!({
        "name": fault.name,
        "clause": fault.clause,
        "about": fault.about,
        "copies": copies,
        "needs": fault.needs.as_str(),
    })
}

fn list_variants<H: Alterable>(form: Form) -> Result<(), Failure> {
    if form == Form::Json {
        return out::line(Value::from_iter(Variant::<H>::all().map(variant_in_json)));
    }
    for variant in Variant::<H>::all() {
        out::line(format_args!("{:<26} {}", variant.name, variant.about))?;
    }
    Ok(())
}

fn variant_in_json<H>(variant: &Variant<H>) -> Value {
    json!({ "name": variant.name, "about": variant.about, "warned": variant.warned })
}
