//! Captures, made octet by octet: what a client and a server said, as pcap has it, as a dump, as it is.

/// A frame of the tutorial's format.
fn frame(text: &str) -> Vec<u8> {
    let mut body = text.as_bytes().to_vec();
    body.resize(text.len().next_multiple_of(60), 0);
    let header = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&header[..], &body].concat()
}

const LONG: &str =
    r#"["a text that needs a second chunk, because it is longer than sixty octets"]"#;

pub(super) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let hex = |octets: Vec<u8>| {
        octets
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let dump = format!(
        "> {}\n> {}\n< {}\n",
        hex(frame(LONG)),
        hex(frame("1")),
        hex(frame("{}"))
    );
    vec![
        ("both-sides-of-a-connection", pcap()),
        ("hex-dump", dump.into_bytes()),
        ("netstrings", b"5:hello,0:,12:hello world!,".to_vec()),
        (
            "varints",
            b"> 0d 01 fe 80 20 61 6e 64 20 6f 74 68 65 72\n> 05 68 65 6c 6c 6f\n< 02 9f 80\n> 03 81 82 83\n< 01 90\n< 04 a1 a2 a3 a4\n".to_vec(),
        ),
    ]
}

/// A pcap file of raw IP: two segments of the client, of which one is there twice, and one of the server.
fn pcap() -> Vec<u8> {
    let mut file = [
        &0xa1b2_c3d4_u32.to_le_bytes()[..],
        &[2, 0, 4, 0],
        &[0; 8],
        &[0xff, 0xff, 0, 0],
        &[101, 0, 0, 0],
    ]
    .concat();
    let (first, second) = (frame("1"), frame(LONG));
    let behind = 101 + u32::try_from(first.len()).unwrap();
    for packet in [
        packet(4000, 5000, 100, 0x02, b""),
        packet(5000, 4000, 7, 0x12, b""),
        packet(4000, 5000, behind, 0x10, &second),
        packet(4000, 5000, 101, 0x10, &first),
        packet(4000, 5000, 101, 0x10, &first),
        packet(5000, 4000, 8, 0x10, &frame("{}")),
    ] {
        let octets = u32::try_from(packet.len()).unwrap().to_le_bytes();
        file.extend([[0; 4], [0; 4], octets, octets].concat());
        file.extend(packet);
    }
    file
}

/// A packet of IPv4 with a segment of TCP in it.
fn packet(from: u16, to: u16, sequence: u32, flags: u8, octets: &[u8]) -> Vec<u8> {
    let total = u16::try_from(40 + octets.len()).unwrap().to_be_bytes();
    let ip = [
        0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1,
    ];
    let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
    let rest = [0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
    [&ip[..], &ports, &sequence.to_be_bytes(), &rest, octets].concat()
}
