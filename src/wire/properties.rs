//! What holds for every profile, every payload and every way of cutting a stream.

use super::*;
use crate::profile::{
    DigitsEnd, Draft, Form, Last, Length, Order, Profile, Region, ReplyOrder, Unit,
};
use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use proptest::prelude::*;
use std::io::{self, ErrorKind};

/// A quarter of them has a plain header, which is read in a way of its own, and another a length that grows.
pub(super) fn profiles() -> impl Strategy<Value = Profile> {
    let any = prop::collection::vec(any::<u8>(), 0..60)
        .prop_map(|seed| Profile::arbitrary(&mut Unstructured::new(&seed)).unwrap());
    (any, grown(), 0..4).prop_map(|(profile, grown, which)| match which {
        0 => plain(profile),
        1 => with_length(profile, grown),
        _ => profile,
    })
}

fn plain(profile: Profile) -> Profile {
    Profile::try_from(Draft {
        before: String::new(),
        after: String::new(),
        form: Form::Binary,
        width: 4,
        overlong: false,
        end: DigitsEnd::Colon,
        trailer: String::new(),
        index: None,
        index_order: Order::Big,
        index_from: 0,
        last: Last::Padded,
        checksum: None,
        checksum_order: Order::Big,
        checksum_covers: vec![Region::Payload, Region::Padding],
        reply_before: None,
        reply_after: None,
        reply_order: ReplyOrder::Requests,
        unit: Unit::Octets,
        covers: vec![Region::Payload, Region::Padding],
        ..Draft::from(profile)
    })
    .unwrap()
}

fn grown() -> impl Strategy<Value = Length> {
    let end = prop_oneof![Just(DigitsEnd::Colon), Just(DigitsEnd::CrLf)];
    prop_oneof![
        (1..=10u8, any::<bool>()).prop_map(|(most, overlong)| Length::Varint { most, overlong }),
        (1..=20u8, end, any::<bool>()).prop_map(|(most, end, overlong)| Length::Decimal {
            most,
            end,
            overlong
        }),
    ]
}

/// The same format with a length of that form.
fn with_length(profile: Profile, length: Length) -> Profile {
    let plain = Draft::default();
    let draft = Draft {
        order: Order::Big,
        signed: false,
        covers: vec![Region::Payload, Region::Padding],
        ..Draft::from(profile)
    };
    let draft = match length {
        Length::Binary { .. } => draft,
        Length::Varint { most, overlong } => Draft {
            form: Form::Varint,
            width: most,
            overlong,
            end: plain.end,
            ..draft
        },
        Length::Decimal {
            most,
            end,
            overlong,
        } => Draft {
            form: Form::Decimal,
            width: most,
            end,
            overlong,
            ..draft
        },
    };
    Profile::try_from(draft).unwrap()
}

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(b' ')];
    prop::collection::vec(octet, 0..150)
}

/// What a stream is made of: mostly what is right, sometimes what is not.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Payload(Vec<u8>),
    Length(u64),
    Claim(u64),
    Noise(Vec<u8>),
}

pub(super) fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let edge = prop_oneof![
        0..=200u64,
        Just(1 << 20),
        (0..=200u64).prop_map(|n| u64::MAX - n)
    ];
    let piece = prop_oneof![
        6 => payloads().prop_map(Piece::Payload),
        1 => edge.clone().prop_map(Piece::Length),
        1 => edge.prop_map(Piece::Claim),
        1 => prop::collection::vec(any::<u8>(), 1..20).prop_map(Piece::Noise),
        1 => prop::collection::vec(prop::sample::select(&b"0019:\r\n\x80\xff\0\x01"[..]), 1..12).prop_map(Piece::Noise),
    ];
    prop::collection::vec(piece, 0..8)
}

pub(super) fn stream(profile: &Profile, pieces: &[Piece]) -> Vec<u8> {
    let encoder = Encoder::new(profile);
    let mut out = BytesMut::new();
    for piece in pieces {
        // What cannot be said in this profile is left out.
        let _ = match piece {
            Piece::Payload(payload) => encoder.encode(payload, &mut out),
            Piece::Claim(counted) => encoder.claim(*counted, &mut out),
            Piece::Length(count) => {
                encoder.header_with(*count, &mut out);
                Ok(())
            }
            Piece::Noise(octets) => {
                out.extend_from_slice(octets);
                Ok(())
            }
        };
    }
    out.to_vec()
}

