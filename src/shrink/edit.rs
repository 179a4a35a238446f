//! Changes to a script that leave it a script.

use crate::script::{Action, Conn, Script, Step};
use std::ops::Range;
use std::time::Duration;

/// A stretch of a stream that is replaced. Where it was cut, what replaces it is cut in proportion.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) conn: Conn,
    pub(super) range: Range<usize>,
    pub(super) by: Vec<u8>,
    /// Octets in front in which a cut stays where it is.
    pub(super) fixed: usize,
}

impl Edit {
    /// Where within the new octets a cut belongs that was so far inside the old ones.
    fn cut(&self, inside: usize) -> usize {
        let fixed = self.fixed.min(self.by.len());
        if inside <= fixed {
            return inside;
        }
        let old = self.range.len().saturating_sub(fixed);
        let new = self.by.len().saturating_sub(fixed);
        let part = inside.saturating_sub(fixed).saturating_mul(new);
        fixed.saturating_add(part.checked_div(old).unwrap_or_default())
    }
}

/// The steps as a script of the same side, if they are one.
fn script(of: &Script, steps: impl IntoIterator<Item = Step>) -> Option<Script> {
    let mut script = of.emptied();
    for step in steps {
        script.push(step.conn, step.action).ok()?;
    }
    Some(script)
}

/// The script with stretches of its streams replaced. Segments and steps that have nothing left to
/// send are gone.
pub(super) fn spliced(of: &Script, streams: &[Vec<u8>], edits: &[Edit]) -> Option<Script> {
    let edited: Vec<Edited<'_>> = streams
        .iter()
        .enumerate()
        .map(|(conn, stream)| Edited::new(stream, edits.iter().filter(|edit| edit.conn == conn)))
        .collect();
    let mut sent = vec![0_usize; streams.len()];
    let mut steps = Vec::new();
    for step in of.steps() {
        let Action::Send(segments) = &step.action else {
            steps.push(step.clone());
            continue;
        };
        let (edited, sent) = edited.get(step.conn).zip(sent.get_mut(step.conn))?;
        let mut left = Vec::new();
        for segment in segments {
            let end = sent.saturating_add(segment.len());
            left.extend(edited.between(*sent, end));
            *sent = end;
        }
        if !left.is_empty() {
            let (conn, action) = (step.conn, Action::Send(left));
            steps.push(Step { conn, action });
        }
    }
    script(of, steps)
}

/// A stream with its edits, in order.
struct Edited<'a> {
    edits: Vec<&'a Edit>,
    octets: Vec<u8>,
}

impl<'a> Edited<'a> {
    fn new(stream: &[u8], edits: impl Iterator<Item = &'a Edit>) -> Self {
        let mut edits: Vec<&Edit> = edits.collect();
        edits.sort_by_key(|edit| edit.range.start);
        let (mut octets, mut at) = (Vec::new(), 0);
        for edit in &edits {
            octets.extend_from_slice(stream.get(at..edit.range.start).unwrap_or_default());
            octets.extend_from_slice(&edit.by);
            at = edit.range.end;
        }
        octets.extend_from_slice(stream.get(at..).unwrap_or_default());
        Self { edits, octets }
    }

    /// What has become of the octets that stood there; nothing if nothing is left.
    fn between(&self, start: usize, end: usize) -> Option<Vec<u8>> {
        let octets = self.octets.get(self.moved(start)..self.moved(end))?;
        (!octets.is_empty()).then(|| octets.to_vec())
    }

    fn moved(&self, place: usize) -> usize {
        let (mut added, mut removed) = (0_usize, 0_usize);
        for edit in &self.edits {
            if place <= edit.range.start {
                break;
            }
            if place < edit.range.end {
                let inside = edit.cut(place.saturating_sub(edit.range.start));
                let start = edit.range.start.saturating_add(added);
                return start.saturating_sub(removed).saturating_add(inside);
            }
            added = added.saturating_add(edit.by.len());
            removed = removed.saturating_add(edit.range.len());
        }
        place.saturating_add(added).saturating_sub(removed)
    }
}

