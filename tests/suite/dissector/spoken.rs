//! What is said in formats of every kind, right and wrong, as a run from which captures are made.

use arbitrary::{Arbitrary as _, Unstructured};
use framespec::event::{CaseResult, Evidence, Moment, Run, Verdict, What};
use framespec::model::reader::{self, Ending};
use framespec::profile::{Draft, Profile};
use framespec::script::craft::Craft;
use framespec::spec::Level;

/// The port of the first server; each profile has one of its own.
const FIRST_PORT: u16 = 20_000;

/// How many of the profiles are made by chance.
const BY_CHANCE: usize = 40;

/// One side of a connection, or what it says in datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum By {
    Client,
    Server,
}

/// Packets of one connection, in order.
pub(super) type Said = Vec<(By, Vec<u8>)>;

/// Connections in one format, in a section of the capture.
pub(super) struct Spoken {
    pub(super) profile: Profile,
    pub(super) port: u16,
    pub(super) conns: Vec<Said>,
}

/// Formats of each kind, and those made by chance, each with a name of its own.
pub(super) fn profiles() -> Vec<Profile> {
    let named = [
        "tutorial",
        "chunk-count",
        "netstring",
        "resp-bulk",
        "mqtt",
        "gearman",
        "bitcoin",
        "blocks-25",
        "blocks-60",
        "modbus-tcp",
        "kafka",
        "amqp",
        "mongodb",
    ];
    let named = named.into_iter().map(|name| {
        Profile::built_in(name)
            .or_else(|| Profile::shipped(name))
            .unwrap()
    });
    let every = "name = 'every'\nheader = { before = 'ca fe id id ??=07', after = '01' }\n\
        replies = { before = 'ca ff id id ??', after = '01' }\nlength.width = 4\nbody = { chunk = 60, payload = 'utf-8' }\n\
        trailer.octets = 'ck ck ck ck 0d 0a'\nlimits.max_body = 600\n\
        checksum = { kind = 'crc32', order = 'little', covers = ['before', 'length', 'payload', 'padding'] }";
    let named = named.chain([Profile::from_toml(every).unwrap()]);
    let mut octets = Octets(7);
    let by_chance = (0_usize..).filter_map(|_| {
        let draws: Vec<u8> = (0..400).map(|_| octets.next()).collect();
        Profile::arbitrary(&mut Unstructured::new(&draws)).ok()
    });
    let by_chance = by_chance.filter(|profile| profile.chunk() < 1000 && profile.max_body() >= 200);
    let by_chance = by_chance
        .take(BY_CHANCE)
        .enumerate()
        .map(|(number, profile)| {
            let draft = Draft::from(profile);
            let name = format!("chance-{number}");
            // Wireshark puts no more together.
            let max_body = draft.max_body.map(|most| most.min(i32::MAX as u64));
            Profile::try_from(Draft {
                name,
                max_body,
                ..draft
            })
            .unwrap()
        });
    named.chain(by_chance).collect()
}

/// Octets by chance, always the same.
struct Octets(u64);

impl Octets {
    fn next(&mut self) -> u8 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}

/// What is said in a format: right frames, cut in every way, and then a wrong one on each of some connections.
pub(super) fn spoken_in((number, profile): (usize, Profile)) -> Spoken {
    let mut octets = Octets(number as u64);
    let mut right = cut(By::Client, &frames(&profile).concat(), &mut octets);
    right.extend(cut(
        By::Server,
        &frames(&profile.of_replies()).concat(),
        &mut octets,
    ));
    let mut conns = vec![right];
    conns.extend(
        wrong(&profile)
            .into_iter()
            .map(|octets| vec![(By::Client, octets)]),
    );
    Spoken {
        profile,
        port: FIRST_PORT + number as u16,
        conns,
    }
}

/// Frames of several sizes that are frames of that format.
fn frames(profile: &Profile) -> Vec<Vec<u8>> {
    let craft = Craft::new(profile);
    let texts = [0, 1, 7, 21, 60, 58, 100].map(|len| {
        "wire shark's "
            .chars()
            .cycle()
            .take(len)
            .collect::<String>()
    });
    let frames = texts.iter().map(|text| craft.frame(&craft.payload(text)));
    let right = frames.filter(|frame| {
        let reading = reader::read(profile, frame);
        (reading.frames.len(), reading.ending) == (1, Ending::Boundary)
    });
    let right: Vec<Vec<u8>> = right.collect();
    assert!(!right.is_empty(), "{}", profile.to_toml());
    right
}

/// First in segments of an octet or two, then in ones of several frames.
fn cut(from: By, mut stream: &[u8], octets: &mut Octets) -> Said {
    let most = stream.len() / 4 + 1;
    let mut said = Said::new();
    while !stream.is_empty() {
        let len = match said.len() {
            ..12 => 1 + usize::from(octets.next() % 3),
            _ => 1 + usize::from(octets.next()) * most / 256,
        };
        let (segment, rest) = stream.split_at(len.min(stream.len()));
        said.push((from, segment.to_vec()));
        stream = rest;
    }
    said
}

/// A right frame and a wrong one behind it, in one segment: one for each octet that makes a frame malformed if it is another.
fn wrong(profile: &Profile) -> Vec<Vec<u8>> {
    let frames = frames(profile);
    let (first, frame) = (&frames[0], frames.last().unwrap());
    let header = reader::header_len(profile, frame);
    let places = (0..header + 4).chain(frame.len().saturating_sub(6)..frame.len());
    let changed = places.filter(|at| *at < frame.len()).flat_map(|at| {
        [0x80_u8, 0x01, 0x7f].map(|bits| {
            let mut frame = frame.clone();
            frame[at] ^= bits;
            [first.as_slice(), &frame].concat()
        })
    });
    // What is wrong behind the end of what has come so far is seen when all of the frame is there.
    let is_wrong = |octets: &Vec<u8>| match reader::read(profile, octets).ending {
        Ending::Malformed { start, end, .. } => start == first.len() && end <= octets.len(),
        _ => false,
    };
    changed.filter(is_wrong).step_by(3).take(12).collect()
}

/// What was said as a run of one case, of which captures are made.
pub(super) fn run(spoken: &Spoken) -> Run {
    let mut timeline = Vec::new();
    for (number, said) in spoken.conns.iter().enumerate() {
        let moment = |what| Moment {
            at_us: 0,
            conn: format!("c{number}"),
            what,
        };
        timeline.push(moment(What::Connected));
        for (from, octets) in said {
            let octets = octets.clone();
            timeline.push(moment(match from {
                By::Client => What::Sent { octets },
                By::Server => What::Received { octets },
            }));
        }
    }
    let mut run = Run::default();
    run.started.target = format!("127.0.0.1:{}", spoken.port).into();
    run.started.datagrams = spoken.profile.carriage().is_datagrams();
    run.results.push(CaseResult {
        evidence: Some(Evidence {
            timeline,
            ..Evidence::default()
        }),
        ..CaseResult::bare("one", "one", Level::Must, Verdict::Pass)
    });
    run
}
