//! The first look at a client: does it come, does it send, does it show what it reads, does it wait?

use super::session::{ClientPeer, Patience};
use super::target::{ClientTarget, NoClient, Source};
use crate::cases::Unfit;
use crate::cases::client::{Circumstances, Maker};
use crate::event::Calibration;
use crate::judge::frame_log::Rest;
use crate::judge::{ClientTraits, Requests, Shape, Shows, found, mentions};
use crate::lang::{Hole, Text, say};
use crate::model::{self, Owes, Permitted};
use crate::outcome::{micros, millis};
use crate::run::Options;
use crate::run::peer::Peer;
use crate::run::target::Met;
use crate::script::{Awaited, Typed};
use crate::spec::{CaseId, Clause};
use crate::transcript::{Exit, Seen, Transcript};
use std::time::Duration;

/// What the first look is called: its texts are its own.
const FIRST_LOOK: CaseId = CaseId::new(Clause::ClientFraming, "first-look");

/// How long a reaction may take at least before anything is known.
const FIRST: Duration = Duration::from_secs(2);

/// The longest that the first request of a connection is waited for before anything is known, unless
/// reactions are waited for longer.
const MOST_FIRST: Duration = Duration::from_secs(10);

/// How often longer than the start that was measured a start may take.
const STARTS: u32 = 10;

/// And how often longer than the reaction that was measured a reaction.
const REACTIONS: u32 = 20;

/// What was seen in the first look.
struct FirstLook {
    permitted: Permitted,
    transcript: Transcript,
}

impl FirstLook {
    /// The texts that the client was sent.
    fn texts(&self) -> Vec<&str> {
        let duties = self.permitted.duties.iter();
        duties
            .filter_map(|duty| match &duty.owes {
                Owes::Showing(showing) => Some(showing.text.as_str()),
                _ => None,
            })
            .collect()
    }

    fn first_typed(&self) -> Option<&Typed> {
        self.permitted.asking.as_ref()?.typed.first()
    }
}

/// Looks at a client.
pub(super) async fn calibrate(target: &ClientTarget, options: &Options) -> Result<Met, NoClient> {
    if options.profile.has_ids() {
        return Err(NoClient::Ids);
    }
    if options.profile.has_long_replies() {
        return Err(NoClient::LongReplies);
    }
    if options.profile.unanswered().is_some() {
        return Err(NoClient::Unanswered);
    }
    if options.profile.requests_per_connection().is_some() {
        return Err(NoClient::FewRequests);
    }
    let unknown = unknown(target, options);
    let first = look(&unknown, options, one_by_one).await?;
    there(target, &first.transcript)?;
    let requests = Requests::of(&options.profile, &first.transcript, 1);
    let again = requests.whole.len() > 1;
    let ahead = again && sends_ahead(&unknown, options).await?;
    let traits = traits(target, &first, &requests, again, ahead);
    let times = Times::of(&first);
    let told = Calibration {
        client: words(target, options, &traits, times),
        round_trip_us: micros(times.reaction),
        reply: String::new(),
        concurrent: false,
        slack_us: 0,
        timeout_ms: millis(options.timeout),
        notes: notes(&unknown, &traits, &requests),
    };
    let none = requests.whole.is_empty();
    let peer = Peer::Client(ClientPeer {
        sender: ClientTraits {
            again: again || requests.rest != Rest::Nothing,
            ..traits.clone()
        },
        unread: none.then(|| say!("no request of the client could be read")),
        traits,
        patience: settled(target, options, times),
        ..unknown
    });
    Ok(Met { peer, told })
}

/// The client before anything is known of it, to be treated as one that buffers: such a one is seen only if
/// it is treated so.
fn unknown(target: &ClientTarget, options: &Options) -> ClientPeer {
    let guess = guess(Shows::AtEnd);
    ClientPeer {
        source: target.source.clone(),
        listener: target.listener.clone(),
        profile: options.profile.clone(),
        sender: guess.clone(),
        traits: guess,
        unread: None,
        input: target.typed(&options.profile),
        reply: target.reply.clone(),
        patience: hopeful(target, options),
    }
}

const fn guess(shows: Shows) -> ClientTraits {
    ClientTraits {
        shows,
        again: true,
        ahead: true,
        carries: None,
        shape: None,
        process: true,
    }
}

