//! What is asked, and what is made of answers that are none.

use super::*;
use crate::capture::{Exchange, Said as Heard};

const SILENT: [Vec<u8>; 2] = [Vec::new(), Vec::new()];

fn named(name: &str) -> Probe {
    let named = |probe: &Probe| probe.profile.name() == name;
    probes().into_iter().find(named).unwrap()
}

/// The answers of a server that sends back what it gets.
fn echoed(probe: &Probe) -> Vec<Vec<u8>> {
    (0..QUESTIONS).map(|number| probe.request(number)).collect()
}

fn best_of(names: &[&str], to_no_frame: &[u8]) -> Vec<Proposal> {
    let probes = names.iter().map(|name| named(name));
    let answered = probes.filter_map(|probe| probe.answered(&echoed(&probe)));
    best(answered.collect(), to_no_frame)
}

#[test]
fn no_frame_is_one() {
    for probe in probes() {
        let said = Heard {
            octets: NO_FRAME.to_vec(),
            ..Heard::default()
        };
        let sample = [Exchange {
            answered: said,
            ..Exchange::default()
        }];
        let read = super::super::evidence::weigh(&probe.profile, &sample);
        assert_eq!(read.map_or(0, |weight| weight.frames), 0, "{probe:?}");
    }
}

/// Who sends back whatever he gets speaks no format.
#[test]
fn an_echo_of_octets_is_no_proof() {
    let names = ["u32-be", "tutorial"];
    let found = best_of(&names, b"");
    assert_eq!((found[0].profile.name(), found[0].doubt), ("u32-be", None));
    let found = best_of(&names, NO_FRAME);
    assert_eq!(found[0].doubt, Some(Doubt::SaidToAll));
}

#[test]
fn a_reply_has_the_id_of_its_request() {
    let probe = named("modbus-tcp");
    let mut answers = echoed(&probe);
    assert!(probe.answered(&answers).is_some());
    answers.swap(0, 1);
    assert!(probe.answered(&answers).is_none());
}

/// The same octets to everything, and two frames where one is due.
#[test]
fn what_is_said_to_everything_is_no_proof_of_a_small_length() {
    let probe = named("erlang-packet-1");
    let same = [b"\x02no".to_vec(), b"\x02no".to_vec()];
    let found = best(vec![probe.answered(&same).unwrap()], b"");
    assert_eq!(found[0].doubt, Some(Doubt::TooLittle));
    let two = [b"\x02no\x02no".to_vec()];
    assert!(probe.answered(&two).is_none());
}

/// What a server says first is read before it is asked: formats that begin otherwise are left out.
#[test]
fn formats_are_asked_behind_what_they_begin_with() {
    let greetings = [b"hello 1\n".to_vec(), b"hello 2\n".to_vec()];
    assert!(named("mysql").behind(&greetings).is_none());
    assert!(named("mysql").behind(&SILENT).is_none());
    assert!(named("zookeeper-ping").behind(&SILENT).is_some());
    let behind = named("netstring").behind(&greetings).unwrap();
    let turn = behind.profile.prologue()[0].to_string();
    assert_eq!(turn, "server 68 65 6c 6c 6f 20 ?? 0a");
    let frame = [b"3:abc,".to_vec(), b"4:abcd,".to_vec()];
    let behind = named("netstring").behind(&frame).unwrap();
    assert_eq!(behind.profile.prologue()[0].to_string(), "server frame");
}

/// A database that lets nobody in is known by its greeting, and no more than guessed.
#[test]
fn a_greeting_alone_is_a_guess() {
    let greeting = b"\x0b\0\0\0\x0a5.5.5-test".to_vec();
    let found = greeted(&greeting);
    assert_eq!(found[0].profile.name(), "mysql");
    assert!(found.iter().all(|one| one.doubt == Some(Doubt::Unanswered)));
}
