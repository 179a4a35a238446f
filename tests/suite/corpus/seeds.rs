//! What is in `corpus`. In `decoder`: for each clause of framing, streams that keep it and streams that
//! break it, at the places where decoders go wrong.
//!
//! A seed of raw octets is a stream in the `tutorial` format. One that needs its own segments, or
//! another format, is a script in text form.

// Two binaries read this file, one of them from elsewhere.
#[path = "captures.rs"]
mod captures;
#[path = "sums_and_indexes.rs"]
mod sums_and_indexes;

/// Every seed: its name, `clause.variant`, and its octets.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let raw = raw().into_iter();
    let scripts = sums_and_indexes::SCRIPTS.iter().chain(SCRIPTS);
    let text = scripts.map(|(name, script)| {
        let lines = script.lines().map(str::trim_start);
        let lines = lines.collect::<Vec<_>>().join("\n");
        (*name, format!("framespec script 1{lines}\n").into_bytes())
    });
    raw.chain(text).collect()
}

/// Seeds of targets that make their input from octets which stand for chance, and of the one that plays the server: each
/// with its folder.
pub(crate) fn of_chance() -> Vec<(String, Vec<u8>)> {
    let targets = ["chunks", "roundtrip", "reply", "client", "report"];
    let counted = |from: u8| -> Vec<u8> {
        (0..120)
            .map(|at: u8| at.wrapping_mul(37).wrapping_add(from))
            .collect()
    };
    let octets = [
        ("zeros", vec![0; 60]),
        ("ones", [&[0x7f][..], &[0xff; 90]].concat()),
        ("in-the-default-format", counted(0)),
        ("in-another-format", counted(0x80)),
        ("with-little-to-draw-from", vec![0x11, 0x22]),
    ];
    let named = |target| {
        octets
            .clone()
            .map(|(name, octets)| (format!("{target}/{name}"), octets))
    };
    let scripts = SERVED.iter().map(|(name, script)| {
        let lines = script
            .lines()
            .map(str::trim_start)
            .collect::<Vec<_>>()
            .join("\n");
        (
            format!("client/{name}"),
            format!("framespec script 1\nside server{lines}\n").into_bytes(),
        )
    });
    let captures = captures::seeds().into_iter();
    let captures = captures.map(|(name, octets)| (format!("detect/{name}"), octets));
    let all = targets.into_iter().flat_map(named).chain(scripts);
    all.chain(captures).collect()
}

/// Scripts of the server's side.
const SERVED: [(&str, &str); 6] = [
    (
        "client-limit.known-before-the-header-is-whole",
        r#"
        #: name = "digits"
        #: length = { form = "decimal", width = 9, end = ":" }
        open a
        await a
        send a '-' | '65536' | ':'
        rst a
        await a"#,
    ),
    (
        "client-limit.odd-length-then-a-reset",
        r#"
        open a
        await a
        send a 0001003c
        await a
        send a 0000003c '"behind it"' 00*49
        rst a
        await a"#,
    ),
    (
        "client-undecodable.then-a-reset",
        r#"
        open a
        await a
        send a 0000003d 'x'*61
        await a
        rst a
        await a"#,
    ),
    (
        "client-boundary.two-replies-in-a-segment",
        r#"
        open a
        await a
        await a
        send a 0000003c '"one reply"' 00*49 0000003c '"another"' 00*51
        shown a"#,
    ),
    (
        "client-truncation.inside-a-body",
        r#"
        open a
        await a
        send a 0000003c '"half of it'
        fin a
        await a"#,
    ),
    (
        "client-limit.all-ones",
        r#"
        open a
        await a
        send a ffffffff
        await a"#,
    ),
];

/// A header with that length.
fn header(length: u32) -> Vec<u8> {
    length.to_be_bytes().to_vec()
}

/// A frame whose body is the payload and as much padding as it needs.
fn frame(payload: &[u8]) -> Vec<u8> {
    padded(payload, payload.len().next_multiple_of(60))
}

/// A frame with a body of so many octets, NUL behind the payload.
fn padded(payload: &[u8], body: usize) -> Vec<u8> {
    let mut frame = header(u32::try_from(body).unwrap());
    frame.extend_from_slice(payload);
    frame.resize(4 + body, 0);
    frame
}

