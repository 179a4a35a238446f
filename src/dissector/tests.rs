//! The text of dissectors: what is in it, and what can never get into it.

use super::*;
use crate::profile::Draft;

/// What stands in front of what is the same for every format.
fn head(profile: &Profile, port: Option<u16>) -> String {
    let text = Dissector::new(profile, port).to_string();
    let (head, rest) = text.split_once(SETUP).unwrap();
    assert!(rest.ends_with(TABLES));
    head.replace(env!("CARGO_PKG_VERSION"), "0.0.0")
}

#[test]
fn the_head_of_a_plain_format() {
    insta::assert_snapshot!(head(&Profile::tutorial(), None));
}

#[test]
fn the_head_of_a_format_with_almost_everything() {
    let every = "name = 'every-key'\nabout = 'marks and sums'\n\
        header = { before = 'ca fe id id ??=07', after = '01' }\nreplies = { before = 'ca ff id id ??', after = '01' }\n\
        length = { form = 'decimal', width = 5, end = \"\\r\\n\" }\nbody = { chunk = 60, pad = 32, payload = 'utf-8' }\n\
        trailer.octets = 'ck ck 0d 0a'\nchecksum = { kind = 'crc16-modbus', order = 'little', covers = ['before', 'payload'] }\n\
        limits.max_body = 600\nexchange.prologue = ['server 68 69']";
    let profile = Profile::from_toml(every).unwrap();
    insta::assert_snapshot!(head(&profile, Some(7000)));
}

#[test]
fn the_head_of_a_format_with_indexes() {
    let profile = Profile::shipped("blocks-60").unwrap();
    insta::assert_snapshot!(head(&profile, None));
}

/// Each line in front of what is fixed is a comment, or one of a table that is as long as it should be.
#[test]
fn what_an_author_writes_stays_a_comment() {
    let plain = head(&Profile::tutorial(), None).lines().count();
    for about in [
        "]] os.execute('x') --[[ ",
        "[[ \\\n ]]".trim_end_matches('\n'),
        "\u{2028}os.exit()\u{85}\u{202e}",
        "\"}; os.exit() --",
        "[=[ it's ]=]",
    ] {
        let about: String = about.chars().filter(|c| !c.is_control()).collect();
        let profile = Profile::try_from(Draft {
            about: about.clone(),
            ..Draft::from(Profile::tutorial())
        });
        let head = head(&profile.unwrap(), None);
        assert_eq!(head.lines().count(), plain, "{about:?}");
        let second = head.lines().nth(1).unwrap();
        assert!(second.starts_with("-- "), "{second}");
        let without: Vec<&str> = head.lines().filter(|line| *line != second).collect();
        assert!(!without.concat().contains("os."), "{head}");
        assert!(
            second.chars().all(crate::report::escape::is_harmless),
            "{second}"
        );
    }
}

/// A name has no other characters than these, and one that begins with a digit or is one of Wireshark's own does no harm.
#[test]
fn names_are_those_of_wireshark() {
    for (name, expected) in [
        ("9p", "framespec_9p"),
        ("a-b", "framespec_a_b"),
        ("-", "framespec__"),
    ] {
        let draft = Draft {
            name: name.into(),
            ..Draft::from(Profile::tutorial())
        };
        let profile = Profile::try_from(draft).unwrap();
        assert_eq!(Dissector::new(&profile, None).name(), expected);
    }
    let hostile = Draft {
        name: "x\"]".into(),
        ..Draft::default()
    };
    assert!(Profile::try_from(hostile).is_err());
}

#[test]
fn texts_are_literals_of_lua() {
    let text = |text| table::Text(text).to_string();
    assert_eq!(text(r#"a"b\"#), r#""a\"b\\""#);
    assert_eq!(text("\r\n\0é1"), r#""\013\010\000\195\1691""#);
    assert_eq!(text("]]--"), "\"]]--\"");
}
