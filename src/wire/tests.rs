//! Worked octets; the properties over arbitrary profiles are in `properties`.

use super::*;
use crate::profile::{Draft, Order, Profile, Region, Unit};
use bytes::BytesMut;

fn profile(draft: Draft) -> Profile {
    Profile::try_from(Draft {
        name: "test".into(),
        ..draft
    })
    .unwrap()
}

fn encoded(profile: &Profile, payload: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut out = BytesMut::new();
    Encoder::new(profile)
        .encode(payload, &mut out)
        .map(|()| out.to_vec())
}

fn error(profile: &Profile, octets: &[u8]) -> DecodeError {
    frames(profile, octets)
        .find_map(Result::err)
        .expect("an error")
}

#[test]
fn the_seeds_example_is_encoded_to_the_octet() {
    let payload = b"{\"nombre\": \"Margot\", \"edad\": 15, \"raza\": \"Schnauzer\"}";
    let octets = [b"\x0e\0\0\0", &payload[..], b"\0\0\0"].concat();
    assert_eq!(
        encoded(&Profile::chunk_count(), payload),
        Ok(octets.clone())
    );
    let octets = [b"\0\0\0\x3c", &payload[..], b"\0\0\0\0\0\0\0"].concat();
    assert_eq!(encoded(&Profile::tutorial(), payload), Ok(octets));
}

#[test]
fn a_payload_that_would_not_read_back_is_refused() {
    let small = Profile::tutorial().with_max_body(60).unwrap();
    assert_eq!(
        encoded(&small, b"x\0"),
        Err(EncodeError::EndsInPad { pad: 0 })
    );
    assert_eq!(
        encoded(&small, &[1; 61]),
        Err(EncodeError::OverLimit { limit: 60 })
    );
    assert!(encoded(&small, &[1; 60]).is_ok());
    let narrow = profile(Draft {
        width: 1,
        signed: true,
        chunk: 1,
        covers: vec![Region::Length, Region::Payload],
        ..Draft::default()
    });
    assert!(encoded(&narrow, &[0; 126]).is_ok());
    assert_eq!(
        encoded(&narrow, &[0; 127]),
        Err(EncodeError::FieldTooNarrow { width: 1 })
    );
}

#[test]
fn a_length_may_count_the_header_and_leave_out_the_padding() {
    let all = profile(Draft {
        before: "ca fe".into(),
        width: 3,
        order: Order::Little,
        covers: vec![
            Region::Before,
            Region::Length,
            Region::After,
            Region::Payload,
        ],
        after: "??".into(),
        chunk: 4,
        pad: b'.',
        ..Draft::default()
    });
    let octets = b"\xca\xfe\x0b\0\0\0hi.y.\xca";
    assert_eq!(
        encoded(&all, b"hi.y."),
        Ok(b"\xca\xfe\x0b\0\0\0hi.y....".to_vec())
    );
    let shared = [&octets[..11], b"xxx"].concat();
    let frame = frames(&all, &shared).next().unwrap().unwrap();
    assert_eq!((frame.payload(), frame.body().len()), (&b"hi.y."[..], 8));
    assert_eq!(frame.header(), b"\xca\xfe\x0b\0\0\0");
}

#[test]
fn an_error_has_its_kind_and_its_place() {
    let all = profile(Draft {
        before: "ca fe".into(),
        width: 2,
        signed: true,
        covers: vec![Region::Length, Region::Payload, Region::Padding],
        after: "?? 01".into(),
        chunk: 2,
        max_body: Some(8),
        ..Draft::default()
    });
    let at = |octets: &[u8]| {
        let error = error(&all, &[b"\xca\xfe\0\x02\0\x01", octets].concat());
        (error.kind, error.offset)
    };
    use DecodeErrorKind::*;
    assert_eq!(at(b"\xca\xff\xff\xff\0\0"), (Mark, 7));
    assert_eq!(at(b"\xca\xfe\xff\xff\0\0"), (Negative, 8));
    assert_eq!(at(b"\xca\xfe\0\x01\0\0"), (Underflow, 8));
    assert_eq!(at(b"\xca\xfe\0\x05\0\x01"), (NotWholeChunks, 8));
    assert_eq!(at(b"\xca\xfe\0\x0b\0\x01"), (OverLimit, 8));
    assert_eq!(at(b"\xca\xfe\0\x0a\0\0"), (Mark, 11));
    let truncated = |place| Truncated { place };
    assert_eq!(at(b"\xca"), (truncated(Place::Header), 6));
    assert_eq!(at(b"\xca\xfe\0\x04\0\x01"), (truncated(Place::Boundary), 6));
    assert_eq!(at(b"\xca\xfe\0\x04\0\x01x"), (truncated(Place::Body), 6));
}