/// Start, body and payload of each frame, and the error behind them.
type Read = (Vec<Told>, Option<DecodeError>);
type Told = (u64, Vec<u8>, Vec<u8>);

fn told(frame: FrameRef<'_>) -> Told {
    (
        frame.start(),
        frame.body().to_vec(),
        frame.payload().to_vec(),
    )
}

/// Those that cannot be lent out are owned.
fn at_once(profile: &Profile, octets: &[u8]) -> Read {
    if profile.index().is_some() {
        return through_a_reader(profile, octets, vec![Turn::Octets(usize::MAX)]);
    }
    let mut read = Read::default();
    for item in frames(profile, octets) {
        match item {
            Ok(frame) => {
                read.0.push(told(frame));
            }
            Err(error) => read.1 = Some(error),
        }
    }
    read
}

/// Feeds the stream in segments of these sizes, over and over; `step` reads what it can each time and says
/// whether there may be more.
fn fed(
    profile: &Profile,
    mut octets: &[u8],
    sizes: &[usize],
    step: impl Fn(&mut Decoder, &mut BytesMut, &mut Read) -> bool,
) -> Read {
    let mut decoder = Decoder::new(profile);
    let mut buffer = BytesMut::new();
    let mut read = Read::default();
    for size in sizes.iter().cycle() {
        let (segment, rest) = octets.split_at(*size.min(&octets.len()));
        octets = rest;
        buffer.extend_from_slice(segment);
        while step(&mut decoder, &mut buffer, &mut read) {}
        if read.1.is_some() {
            return read;
        }
        assert_eq!(decoder.is_at_boundary(&buffer), buffer.is_empty());
        if octets.is_empty() {
            read.1 = decoder.finish(&buffer).err();
            return read;
        }
    }
    read
}

/// Frame by frame, and the buffer is watched meanwhile.
fn in_segments(profile: &Profile, octets: &[u8], sizes: &[usize]) -> Read {
    fed(profile, octets, sizes, |decoder, buffer, read| {
        let held = buffer.len();
        let mut step = Ok(None);
        let memory = allocation_counter::measure(|| step = decoder.decode(buffer));
        // What counts who shares the buffer is made once.
        assert!(memory.bytes_total <= 64, "room was made: {memory:?}");
        let taken = match step {
            Ok(Some(frame)) => {
                read.0.push(told(frame.as_ref()));
                assert_eq!(frame.payload(), &frame.clone().into_payload()[..]);
                frame.octets().len() + indexes(profile, frame.body().len())
            }
            Ok(None) => 0,
            Err(error) => {
                read.1 = Some(error);
                0
            }
        };
        assert_eq!(buffer.len(), held - taken);
        taken > 0
    })
}

/// Octets of the indexes in a body of so many besides.
fn indexes(profile: &Profile, body: usize) -> usize {
    profile.index().map_or(0, |index| {
        body.div_ceil(index.chunk() as usize) * index.width()
    })
}

/// In batches, each of as many frames as a segment completes; one by one where those cannot be had.
fn in_batches(profile: &Profile, octets: &[u8], sizes: &[usize]) -> Read {
    if profile.index().is_some() {
        return in_segments(profile, octets, sizes);
    }
    fed(
        profile,
        octets,
        sizes,
        |decoder, buffer, read| match decoder.decode_batch(buffer) {
            Ok(Some(batch)) => {
                read.0.extend(batch.iter().map(told));
                assert_eq!(batch.iter().count(), batch.len());
                let octets: Vec<_> = batch.iter().map(|frame| frame.octets()).collect();
                assert_eq!(octets.concat(), batch.octets());
                true
            }
            Ok(None) => false,
            Err(error) => {
                read.1 = Some(error);
                false
            }
        },
    )
}

/// What one call to read or to write does.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// It moves so many octets at most.
    Octets(usize),
    Fails(ErrorKind),
}

