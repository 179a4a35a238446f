//! The first look at a server: can it be reached, does it answer, how, and how fast.

use super::canary::{
    Canary, Trouble, Unasked, carried, question, question_of_octets, question_without_padding,
};
use super::pace::{GraceBudget, Load, Pace};
use super::session::ServerPeer;
use super::target::Endpoint;
use super::unmet::{Failed, NotServed, Unreachable, not_served, unasked};
use super::{MOST_CONNECTIONS, MOST_WAITING};
use crate::event::Calibration;
use crate::judge::{Frame, ReplyRule};
use crate::lang::{Hole, Text, say};
use crate::outcome::{micros, millis};
use crate::peer::connection::{connect, was_reset};
use crate::peer::door::Door;
use crate::profile::{Profile, Reply};
use crate::run::Options;
use std::io;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Round trips that are measured.
const ROUND_TRIPS: usize = 9;

/// What is added to shown silence at least, where each connection has a process of its own.
const LEAST_SLACK: Duration = Duration::from_millis(3);

/// Octets of a text that shows how fast a server sends.
const LONGER: usize = 500;

/// How often it is asked for.
const LONGER_TRIES: u32 = 3;

/// How long a connection may take to end behind its first reply if it is there for no more.
const ENDS: Duration = Duration::from_millis(500);

/// How long the first answer may take at least.
const FIRST: Duration = Duration::from_secs(3);

/// Takes the first look at a server.
pub(super) async fn calibrate(
    endpoint: &Endpoint,
    options: &Options,
    slack: Option<Duration>,
) -> Result<(ServerPeer, Calibration), Failed> {
    let first = options.timeout.max(FIRST);
    let door = reach(&endpoint.doors, options, first)
        .await
        .map_err(Failed::Unreachable)?;
    let profile = &options.profile;
    if door.is_of_datagrams() && !profile.prologue().is_empty() {
        return Err(Failed::Unreachable(Unreachable {
            target: options.target.clone(),
            why: say!(
                "the profile has a prologue, which is said on a connection, and datagrams have none"
            ),
            kind: io::ErrorKind::Unsupported,
        }));
    }
    if let Err(Trouble::NotBegun(why)) = Canary::connect(&door, profile, first).await {
        return Err(Failed::Unreachable(Unreachable {
            target: options.target.clone(),
            why,
            kind: io::ErrorKind::InvalidData,
        }));
    }
    let mut serves = profile.clone();
    let found = if profile.reply() == Reply::None {
        silent_server(&door, first).await
    } else {
        match answers_as_it_serves(&door, options, first).await {
            Ok((profile, answered)) => {
                serves = profile;
                if late_rule(&serves, &answered.exchanges).is_some()
                    && let Some(not_served) = greets(&door, &serves, first).await
                {
                    return Err(Failed::NotServed(not_served));
                }
                answering_server(&door, &serves, first, answered).await
            }
            Err(Trouble::Refused(why)) if door.is_of_datagrams() => {
                return Err(Failed::Unreachable(Unreachable {
                    target: options.target.clone(),
                    why,
                    kind: io::ErrorKind::ConnectionRefused,
                }));
            }
            Err(trouble) => {
                let not_served = not_served(&door, profile, first, &trouble).await;
                return Err(Failed::NotServed(not_served));
            }
        }
    };
    // Others start beside it, and then take longer.
    let timeout = options
        .timeout
        .saturating_add(found.startup.saturating_mul(4));
    let pace = Pace::new(found.round_trip, slack.or(found.slack), timeout);
    let (bears, per_octet) = match pace.is_slow() && found.concurrent {
        true => at_leisure(&door, &serves, &pace).await,
        false => (MOST_CONNECTIONS, Duration::ZERO),
    };
    let pace = pace.with_octets_of(per_octet);
    let mut notes = found.notes;
    notes.extend(at_slow(&pace, bears, options.within));
    let told = Calibration {
        client: Text::default(),
        round_trip_us: micros(pace.round_trip),
        reply: found.rule.as_str().to_owned(),
        concurrent: found.concurrent,
        slack_us: micros(pace.slack),
        timeout_ms: millis(pace.timeout),
        notes,
    };
    let peer = ServerPeer {
        door,
        profile: serves,
        promised: Box::new(profile.clone()),
        rule: found.rule,
        canary_rule: found.canary_rule,
        pace,
        load: Load::default(),
        grace: GraceBudget::default(),
        concurrent: found.concurrent,
        bears,
        company: None,
        process: endpoint.process,
        rests: true,
        spins: false,
        stderr: endpoint.stderr.clone(),
    };
    Ok((peer, told))
}