#[test]
fn an_error_stays() {
    let mut decoder = Decoder::new(&Profile::tutorial());
    let mut octets = BytesMut::from(&b"\0\0\0\x01"[..]);
    let error = decoder.decode(&mut octets).unwrap_err();
    assert_eq!(octets.len(), 4);
    let mut good = BytesMut::from(&[0; 4][..]);
    assert_eq!(decoder.decode(&mut good), Err(error));
    assert_eq!(decoder.finish(b""), Err(error));
    assert!(!decoder.is_at_boundary(b""));
}

#[test]
fn lengths_at_the_edge_of_64_bits_do_not_wrap() {
    let wide = |unit, covers: &[Region], max_body| {
        profile(Draft {
            width: 8,
            unit,
            covers: covers.to_vec(),
            chunk: 4,
            max_body: Some(max_body),
            ..Draft::default()
        })
    };
    use Region::{Length, Padding, Payload};
    let both = &[Payload, Padding];
    let kind = |profile: &Profile, field: u64| error(profile, &field.to_be_bytes()).kind;
    let boundary = DecodeErrorKind::Truncated {
        place: Place::Boundary,
    };
    let chunks = wide(Unit::Chunks, both, 100);
    assert_eq!(kind(&chunks, 1 << 62), DecodeErrorKind::OverLimit);
    assert_eq!(kind(&chunks, u64::MAX), DecodeErrorKind::OverLimit);
    let unlimited = wide(Unit::Octets, &[Payload], u64::MAX);
    assert_eq!(kind(&unlimited, u64::MAX), DecodeErrorKind::OverLimit);
    assert_eq!(kind(&unlimited, u64::MAX - 3), boundary);
    let covering = wide(Unit::Chunks, &[Length, Payload, Padding], u64::MAX);
    assert_eq!(kind(&covering, 1 << 62), boundary);
}

#[test]
fn a_crafted_header_says_what_it_is_told() {
    let encoder = Encoder::new(&Profile::chunk_count());
    let mut out = BytesMut::new();
    encoder.claim(1 << 31, &mut out).unwrap();
    assert_eq!(&out[..], (1_u32 << 29).to_le_bytes());
    assert_eq!(
        encoder.claim(6, &mut out),
        Err(EncodeError::NotWholeChunks { chunk: 4 })
    );
    out.clear();
    encoder.header_with(u64::MAX, &mut out);
    assert_eq!(&out[..], [0xff; 4]);
}

/// Frames of one size, which are pushed in pieces of one size as often as is needed.
struct Flow {
    octets: BytesMut,
    piece: usize,
}

impl Flow {
    const FRAMES: usize = 3;

    fn new(profile: &Profile, payload: usize, piece: usize) -> Self {
        let mut octets = BytesMut::new();
        for _ in 0..Self::FRAMES {
            let payload = vec![b'x'; payload];
            Encoder::new(profile).encode(&payload, &mut octets).unwrap();
        }
        Self { octets, piece }
    }

    /// How often memory is asked for while the frames go by once more, after they have a few times.
    fn allocations(&self, mut take: impl FnMut(&mut BytesMut) -> usize) -> u64 {
        let mut buffer = BytesMut::new();
        let mut pass = || {
            let mut frames = 0;
            for piece in self.octets.chunks(self.piece) {
                buffer.extend_from_slice(piece);
                frames += take(&mut buffer);
            }
            assert_eq!(frames, Self::FRAMES);
        };
        (0..3).for_each(|_| pass());
        allocation_counter::measure(pass).count_total
    }
}