/// A JSON text of so many octets, at least two.
fn text(len: usize) -> Vec<u8> {
    let mut text = vec![b'x'; len];
    text[0] = b'"';
    text[len - 1] = b'"';
    text
}

fn raw() -> Vec<(&'static str, Vec<u8>)> {
    let hi = frame(b"\"hi\"");
    let odd = |length: u32| [header(length), text(length as usize)].concat();
    vec![
        ("length-prefix.one-chunk", hi.clone()),
        ("length-prefix.two-octets-used", frame(&text(1000))),
        ("boundary.two-frames", [hi.clone(), frame(b"2")].concat()),
        ("boundary.twenty-frames", hi.repeat(20)),
        (
            "boundary.sizes-up-and-down",
            [200, 2, 60, 61, 59].map(|len| frame(&text(len))).concat(),
        ),
        (
            "boundary.payload-looks-like-a-frame",
            frame(&[&hi[..], b"."].concat()),
        ),
        (
            "boundary.body-looks-like-headers",
            frame(&b"\0\0\0\x3c".repeat(15)),
        ),
        (
            "boundary.next-header-looks-like-padding",
            [frame(b"1"), header(0), frame(b"2")].concat(),
        ),
        ("padding.one-octet", frame(&text(59))),
        ("padding.all-but-one", frame(b"1")),
        ("padding.a-chunk-too-much", padded(b"\"hi\"", 120)),
        ("padding.many-chunks-too-much", padded(b"\"hi\"", 1800)),
        ("padding.nothing-else", padded(b"", 60)),
        ("padding.nul-inside", frame(b"\"a\"\0\"b\"")),
        ("padding.nul-in-front", frame(b"\0\0\0\"hi\"")),
        ("padding.spaces-stay", frame(b" \"hi\"  ")),
        (
            "padding.chunk-of-nul-inside",
            frame(&[&text(60)[..], &[0; 60], b"1"].concat()),
        ),
        ("exact-fill.one-chunk", frame(&text(60))),
        ("exact-fill.three-chunks", frame(&text(180))),
        (
            "exact-fill.then-another",
            [frame(&text(60)), frame(b"2")].concat(),
        ),
        ("empty-frame.alone", header(0)),
        ("empty-frame.three", header(0).repeat(3)),
        (
            "empty-frame.between",
            [hi.clone(), header(0), hi.clone()].concat(),
        ),
        ("chunk-multiple.one", odd(1).into_iter().take(5).collect()),
        ("chunk-multiple.one-below", odd(59)),
        ("chunk-multiple.one-above", odd(61)),
        (
            "chunk-multiple.then-a-frame",
            [odd(53), hi.clone()].concat(),
        ),
        (
            "chunk-multiple.behind-a-frame",
            [hi.clone(), odd(2)].concat(),
        ),
        ("chunk-multiple.a-mebibyte", header(1 << 20)),
        ("length-limit.one-chunk-above", header(1_048_620)),
        (
            "length-limit.above-with-octets",
            [header(1_048_620), text(300)].concat(),
        ),
        ("length-limit.largest-positive", header(0x7fff_ffff)),
        ("length-limit.sign-bit", header(0x8000_0000)),
        ("length-limit.all-ones", header(0xffff_ffff)),
        ("length-limit.wraps-with-the-header", header(0xffff_fffc)),
        (
            "length-limit.little-endian",
            [60_u32.to_le_bytes().to_vec(), text(60)].concat(),
        ),
        (
            "length-limit.text-instead-of-a-header",
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        ),
        (
            "length-limit.behind-a-frame",
            [hi.clone(), header(u32::MAX)].concat(),
        ),
        ("truncation.nothing-at-all", vec![]),
        ("truncation.one-octet-of-the-header", vec![0]),
        ("truncation.three-octets-of-the-header", vec![0; 3]),
        ("truncation.between-header-and-body", header(60)),
        (
            "truncation.one-octet-of-the-body",
            [header(60), vec![b'1']].concat(),
        ),
        ("truncation.payload-whole-padding-not", hi[..20].to_vec()),
        ("truncation.one-octet-missing", hi[..63].to_vec()),
        (
            "truncation.second-header",
            [hi.clone(), vec![0; 2]].concat(),
        ),
        (
            "truncation.second-body",
            [hi.clone(), hi[..30].to_vec()].concat(),
        ),
        (
            "truncation.second-at-its-boundary",
            [hi.clone(), header(120)].concat(),
        ),
    ]
}