/// What was found out.
struct Found {
    rule: ReplyRule,
    canary_rule: ReplyRule,
    round_trip: Duration,
    /// How long it takes until one answers that is started for each connection.
    startup: Duration,
    /// What is to be added to shown silence, where it cannot follow from the round trip.
    slack: Option<Duration>,
    concurrent: bool,
    notes: Vec<Text>,
}

/// The first address at which somebody listens.
async fn reach(doors: &[Door], options: &Options, limit: Duration) -> Result<Door, Unreachable> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for door in doors {
        match connect(door, limit, false).await {
            Ok(_) => return Ok(door.clone()),
            // Somebody listens there, however unkindly.
            Err(error) if was_reset(&error) => return Ok(door.clone()),
            Err(error) => last = error,
        }
    }
    Err(Unreachable {
        target: options.target.clone(),
        why: last.text(),
        kind: last.kind(),
    })
}

/// Nothing can be measured at a server that sends no replies.
async fn silent_server(door: &Door, limit: Duration) -> Found {
    let begun = Instant::now();
    let other = connect(door, limit, false).await;
    Found {
        rule: ReplyRule::None,
        canary_rule: ReplyRule::None,
        round_trip: begun.elapsed(),
        startup: Duration::ZERO,
        slack: Some(Duration::from_millis(50)),
        concurrent: other.is_ok(),
        notes: vec![say!(
            "the profile says that requests get no replies: only closes are checked"
        )],
    }
}

async fn answering_server(
    door: &Door,
    profile: &Profile,
    limit: Duration,
    answered: Answered,
) -> Found {
    let startup = if door.is_started_anew() {
        answered.first
    } else {
        Duration::ZERO
    };
    let concurrent = serves_two(door, profile, limit).await;
    let canary_rule = rule(profile, &answered.exchanges);
    let unpadded = rule_without_padding(door, profile, limit, &canary_rule).await;
    let late = late_rule(profile, &answered.exchanges);
    Found {
        notes: match (&unpadded, &late) {
            (Some(_), _) => vec![left_on()],
            (None, Some(_)) => vec![self::late()],
            (None, None) => notes(&answered, concurrent, &canary_rule),
        },
        rule: unpadded.or(late).unwrap_or_else(|| canary_rule.clone()),
        canary_rule,
        round_trip: answered.round_trip,
        startup,
        // A client that is served shows nothing of a process that is still starting.
        slack: door
            .is_started_anew()
            .then(|| startup.saturating_mul(2).max(LEAST_SLACK)),
        concurrent,
    }
}

/// Why a server is not served whose replies are each for the request before: what it said unasked may have been taken for
/// the first of them.
async fn greets(door: &Door, profile: &Profile, limit: Duration) -> Option<NotServed> {
    let said = unasked(door, profile, limit).await?;
    match said {
        Unasked::Said(_) => {
            let trouble = Trouble::Garbage(late());
            Some(not_served(door, profile, limit, &trouble).await)
        }
        Unasked::Ended => None,
    }
}

/// How many clients a slow server answers at the same time, and how much longer it takes for each octet.
async fn at_leisure(door: &Door, profile: &Profile, pace: &Pace) -> (usize, Duration) {
    if profile.reply() == Reply::None {
        return (MOST_CONNECTIONS, Duration::ZERO);
    }
    let per_octet = per_octet(door, profile, pace).await.unwrap_or_default();
    let bears = match bears(door, profile, pace, MOST_WAITING).await {
        true => MOST_WAITING,
        false => MOST_CONNECTIONS,
    };
    (bears, per_octet)
}

