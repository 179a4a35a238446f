//! The bodies of the fuzz targets, and what they hold against each other.
//!
//! A target in `fuzz/` only calls a function of this room. Each takes whatever octets
//! there are and panics, with a text that says what disagreed, if the code under it is wrong. It says whether the
//! octets were any input for it. The same functions are run over every file of `corpus/` by an ordinary `cargo test`,
//! and over anybody's corpus by `conformance regress`: see [`feed`].
//!
//! | target | input | what must hold |
//! |---|---|---|
//! | [`decoder`] | a file as [`Script::from_file`] reads it | all ways of reading agree with the model |
//! | [`session`] | the same | an echoing session does only what the model permits, however the streams are cut |
//! | [`profiles`] | octets that choose a profile and a stream | the same, in any wire format |
//! | [`chunks`] | octets that choose frames, lengths that are wrong, and cuts | the same |
//! | [`roundtrip`] | octets that choose a profile and payloads | what is framed reads back, and is the one frame there is |
//! | [`reply`] | octets that choose a script and what a server makes of it | replies are read as they are, and judged the same however they are cut |
//! | [`client`] | octets that choose a script of the server's side, or such a file | a client that is right is not found wrong, and one that shows nothing is |
//! | [`report`] | octets that choose a run, or a saved one | every format is what it is called, and nothing in it acts on who reads it |
//! | [`profile_file`] | a profile file | what is read can be written, and reads back |
//! | [`script`] | a script file | what is read can be written, and reads back |
//!
//! [`Script::from_file`]: crate::script::Script::from_file

mod asking;
mod chunks;
mod crafted;
mod cuts;
mod decoding;
mod feeding;
mod formats;
mod framing;
mod hostile;
mod mutate;
mod reports;
mod runs;
mod serving;
mod tally;

#[cfg(test)]
pub(crate) use decoding::error;
use decoding::{Comparison, Known};
pub use decoding::{Disagreement, Way, compare};
pub use feeding::{Fault, feed};
pub use mutate::{Blind, cross, mutate};
pub use tally::{Tally, tallied};

use crate::capture;
use crate::generate;
use crate::judge::{ReplyRule, judge};
use crate::model::permitted;
use crate::profile::Profile;
use crate::report::{Format, read_run};
use crate::script::draws::Draws;
use crate::script::{Conn, MAGIC, Script, Side, profile_of_file};
use crate::transcript::{Seen, Transcript};
use std::fmt::Display;
use std::iter;

/// What a fuzz target does with its input. It returns whether it could read it: what it cannot read shows nothing.
pub type Body = fn(&[u8]) -> bool;

/// Every target by its name in `fuzz/`.
pub const TARGETS: [(&str, Body); 11] = [
    ("decoder", decoder),
    ("session", session),
    ("profiles", profiles),
    ("chunks", chunks),
    ("roundtrip", roundtrip),
    ("reply", reply),
    ("client", client),
    ("report", report),
    ("profile_file", profile_file),
    ("script", script),
    ("detect", detect),
];

/// Works out beforehand what is else worked out by the first inputs that need it, so that those show no more than others.
pub fn prepare() {
    formats::default();
}

/// The largest stream that is looked at, in octets. A file of a few octets can stand for megabytes.
pub const MAX_STREAM: usize = 2 << 20;

/// Decodes the streams of a script file in every way, by the profile that the file names.
///
/// Raw octets are one stream of the profile `tutorial`, cut in ways that follow from the octets
/// themselves. A script in text form is cut as it says as well.
///
/// Of one stream in sixteen, which follows from its octets, all those ways are tried; of the others one that costs little.
pub fn decoder(data: &[u8]) -> bool {
    if !data.starts_with(MAGIC.as_bytes()) {
        return read_some(formats::default(), data, None);
    }
    let (Ok(script), Ok(profile)) = (Script::from_file(data), profile_of_file(data)) else {
        return false;
    };
    let known = Known::new(script.written_in(&profile.unwrap_or_default()));
    let streams = script.streams().into_iter().enumerate();
    streams.fold(false, |is_read, (conn, stream)| {
        read_some(&known, &stream, cuts::written(&script, conn)) || is_read
    })
}

/// Reads a stream at once, in that way, and in one or all of those that follow from its octets. Whether it was not too long.
fn read_some(known: &Known, stream: &[u8], written: Option<Way>) -> bool {
    if stream.len() > MAX_STREAM {
        return false;
    }
    let comparison = Comparison::new(known, stream);
    comparison.note();
    let header = known.profile.header_len();
    let chosen = cuts::chosen(stream, header, comparison.borders());
    agreed(match chosen.is_dear {
        true => comparison.in_all(&cuts::derived(stream, header)),
        false => comparison
            .at_once()
            .and_then(|()| comparison.in_way(&chosen.way)),
    });
    agreed(written.map_or(Ok(()), |way| comparison.in_way(&way)));
    true
}

