//! A profile as the text of a file.

use super::words::{FORMS, ORDERS, PAYLOADS, REGIONS, UNITS, word_for};
use crate::profile::{Draft, Form, OverLimit, Region, ReplyOrder};
use std::fmt::Write as _;

pub(super) fn file(draft: &Draft) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut out, draft);
    out
}

fn write(out: &mut String, draft: &Draft) -> std::fmt::Result {
    writeln!(out, "name = {}", text(&draft.name))?;
    writeln!(out, "about = {}", text(&draft.about))?;
    writeln!(out, "\n[header]\nbefore = {}", text(&draft.before))?;
    writeln!(out, "after = {}", text(&draft.after))?;
    replies(out, draft)?;
    length(out, draft)?;
    writeln!(out, "\n[body]\nchunk = {}", draft.chunk)?;
    writeln!(out, "pad = {:#04x}", draft.pad)?;
    writeln!(out, "payload = {:?}", word_for(&PAYLOADS, &draft.payload))?;
    index(out, draft)?;
    if !draft.trailer.is_empty() {
        writeln!(out, "\n[trailer]\noctets = {}", text(&draft.trailer))?;
    }
    checksum(out, draft)?;
    limits(out, draft)?;
    writeln!(out, "\n[exchange]\nreply = {:?}", draft.reply.as_str())?;
    if draft.reply_order != ReplyOrder::default() {
        writeln!(out, "order = {:?}", draft.reply_order.as_str())?;
    }
    if let Some(request) = &draft.request {
        writeln!(out, "request = {}", text(request))?;
    }
    if let Some(unanswered) = &draft.unanswered {
        writeln!(out, "unanswered = {}", text(unanswered))?;
    }
    if !draft.prologue.is_empty() {
        let turns = draft.prologue.iter().map(|turn| turn.as_str().into());
        let turns = toml::Value::Array(turns.collect());
        writeln!(out, "prologue = {turns}")?;
    }
    if let Some(most) = draft.requests_per_connection {
        writeln!(out, "requests_per_connection = {most}")?;
    }
    Ok(())
}

fn limits(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let is_said = draft.over_limit != OverLimit::default();
    if draft.max_body.is_some() || is_said {
        writeln!(out, "\n[limits]")?;
    }
    if let Some(max_body) = draft.max_body {
        writeln!(out, "max_body = {max_body}")?;
    }
    if is_said {
        writeln!(out, "over = {:?}", draft.over_limit.as_str())?;
    }
    Ok(())
}

fn replies(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let said = |mark: &String| Some(mark.clone()).filter(|mark| !mark.is_empty());
    let (refusal, last) = (said(&draft.refusal), said(&draft.reply_last));
    let marks = [
        ("before", &draft.reply_before),
        ("after", &draft.reply_after),
        ("refusal", &refusal),
        ("last", &last),
    ];
    let mut marks = marks
        .into_iter()
        .filter_map(|(key, mark)| Some((key, mark.as_ref()?)));
    let mut heading = "\n[replies]\n";
    marks.try_for_each(|(key, mark)| {
        writeln!(out, "{heading}{key} = {}", text(mark))?;
        heading = "";
        Ok(())
    })
}

fn index(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let Some(width) = draft.index else {
        return Ok(());
    };
    writeln!(out, "last = {:?}", draft.last.as_str())?;
    writeln!(out, "\n[body.index]\nwidth = {width}")?;
    let order = word_for(&ORDERS, &draft.index_order);
    writeln!(out, "order = {order:?}\nfrom = {}", draft.index_from)
}

fn checksum(out: &mut String, draft: &Draft) -> std::fmt::Result {
    let Some(kind) = draft.checksum else {
        return Ok(());
    };
    writeln!(out, "\n[checksum]\nkind = {:?}", kind.as_str())?;
    if kind.is_number() {
        let order = word_for(&ORDERS, &draft.checksum_order);
        writeln!(out, "order = {order:?}")?;
    }
    writeln!(out, "covers = {}", regions(&draft.checksum_covers))
}

fn regions(regions: &[Region]) -> toml::Value {
    let words = regions.iter().map(|r| word_for(&REGIONS, r).into());
    toml::Value::Array(words.map(toml::Value::String).collect())
}

fn length(out: &mut String, draft: &Draft) -> std::fmt::Result {
    writeln!(
        out,
        "\n[length]\nform = {:?}",
        word_for(&FORMS, &draft.form)
    )?;
    writeln!(out, "width = {}", draft.width)?;
    if draft.form == Form::Binary {
        writeln!(out, "order = {:?}", word_for(&ORDERS, &draft.order))?;
        writeln!(out, "signed = {}", draft.signed)?;
    } else {
        writeln!(out, "overlong = {}", draft.overlong)?;
    }
    if draft.form == Form::Decimal {
        writeln!(out, "end = {}", text(draft.end.as_str()))?;
    }
    writeln!(out, "unit = {:?}", word_for(&UNITS, &draft.unit))?;
    writeln!(out, "covers = {}", regions(&draft.covers))
}

/// A string as TOML spells it.
fn text(text: &str) -> toml::Value {
    toml::Value::String(text.to_owned())
}