/// What is done otherwise at a server that lets its clients wait.
fn at_slow(pace: &Pace, bears: usize, within: Option<Duration>) -> Option<Text> {
    let in_turn = pace.in_turn(within);
    (in_turn < usize::MAX).then(|| {
        say!("each reply takes {round_trip}: up to {bears} clients are there at once, and cases that ask often ask about {in_turn} times in turn (as often as elsewhere with --within 0)", round_trip = format!("{:.0?}", pace.round_trip), bears, in_turn)
    })
}

/// By how much the reply to a longer request takes longer, for each octet: the least of some times, as a busy machine
/// may make any of them long.
async fn per_octet(door: &Door, profile: &Profile, pace: &Pace) -> Option<Duration> {
    let limit = pace.hard_timeout(1, LONGER, 1, &GraceBudget::default());
    let mut canary = Canary::connect(door, profile, limit).await.ok()?;
    let (_, short) = question(profile);
    let mut least = Duration::MAX;
    for _ in 0..LONGER_TRIES {
        let frame = question_of_octets(profile, LONGER);
        let more = u32::try_from(frame.len().saturating_sub(short.len())).ok()?;
        let begun = Instant::now();
        canary.ask(&frame, limit).await.ok()?;
        let longer = begun.elapsed().saturating_sub(pace.round_trip);
        least = least.min(longer.checked_div(more)?);
    }
    Some(least)
}

/// Whether that many clients are answered in little more than the time of one: whoever works for each of them in turn
/// takes longer.
async fn bears(door: &Door, profile: &Profile, pace: &Pace, clients: usize) -> bool {
    let limit = pace.round_trip.saturating_mul(3);
    let mut asking = JoinSet::new();
    for _ in 0..clients {
        let (door, profile) = (door.clone(), profile.clone());
        asking.spawn(async move {
            let mut canary = Canary::connect(&door, &profile, limit).await.ok()?;
            let (_, frame) = question(&profile);
            canary.ask(&frame, limit).await.ok()?;
            Some(canary)
        });
    }
    let begun = Instant::now();
    // None of them goes before all have been served.
    let served = asking.join_all().await;
    served.iter().all(Option::is_some) && begun.elapsed() < limit
}

/// What is said of a server that answers only requests without padding by what they said.
fn left_on() -> Text {
    say!(
        "a request that fills its chunks is answered by what it says, and one with padding is not: the padding seems to be left on"
    )
}

/// What is said of a server whose replies are each for the request before.
fn late() -> Text {
    say!("each reply is what the request before it asks for")
}

/// How replies relate to the requests before theirs, where they do not hold what their own asked.
fn late_rule(profile: &Profile, exchanges: &[Exchange]) -> Option<ReplyRule> {
    let is_found = rule(profile, exchanges) == ReplyRule::Any && profile.reply() == Reply::Auto;
    if !is_found || exchanges.len() < 2 {
        return None;
    }
    let shifted = exchanges.iter().zip(exchanges.iter().skip(1));
    let answers = |rule: &ReplyRule| {
        shifted.clone().all(|(before, late)| {
            carried(profile, &before.frame)
                .is_some_and(|carried| rule.answers(&carried, &late.reply))
        })
    };
    [ReplyRule::Echo, ReplyRule::Token(None)]
        .into_iter()
        .find(answers)
}

