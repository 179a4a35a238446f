//! Scripts where a connection is there for so many requests and no more: what follows those is asked on another one.

use super::Unfit;
use crate::lang::{Text, say};
use crate::model::{self, Tail};
use crate::profile::Profile;
use crate::script::{Action, Conn, Script, Step, StepError};
use crate::spec::Clause;

/// The most connections that a script comes to have.
const MOST_CONNECTIONS: usize = 256;

/// What is asked on one connection and would show nothing on several.
const OF_ONE_CONNECTION: [Clause; 4] = [
    Clause::Persistence,
    Clause::Pipelining,
    Clause::Order,
    Clause::Boundary,
];

fn too_many() -> Text {
    say!("a connection of this profile is there for fewer requests")
}

/// The script with no more requests on any connection than the profile has there.
///
/// # Errors
/// If what it asks needs more on one connection, and that as a reason.
pub(super) fn within(
    profile: &Profile,
    script: Script,
    clause: Clause,
    is_looked_at: bool,
) -> Result<Script, Unfit> {
    let most = profile.requests_per_connection();
    let Some(most) = most.and_then(|most| usize::try_from(most).ok()) else {
        return Ok(script);
    };
    let starts: Vec<Vec<usize>> = model::permitted(profile, &script)
        .iter()
        .map(starts)
        .collect();
    let fits = starts.iter().all(|starts| starts.len() <= most);
    if fits || profile.carriage().is_datagrams() {
        return Ok(script);
    }
    if is_looked_at || OF_ONE_CONNECTION.contains(&clause) {
        return Err(Unfit::Skipped(too_many()));
    }
    let mut apart = Apart {
        most,
        starts,
        conns: Vec::new(),
        made: script.emptied(),
    };
    for step in script.steps() {
        apart.step(step)?;
    }
    Ok(apart.made)
}

/// Where frames begin on a connection, be they whole or not.
fn starts(permitted: &model::Permitted) -> Vec<usize> {
    let whole = permitted.duties.iter().map(|duty| duty.start);
    let begun = match permitted.tail {
        Tail::Inside { start, .. } => Some(start),
        Tail::Boundary | Tail::Void | Tail::Apart => None,
    };
    whole.chain(begun).collect()
}

struct Apart {
    most: usize,
    starts: Vec<Vec<usize>>,
    /// For each connection of the script the one that stands for it now.
    conns: Vec<Now>,
    made: Script,
}

#[derive(Clone, Copy)]
struct Now {
    conn: Conn,
    /// Octets that the script has sent on its connection.
    sent: usize,
    /// Frames that were begun on the one that stands for it.
    begun: usize,
}

impl Apart {
    fn step(&mut self, step: &Step) -> Result<(), Unfit> {
        match &step.action {
            Action::Open | Action::Begin(_) => {
                let conn = self.made.connections();
                self.push(conn, step.action.clone())?;
                self.conns.push(Now {
                    conn,
                    sent: 0,
                    begun: 0,
                });
                Ok(())
            }
            Action::Send(segments) => self.send(step.conn, segments),
            action => {
                let conn = self.conns.get(step.conn).map_or(step.conn, |now| now.conn);
                self.push(conn, action.clone())
            }
        }
    }

    fn send(&mut self, of: Conn, segments: &[Vec<u8>]) -> Result<(), Unfit> {
        let Some(now) = self.conns.get(of).copied() else {
            return Err(Unfit::Broken(StepError::NotOpen));
        };
        let octets: usize = segments.iter().map(Vec::len).sum();
        let end = now.sent.saturating_add(octets);
        let starts = self.starts.get(of).map_or(&[][..], Vec::as_slice);
        let begun = starts
            .iter()
            .filter(|start| (now.sent..end).contains(start));
        let begun = begun.count();
        let is_at_start = starts.contains(&now.sent);
        let mut next = now;
        if now.begun.saturating_add(begun) > self.most && is_at_start && now.begun > 0 {
            next = self.another(now)?;
        }
        next.begun = next.begun.saturating_add(begun);
        if next.begun > self.most {
            return Err(Unfit::Skipped(too_many()));
        }
        next.sent = end;
        if let Some(place) = self.conns.get_mut(of) {
            *place = next;
        }
        self.push(next.conn, Action::Send(segments.to_vec()))
    }

    /// Is done with a connection, and opens another in its place.
    fn another(&mut self, now: Now) -> Result<Now, Unfit> {
        for action in [Action::Await, Action::Fin, Action::Await] {
            self.push(now.conn, action)?;
        }
        let conn = self.made.connections();
        if conn >= MOST_CONNECTIONS {
            let why =
                say!("it would take too many connections where each is there for few requests");
            return Err(Unfit::Skipped(why));
        }
        self.push(conn, Action::Open)?;
        Ok(Now {
            conn,
            begun: 0,
            ..now
        })
    }

    fn push(&mut self, conn: Conn, action: Action) -> Result<(), Unfit> {
        self.made.push(conn, action).map_err(Unfit::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(steps: &str, clause: Clause) -> Result<String, Unfit> {
        let text = "name = 'p'\nlength.width = 1\nexchange.requests_per_connection = 1";
        let profile = Profile::from_toml(text).unwrap();
        let script = format!("framespec script 1\n{steps}").parse().unwrap();
        let made = within(&profile, script, clause, false)?.to_string();
        let steps = made.lines().skip(1).map(str::to_owned);
        Ok(steps.collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn each_request_has_a_connection_of_its_own() {
        let made = apart(
            "open a\nsend a 01 | '1'\nawait a\nsend a 0131\nquiet a\nfin a\n",
            Clause::Fidelity,
        );
        assert_eq!(
            made.unwrap(),
            "open a; send a 01 | 31; await a; await a; fin a; await a; open b; send b 01 31; quiet b; fin b"
        );
        let whole = "open a; send a 01; send a 31; await a";
        assert_eq!(
            apart(&whole.replace("; ", "\n"), Clause::Fidelity).unwrap(),
            whole
        );
    }

    #[test]
    fn what_needs_one_connection_has_no_script() {
        let glued = "open a\nsend a 01 '1' 01 '2'\n";
        assert!(apart(glued, Clause::Reassembly).is_err());
        let in_turn = "open a\nsend a 01 '1'\nsend a 01 '2'\n";
        assert!(apart(in_turn, Clause::Persistence).is_err());
        assert!(apart(in_turn, Clause::Fidelity).is_ok());
    }
}
