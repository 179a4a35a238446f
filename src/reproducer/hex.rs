//! A script as hex pairs, with all that is no octet in comments.
//!
//! Without its comments it is what `xxd -r -p` reads.

use super::layout::{Layout, Part};
use crate::lang;
use crate::profile::Profile;
use crate::script::{Action, ConnName, Script};
use std::fmt::{self, Write as _};

/// Octets on a line.
const PER_LINE: usize = 16;

/// Columns of a full line.
const WIDTH: usize = PER_LINE * 3 - 1;

/// Octets as hex pairs, with something between them.
pub(super) fn pairs(octets: &[u8], between: &str) -> String {
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(between)
}

/// The script as lines of hex, each with what it is.
///
/// ```
/// use framespec::profile::Profile;
/// use framespec::reproducer::hex;
///
/// let script = "framespec script 1\nopen a\nsend a 01000000 | '1' 00*3\nfin a\n".parse()?;
/// let text = hex::text(&Profile::chunk_count(), &script);
/// let octets: String = text.lines().filter_map(|line| line.split('#').next()).collect();
/// assert_eq!(octets.replace(' ', ""), "0100000031000000");
/// # Ok::<(), framespec::script::ScriptError>(())
/// ```
#[must_use]
pub fn text(profile: &Profile, script: &Script) -> String {
    let mut text = format!("# octets of the profile {}\n", profile.name());
    for turn in profile.prologue() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# each connection begins with: {turn}");
    }
    let mut layout = Layout::new(profile, script);
    for step in script.steps() {
        // Writing to a string cannot fail.
        let _ = step_text(step.conn, &step.action, &mut layout, &mut text);
    }
    text
}

fn step_text(conn: usize, action: &Action, layout: &mut Layout, text: &mut String) -> fmt::Result {
    let name = ConnName(conn);
    match action {
        Action::Send(segments) => {
            for segment in segments {
                let octets = lang::octets(segment.len());
                writeln!(text, "# {name}: a segment of {}", octets.as_str())?;
                for (part, octets) in layout.next(conn, segment) {
                    lines(part, octets, text)?;
                }
            }
            Ok(())
        }
        Action::SendEmpty => writeln!(text, "# {name}: a datagram of no octets"),
        Action::Open => writeln!(text, "# {name}: connects"),
        Action::Begin(opening) => {
            writeln!(
                text,
                "# {name}: connects, and in place of the prologue says"
            )?;
            let mut segments = opening.segments.iter();
            segments.try_for_each(|one| writeln!(text, "# {}", pairs(one, " ")))
        }
        Action::Type(typed) => writeln!(text, "# typed at the client: {typed}"),
        Action::Shown => writeln!(
            text,
            "# {name}: waits until the client shows what it was sent"
        ),
        Action::Settle => writeln!(
            text,
            "# {name}: gives the client time to end the connection"
        ),
        Action::Await => writeln!(text, "# {name}: waits for all that is owed"),
        Action::Quiet => writeln!(text, "# {name}: makes sure that nothing comes"),
        Action::Pause(time) => writeln!(text, "# pause of {} ms", time.as_millis()),
        Action::Fin => writeln!(text, "# {name}: ends its stream (FIN)"),
        Action::Rst => writeln!(text, "# {name}: resets (RST)"),
        Action::Stall => writeln!(text, "# {name}: stops reading"),
        Action::Resume => writeln!(text, "# {name}: reads again"),
        Action::Sample(what) => writeln!(text, "# the server's process is looked at: {what}"),
    }
}

fn lines(part: Part, octets: &[u8], text: &mut String) -> fmt::Result {
    let mut what = match part {
        Part::Header => "header",
        Part::Payload => "payload",
        Part::Padding => "padding",
        Part::Trailer => "trailer",
        Part::Checksum => "checksum",
        Part::Index => "index of a chunk",
        Part::Other => "behind a malformed header",
    };
    for line in octets.chunks(PER_LINE) {
        let shown: String = line
            .iter()
            .map(|octet| match octet {
                // A mark of comments within one would only be in the way.
                b' '..=b'"' | b'$'..=b'~' => char::from(*octet),
                _ => '.',
            })
            .collect();
        writeln!(
            text,
            "{:WIDTH$}  # {shown:PER_LINE$} {what}",
            pairs(line, " ")
        )?;
        what = "";
    }
    Ok(())
}