/// How replies relate to requests that need no padding, where they do not hold what others asked.
async fn rule_without_padding(
    door: &Door,
    profile: &Profile,
    limit: Duration,
    padded: &ReplyRule,
) -> Option<ReplyRule> {
    let is_found = *padded == ReplyRule::Any && profile.reply() == Reply::Auto;
    if !is_found || profile.chunk() == 1 {
        return None;
    }
    let mut canary = Canary::connect(door, profile, limit).await.ok()?;
    let mut exchanges = Vec::new();
    for _ in 0..2 {
        let (text, frame) = question_without_padding(profile);
        let reply = canary.ask(&frame, limit).await.ok()?;
        exchanges.push(Exchange { text, frame, reply });
    }
    Some(rule(profile, &exchanges)).filter(|rule| *rule != ReplyRule::Any)
}

/// Requests that were answered, and how fast.
struct Answered {
    exchanges: Vec<Exchange>,
    round_trip: Duration,
    /// The first of the round trips, with what had to be done before.
    first: Duration,
    /// The server ended the connection when it had answered once.
    one_shot: bool,
}

struct Exchange {
    text: String,
    frame: Vec<u8>,
    reply: Vec<u8>,
}

/// What it answers, and the format in which it does. Where each connection ends with its first reply, that is one in which
/// a connection is there for no more: what can be asked on several of them is told apart from that then. Where each case is
/// to be played, whatever is known, it is the format as it was named.
async fn answers_as_it_serves(
    door: &Door,
    options: &Options,
    limit: Duration,
) -> Result<(Profile, Answered), Trouble> {
    let profile = options.profile.clone();
    let answered = answers(door, &profile, limit).await?;
    let is_for_one = answered.one_shot && answered.exchanges.len() <= 2;
    if !is_for_one || options.all_played || !ends_by_itself(door, &profile, limit).await {
        return Ok((profile, answered));
    }
    let profile = profile.with_requests_per_connection(1);
    let answered = answers(door, &profile, limit).await?;
    let answered = Answered {
        one_shot: true,
        ..answered
    };
    Ok((profile, answered))
}

/// Whether a connection is ended when its first request is answered, and not only upon a second: that might be refused for
/// what stands in it.
async fn ends_by_itself(door: &Door, profile: &Profile, limit: Duration) -> bool {
    let Ok(mut canary) = Canary::connect(door, profile, limit).await else {
        return false;
    };
    let (_, frame) = question(profile);
    let is_answered = canary.ask(&frame, limit).await.is_ok();
    is_answered && matches!(canary.unasked(ENDS).await, Some(Unasked::Ended))
}

async fn answers(door: &Door, profile: &Profile, limit: Duration) -> Result<Answered, Trouble> {
    let mut canary = Canary::connect(door, profile, limit).await?;
    let (mut exchanges, mut times, mut one_shot) = (Vec::new(), Vec::new(), false);
    while times.len() < ROUND_TRIPS {
        let (text, frame) = question(profile);
        let begun = Instant::now();
        match canary.ask(&frame, limit).await {
            Ok(reply) => {
                times.push(begun.elapsed());
                exchanges.push(Exchange { text, frame, reply });
            }
            Err(Trouble::Fin | Trouble::Rst) if exchanges.len() == 1 && !one_shot => {
                one_shot = true;
                canary = Canary::connect(door, profile, limit).await?;
            }
            Err(trouble) if exchanges.is_empty() => return Err(trouble),
            Err(_) => break,
        }
        // A slow server's round trips need not be measured so often.
        let has_two = times.len() > 1;
        if has_two && times.iter().sum::<Duration>() > Duration::from_millis(400) {
            break;
        }
    }
    let first = times.first().copied().unwrap_or_default();
    times.sort_unstable();
    let round_trip = times.get(times.len() / 2).copied().unwrap_or(limit);
    Ok(Answered {
        exchanges,
        round_trip,
        first,
        one_shot,
    })
}

/// Whether a second client is served while a first is connected.
async fn serves_two(door: &Door, profile: &Profile, limit: Duration) -> bool {
    let limit = limit.min(Duration::from_secs(1));
    let Ok(mut first) = Canary::connect(door, profile, limit).await else {
        return false;
    };
    let (_, frame) = question(profile);
    // One that is there for a single request would be gone when it is answered.
    let is_kept = profile.requests_per_connection() != Some(1);
    if is_kept && first.ask(&frame, limit).await.is_err() {
        return false;
    }
    let Ok(mut second) = Canary::connect(door, profile, limit).await else {
        return false;
    };
    let (_, frame) = question(profile);
    second.ask(&frame, limit).await.is_ok()
}