/// At least one of them moves octets, so whoever takes them over and over comes to an end.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let octets = || prop_oneof![1..6usize, 1..90usize, Just(1 << 20)].prop_map(Turn::Octets);
    let fails = prop_oneof![Just(ErrorKind::Interrupted), Just(ErrorKind::WouldBlock)];
    let turn = prop_oneof![2 => octets(), 1 => fails.prop_map(Turn::Fails)];
    (prop::collection::vec(turn, 0..8), octets()).prop_map(|(mut turns, moves)| {
        turns.push(moves);
        turns
    })
}

/// A connection that takes its turns, over and over.
struct Peer<T> {
    data: T,
    turns: std::iter::Cycle<std::vec::IntoIter<Turn>>,
}

impl<T> Peer<T> {
    fn new(data: T, turns: Vec<Turn>) -> Self {
        let turns = turns.into_iter().cycle();
        Self { data, turns }
    }

    /// How many of the octets that there is room for are moved this time.
    fn moves(&mut self, room: usize) -> io::Result<usize> {
        match self.turns.next().unwrap() {
            Turn::Octets(count) => Ok(count.min(room)),
            Turn::Fails(kind) => Err(kind.into()),
        }
    }
}

impl io::Read for Peer<&[u8]> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.moves(room.len())?;
        self.data.read(&mut room[..count])
    }
}

impl io::Write for Peer<Vec<u8>> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.moves(octets.len())?;
        self.data.write(&octets[..count])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.moves(0).map(|_| ())
    }
}

