//! `dissector`: what tshark reads with it in our own captures, held against what the model reads in the same octets.

mod spoken;

use super::program::{conformance, needed, said};
use framespec::dissector::Dissector;
use framespec::model::reader::{self, Ending, Fault, FrameAt, Part, Reading};
use framespec::profile::{Carriage, Length, Order, Profile, Region};
use framespec::report::pcapng;
use framespec::script::craft::Craft;
use spoken::{By, Said, Spoken, profiles, run, spoken_in};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// The variable that makes a missing tshark a failure.
const REQUIRE: &str = "FRAMESPEC_REQUIRE_TSHARK";

/// The port of the first client of each server, as captures have it.
const FIRST_CLIENT: u16 = 49_152;

const UDP_PORT: u16 = 19_999;

/// What is told of the frames of one side, field by field.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    frame_len: Vec<String>,
    payload_len: Vec<String>,
    padding_len: Vec<String>,
    payload: Vec<String>,
    id: Vec<String>,
    index: Vec<String>,
    length: Vec<String>,
    checksum_good: Vec<String>,
}

const FIELDS: [&str; 10] = [
    "from",
    "frame_len",
    "payload_len",
    "padding_len",
    "payload",
    "id",
    "index",
    "length",
    "checksum_good",
    "malformed",
];

/// Fields that are not those of a dissector.
const COMMON: [&str; 6] = [
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "json.value.string",
    "_ws.expert.message",
];

#[derive(Debug, Default)]
struct Shown {
    told: Told,
    malformed: bool,
    strings: Vec<String>,
    messages: String,
}

/// Server port, client port, and who speaks.
type Key = (u16, u16, By);

fn tshark() -> Option<Command> {
    let found = Command::new("tshark").arg("--version").output();
    let found = found.map_err(|_| "there is no tshark");
    needed(found, REQUIRE).map(|_| Command::new("tshark"))
}

/// Whatever it reads, the frames are those that the model reads: however they are cut, in every format that ships with the
/// program that is of some kind of its own, and in others made by chance.
#[test]
fn tshark_reads_the_frames_that_the_model_reads() {
    let Some(tshark) = tshark() else {
        return;
    };
    let spoken: Vec<Spoken> = profiles().into_iter().enumerate().map(spoken_in).collect();
    let shown = shown_by(tshark, &spoken, "tcp");
    let mut faults = BTreeMap::new();
    for one in &spoken {
        for (number, said) in one.conns.iter().enumerate() {
            for from in [By::Client, By::Server] {
                let octets = of(from, said).concat();
                let profile = match from {
                    By::Client => one.profile.clone(),
                    By::Server => one.profile.of_replies(),
                };
                let key = (one.port, FIRST_CLIENT + number as u16, from);
                let none = Shown::default();
                let shown = shown.get(&key).unwrap_or(&none);
                holds(&profile, &octets, shown, &mut faults);
            }
        }
    }
    for kind in [
        "Mark",
        "NoNumber",
        "Negative",
        "Underflow",
        "NotWholeChunks",
        "Index",
        "OverLimit",
        "Checksum",
    ] {
        assert!(faults.contains_key(kind), "none of {kind}: {faults:?}");
    }
}

/// What is shown of one side is what the model reads.
fn holds(profile: &Profile, octets: &[u8], shown: &Shown, faults: &mut BTreeMap<String, usize>) {
    let what = || format!("{}\n{octets:02x?}\n{shown:?}", profile.to_toml());
    let reading = reader::read(profile, octets);
    let Ending::Malformed { fault, .. } = reading.ending else {
        assert_eq!(told(profile, octets, &reading), shown.told, "{}", what());
        assert!(!shown.malformed, "{}", what());
        return;
    };
    let kind = format!("{fault:?}");
    let kind = kind.split([' ', '(']).next().unwrap().to_owned();
    *faults.entry(kind).or_default() += 1;
    assert!(shown.malformed, "{fault} {}", what());
    let expected = as_told(profile, fault);
    assert!(shown.messages.contains(&expected), "{expected} {}", what());
    let before = reading.frames.len();
    let lens = &shown.told.frame_len;
    assert!(lens.len() >= before, "{}", what());
    assert_eq!(
        lens[..before],
        told(profile, octets, &reading).frame_len,
        "{}",
        what()
    );
}