/// Plays a script file at an echoing session, as it is cut and cut otherwise, and has it judged.
///
/// What comes of it when it is cut otherwise must be the same, and is judged too for one file in sixteen.
/// Scripts with very many steps or connections are left out, since judging them takes long, and those that
/// play the server: they say nothing of one.
pub fn session(data: &[u8]) -> bool {
    let (Ok(script), Ok(profile)) = (Script::from_file(data), profile_of_file(data)) else {
        return false;
    };
    // The session has a limit, so the model has to know it.
    let profile = profile.unwrap_or_default();
    let limit = profile.max_body();
    let Ok(profile) = profile.with_max_body(limit) else {
        return false;
    };
    let is_read = is_small(&script) && script.side() == Side::Client;
    if is_read {
        let is_dear = cuts::are_dear(data);
        agreed(judge_session(&profile, &script, serving::echo, is_dear));
    }
    is_read
}

fn is_small(script: &Script) -> bool {
    let octets = script.octets();
    script.connections() <= 32 && script.steps().len() <= 1000 && octets <= MAX_STREAM
}

fn judge_session(
    profile: &Profile,
    script: &Script,
    handler: serving::Handler,
    is_dear: bool,
) -> Result<(), String> {
    let permitted = permitted(profile, script);
    for one in &permitted {
        tally::note(one.duties.len(), (&one.tail).into());
    }
    let as_cut = serving::play(profile, script, handler);
    let otherwise = serving::play(profile, &cuts::otherwise(script, is_dear), handler);
    let again = is_dear.then_some((&otherwise, "cut otherwise"));
    for (transcript, how) in iter::once((&as_cut, "as it is")).chain(again) {
        let findings = judge(profile, &ReplyRule::Echo, &permitted, transcript);
        if let Some(finding) = findings.first() {
            return Err(format!("{}, {how}: {}", finding.clause, finding.what));
        }
    }
    for conn in 0..script.connections() {
        if received(&as_cut, conn) != received(&otherwise, conn) {
            return Err(format!(
                "reassembly: connection {conn} received something else"
            ));
        }
    }
    Ok(())
}

/// All octets that came on a connection.
fn received(transcript: &Transcript, conn: Conn) -> Vec<u8> {
    let received = transcript
        .of(conn)
        .filter_map(|(_, entry)| match &entry.seen {
            Seen::Received(octets) => Some(octets.as_ref()),
            _ => None,
        });
    received.collect::<Vec<_>>().concat()
}

/// Decodes a stream that is made for a profile, both of them made from the data.
///
/// See `Profile`'s `Arbitrary` for the first part of the data. The rest chooses frames, claims that
/// are not kept, and noise.
pub fn profiles(data: &[u8]) -> bool {
    let Some((profile, stream)) = crafted::from(data) else {
        return false;
    };
    let ways = cuts::derived(&stream, profile.header_len());
    agreed(compare(&profile, &stream, &ways));
    same(&Profile::from_toml(&profile.to_toml()), &Ok(profile));
    true
}

/// Decodes a stream of frames that are wrong in the ways that decoders get wrong, cut in a way that is made from the
/// data as well.
///
/// It is read in the ways that [`decoder`] tries as well.
pub fn chunks(data: &[u8]) -> bool {
    chunks::from(data)
        .is_some_and(|chunks| read_some(chunks.known, &chunks.stream, Some(chunks.way)))
}

/// Frames payloads and reads them back.
///
/// What is chosen from the data is the profile, then payloads: messages, octets of no meaning, and what lies between.
pub fn roundtrip(data: &[u8]) -> bool {
    let Some((profile, mut draws)) = formats::chosen(data) else {
        return false;
    };
    let profile = match draws.one_in(4) {
        true => profile.of_replies(),
        false => profile,
    };
    let payloads: Vec<_> = (0..=draws.below(4))
        .map(|_| generate::payload(&profile, &mut draws))
        .collect();
    agreed(framing::there_and_back(&profile, &payloads));
    true
}

/// Plays a script at a server that says anything at all, and has what it says read and judged.
///
/// Script, server and the rule that replies follow are all made from the data.
pub fn reply(data: &[u8]) -> bool {
    let Some((profile, mut draws)) = formats::chosen(data) else {
        return false;
    };
    agreed(hostile::judged(&profile, &mut draws));
    true
}

/// Plays a script of the server's side to a client that is right and to one that shows nothing, and has both judged.
///
/// Script files are played as they are, if they are of that side; of other octets a script is made.
pub fn client(data: &[u8]) -> bool {
    let Some((profile, script)) = served(data) else {
        return false;
    };
    // The client has a limit, so the model has to know it.
    let limit = profile.max_body();
    let Ok(profile) = profile.with_max_body(limit) else {
        return false;
    };
    match asking::judged(&profile, &script) {
        Ok(was_played) => was_played,
        Err(what) => {
            agreed(Err(what));
            false
        }
    }
}