/// Does it again as long as it would block, as whoever waits for a socket does.
fn when_ready<T, E: Into<ReadError>>(
    mut done: impl FnMut() -> Result<T, E>,
) -> Result<T, ReadError> {
    loop {
        match done().map_err(E::into) {
            Err(ReadError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

fn through_a_reader(profile: &Profile, octets: &[u8], turns: Vec<Turn>) -> Read {
    let mut reader = FrameReader::new(Peer::new(octets, turns), profile);
    let mut read = Read::default();
    loop {
        match when_ready(|| reader.read_frame()) {
            Ok(Some(frame)) => {
                read.0.push(told(frame.as_ref()));
            }
            Ok(None) => return read,
            Err(ReadError::Decode(error)) => {
                read.1 = Some(error);
                return read;
            }
            Err(ReadError::Io(error)) => panic!("{error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_encoded_reads_back(
        profile in profiles(),
        sent in prop::collection::vec(payloads(), 0..5),
    ) {
        let encoder = Encoder::new(&profile);
        let mut out = BytesMut::new();
        let mut taken = Vec::new();
        for payload in sent {
            let before = out.len();
            if encoder.encode(&payload, &mut out).is_ok() {
                prop_assert_eq!(encoder.encoded_len(payload.len()), Ok(out.len() - before));
                taken.push(payload);
            } else {
                prop_assert_eq!(out.len(), before);
            }
        }
        let (frames, error) = at_once(&profile, &out);
        prop_assert_eq!(error, None);
        let payloads: Vec<_> = frames.into_iter().map(|(_, _, payload)| payload).collect();
        prop_assert_eq!(payloads, taken);
    }

    #[test]
    fn what_is_refused_would_not_have_read_back(profile in profiles(), payload in payloads()) {
        let mut out = BytesMut::new();
        let chunk = u64::from(profile.chunk());
        let body = (payload.len() as u64).next_multiple_of(chunk);
        match Encoder::new(&profile).encode(&payload, &mut out) {
            Ok(()) => prop_assert!(body <= profile.max_body()),
            Err(EncodeError::OverLimit { limit }) => {
                prop_assert_eq!(limit, profile.max_body());
                prop_assert!(body > limit);
            }
            Err(EncodeError::EndsInPad { pad }) => {
                prop_assert!(chunk > 1 && profile.covers(Region::Padding));
                prop_assert_eq!(payload.last(), Some(&pad));
            }
            Err(EncodeError::FieldTooNarrow { width }) => {
                let most = profile.length().most_counted().unwrap_or(u64::MAX);
                let indexes = indexes(&profile, body as usize) as u64;
                let least = body + indexes + profile.header_len() as u64;
                prop_assert!(least > most, "{} fits in {}: {}", least, width, most);
            }
            Err(EncodeError::NotWholeChunks { .. }) => prop_assert!(false, "padded, so whole"),
        }
    }

    #[test]
    fn cuts_carry_no_meaning(
        profile in profiles(),
        pieces in pieces(),
        sizes in prop::collection::vec(1..90usize, 1..6),
    ) {
        let octets = stream(&profile, &pieces);
        let whole = at_once(&profile, &octets);
        prop_assert_eq!(&in_segments(&profile, &octets, &sizes), &whole);
        prop_assert_eq!(&in_segments(&profile, &octets, &[1]), &whole);
        prop_assert_eq!(&in_batches(&profile, &octets, &sizes), &whole);
        prop_assert_eq!(&in_batches(&profile, &octets, &[1 << 20]), &whole);
    }

    #[test]
    fn a_reader_reads_the_same_from_any_connection(
        profile in profiles(),
        pieces in pieces(),
        turns in turns(),
    ) {
        let octets = stream(&profile, &pieces);
        let read = through_a_reader(&profile, &octets, turns);
        prop_assert_eq!(read, at_once(&profile, &octets));
    }

    #[test]
    fn a_writer_writes_the_same_to_any_connection(
        profile in profiles(),
        payloads in prop::collection::vec(payloads(), 0..5),
        turns in turns(),
    ) {
        let mut expected = BytesMut::new();
        let encoder = Encoder::new(&profile);
        let mut writer = FrameWriter::new(Peer::new(Vec::new(), turns), &profile);
        for payload in payloads {
            let encoded = encoder.encode(&payload, &mut expected);
            match writer.write_frame(&payload) {
                Ok(()) => prop_assert!(encoded.is_ok() && writer.pending().is_empty()),
                Err(WriteError::Encode(error)) => prop_assert_eq!(encoded, Err(error)),
                Err(WriteError::Io(error)) => {
                    prop_assert!(encoded.is_ok());
                    prop_assert_eq!(error.kind(), ErrorKind::WouldBlock);
                }
            }
        }
        when_ready(|| writer.flush()).unwrap();
        let (pending, written) = writer.into_parts();
        prop_assert!(pending.is_empty());
        prop_assert_eq!(written.data, expected);
    }

    #[test]
    fn no_frame_is_over_the_limit_and_none_is_lost(profile in profiles(), pieces in pieces()) {
        let octets = stream(&profile, &pieces);
        let (mut next, mut error) = (0, None);
        let mut reader = FrameReader::new(&octets[..], &profile);
        loop {
            match reader.read_frame() {
                Ok(Some(frame)) => {
                    let body = frame.body().len();
                    prop_assert_eq!(frame.start(), next);
                    prop_assert!(body as u64 <= profile.max_body());
                    next += (frame.octets().len() + indexes(&profile, body)) as u64;
                }
                Ok(None) => break,
                Err(ReadError::Decode(found)) => {
                    error = Some(found);
                    break;
                }
                Err(ReadError::Io(error)) => panic!("{error}"),
            }
        }
        match error {
            None => prop_assert_eq!(next, octets.len() as u64),
            Some(error) => prop_assert!((next..octets.len() as u64).contains(&error.offset)),
        }
    }
}

#[cfg(feature = "fuzz")]
mod against_the_model {
    use super::*;
    use crate::fuzz::error;
    use crate::model::reader;

    fn naive(profile: &Profile, octets: &[u8]) -> Read {
        let reading = reader::read(profile, octets);
        let frames = reading.frames.iter().map(|frame| {
            let (content, payload) = (frame.content(octets), frame.payload(octets));
            let start = frame.start as u64;
            (start, content.into_owned(), payload.into_owned())
        });
        (frames.collect(), error(reading.ending))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn both_read_the_same(profile in profiles(), pieces in pieces()) {
            let octets = stream(&profile, &pieces);
            prop_assert_eq!(at_once(&profile, &octets), naive(&profile, &octets));
        }

        #[test]
        fn a_reader_reads_the_same(profile in profiles(), pieces in pieces(), turns in turns()) {
            let octets = stream(&profile, &pieces);
            let read = through_a_reader(&profile, &octets, turns);
            prop_assert_eq!(read, naive(&profile, &octets));
        }
    }
}