/// What is waited for while nothing is known of the client.
fn hopeful(target: &ClientTarget, options: &Options) -> Patience {
    let first = target.wait.min(MOST_FIRST);
    Patience {
        connection: target.wait,
        first: first.max(options.timeout),
        reaction: options.timeout.max(FIRST),
        stretch: 1,
    }
}

/// Whether it sends a second request before it has the reply to the first. Whether it will is known after
/// no more than the usual time, since it has been seen to send two.
async fn sends_ahead(unknown: &ClientPeer, options: &Options) -> Result<bool, NoClient> {
    let mut peer = unknown.clone();
    peer.patience.reaction = options.timeout;
    let look = look(&peer, options, both_at_once).await?;
    let Requests { whole, rest, .. } = Requests::of(&options.profile, &look.transcript, 1);
    // What stands behind the first is sent ahead too, be it a request or not.
    Ok(whole.len() > 1 || !whole.is_empty() && rest != Rest::Nothing)
}

/// What is waited for once the client's own times are known.
fn settled(target: &ClientTarget, options: &Options, times: Times) -> Patience {
    let start = times.start.saturating_mul(STARTS);
    let first = options.timeout.saturating_add(start);
    Patience {
        // Who starts a client by hand takes the time that it takes.
        connection: match target.source {
            Source::User => target.wait,
            Source::Command(_) => first,
        },
        first,
        reaction: options
            .timeout
            .saturating_add(times.reaction.saturating_mul(REACTIONS)),
        stretch: 1,
    }
}

/// Two requests, each answered; whether the answers are shown is seen at the end.
fn one_by_one(m: &mut Maker<'_>) {
    for _ in 0..2 {
        m.types();
        m.request();
        let frame = m.reply();
        m.send(&frame, &[]);
        // Should no second request come, the first reply has still had its time.
        m.settle();
    }
    m.shown();
}

/// Two requests without an answer.
fn both_at_once(m: &mut Maker<'_>) {
    m.types();
    m.types();
    m.request();
    m.request();
}

async fn look(
    peer: &ClientPeer,
    options: &Options,
    build: fn(&mut Maker<'_>),
) -> Result<FirstLook, NoClient> {
    let shows_at_once = guess(Shows::AtOnce);
    let replies = peer.profile.of_replies();
    let circumstances = Circumstances {
        profile: &replies,
        client: &shows_at_once,
        input: peer.input.as_deref(),
        reply: peer.reply.as_deref(),
        seed: options.seed,
    };
    let script = Maker::build(&circumstances, FIRST_LOOK, build).map_err(|unfit| match unfit {
        Unfit::Skipped(why) => NoClient::NotStarted(why),
        Unfit::Broken(error) => NoClient::NotStarted(error.to_string().into()),
    })?;
    let permitted = model::permitted(&peer.profile, &script);
    let played = peer.play(&script, &permitted).await;
    let played = played.map_err(|error| NoClient::NotStarted(error.text()))?;
    let permitted = permitted.into_iter().next();
    let permitted = permitted.ok_or_else(|| NoClient::NotStarted(say!("nothing to play")))?;
    Ok(FirstLook {
        permitted,
        transcript: played.transcript,
    })
}

/// Whether there is a client at all.
fn there(target: &ClientTarget, transcript: &Transcript) -> Result<(), NoClient> {
    let gave_up = |seen: &Seen| matches!(seen, Seen::GaveUp(Awaited::Connection, _));
    if !transcript.counting().any(|(_, e)| gave_up(&e.seen)) {
        return Ok(());
    }
    if let Some(why) = transcript.refused() {
        return Err(NoClient::NotBegun(why.clone()));
    }
    let said = transcript.stderr(400);
    let said = said.trim();
    match transcript.exit() {
        Some(exit @ (Exit::Code(126 | 127) | Exit::Signal(_))) => {
            Err(NoClient::NotStarted(with_words(exit, said)))
        }
        Some(exit) => Err(NoClient::WentAway(with_words(exit, said))),
        None => Err(NoClient::NobodyCame(target.wait)),
    }
}

fn with_words(exit: Exit, said: &str) -> Text {
    if said.is_empty() {
        return say!("it {exit}", exit);
    }
    say!("it {exit}, saying {said}", exit, said = format!("{said:?}"))
}

fn traits(
    target: &ClientTarget,
    first: &FirstLook,
    requests: &Requests,
    again: bool,
    ahead: bool,
) -> ClientTraits {
    let texts = first.texts();
    let is_in = |output: &str| {
        let text = texts.first();
        text.is_some_and(|text| found(text, output, 0).is_some())
    };
    let (output, whole) = (first.transcript.output(), first.transcript.whole_output());
    let shows = if is_in(&output) {
        Shows::AtOnce
    } else if is_in(&whole) {
        Shows::AtEnd
    } else if again && !ahead {
        Shows::NextRequest
    } else {
        Shows::Nothing
    };
    let seen = if shows == Shows::AtOnce {
        &output
    } else {
        &whole
    };
    let shape = match texts[..] {
        [one, other] => Shape::learn(seen, one, other),
        _ => None,
    };
    ClientTraits {
        shows,
        again,
        ahead,
        carries: carries(first, requests),
        shape,
        process: matches!(target.source, Source::Command(_)),
    }
}

/// What the first request holds beyond what was typed for it, if it holds that.
fn carries(first: &FirstLook, requests: &Requests) -> Option<isize> {
    let (typed, request) = (first.first_typed()?, requests.whole.first()?);
    let is_carried = !typed.text.is_empty() && mentions(request.payload(), &typed.text);
    let typed = isize::try_from(typed.line.len()).ok()?;
    let came = isize::try_from(request.payload_len).ok()?;
    is_carried.then(|| came.saturating_sub(typed))
}

/// How long the client takes.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// From its start to its first octets.
    start: Duration,
    /// From a reply to what it prints upon it.
    reaction: Duration,
}

