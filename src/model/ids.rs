//! Ids: each frame of a script is given one of its own, so that replies can be told apart by it.

use super::{Tail, checksums, datagrams, permitted_for, reader};
use crate::profile::Profile;
use crate::script::{Action, OwnEnd, Script, Side, StepError};

/// What ids are multiples of: its low octets are odd, so that as many differ as there is room for, and no octet of an
/// id is mostly zero.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The id of the frame that is the one of that number.
const fn id(number: u64) -> u64 {
    number.wrapping_add(1).wrapping_mul(STEP)
}

/// The script with an id in each of its frames that no other has, over all its connections, as long as the ids last.
/// Where frames have none, and where it plays the server, it is left as it is. A checksum that was
/// right stays so, and a wrong one is wrong in the same bits.
#[must_use]
pub fn numbered(profile: &Profile, script: Script) -> Script {
    if !profile.has_ids() || script.side() == Side::Server {
        return script;
    }
    let mut number = 0;
    if profile.carriage().is_datagrams() {
        let numbered = datagrams::changed(&script, |datagram| {
            number = number_frames(profile, datagram, number);
        });
        return numbered.unwrap_or(script);
    }
    let mut streams = script.streams();
    for stream in &mut streams {
        number = number_frames(profile, stream, number);
    }
    // Each step follows those before it as it did.
    with_streams(&script, &streams).unwrap_or(script)
}

/// A frame with the id of that number.
#[must_use]
pub fn with_id(profile: &Profile, mut frame: Vec<u8>, number: u64) -> Vec<u8> {
    if profile.has_ids() {
        put(profile, &mut frame, id(number));
        checksums::sum(profile, &mut frame);
    }
    frame
}

/// Gives the frames of a stream the ids from that number on; the next number.
fn number_frames(profile: &Profile, stream: &mut [u8], mut number: u64) -> u64 {
    let permitted = permitted_for(&profile.unsummed(), stream, OwnEnd::Open);
    let begun = match permitted.tail {
        Tail::Inside { start, .. } => Some(start),
        Tail::Boundary | Tail::Void | Tail::Apart => None,
    };
    let whole = permitted.duties.iter().map(|duty| duty.start..duty.due);
    let begun = begun.map(|start| start..stream.len());
    for frame in whole.chain(begun) {
        let frame = stream.get_mut(frame).unwrap_or_default();
        let wrong_by = checksums::wrong_by(profile, frame);
        put(profile, frame, id(number));
        checksums::sum_wrong_by(profile, frame, &wrong_by);
        number = number.wrapping_add(1);
    }
    number
}

/// Puts an id into the header at the front, as far as that goes.
fn put(profile: &Profile, frame: &mut [u8], id: u64) {
    let header = reader::header_len(profile, frame);
    // Of a header that breaks off in front of its length, what is there stands where it would stand anyhow.
    let header = header.max(profile.header_len());
    let at = reader::id_at(profile, header).unwrap_or_default();
    let octets = id.to_be_bytes();
    let octets = octets.iter().skip(octets.len().saturating_sub(at.len()));
    for (at, octet) in at.zip(octets) {
        if let Some(place) = frame.get_mut(at) {
            *place = *octet;
        }
    }
}

/// The script that sends these octets in place of its own, as many as it sent.
pub(super) fn with_streams(script: &Script, streams: &[Vec<u8>]) -> Result<Script, StepError> {
    let mut changed = script.emptied();
    let mut rest: Vec<&[u8]> = streams.iter().map(Vec::as_slice).collect();
    for step in script.steps() {
        let action = match (&step.action, rest.get_mut(step.conn)) {
            (Action::Send(segments), Some(rest)) => {
                Action::Send(segments.iter().map(|one| taken(rest, one.len())).collect())
            }
            (action, _) => action.clone(),
        };
        changed.push(step.conn, action)?;
    }
    Ok(changed)
}

fn taken(rest: &mut &[u8], octets: usize) -> Vec<u8> {
    let (taken, behind) = rest.split_at(octets.min(rest.len()));
    *rest = behind;
    taken.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permitted;
    use std::collections::HashSet;

    fn profile(marks: &str) -> Profile {
        Profile::from_toml(&format!("name = 'ids'\nlength.width = 1\n{marks}")).unwrap()
    }

    fn script() -> Script {
        let text = "framespec script 1\nopen a\nopen b\nsend a 0000 02 00 | 00 'hi' 0000 ff\npause 5\nsend b 0000 01 0000 '7' 00\nfin a\n";
        text.parse().unwrap()
    }

    #[test]
    fn every_frame_has_an_id_of_its_own() {
        let profile = profile("header.before = 'id id'\nheader.after = '00 00'");
        let script = numbered(&profile, script());
        let permitted = permitted(&profile, &script);
        let duties = permitted.iter().flat_map(|one| &one.duties);
        let ids: Vec<u64> = duties.filter_map(|duty| duty.id).collect();
        assert_eq!(ids, [0x7c15, (0x7c15 * 3) & 0xffff]);
        let begun = script.stream(1);
        assert_eq!(begun.last(), Some(&(((0x7c15_u32 * 4) >> 8) as u8)));
    }

    #[test]
    fn ids_behind_the_length_are_found_too_and_nothing_else_changes() {
        let profile = profile("header.before = '?? ??'\nheader.after = 'id id'");
        let plain = script();
        let script = numbered(&profile, plain.clone());
        assert_eq!(script.stream(0), b"\0\0\x02\x7c\x15hi\0\0\xff");
        assert_eq!(script.steps().len(), plain.steps().len());
        assert_eq!(numbered(&Profile::tutorial(), plain.clone()), plain);
    }

    #[test]
    fn ids_of_one_octet_differ_as_long_as_there_are_some() {
        let ids: HashSet<u8> = (0..256).map(|number| id(number).to_be_bytes()[7]).collect();
        assert_eq!(ids.len(), 256);
    }
}