/// The script without some of its connections.
pub(super) fn without_conns(of: &Script, out: &Range<usize>) -> Option<Script> {
    let steps = of.steps().iter().filter_map(|step| {
        if step.action.is_general() {
            return Some(step.clone());
        }
        let conn = match step.conn {
            conn if conn < out.start => conn,
            conn if conn < out.end => return None,
            conn => conn.saturating_sub(out.len()),
        };
        let action = step.action.clone();
        Some(Step { conn, action })
    });
    script(of, steps)
}

/// Whether each step can be left out by itself. Looking whether nothing more comes is kept: without it what comes
/// too much is seen only where it comes at once. What is typed for a request that is waited for is kept too: a client
/// that sends only what is typed owes nothing without it, and the script would show nothing of what it got wrong.
fn looseness(of: &Script) -> impl Iterator<Item = bool> + '_ {
    let waits = |step: &Step| step.action == Action::Await;
    let last_wait = of.steps().iter().rposition(waits);
    let loose = move |(at, step): (usize, &Step)| match step.action {
        Action::Open | Action::Begin(_) | Action::Send(_) | Action::Quiet => false,
        Action::Type(_) => last_wait.is_none_or(|last| last < at),
        _ => true,
    };
    of.steps().iter().enumerate().map(loose)
}

/// How many steps can be left out by themselves.
pub(super) fn loose_steps(of: &Script) -> usize {
    looseness(of).filter(|loose| *loose).count()
}

/// The script without some of the steps that can be left out by themselves, counted among themselves.
pub(super) fn without_steps(of: &Script, out: &Range<usize>) -> Option<Script> {
    let mut seen = 0_usize;
    let steps = of.steps().iter().zip(looseness(of)).filter(|(_, loose)| {
        let number = seen;
        seen = seen.saturating_add(usize::from(*loose));
        !(*loose && out.contains(&number))
    });
    script(of, steps.map(|(step, _)| step.clone()))
}

/// Places where one segment is followed by the next of the same connection, with nothing done in
/// between.
pub(super) fn cuts(of: &Script) -> usize {
    let mut count = 0_usize;
    let mut before = None;
    for step in of.steps() {
        before = match &step.action {
            Action::Send(segments) => {
                let joins = usize::from(before == Some(step.conn));
                let inside = segments.len().saturating_sub(1);
                count = count.saturating_add(joins).saturating_add(inside);
                Some(step.conn)
            }
            _ => None,
        };
    }
    count
}

/// The script with the segments on both sides of some cuts joined to one.
pub(super) fn without_cuts(of: &Script, out: &Range<usize>) -> Option<Script> {
    let mut number = 0_usize;
    let mut steps: Vec<Step> = Vec::new();
    for step in of.steps() {
        let Action::Send(segments) = &step.action else {
            steps.push(step.clone());
            continue;
        };
        let mut left: Vec<Vec<u8>> = Vec::new();
        for segment in segments {
            let before = match (left.last_mut(), steps.last_mut()) {
                (Some(before), _) => Some(before),
                (
                    None,
                    Some(Step {
                        conn,
                        action: Action::Send(sent),
                    }),
                ) if *conn == step.conn => sent.last_mut(),
                _ => None,
            };
            let is_cut = before.is_some();
            let joined = is_cut && out.contains(&number);
            number = number.saturating_add(usize::from(is_cut));
            match before {
                Some(before) if joined => before.extend_from_slice(segment),
                _ => left.push(segment.clone()),
            }
        }
        if !left.is_empty() {
            let (conn, action) = (step.conn, Action::Send(left));
            steps.push(Step { conn, action });
        }
    }
    script(of, steps)
}

/// How many pauses there are.
pub(super) fn pauses(of: &Script) -> usize {
    let is_pause = |step: &&Step| matches!(step.action, Action::Pause(_));
    of.steps().iter().filter(is_pause).count()
}

/// The script with some of its pauses half as long.
pub(super) fn with_shorter_pauses(of: &Script, which: &Range<usize>) -> Option<Script> {
    let mut seen = 0_usize;
    let steps = of.steps().iter().map(|step| {
        let Action::Pause(time) = &step.action else {
            return step.clone();
        };
        let number = seen;
        seen = seen.saturating_add(1);
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let time = if which.contains(&number) {
            Duration::from_millis(millis / 2)
        } else {
            *time
        };
        Step {
            conn: step.conn,
            action: Action::Pause(time),
        }
    });
    script(of, steps)
}
