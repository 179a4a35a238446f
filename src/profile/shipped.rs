//! Profiles of formats that are in use: files of the folder `profiles`, kept in the program by name.

use super::Profile;

/// Each file by the name that stands in it.
const FILES: [(&str, &str); 43] = [
    ("9p", include_str!("../../profiles/9p.toml")),
    ("9p-version", include_str!("../../profiles/9p-version.toml")),
    ("amqp", include_str!("../../profiles/amqp.toml")),
    (
        "amqp-secret",
        include_str!("../../profiles/amqp-secret.toml"),
    ),
    ("bgp", include_str!("../../profiles/bgp.toml")),
    ("bitcoin", include_str!("../../profiles/bitcoin.toml")),
    ("blocks-25", include_str!("../../profiles/blocks-25.toml")),
    ("blocks-36", include_str!("../../profiles/blocks-36.toml")),
    ("blocks-60", include_str!("../../profiles/blocks-60.toml")),
    (
        "dns-over-tcp",
        include_str!("../../profiles/dns-over-tcp.toml"),
    ),
    (
        "dns-question",
        include_str!("../../profiles/dns-question.toml"),
    ),
    ("dns-record", include_str!("../../profiles/dns-record.toml")),
    (
        "erlang-packet-1",
        include_str!("../../profiles/erlang-packet-1.toml"),
    ),
    (
        "erlang-packet-2",
        include_str!("../../profiles/erlang-packet-2.toml"),
    ),
    (
        "erlang-packet-4",
        include_str!("../../profiles/erlang-packet-4.toml"),
    ),
    ("gearman", include_str!("../../profiles/gearman.toml")),
    ("kafka", include_str!("../../profiles/kafka.toml")),
    ("lsp", include_str!("../../profiles/lsp.toml")),
    (
        "memcached-binary",
        include_str!("../../profiles/memcached-binary.toml"),
    ),
    (
        "memcached-set",
        include_str!("../../profiles/memcached-set.toml"),
    ),
    (
        "modbus-read",
        include_str!("../../profiles/modbus-read.toml"),
    ),
    ("modbus-tcp", include_str!("../../profiles/modbus-tcp.toml")),
    (
        "modbus-unknown",
        include_str!("../../profiles/modbus-unknown.toml"),
    ),
    ("mongodb", include_str!("../../profiles/mongodb.toml")),
    ("mqtt", include_str!("../../profiles/mqtt.toml")),
    (
        "mqtt-publish",
        include_str!("../../profiles/mqtt-publish.toml"),
    ),
    (
        "multiprocessing",
        include_str!("../../profiles/multiprocessing.toml"),
    ),
    ("mysql", include_str!("../../profiles/mysql.toml")),
    (
        "native-messaging",
        include_str!("../../profiles/native-messaging.toml"),
    ),
    ("netstring", include_str!("../../profiles/netstring.toml")),
    ("postgresql", include_str!("../../profiles/postgresql.toml")),
    (
        "postgresql-query",
        include_str!("../../profiles/postgresql-query.toml"),
    ),
    (
        "protobuf-delimited",
        include_str!("../../profiles/protobuf-delimited.toml"),
    ),
    ("redis-eval", include_str!("../../profiles/redis-eval.toml")),
    ("resp-bulk", include_str!("../../profiles/resp-bulk.toml")),
    ("ssh-agent", include_str!("../../profiles/ssh-agent.toml")),
    (
        "thrift-framed",
        include_str!("../../profiles/thrift-framed.toml"),
    ),
    (
        "thrift-json",
        include_str!("../../profiles/thrift-json.toml"),
    ),
    ("tpkt", include_str!("../../profiles/tpkt.toml")),
    (
        "twisted-int32",
        include_str!("../../profiles/twisted-int32.toml"),
    ),
    ("zmtp-req", include_str!("../../profiles/zmtp-req.toml")),
    ("zookeeper", include_str!("../../profiles/zookeeper.toml")),
    (
        "zookeeper-ping",
        include_str!("../../profiles/zookeeper-ping.toml"),
    ),
];

impl Profile {
    /// The names of the profiles of formats that are in use, in the order of the alphabet.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        FILES.into_iter().map(|(name, _)| name)
    }

    /// The profile of that name of a format that is in use.
    ///
    /// ```
    /// use framespec::profile::Profile;
    ///
    /// let modbus = Profile::shipped("modbus-tcp").ok_or("it is there")?;
    /// assert_eq!(modbus.header_len(), 7);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = FILES.into_iter().find(|(known, _)| *known == name)?;
        Self::from_toml(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Encoder, FrameReader};
    use bytes::BytesMut;

    /// The octets behind a word in a file's comment.
    fn worked(text: &str, word: &str) -> Vec<u8> {
        let line = text.lines().find_map(|line| line.strip_prefix(word));
        let pairs = line
            .unwrap()
            .split([' ', '|'])
            .filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    }

    #[test]
    fn each_is_found_by_its_name_and_says_where_its_facts_are_from() {
        for (name, text) in FILES {
            let profile = Profile::from_toml(text).unwrap();
            assert_eq!(profile.name(), name);
            assert_eq!(Profile::shipped(name), Some(profile));
            assert_eq!(Profile::built_in(name), None, "{name}");
            assert!(text.contains("\n# Source: "), "{name}");
        }
        assert!(Profile::shipped_names().is_sorted());
    }

    #[test]
    fn most_are_described_in_under_15_lines() {
        let lines = |text: &str| {
            let said = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
            text.lines().filter(said).count()
        };
        let short = FILES.iter().filter(|(_, text)| lines(text) < 15).count();
        assert_eq!(short, 40);
        assert!(FILES.iter().all(|(_, text)| lines(text) < 20));
    }

    #[test]
    fn each_writes_and_reads_the_frame_of_its_comment() {
        for (name, text) in FILES {
            let profile = Profile::from_toml(text).unwrap();
            let (payload, frame) = (worked(text, "# payload"), worked(text, "# frame "));
            let mut out = BytesMut::new();
            Encoder::new(&profile).encode(&payload, &mut out).unwrap();
            assert_eq!(out, frame, "{name}");
            let mut reader = FrameReader::new(&frame[..], &profile);
            let read = reader.read_frame().unwrap().unwrap();
            assert_eq!(read.payload(), payload, "{name}");
            assert_eq!(reader.read_frame().unwrap(), None, "{name}");
        }
    }

    #[test]
    fn the_document_lists_each() {
        let document = include_str!("../../docs/PROFILES.md");
        for name in Profile::shipped_names() {
            assert!(document.contains(&format!("\n| `{name}` |")), "{name}");
        }
    }
}