impl Times {
    fn of(look: &FirstLook) -> Self {
        let at = |wanted: fn(&Seen) -> bool| {
            look.transcript
                .counting()
                .find(|(_, entry)| wanted(&entry.seen))
                .map(|(_, entry)| entry.at)
        };
        let start = at(|seen| matches!(seen, Seen::Received(_))).unwrap_or_default();
        let replied = at(|seen| matches!(seen, Seen::Sent(_)));
        let reacted = replied.and_then(|replied| {
            look.transcript
                .counting()
                .filter(|(_, entry)| entry.at >= replied)
                .find(|(_, entry)| matches!(entry.seen, Seen::Printed(_) | Seen::Received(_)))
                .map(|(_, entry)| entry.at.saturating_sub(replied))
        });
        Self {
            start,
            reaction: reacted.unwrap_or_default().min(Duration::from_secs(1)),
        }
    }
}

fn words(target: &ClientTarget, options: &Options, client: &ClientTraits, times: Times) -> Text {
    let shows = match client.shows {
        Shows::AtOnce => say!("shows replies as they come"),
        Shows::AtEnd => say!("shows replies when it ends"),
        Shows::NextRequest => say!("shows no replies but follows them up with its next request"),
        Shows::Nothing => say!("shows nothing of replies"),
    };
    let sends = match (client.again, client.ahead) {
        (false, _) => say!("sends one request on a connection"),
        (true, false) => say!("waits for a reply before it sends the next request"),
        (true, true) => say!("sends requests without waiting for replies"),
    };
    let start = match target.source {
        Source::Command(_) => say!(
            "has sent something {millis} ms after its start, ",
            millis = millis(times.start)
        ),
        Source::User => Text::default(),
    };
    say!(
        "The client {start}{sends} and {shows}; its reactions are awaited for {timeout} ms",
        start,
        sends,
        shows,
        timeout = options.timeout.as_millis()
    )
}

fn notes(peer: &ClientPeer, client: &ClientTraits, requests: &Requests) -> Vec<Text> {
    let mut notes = Vec::new();
    if requests.whole.is_empty() {
        notes.push(say!(
            "no request of the client could be read: only what it sends is looked at"
        ));
        return notes;
    }
    if client.shows == Shows::Nothing {
        notes.push(say!("the client prints nothing of a reply, so most of what it does with replies cannot be seen"));
    }
    if peer.input.is_some() && client.carries.is_none() && client.process {
        notes.push(say!("the client's requests do not hold what is typed: --input says what to type, --input-none that it sends by itself"));
    }
    notes
}