#[test]
fn frames_that_go_by_cost_no_allocation() {
    let sizes = [(60, 1), (60, 1_460), (1 << 10, 1), (1 << 10, 1_460)];
    let large = [
        (64 << 10, 1_460),
        (64 << 10, 7),
        (1 << 20, 65_536),
        (1 << 20, 1_460),
    ];
    let whole = [60, 1 << 10, 64 << 10, 1 << 20].map(|size| (size, usize::MAX));
    for profile in [Profile::u32_be(), Profile::chunk_count()] {
        for (payload, piece) in sizes.into_iter().chain(large).chain(whole) {
            let flow = Flow::new(&profile, payload, piece);
            let mut decoder = Decoder::new(&profile);
            let single = flow.allocations(|octets| {
                std::iter::from_fn(|| decoder.decode(octets).unwrap()).count()
            });
            let mut decoder = Decoder::new(&profile);
            let batches = flow.allocations(|octets| {
                let batch = decoder.decode_batch(octets).unwrap();
                batch.map_or(0, |batch| batch.iter().count())
            });
            assert_eq!((single, batches), (0, 0), "{payload} in pieces of {piece}");
        }
    }
}

#[test]
fn frames_that_are_borrowed_or_made_cost_no_allocation() {
    for profile in [Profile::u32_be(), Profile::chunk_count()] {
        let flow = Flow::new(&profile, 60, 1);
        let mut decoder = Decoder::new(&profile);
        let encoder = Encoder::new(&profile);
        let mut out = BytesMut::with_capacity(flow.octets.len());
        let memory = allocation_counter::measure(|| {
            let mut rest = &flow.octets[..];
            while let Some(frame) = decoder.decode_ref(&mut rest).unwrap() {
                encoder.encode(frame.payload(), &mut out).unwrap();
            }
        });
        assert_eq!((memory.count_total, &out), (0, &flow.octets));
    }
}

/// They go wherever a program wants to have them: into tasks, threads and errors.
#[test]
fn everything_may_change_threads() {
    fn is_free<T: Send + Sync + Unpin + 'static>() {}
    fn is_error<T: std::error::Error + Send + Sync + 'static>() {}
    is_free::<Encoder>();
    is_free::<Decoder>();
    is_free::<Frame>();
    is_free::<Batch>();
    is_free::<FrameRef<'static>>();
    is_free::<Frames<'static>>();
    is_free::<FrameReader<&[u8]>>();
    is_free::<FrameWriter<Vec<u8>>>();
    is_error::<DecodeError>();
    is_error::<EncodeError>();
    is_error::<ReadError>();
    is_error::<WriteError>();
}

#[cfg(feature = "checksum")]
mod checksums {
    use super::*;
    use crate::profile::ChecksumKind;

    /// A CRC of header and padded body, behind the body and in front of a fixed octet.
    fn behind() -> Profile {
        profile(Draft {
            before: "id".into(),
            width: 1,
            chunk: 4,
            trailer: "ck ck 0a".into(),
            checksum: Some(ChecksumKind::Crc16Modbus),
            checksum_order: Order::Little,
            checksum_covers: vec![
                Region::Before,
                Region::Length,
                Region::Payload,
                Region::Padding,
            ],
            ..Draft::default()
        })
    }

    /// Four octets of a hash of the payload, in the header.
    fn in_header() -> Profile {
        profile(Draft {
            after: "01 ck ck ck ck".into(),
            width: 1,
            chunk: 1,
            checksum: Some(ChecksumKind::Sha256d4),
            ..Draft::default()
        })
    }

    #[test]
    fn the_encoder_writes_what_belongs_there() {
        let hello = b"\x05\x01\x95\x95\xc9\xdfhello";
        assert_eq!(encoded(&in_header(), b"hello"), Ok(hello.to_vec()));
        let mut out = BytesMut::from(&b"in front"[..]);
        let encoder = Encoder::new(&behind());
        encoder.encode_with_id(b"hi", 7, &mut out).unwrap();
        assert_eq!(&out[8..], b"\x07\x04hi\0\0\x3c\x10\x0a");
        assert_eq!(encoder.encoded_len(2), Ok(9));
    }

