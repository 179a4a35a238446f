//! The faults and variants that `serve` knows by name.

use super::exit::{Exit, Failure};
use super::near::near;
use super::out;
use crate::altered::server::{Alteration, Fault, Variant};
use serde_json::{Value, json};

/// The form in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// For people
    Human,
    /// One JSON array of objects
    Json,
}

/// Why a name is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such {kind}{}; --list-{kind}s lists all", meant(near))]
pub(crate) struct Unknown {
    kind: &'static str,
    near: Vec<&'static str>,
}

fn meant(near: &[&str]) -> String {
    if near.is_empty() {
        return String::new();
    }
    format!(", but {}", near.join(", "))
}

pub(crate) fn known_fault(name: &str) -> Result<&'static Fault, Unknown> {
    Fault::named(name).ok_or_else(|| Unknown {
        kind: "fault",
        near: near(name, Fault::all().map(|fault| fault.name)),
    })
}

pub(crate) fn fault(name: &str) -> Result<Alteration, Unknown> {
    known_fault(name).map(Alteration::from)
}

pub(crate) fn known_variant(name: &str) -> Result<&'static Variant, Unknown> {
    Variant::named(name).ok_or_else(|| Unknown {
        kind: "variant",
        near: near(name, Variant::all().map(|variant| variant.name)),
    })
}

pub(crate) fn variant(name: &str) -> Result<Alteration, Unknown> {
    known_variant(name).map(Alteration::from)
}

pub(crate) fn list_faults(form: Form) -> Result<Exit, Failure> {
    match form {
        Form::Json => out::line(Value::from_iter(Fault::all().map(fault_in_json)))?,
        Form::Human => {
            for (theme, faults) in Fault::themes() {
                out::line(format_args!("{theme}"))?;
                for fault in faults {
                    out::line(format_args!("  {:<36} {}", fault.name, fault.clause))?;
                    out::line(format_args!("      {}{}", fault.about, origin(fault)))?;
                }
            }
        }
    }
    Ok(Exit::Ok)
}

fn origin(fault: &Fault) -> String {
    match fault.copies {
        "" => String::new(),
        copies => format!(" [{copies}]"),
    }
}

fn fault_in_json(fault: &Fault) -> Value {
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

pub(crate) fn list_variants(form: Form) -> Result<Exit, Failure> {
    match form {
        Form::Json => out::line(Value::from_iter(Variant::all().map(variant_in_json)))?,
        Form::Human => {
            for variant in Variant::all() {
                out::line(format_args!("{:<26} {}", variant.name, variant.about))?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn variant_in_json(variant: &Variant) -> Value {
    json!({ "name": variant.name, "about": variant.about, "warned": variant.warned })
}
