//! What is wrong with what a client sent.

use super::{Walk, excerpt};
use crate::judge::frame_log::{LoggedFrame as Request, Rest};
use crate::judge::{Finding, mentions};
use crate::lang::{self, Text, say};
use crate::model::payload::is_json_text;
use crate::model::reader::{self, Fault};
use crate::profile::{Payload, Profile, Region};
use crate::spec::Clause;

/// White space at the end of a payload that fills its chunks is padding from so many octets on.
const BLANKS: usize = 2;

impl Walk<'_> {
    /// What is wrong with what the client sent. That is the business of the cases that are about it; the
    /// rest can be judged nevertheless.
    pub(super) fn sent(&mut self) {
        let mut findings = Vec::new();
        let mut at = 0_usize;
        let mut texts = self.texts_typed().into_iter();
        for request in &self.requests.whole {
            let text = texts.next();
            if let Some((clause, what)) = self.badly_sent(request, text) {
                findings.push(told(clause, what, at));
            }
            at = at.saturating_add(request.len);
        }
        findings.extend(self.behind_requests(at));
        self.findings.extend(findings);
    }

    fn badly_sent(&self, request: &Request, text: Option<&str>) -> Option<(Clause, Text)> {
        if let Some(what) = badly_padded(self.profile, request) {
            return Some((Clause::ClientPadding, what));
        }
        if let Some(what) = no_text(self.profile, request.payload()) {
            return Some((Clause::ClientText, what));
        }
        let text = text?;
        let says = |request: &Request| mentions(request.payload(), text);
        (!self.requests.whole.iter().any(says)).then(|| {
            let said = excerpt(request.payload());
            let what = say!(
                "the user typed {text}, and the request says {said}",
                text = format!("{text:?}"),
                said
            );
            (Clause::ClientText, what)
        })
    }

    /// The texts that were typed, as far as the client's requests hold what is typed.
    fn texts_typed(&self) -> Vec<&str> {
        if self.traits.carries.is_none() {
            return Vec::new();
        }
        let typed = self
            .permitted
            .asking
            .iter()
            .flat_map(|asking| &asking.typed);
        typed
            .filter(|typed| !typed.text.is_empty() && self.has_typed(&typed.line))
            .map(|typed| typed.text.as_str())
            .collect()
    }

    fn behind_requests(&self, at: usize) -> Option<Finding> {
        match &self.requests.rest {
            Rest::Nothing => None,
            Rest::Malformed(fault @ Fault::NotWholeChunks { .. }, octets)
                if self.requests.whole.is_empty() || follows_frame(self.profile, octets) =>
            {
                let what = say!("{fault}: {excerpt}", fault, excerpt = excerpt(octets));
                Some(told(Clause::ClientPadding, what, at))
            }
            Rest::Malformed(fault, octets) => {
                let what = match fault {
                    Fault::Checksum { .. } => {
                        say!("a request is not what its checksum was made of")
                    }
                    Fault::Index { .. } => say!("a chunk of a request has another index"),
                    _ => say!("what follows is no header"),
                };
                let what = say!(
                    "{what}, {fault}: {excerpt}",
                    what,
                    fault,
                    excerpt = excerpt(octets)
                );
                Some(told(Clause::ClientFraming, what, at))
            }
            Rest::Unfinished(octets) => {
                let is_over = self.requests.whole.len() >= self.permitted.requests()
                    || self.transcript.has_client_ended();
                let what = say!(
                    "behind the last request came {counted} that are no request",
                    counted = lang::octets(*octets)
                );
                is_over.then(|| told(Clause::ClientFraming, what, at))
            }
        }
    }
}

fn told(clause: Clause, what: Text, at: usize) -> Finding {
    Finding::must(clause, 0, what).own_clause_only().about(at)
}

/// Whether a length that is no whole number of chunks may be the length of what follows it.
fn follows_frame(profile: &Profile, octets: &[u8]) -> bool {
    octets
        .get(reader::header_len(profile, octets))
        .is_some_and(|first| {
            matches!(
                first,
                b'"' | b'{' | b'[' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n'
            )
        })
}

fn badly_padded(profile: &Profile, request: &Request) -> Option<Text> {
    let chunk = usize::try_from(profile.chunk()).unwrap_or(usize::MAX);
    if chunk <= 1 {
        return None;
    }
    let padding = request.padding_len();
    if padding >= chunk && request.payload_len > 0 {
        return Some(say!(
            "{padding} octets of padding, where fewer than {chunk} are needed",
            padding,
            chunk
        ));
    }
    let padding_part = request.body.get(request.payload_len..).unwrap_or_default();
    if let Some(other) = padding_part.iter().find(|octet| **octet != profile.pad()) {
        return Some(say!(
            "padded with {other} where {pad} belongs",
            other = format!("{:02x}", other),
            pad = format!("{:02x}", profile.pad())
        ));
    }
    if padding > 0 || profile.payload() != Payload::Json || !profile.covers(Region::Padding) {
        return None;
    }
    filled_with_other(request.payload(), profile.pad())
}

/// A JSON text behind which octets fill the chunk that are no pad octets.
fn filled_with_other(payload: &[u8], pad: u8) -> Option<Text> {
    let last = *payload.last()?;
    let text = payload
        .iter()
        .rposition(|octet| *octet != last)
        .and_then(|end| payload.get(..=end))?;
    let filling = payload.len().saturating_sub(text.len());
    let is_blank = last.is_ascii_whitespace() && filling >= BLANKS;
    let is_wrong = !is_json_text(payload) && is_json_text(text);
    (is_json_text(text) && (is_blank || is_wrong)).then(|| {
        say!(
            "{filling} octets {last} fill the chunk where {pad} belongs",
            filling,
            last = format!("{:02x}", last),
            pad = format!("{:02x}", pad)
        )
    })
}

fn no_text(profile: &Profile, payload: &[u8]) -> Option<Text> {
    let told = |what: Text| Some(say!("{what}: {excerpt}", what, excerpt = excerpt(payload)));
    if profile.payload() == Payload::Opaque {
        return None;
    }
    if payload.starts_with(b"\xef\xbb\xbf") {
        return told(say!("the payload begins with a byte order mark"));
    }
    if std::str::from_utf8(payload).is_err() {
        return told(say!("the payload is not UTF-8"));
    }
    if profile.payload() == Payload::Json && !is_json_text(payload) {
        return told(say!("the payload is no JSON text"));
    }
    None
}