/// The strongest relation that all exchanges show, unless the profile names one.
fn rule(profile: &Profile, exchanges: &[Exchange]) -> ReplyRule {
    match profile.reply() {
        Reply::Echo => return ReplyRule::Echo,
        Reply::Token => return ReplyRule::Token(surroundings(exchanges)),
        Reply::Any => return ReplyRule::Any,
        Reply::None => return ReplyRule::None,
        Reply::Auto => {}
    }
    let all = |rule: &ReplyRule| {
        exchanges.iter().all(|exchange| {
            carried(profile, &exchange.frame)
                .is_some_and(|carried| rule.answers(&carried, &exchange.reply))
        })
    };
    let token = ReplyRule::Token(surroundings(exchanges));
    [ReplyRule::Echo, token]
        .into_iter()
        .find(all)
        .unwrap_or(ReplyRule::Any)
}

fn surroundings(exchanges: &[Exchange]) -> Option<Frame> {
    match exchanges {
        [one, other, ..] => Frame::learn((&one.text, &one.reply), (&other.text, &other.reply)),
        _ => None,
    }
}

fn notes(answered: &Answered, concurrent: bool, rule: &ReplyRule) -> Vec<Text> {
    let mut notes = Vec::new();
    if answered.one_shot {
        notes.push(say!(
            "the server ends a connection when it has answered once"
        ));
    }
    if !concurrent {
        notes.push(
            say!("a second client was not served while a first was connected: cases are played one by one"),
        );
    }
    if *rule == ReplyRule::Any {
        notes.push(say!(
            "replies do not hold what was asked: cases that compare the two are skipped"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Address;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    /// An echoing server that has no more than so many clients.
    fn served(most: usize) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten().take(most) {
                let mut frame = vec![0; 64];
                thread::spawn(move || {
                    while client.read_exact(&mut frame).is_ok() {
                        client.write_all(&frame).unwrap();
                    }
                });
            }
        });
        Door::from(Address::from(address))
    }

    #[test]
    fn replies_that_come_one_request_late_are_seen_as_that() {
        let profile = Profile::tutorial();
        let asked: Vec<_> = (0..4).map(|_| question(&profile)).collect();
        let exchanges = |late: usize, around: fn(&str) -> String| -> Vec<Exchange> {
            let replies = (0..asked.len()).map(|at| &asked[at.saturating_sub(late)].0);
            let exchange = |((text, frame), reply): (&(String, Vec<u8>), &String)| Exchange {
                text: text.clone(),
                frame: frame.clone(),
                reply: around(reply).into_bytes(),
            };
            asked.iter().zip(replies).map(exchange).collect()
        };
        let of = |late, around| late_rule(&profile, &exchanges(late, around));
        let echo: fn(&str) -> String = |text| format!("\"{text}\"");
        assert_eq!(of(1, echo), Some(ReplyRule::Echo));
        assert_eq!(
            of(1, |text| format!("[\"{text}\"]")),
            Some(ReplyRule::Token(None))
        );
        assert_eq!(of(0, echo), None);
        assert_eq!(of(2, echo), None);
        assert_eq!(of(1, |_| "\"ok\"".to_owned()), None);
    }

    #[tokio::test]
    async fn so_many_are_borne_as_are_served_at_the_same_time() {
        let profile = Profile::tutorial();
        let pace = |millis| Pace::new(Duration::from_millis(millis), None, Duration::ZERO);
        assert!(bears(&served(20), &profile, &pace(60_000), 20).await);
        assert!(!bears(&served(19), &profile, &pace(60_000), 20).await);
        assert!(
            !bears(&served(20), &profile, &pace(0), 20).await,
            "in no time"
        );
    }
}
