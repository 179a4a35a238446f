//! Seeds in formats that have a checksum, or an index in front of each chunk.

/// Scripts, each with its name.
pub(super) const SCRIPTS: &[(&str, &str)] = &[
    (
        "chunk-index.of-three-chunks",
        r#"
        #: name = "blocks"
        #: length = { width = 1, covers = ["payload"] }
        #: body = { chunk = 4, index = { width = 2, order = "little", from = 1 } }
        open a
        send a 0b 01 | 00 'abcd' 0200 'efgh' 03 | 00 'ijk' 00 00 01 0100 'x' 000000
        fin a"#,
    ),
    (
        "chunk-index.of-a-short-last-chunk",
        r#"
        #: name = "short"
        #: length = { width = 2, covers = ["length", "payload", "indexes"] }
        #: body = { chunk = 3, last = "short", index = { width = 1 } }
        open a
        send a 0009 00 'abc' 01 'de' 0002 0004 00 'f'
        fin a"#,
    ),
    (
        "chunk-index.repeated",
        r#"
        #: name = "blocks"
        #: length = { width = 1, covers = ["payload"] }
        #: body = { chunk = 4, index = { width = 2, order = "little", from = 1 } }
        open a
        send a 08 0100 'abcd' 0100 'efgh'
        fin a"#,
    ),
    (
        "chunk-index.going-on",
        r#"
        #: name = "blocks"
        #: length = { width = 1, covers = ["payload"] }
        #: body = { chunk = 4, index = { width = 2, order = "little", from = 1 } }
        open a
        send a 02 0100 'hi' 0000 02 0200 'hi' 0000
        fin a"#,
    ),
    (
        "chunk-index.cut-off",
        r#"
        #: name = "blocks"
        #: length = { width = 1, covers = ["payload"] }
        #: body = { chunk = 4, index = { width = 2, order = "little", from = 1 } }
        open a
        send a 08 0100 'abcd' 02
        fin a"#,
    ),
    (
        "checksum.behind-two-bodies",
        r#"
        #: name = "sum"
        #: length.width = 1
        #: trailer.octets = "ck ck ck ck"
        #: checksum.kind = "crc32"
        open a
        send a 01 'a' e8b7be43 00 00000000 | 02 'bc' c2a9 | 2b38
        fin a"#,
    ),
    (
        "checksum.one-bit",
        r#"
        #: name = "sum"
        #: length.width = 1
        #: trailer.octets = "ck ck ck ck"
        #: checksum.kind = "crc32"
        open a
        send a 01 'a' e8b7be43 01 'a' e8b7be42 01 'a'
        fin a"#,
    ),
    (
        "checksum.of-the-header-too",
        r#"
        #: name = "modbus"
        #: header.before = "??"
        #: length.width = 1
        #: trailer.octets = "ck ck"
        #: checksum = { kind = "crc16-modbus", order = "little", covers = ["before", "length", "payload"] }
        open a
        send a 0701 'a' 0079 0801 'a' 0079
        fin a"#,
    ),
    (
        "checksum.in-front-of-the-body",
        r#"
        #: name = "head"
        #: length = { width = 2, order = "little" }
        #: header.after = "01 ck ck ck ck"
        #: checksum.kind = "sha256d-4"
        open a
        send a 0300 01 4f8b42c2 | 'abc' 0300 01 4f8b42c2 'ab' | 'd'
        fin a"#,
    ),
    (
        "checksum.cut-off",
        r#"
        #: name = "sum"
        #: length.width = 1
        #: trailer.octets = "ck ck ck ck"
        #: checksum.kind = "crc32"
        open a
        send a 01 'a' e8b7be43 01 'a' e8b7be
        fin a"#,
    ),
];
