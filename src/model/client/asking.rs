//! How a client under test comes to ask: what is typed for it, and which requests a script waits for.

use crate::model::{Duty, Owes, Permitted, Tail};
use crate::script::{Action, Awaited, OwnEnd, Script, Typed};

/// How a client under test comes to ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asking {
    /// What each `await` of the script waits for.
    pub awaits: Vec<Awaited>,
    /// What is typed, in order.
    pub typed: Vec<Typed>,
}

impl Asking {
    /// What the script types and waits for: nothing where the client no longer owes anything.
    pub(super) fn of(script: &Script, duties: &[Duty], unasked: Option<usize>) -> Self {
        Self {
            awaits: awaits(script, duties, unasked),
            typed: typed(script),
        }
    }
}

/// Where the first reply begins, be it a whole one, for which no request had been waited for.
pub(super) fn unasked(script: &Script, served: &Permitted) -> Option<usize> {
    let begun = match served.tail {
        Tail::Inside { start, .. } => Some(start),
        Tail::Boundary | Tail::Void | Tail::Apart => None,
    };
    let starts = served.duties.iter().map(|duty| duty.start).chain(begun);
    let mut asked = asked(script).into_iter();
    let mut starts = starts.filter(|start| asked.next().is_none_or(|asked| asked > *start));
    starts.next()
}

/// How many octets had been sent when each request was waited for.
fn asked(script: &Script) -> Vec<usize> {
    let is_end = |action: &Action| matches!(action, Action::Fin | Action::Rst);
    let open = with_sent(script).take_while(|(_, action)| !is_end(action));
    let awaits = open.filter(|(_, action)| **action == Action::Await);
    awaits.map(|(sent, _)| sent).collect()
}

/// Each step, and how many octets had been sent before it.
fn with_sent(script: &Script) -> impl Iterator<Item = (usize, &Action)> {
    let steps = script.steps().iter();
    steps.scan(0_usize, |sent, step| {
        let before = *sent;
        if let Action::Send(segments) = &step.action {
            let octets = segments.iter().map(Vec::len).sum();
            *sent = sent.saturating_add(octets);
        }
        Some((before, &step.action))
    })
}

fn typed(script: &Script) -> Vec<Typed> {
    let steps = script.steps().iter();
    steps
        .filter_map(|step| match &step.action {
            Action::Type(typed) => Some(typed.clone()),
            _ => None,
        })
        .collect()
}

/// What each `await` of the script waits for, in order: nothing where the client no longer owes anything.
fn awaits(script: &Script, duties: &[Duty], unasked: Option<usize>) -> Vec<Awaited> {
    let (mut awaits, mut requests, mut end) = (Vec::new(), 0_usize, OwnEnd::Open);
    for (sent, action) in with_sent(script) {
        match action {
            Action::Fin => end = OwnEnd::Fin,
            Action::Rst => end = OwnEnd::Rst,
            Action::Await => {
                let is_free = unasked.is_some_and(|unasked| sent >= unasked);
                let awaited = match is_free {
                    true => Awaited::Owed,
                    false => awaited(end, sent, duties, requests),
                };
                if matches!(awaited, Awaited::Request(_) | Awaited::RequestOrEnd(_)) {
                    requests = requests.saturating_add(1);
                }
                awaits.push(awaited);
            }
            _ => {}
        }
    }
    awaits
}

fn awaited(end: OwnEnd, sent: usize, duties: &[Duty], requests: usize) -> Awaited {
    let mut due = duties.iter().filter(|duty| duty.due <= sent);
    let is_refused = due.clone().any(|duty| matches!(duty.owes, Owes::Close(_)));
    match (end, due.next_back().map(|duty| &duty.owes)) {
        (OwnEnd::Rst, _) => Awaited::Notice,
        (OwnEnd::Fin, _) => Awaited::End,
        (OwnEnd::Open, _) if is_refused => Awaited::End,
        (OwnEnd::Open, Some(Owes::ReadOnOrEnd(_))) => Awaited::RequestOrEnd(requests),
        (OwnEnd::Open, _) => Awaited::Request(requests),
    }
}