/// What of a fault is in the words of both. Beyond 2^53 numbers are not exact in Lua, and of a length that grows, the model
/// tells what it has come to already.
fn as_told(profile: &Profile, fault: Fault) -> String {
    let grows = !matches!(profile.length(), Length::Binary { .. });
    match fault {
        Fault::OverLimit { .. } if grows => String::new(),
        Fault::OverLimit { body, .. } if body >> 53 > 0 => "is over the limit of".to_owned(),
        Fault::Negative(length) if length < -(1 << 53) => "negative length".to_owned(),
        other => other.to_string(),
    }
}

/// What the model reads, as the dissector would show it.
fn told(profile: &Profile, octets: &[u8], reading: &Reading) -> Told {
    let each = |of: &dyn Fn(&FrameAt) -> String| reading.frames.iter().map(of).collect::<Vec<_>>();
    let header = |frame: &FrameAt| octets[frame.start..frame.body.start].to_vec();
    let filled = |texts: Vec<String>| texts.into_iter().filter(|text| !text.is_empty()).collect();
    Told {
        frame_len: each(&|frame| (frame.end - frame.start).to_string()),
        payload_len: each(&|frame| frame.payload_len.to_string()),
        padding_len: each(&|frame| frame.padding_len().to_string()),
        payload: filled(each(&|frame| hex(&frame.payload(octets)))),
        id: filled(each(&|frame| {
            let header = header(frame);
            hex(&header[reader::id_at(profile, header.len()).unwrap_or(0..0)])
        })),
        index: reading
            .frames
            .iter()
            .flat_map(|frame| indexes(profile, octets, frame))
            .collect(),
        length: match counts_payload_alone(profile) {
            true => each(&|frame| frame.payload_len.to_string()),
            false => Vec::new(),
        },
        checksum_good: match profile.checksum() {
            Some(_) => each(&|_| "1".to_owned()),
            None => Vec::new(),
        },
    }
}

fn counts_payload_alone(profile: &Profile) -> bool {
    let others = [
        Region::Before,
        Region::Length,
        Region::After,
        Region::Padding,
        Region::Indexes,
    ];
    !others.into_iter().any(|region| profile.covers(region))
}