const SCRIPTS: &[(&str, &str)] = &[
    (
        "length-prefix.little-endian-chunks",
        r#"
        #: chunk-count
        open a
        send a 0e000000 '{"nombre": "Margot", "edad": 15, "raza": "Schnauzer"}' 00*3
        fin a"#,
    ),
    (
        "length-prefix.three-octets-used",
        r#"
        open a
        send a 00011184 '"' 'x'*69998 '"' 00*20
        fin a"#,
    ),
    (
        "length-prefix.one-octet-wide",
        r#"
        #: name = "one"
        #: length.width = 1
        open a
        send a ff 'x'*255 00 02 'hi'
        fin a"#,
    ),
    (
        "length-prefix.three-octets-little-endian",
        r#"
        #: name = "three"
        #: length = { width = 3, order = "little" }
        #: header.after = "??"
        open a
        send a 020000 07 'hi' 010100 08 'x'*257
        fin a"#,
    ),
    (
        "length-prefix.eight-octets-wide",
        r#"
        #: name = "eight"
        #: length.width = 8
        open a
        send a 0000000000000002 'hi'
        fin a"#,
    ),
    (
        "length-prefix.sign-bit-of-a-signed-length",
        r#"
        #: name = "signed"
        #: length = { width = 2, signed = true }
        open a
        send a 0002 'hi' 8002 'hi'
        fin a"#,
    ),
    (
        "length-prefix.minus-one",
        r#"
        #: name = "signed"
        #: length = { width = 4, signed = true }
        open a
        send a ffffffff
        fin a"#,
    ),
    (
        "length-prefix.counts-itself",
        r#"
        #: name = "self"
        #: length = { width = 4, covers = ["length", "payload"] }
        open a
        send a 00000006 'hi' 00000004 00000005 'x'
        fin a"#,
    ),
    (
        "length-prefix.counts-less-than-itself",
        r#"
        #: name = "self"
        #: length = { width = 4, covers = ["length", "payload"] }
        open a
        send a 00000003 'hi'
        fin a"#,
    ),
    (
        "length-prefix.between-marks",
        r#"
        #: name = "marked"
        #: header = { before = "ca fe", after = "?? 01" }
        #: length.width = 2
        open a
        send a cafe 0002 0001 'hi' | cafe 0000 ff01
        fin a"#,
    ),
    (
        "length-prefix.wrong-mark-in-front",
        r#"
        #: name = "marked"
        #: header = { before = "ca fe", after = "?? 01" }
        #: length.width = 2
        open a
        send a cafe 0002 0001 'hi' cafa 0000 ff01
        fin a"#,
    ),
    (
        "length-prefix.wrong-mark-behind",
        r#"
        #: name = "marked"
        #: header = { before = "ca fe", after = "?? 01" }
        #: length.width = 2
        open a
        send a cafe 0002 0002 'hi'
        fin a"#,
    ),
    (
        "reassembly.octet-by-octet",
        r#"
        open a
        send a 00 | 00 | 00 | 3c | '"' | 'h' | 'i' | '"' | 00*55 | 00
        fin a"#,
    ),
    (
        "reassembly.header-two-and-two",
        r#"
        open a
        send a 0000 | 003c '"hi"' 00*56
        fin a"#,
    ),
    (
        "reassembly.header-three-and-one",
        r#"
        open a
        send a 000000 | 3c '"hi"' 00*56
        fin a"#,
    ),
    (
        "reassembly.cut-between-header-and-body",
        r#"
        open a
        send a 0000003c | '"hi"' 00*56 0000003c | '"ho"' 00*56
        fin a"#,
    ),
    (
        "reassembly.tail-with-the-next-head",
        r#"
        open a
        send a 0000003c '"h' | 'i"' 00*56 0000003c '"' | 'ho"' 00*56
        fin a"#,
    ),
    (
        "reassembly.three-at-once",
        r#"
        open a
        send a 0000003c '1' 00*59 0000003c '2' 00*59 0000003c '3' 00*59
        fin a"#,
    ),
    (
        "reassembly.one-and-a-half-at-a-time",
        r#"
        open a
        send a 0000003c '1' 00*59 0000003c '2' 00*27 | 00*32 0000003c '3' 00*59
        fin a"#,
    ),
    (
        "reassembly.inside-a-character",
        r#"
        open a
        send a 0000003c 22c3 | a922 00*56
        fin a"#,
    ),
    (
        "reassembly.sixty-at-a-time",
        r#"
        open a
        send a 0000003c '1' 00*55 | 00*4 0000003c '2' 00*51 | 00*8
        fin a"#,
    ),
    (
        "padding.of-spaces",
        r#"
        #: name = "spaces"
        #: length.width = 2
        #: body = { chunk = 8, pad = 0x20, payload = "utf-8" }
        open a
        send a 0008 'hi' 20*6 0008 'hi' 00*6
        fin a"#,
    ),
    (
        "padding.not-counted",
        r#"
        #: name = "uncounted"
        #: length = { width = 2, covers = ["payload"] }
        #: body = { chunk = 8, payload = "opaque" }
        open a
        send a 0003 'hi' 00 00*5 0000 0008 'x'*8
        fin a"#,
    ),
    (
        "padding.not-counted-and-not-nul",
        r#"
        #: name = "uncounted"
        #: length = { width = 2, covers = ["payload"] }
        #: body = { chunk = 8, payload = "opaque" }
        open a
        send a 0002 'hi' ff*6 0001 01 02*7
        fin a"#,
    ),
    (
        "exact-fill.chunks-of-four",
        r#"
        #: chunk-count
        open a
        send a 01000000 '"hi"' 02000000 '"hello!"'
        fin a"#,
    ),
    (
        "empty-frame.of-a-length-that-counts-itself",
        r#"
        #: name = "self"
        #: length = { width = 2, covers = ["length", "payload"] }
        open a
        send a 0002 | 00 | 02 | 0003 '1'
        fin a"#,
    ),
    (
        "chunk-multiple.body-behind-its-header",
        r#"
        open a
        send a 0000003d | 'x'*61 | 0000003c '1' 00*59
        fin a"#,
    ),
    (
        "chunk-multiple.body-never-whole",
        r#"
        open a
        send a 0000003d | 'x'*10
        await a"#,
    ),
    (
        "length-limit.body-at-the-limit",
        r#"
        open a
        send a 000ffff0 '"' 'x'*1048500 '"' 00*58 | 0000003c '1' 00*59
        fin a"#,
    ),
    (
        "length-limit.declared-and-kept",
        r#"
        #: name = "small"
        #: length.width = 4
        #: body.chunk = 60
        #: limits.max_body = 120
        open a
        send a 00000078 '1' 00*119 0000003c '2' 00*59
        fin a"#,
    ),
    (
        "length-limit.declared-and-broken",
        r#"
        #: name = "small"
        #: length.width = 4
        #: body.chunk = 60
        #: limits.max_body = 120
        open a
        send a 000000b4 '1' 00*179
        fin a"#,
    ),
    (
        "length-limit.product-wraps-32-bits",
        r#"
        #: chunk-count
        open a
        send a 00000040 01000000 '"hi"'
        fin a"#,
    ),
    (
        "length-limit.product-wraps-64-bits",
        r#"
        #: name = "wide"
        #: length = { width = 8, unit = "chunks", order = "little" }
        #: body.chunk = 16
        open a
        send a 0000000000000010 '1' 00*15
        fin a"#,
    ),
    (
        "length-limit.padding-wraps-64-bits",
        r#"
        #: name = "wide"
        #: length = { width = 8, covers = ["payload"] }
        #: body.chunk = 16
        #: limits.max_body = 18446744073709551615
        open a
        send a ffffffffffffffff
        fin a"#,
    ),
];
