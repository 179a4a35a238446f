//! Hex dumps: pairs of digits, with or without offsets in front and characters behind, as hexdump -C, xxd and
//! people write them.

use super::{CaptureError, Exchange, MOST_ORDERED, Speaker};

/// The octets of a dump, or nothing if it is none.
pub(super) fn read(file: &[u8]) -> Result<Option<Exchange>, CaptureError> {
    let Ok(text) = std::str::from_utf8(file) else {
        return Ok(None);
    };
    let mut exchange = Exchange::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "*" {
            return Err(CaptureError::Folded { line: number });
        }
        let (side, speaker, line) = match (line.strip_prefix('>'), line.strip_prefix('<')) {
            (_, Some(line)) => (&mut exchange.answered, Speaker::Server, line),
            (line_of_client, _) => (
                &mut exchange.asked,
                Speaker::Client,
                line_of_client.unwrap_or(line),
            ),
        };
        let Some(octets) = octets(line.trim()) else {
            return Ok(None);
        };
        side.hear(&octets);
        exchange.order.push(speaker);
    }
    if !text.lines().any(|line| line.trim().starts_with(['>', '<'])) {
        // Where lines are broken says nothing then.
        exchange.asked.ends.clear();
        exchange.order.clear();
    }
    exchange.order.truncate(MOST_ORDERED);
    let is_said = !exchange.asked.octets.is_empty() || !exchange.answered.octets.is_empty();
    Ok(is_said.then_some(exchange))
}

/// The octets of one line.
fn octets(line: &str) -> Option<Vec<u8>> {
    let (pairs, _) = line.split_once('|').unwrap_or((line, ""));
    let pairs = without_offset(pairs.trim_end());
    // What xxd shows as characters stands behind two spaces; what hexdump parts so is pairs on both sides.
    let whole = digits(pairs);
    let front = || digits(pairs.split("  ").next()?);
    whole.or_else(front)
}

fn without_offset(line: &str) -> &str {
    let (first, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
    let is_offset = (4..=16).contains(&first.len()) && first.bytes().all(|d| d.is_ascii_hexdigit());
    let is_set_off =
        rest.starts_with(' ') || line.get(first.len()..).is_some_and(|l| l.starts_with(':'));
    let is_the_end = rest.is_empty() && first.len() == 8 && line.len() == 8;
    match is_offset && (is_set_off || is_the_end) {
        true => rest.trim_start_matches([' ', ':']),
        false => line,
    }
}

fn digits(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    for word in text.split_whitespace() {
        if word.len() % 2 != 0 {
            return None;
        }
        for at in (0..word.len()).step_by(2) {
            let pair = word.get(at..at.checked_add(2)?)?;
            let is_pair = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            octets.push(
                is_pair
                    .then(|| u8::from_str_radix(pair, 16).ok())
                    .flatten()?,
            );
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Vec<u8> {
        let read = read(text.as_bytes()).unwrap().unwrap();
        read.asked.octets
    }

    #[test]
    fn dumps_are_read_however_they_are_written() {
        let octets = b"\0\0\0\x02{}\xffdeadbeefff!";
        let hexdump = "00000000  00 00 00 02 7b 7d ff 64  65 61 64 62 65 65 66 66  |....{}.deadbeeff|\n\
                       00000010  66 21                                             |f!|\n00000012\n";
        let xxd = "00000000: 0000 0002 7b7d ff64 6561 6462 6565 6666  ....{}.deadbeeff\n\
                   00000010: 6621                                     f!\n";
        let plain = "0000 0002\n7b7dff 6465 6164 6265 6566 66 66 21\n";
        for text in [hexdump, xxd, plain] {
            assert_eq!(asked(text), octets, "{text}");
        }
    }

    #[test]
    fn each_side_has_its_lines() {
        let read = read(b"# a comment\n> 00 01\n< 02\n> 03\n")
            .unwrap()
            .unwrap();
        assert_eq!(read.asked.octets, [0, 1, 3]);
        assert_eq!(read.asked.ends, [2, 3]);
        assert_eq!(read.answered.octets, [2]);
    }

    #[test]
    fn other_text_is_no_dump() {
        for text in ["5:hello,", "12:abc", "{\"a\": 1}", "abc", "\n\n", "xyz 00"] {
            assert_eq!(read(text.as_bytes()), Ok(None), "{text}");
        }
        assert_eq!(
            read(b"00 00\n*\n01\n"),
            Err(CaptureError::Folded { line: 2 })
        );
    }
}