fn indexes(profile: &Profile, octets: &[u8], frame: &FrameAt) -> Vec<String> {
    let parts = frame
        .parts()
        .into_iter()
        .filter(|(part, _)| *part == Part::Index);
    let number = |octets: &[u8]| {
        let ordered: Vec<u8> = match profile.index().unwrap().order() {
            Order::Big => octets.to_vec(),
            Order::Little => octets.iter().rev().copied().collect(),
        };
        ordered
            .iter()
            .fold(0_u64, |all, octet| all << 8 | u64::from(*octet))
    };
    parts
        .map(|(_, at)| number(&octets[at]).to_string())
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn of(from: By, said: &Said) -> Vec<&[u8]> {
    let of = said.iter().filter(|(by, _)| *by == from);
    of.map(|(_, octets)| octets.as_slice()).collect()
}

/// Reads a capture of all of it with the dissectors of all of the formats, in one go.
fn shown_by(mut tshark: Command, spoken: &[Spoken], carrier: &str) -> HashMap<Key, Shown> {
    let folder = TempDir::new().unwrap();
    let capture = folder.path().join("capture.pcapng");
    let mut file = Vec::new();
    for one in spoken {
        pcapng::write(&run(one), &mut file).unwrap();
    }
    fs::write(&capture, file).unwrap();
    tshark
        .args(["-T", "fields", "-E", "aggregator=;", "-r"])
        .arg(&capture);
    for one in spoken {
        let dissector = Dissector::new(&one.profile, None);
        let name = dissector.name();
        let program = folder.path().join(format!("{name}.lua"));
        fs::write(&program, dissector.to_string()).unwrap();
        tshark.args(["-X", &format!("lua_script:{}", program.display())]);
        tshark.args(["-d", &format!("{carrier}.port=={},{name}", one.port)]);
        for field in FIELDS {
            tshark.args(["-e", &format!("{name}.{field}")]);
        }
    }
    for field in COMMON {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    let (rows, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && !errors.contains("Lua"),
        "{errors}"
    );
    assert!(
        !rows.contains("Lua Error"),
        "{:.300}",
        &rows[rows.find("Lua Error").unwrap()..]
    );
    let mut shown = HashMap::new();
    for row in rows.lines() {
        add_row(row, spoken, &mut shown);
    }
    shown
}

fn add_row(row: &str, spoken: &[Spoken], shown: &mut HashMap<Key, Shown>) {
    let columns: Vec<&str> = row.split('\t').collect();
    let (own, common) = columns.split_at(columns.len() - COMMON.len());
    let ports = [&common[..2], &common[2..4]].concat();
    let ports: Vec<u16> = ports.iter().filter_map(|port| port.parse().ok()).collect();
    let (place, from) = match spoken.iter().position(|one| one.port == ports[1]) {
        Some(place) => (place, By::Client),
        None => (
            spoken.iter().position(|one| one.port == ports[0]).unwrap(),
            By::Server,
        ),
    };
    let key = match from {
        By::Client => (ports[1], ports[0], from),
        By::Server => (ports[0], ports[1], from),
    };
    let fields = &own[place * FIELDS.len()..][..FIELDS.len()];
    let shown = shown.entry(key).or_default();
    let said = if from == By::Client {
        "client"
    } else {
        "server"
    };
    assert!(
        fields[0].split(';').all(|by| by.is_empty() || by == said),
        "{row}"
    );
    let told = &mut shown.told;
    let lists = [
        &mut told.frame_len,
        &mut told.payload_len,
        &mut told.padding_len,
        &mut told.payload,
        &mut told.id,
        &mut told.index,
        &mut told.length,
        &mut told.checksum_good,
    ];
    for (list, field) in lists.into_iter().zip(&fields[1..]) {
        list.extend(listed(field));
    }
    if !counts_payload_alone(&spoken[place].profile) {
        told.length.clear();
    }
    shown.malformed |= !fields[9].is_empty();
    shown.strings.extend(listed(common[4]));
    shown.messages.push_str(common[5]);
}

fn listed(field: &str) -> impl Iterator<Item = String> {
    field
        .split(';')
        .filter(|value| !value.is_empty())
        .map(|value| match value {
            "True" => "1".to_owned(),
            value => value.to_owned(),
        })
}

/// Each datagram is one frame, and what else there is in it is told.
#[test]
fn over_udp_each_datagram_is_a_frame() {
    let Some(tshark) = tshark() else {
        return;
    };
    let profile = Profile::tutorial().carried_by(Carriage::Datagrams);
    let (two, three) = (b"\0\0\0\x3c12", b"\0\0\0\0");
    let whole = |text: &[u8]| Craft::new(&profile).frame(text);
    let conns = vec![
        vec![
            (By::Client, whole(b"1")),
            (By::Server, whole(b"{\"two\": [\"2\"]}")),
            (By::Client, whole(b"")),
        ],
        vec![(By::Client, two.to_vec())],
        vec![
            (By::Server, whole(b"{\"no JSON")),
            (By::Server, whole(b"\xff\0{")),
        ],
        vec![(By::Client, [three, &whole(b"1")[..]].concat())],
    ];
    let spoken = Spoken {
        profile: profile.clone(),
        port: UDP_PORT,
        conns,
    };
    let shown = shown_by(tshark, &[spoken], "udp");
    let of = |number, from| &shown[&(UDP_PORT, FIRST_CLIENT + number, from)];
    assert_eq!(of(0, By::Client).told.frame_len, ["64", "4"]);
    assert_eq!(of(0, By::Server).told.payload, [hex(b"{\"two\": [\"2\"]}")]);
    assert_eq!(of(0, By::Server).strings, ["2"]);
    assert!(!of(0, By::Client).malformed && !of(0, By::Server).malformed);
    assert!(
        of(1, By::Client)
            .messages
            .contains("its octets end before it does")
    );
    assert_eq!(of(2, By::Server).told.frame_len, ["64", "64"]);
    assert_eq!(of(3, By::Client).told.frame_len, ["4"]);
    assert!(
        of(3, By::Client)
            .messages
            .contains("octets behind the frame of a datagram")
    );
}

#[test]
fn the_program_writes_it_and_says_how_it_is_loaded() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("t.lua").display().to_string();
    let (code, told) = said(&["dissector", "chunk-count", "--output", &file]);
    let how = format!("tshark -X lua_script:{file} -d tcp.port==N,framespec_chunk_count\n");
    assert_eq!((code, told), (0, how));
    let printed = conformance()
        .args(["dissector", "chunk-count"])
        .output()
        .unwrap();
    assert_eq!(fs::read(&file).unwrap(), printed.stdout);
    let (code, told) = said(&["dissector", "chunk-count", "--port", "7000"]);
    assert!(
        code == 0 && told.contains("    port = 7000,\n"),
        "{told:.900}"
    );
    assert_eq!(said(&["dissector", "no-such"]).0, 2);
    assert_eq!(said(&["dissector", "tutorial", "--port", "0"]).0, 2);
    assert_eq!(
        said(&["dissector", "tutorial", "--output", "/dev/null/x"]).0,
        3
    );
}
