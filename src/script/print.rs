//! A script written down in its text form.

use super::{Action, Conn, MAGIC, Script, Side, Step, Typed};
use std::fmt::{self, Write as _};

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}")?;
        write!(f, "{}", Heading(self))?;
        self.steps()
            .iter()
            .try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// The lines of a script file that stand before its steps: none for the client's side.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a>(pub &'a Script);

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.side() == Side::Client {
            return Ok(());
        }
        writeln!(f, "side server")?;
        match self.0.replies().given() {
            Some(template) => writeln!(f, "replies {}", Quoted(template)),
            None => Ok(()),
        }
    }
}

/// A text as script files hold it; nothing is something in quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("''"),
            text => write!(f, "{}", Octets(text.as_bytes())),
        }
    }
}

/// As it stands behind `type`.
impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Quoted(&self.line))?;
        if self.text != self.line {
            write!(f, " holds {}", Quoted(&self.text))?;
        }
        self.payload
            .map_or(Ok(()), |octets| write!(f, " payload {octets}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.action {
            Action::Pause(pause) => return write!(f, "pause {}", pause.as_millis()),
            Action::Sample(name) => return write!(f, "sample {name}"),
            Action::Type(typed) => return write!(f, "type {typed}"),
            Action::Send(segments) => {
                write!(f, "send {}", ConnName(self.conn))?;
                return write_segments(f, segments);
            }
            Action::Begin(opening) => {
                write!(f, "begin {}", ConnName(self.conn))?;
                write_segments(f, &opening.segments)?;
                return f.write_str(if opening.is_glued { " +" } else { "" });
            }
            Action::SendEmpty => "empty",
            Action::Open => "open",
            Action::Await => "await",
            Action::Quiet => "quiet",
            Action::Shown => "shown",
            Action::Settle => "settle",
            Action::Fin => "fin",
            Action::Rst => "rst",
            Action::Stall => "stall",
            Action::Resume => "resume",
        };
        write!(f, "{word} {}", ConnName(self.conn))
    }
}

/// A connection as scripts and reports call it.
#[derive(Debug, Clone, Copy)]
pub struct ConnName(pub Conn);

impl fmt::Display for ConnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u8::try_from(self.0) {
            Ok(small @ 0..26) => f.write_char(char::from(b'a'.saturating_add(small))),
            _ => write!(f, "c{}", self.0),
        }
    }
}

fn write_segments(f: &mut fmt::Formatter<'_>, segments: &[Vec<u8>]) -> fmt::Result {
    for (i, segment) in segments.iter().enumerate() {
        if i > 0 {
            f.write_str(" |")?;
        }
        write_octets(f, segment)?;
    }
    Ok(())
}

/// Octets as they stand behind `send`: runs of one octet as a count, printable text in quotes, all
/// else in hex. Nothing is printed for none.
#[derive(Debug, Clone, Copy)]
pub struct Octets<'a>(pub &'a [u8]);

impl fmt::Display for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_octets(&mut text, self.0)?;
        f.write_str(text.trim_start())
    }
}

/// The fewest equal octets that are written as a count.
const RUN: usize = 8;

/// The fewest printable octets that are written as text.
const TEXT: usize = 3;

/// Runs of one octet as a count, printable text in quotes, all else in hex.
fn write_octets(f: &mut impl fmt::Write, mut octets: &[u8]) -> fmt::Result {
    while let Some(first) = octets.first() {
        let same = run_len(octets);
        let taken = if same >= RUN {
            write!(f, " {first:02x}*{same}")?;
            same
        } else if is_text(octets) {
            let text = octets.get(..text_len(octets)).unwrap_or_default();
            write!(f, " '{}'", String::from_utf8_lossy(text))?;
            text.len()
        } else {
            write!(f, " {first:02x}")?;
            1
        };
        octets = octets.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// How many octets at the beginning are the same.
fn run_len(octets: &[u8]) -> usize {
    let first = octets.first();
    let is_same = |octet: &&u8| Some(*octet) == first;
    octets.iter().take_while(is_same).count()
}

fn is_text(octets: &[u8]) -> bool {
    octets
        .get(..TEXT)
        .is_some_and(|head| head.iter().all(|octet| is_plain(*octet)))
}

/// How many octets at the beginning are printable, up to where a run begins that is better written as a
/// count. It looks no further than that, so that writing takes as long as there are octets.
fn text_len(octets: &[u8]) -> usize {
    let mut len = 0_usize;
    let mut run = 0_usize;
    let mut last = None;
    for octet in octets.iter().take_while(|octet| is_plain(**octet)) {
        run = if last == Some(octet) {
            run.saturating_add(1)
        } else {
            1
        };
        last = Some(octet);
        len = len.saturating_add(1);
        if run >= RUN {
            return len.saturating_sub(RUN);
        }
    }
    len
}

/// Printable ASCII but the quote that would end it.
fn is_plain(octet: u8) -> bool {
    (b' '..=b'~').contains(&octet) && octet != b'\''
}