    #[test]
    fn a_wrong_one_is_an_error_at_its_first_octet() {
        let right = encoded(&behind(), b"hi").unwrap();
        let twice = right.repeat(2);
        for at in 9..17 {
            let mut octets = twice.clone();
            octets[at] ^= 1;
            let error = error(&behind(), &octets);
            let (kind, offset) = (error.kind, error.offset);
            // An altered length moves what is behind it.
            if at != 10 {
                assert_eq!((kind, offset), (DecodeErrorKind::Checksum, 15), "{at}");
            }
        }
    }

    /// What is wrong with it is not known before all that is covered has come.
    #[test]
    fn it_is_looked_at_once_the_frame_is_whole() {
        let mut decoder = Decoder::new(&in_header());
        let mut octets = BytesMut::from(&b"\x05\x01\x95\x95\xc9\xdehell"[..]);
        assert_eq!(decoder.decode(&mut octets), Ok(None));
        octets.extend_from_slice(b"o");
        let error = decoder.decode(&mut octets).unwrap_err();
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::Checksum, 2));
        let mut octets = BytesMut::from(&b"\x05\x01\x95\x95\xc9\xdfhello\0\x01\0\0\0\0"[..]);
        let mut decoder = Decoder::new(&in_header());
        let batch = decoder.decode_batch(&mut octets).unwrap().unwrap();
        assert_eq!(batch.len(), 1);
        let error = decoder.decode_batch(&mut octets).unwrap_err();
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::Checksum, 13));
    }
}

#[test]
fn each_chunk_has_its_index_and_a_wrong_one_is_found_once_it_is_whole() {
    let indexed = profile(Draft {
        width: 1,
        covers: vec![Region::Payload],
        chunk: 4,
        index: Some(2),
        index_order: Order::Little,
        index_from: 1,
        ..Draft::default()
    });
    let whole = b"\x06\x01\0abcd\x02\0ef\0\0";
    assert_eq!(encoded(&indexed, b"abcdef"), Ok(whole.to_vec()));
    let mut octets = BytesMut::from(&whole[..]);
    let mut decoder = Decoder::new(&indexed);
    let frame = decoder.decode(&mut octets).unwrap().unwrap();
    assert_eq!(frame.payload(), b"abcdef");
    assert_eq!(frame.body(), b"abcdef\0\0");
    assert_eq!(frame.octets(), b"\x06abcdef\0\0");
    assert_eq!((decoder.offset(), octets.len()), (13, 0));

    let kind = DecodeErrorKind::Index;
    let mut wrong = BytesMut::from(&b"\x06\x01\0abcd\x03"[..]);
    assert_eq!(decoder.decode(&mut wrong), Ok(None));
    wrong.extend_from_slice(b"\0");
    let error = Err(DecodeError { kind, offset: 20 });
    assert_eq!(decoder.decode(&mut wrong), error);
    let truncated = DecodeErrorKind::Truncated { place: Place::Body };
    assert_eq!(error_kind(&indexed, &whole[..8]), truncated);
}

fn error_kind(profile: &Profile, octets: &[u8]) -> DecodeErrorKind {
    error(profile, octets).kind
}

#[test]
fn a_frame_in_pieces_is_not_lent_out() {
    let indexed = profile(Draft {
        width: 1,
        index: Some(1),
        covers: vec![Region::Payload],
        ..Draft::default()
    });
    let whole = encoded(&indexed, b"hi").unwrap();
    let in_pieces = DecodeError {
        kind: DecodeErrorKind::InPieces,
        offset: 0,
    };
    assert_eq!(error(&indexed, &whole), in_pieces);
    let mut octets = BytesMut::from(&whole[..]);
    let batch = Decoder::new(&indexed).decode_batch(&mut octets);
    assert_eq!(batch.err(), Some(in_pieces));
    assert_eq!(octets, whole);
    assert_eq!(Decoder::new(&indexed).finish(&whole), Ok(()));
}