fn served(data: &[u8]) -> Option<(Profile, Script)> {
    if data.starts_with(MAGIC.as_bytes()) {
        let script = Script::from_file(data).ok()?;
        let profile = profile_of_file(data).ok()?.unwrap_or_default();
        let is_read = is_small(&script) && script.side() == Side::Server;
        return is_read.then_some((profile, script));
    }
    let (profile, mut draws) = formats::chosen(data)?;
    let script = asking::script(&profile, &mut draws);
    Some((profile, script))
}

/// Writes a run that is made of the data in two formats, or one that was saved as JSON in every format there is.
pub fn report(data: &[u8]) -> bool {
    let Some((first, rest)) = data.split_first() else {
        return false;
    };
    let saved = std::str::from_utf8(data).ok();
    if let Some(run) = saved.and_then(|text| read_run(text).ok()) {
        agreed(reports::written(&run, &Format::ALL));
        return true;
    }
    let two = [*first & 0x0f, *first >> 4].map(|at| Format::ALL.get(usize::from(at)).copied());
    let formats: Vec<_> = two.into_iter().flatten().collect();
    let run = runs::run(&mut Draws::of_octets(rest));
    agreed(reports::written(&run, &formats));
    !formats.is_empty()
}

/// Reads a profile file and writes it again.
pub fn profile_file(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(profile) = Profile::from_toml(text) else {
        return false;
    };
    same(&Profile::from_toml(&profile.to_toml()), &Ok(profile));
    true
}

/// Reads a script file and writes it again.
pub fn script(data: &[u8]) -> bool {
    let Ok(script) = Script::from_file(data) else {
        return false;
    };
    same(&script.to_string().parse(), &Ok(script));
    true
}

/// Reads a capture, and finds out in which format what was said in it is frames.
pub fn detect(data: &[u8]) -> bool {
    let Ok(exchanges) = capture::read(data) else {
        return false;
    };
    let proposals = crate::detect::detect(&exchanges);
    for proposal in &proposals {
        assert!(proposal.frames > 0 && proposal.bits > 0.0, "{proposal:?}");
        let again = Profile::from_toml(&proposal.profile.to_toml());
        same(&again.as_ref(), &Ok(&proposal.profile));
    }
    !proposals.is_empty()
}

#[track_caller]
fn agreed(outcome: Result<(), impl Display>) {
    let problem = outcome.err().map(|problem| problem.to_string());
    assert!(problem.is_none(), "{}", problem.unwrap_or_default());
}

#[track_caller]
fn same<T: PartialEq>(again: &T, first: &T) {
    assert!(again == first, "what was written does not read back");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Reply;
    use proptest::prelude::*;

    /// What a client owes is not to be asked of a session.
    #[test]
    fn a_script_that_plays_the_server_is_left_out() {
        let played = "open a\nsend a 0000003c '1' 00*59\nawait a\n";
        let is_read = |text: String| session(text.as_bytes());
        assert!(is_read(format!("framespec script 1\n{played}")));
        assert!(!is_read(format!(
            "framespec script 1\nside server\n{played}"
        )));
    }

    #[test]
    fn names_are_those_of_files() {
        for (name, _) in TARGETS {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }

    #[test]
    fn a_server_that_is_wrong_is_found_out() {
        let judged = |script: &str, handler| {
            let script = format!("framespec script 1\nopen a\n{script}")
                .parse()
                .unwrap();
            judge_session(&Profile::tutorial(), &script, handler, true)
        };
        let two = "send a 0000003c 'true' 00*56 0000003c '1' 00*59\nfin a";
        assert_eq!(judged(two, serving::echo), Ok(()));
        let wrong = |handler| judged(two, handler).unwrap_err();
        assert!(wrong(|_| Reply::Nothing).starts_with("half-close"));
        assert!(wrong(|_| Reply::Close).starts_with("one-reply"));
        assert!(wrong(|_| "else".into()).starts_with("fidelity"));
        let undecodable = "send a 00000000\nawait a";
        assert_eq!(judged(undecodable, |_| Reply::Close), Ok(()));
        assert!(judged(undecodable, |_| Reply::Nothing).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_target_takes_any_octets(data in prop::collection::vec(any::<u8>(), 0..300)) {
            for (_, target) in TARGETS {
                target(&data);
            }
        }

        #[test]
        fn a_script_of_any_octets_in_any_segments(
            sent in "( ?(0000003c|00\\*[1-9]{1,3}|'[ -&(-~]{1,9}'|\\|)){1,12}",
            profile in prop::sample::select(&["chunk-count", "tutorial"]),
        ) {
            let file = format!("framespec script 1\n#: {profile}\nopen a\nsend a {sent}\nfin a\n");
            for (_, target) in TARGETS {
                target(file.as_bytes());
            }
        }
    }
}
