//! A script as a Python program that needs nothing but Python.

use super::layout::Layout;
use crate::lang::{self, say};
use crate::model::prologue::{by_turns, said};
use crate::model::{self, NoSession, Owes, Permitted};
use crate::profile::{Carriage, Length, Mark, Order, Profile, Region, Said, Speaker, Unit};
use crate::report::escape::Line;
use crate::script::{Action, Awaited, Conn, ConnName, Opening, Script, Side, Step, index};
use std::fmt::{self, Write as _};

/// What every such program is made of, besides its script.
const CLIENT: &str = include_str!("client.py");

/// The same for a script of the server's side.
const SERVER: &str = include_str!("server.py");

/// What both have in common, and the line in each in whose place it stands.
const SHARED: &str = include_str!("shared.py");
const PLACE_OF_SHARED: &str = "# SHARED";

/// Octets in one piece of a literal.
const PER_LITERAL: usize = 48;

/// The fewest equal octets that are written as a repetition.
const RUN: usize = 12;

/// The script as a Python program. It connects to the host and the port that are its arguments, or starts
/// the client whose command is its argument and serves it, sends the same segments, pauses as long, and
/// prints what comes; it leaves judging that to its reader.
#[must_use]
pub fn program(profile: &Profile, script: &Script, notes: &[String]) -> String {
    let permitted = model::permitted(profile, script);
    let apart = profile.clone().carried_by(Carriage::Datagrams);
    let apart = model::permitted(&apart, script);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = Program {
        profile,
        script,
        permitted: &permitted,
        apart: &apart,
        notes,
    }
    .write(&mut text);
    text
}

struct Program<'a> {
    profile: &'a Profile,
    script: &'a Script,
    /// In a stream.
    permitted: &'a [Permitted],
    /// In datagrams.
    apart: &'a [Permitted],
    notes: &'a [String],
}

impl Program<'_> {
    fn write(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "#!/usr/bin/env python3")?;
        let (usage, who, runtime) = match self.script.side() {
            Side::Client => (
                "[[udp:]HOST [PORT]|[udp:]HOST:PORT]",
                say!("What a server may answer"),
                CLIENT,
            ),
            Side::Server => (
                "['COMMAND {host} {port}' [PORT]]",
                say!("What a client may do"),
                SERVER,
            ),
        };
        let usage = say!("Usage: python3 THIS_FILE {usage}", usage);
        writeln!(out, "# {usage}")?;
        for note in self.notes {
            writeln!(out, "# {}", Line(note))?;
        }
        writeln!(out, "#\n# {who}:")?;
        for (conn, permitted) in self.permitted.iter().enumerate() {
            for line in permitted.lines() {
                writeln!(out, "#   {}: {line}", ConnName(conn))?;
            }
        }
        if self.script.side() == Side::Client {
            writeln!(
                out,
                "# {}",
                say!("Over UDP nothing is owed for a segment that is not one frame.")
            )?;
        }
        let runtime = runtime.replace(PLACE_OF_SHARED, SHARED.trim_end());
        writeln!(out, "\n{}\n\n", runtime.trim_end())?;
        self.prologue(out)?;
        self.format(out)?;
        writeln!(out)?;
        match self.script.side() {
            Side::Client => self.steps(out),
            Side::Server => self.served(out),
        }
    }

    /// The steps of a script of the server's side.
    fn served(&self, out: &mut String) -> fmt::Result {
        let mut layout = Layout::new(self.profile, self.script);
        let asking = self.permitted.first().and_then(|one| one.asking.as_ref());
        let mut awaits = asking.map_or(&[][..], |asking| &asking.awaits).iter();
        let mut sent = 0_usize;
        writeln!(out, "server = Server()")?;
        for step in self.script.steps() {
            match &step.action {
                Action::Open => writeln!(out, "server.accept()")?,
                Action::Type(typed) => writeln!(out, "server.type({})", text(&typed.line))?,
                Action::Send(segments) => {
                    sent = segments
                        .iter()
                        .map(Vec::len)
                        .fold(sent, usize::saturating_add);
                    self.send("server", step, segments, &mut layout, out)?;
                }
                Action::Await => writeln!(out, "server.{}", wait_for(awaits.next()))?,
                Action::Shown => self.shown(sent, out)?,
                Action::Settle => writeln!(out, "server.settle()")?,
                Action::Quiet => writeln!(out, "server.quiet()")?,
                Action::Pause(time) => writeln!(out, "time.sleep({})", time.as_secs_f64())?,
                Action::Fin => writeln!(out, "server.fin()")?,
                Action::Rst => writeln!(out, "server.rst()")?,
                Action::Sample(_) => {
                    writeln!(out, "# Here the client's process would be looked at.")?;
                }
                // None of a script of this side.
                Action::Begin(_) | Action::Stall | Action::Resume | Action::SendEmpty => {}
            }
        }
        writeln!(out, "server.done()")
    }

    /// Waits for the texts of the first `sent` octets.
    fn shown(&self, sent: usize, out: &mut String) -> fmt::Result {
        let duties = self.permitted.iter().flat_map(|one| &one.duties);
        for duty in duties.filter(|duty| duty.due <= sent) {
            if let Owes::Showing(showing) = &duty.owes {
                writeln!(out, "server.shown({})", text(&showing.text))?;
            }
        }
        Ok(())
    }

    fn send(
        &self,
        name: &str,
        step: &Step,
        segments: &[Vec<u8>],
        layout: &mut Layout,
        out: &mut String,
    ) -> fmt::Result {
        writeln!(out, "{name}.send(")?;
        for segment in segments {
            let octets = lang::octets(segment.len());
            writeln!(out, "    # {}", say!("a segment of {octets}", octets))?;
            let parts = layout.next(step.conn, segment);
            let literals = parts.iter().flat_map(|(_, octets)| literals(octets));
            let literals: Vec<String> = literals.collect();
            writeln!(out, "    {},", literals.join("\n    + "))?;
        }
        writeln!(out, ")")
    }

    /// What is said before the first frame.
    fn prologue(&self, out: &mut String) -> fmt::Result {
        let turns = self.profile.prologue();
        let last = listed(self.profile.reply_last());
        writeln!(
            out,
            "# What the last frame of a reply begins with, if a reply may be several."
        )?;
        writeln!(out, "LAST = {last}\n")?;
        if turns.is_empty() {
            return writeln!(out, "PROLOGUE = []\n\n");
        }
        writeln!(out, "PROLOGUE = [")?;
        for turn in turns {
            let speaker = match turn.speaker {
                Speaker::Client => "client",
                Speaker::Server => "server",
            };
            let expected = match &turn.said {
                Said::Octets(octets) => listed(octets),
                Said::Frame => "None".to_owned(),
                Said::Reply => "\"reply\"".to_owned(),
            };
            let says = literals(&said(self.profile, turn)).join(" + ");
            writeln!(out, "    (\"{speaker}\", {says}, {expected}),")?;
        }
        writeln!(out, "]\n\n")
    }

    /// How Python finds the end of a frame of the profile.
    fn format(&self, out: &mut String) -> fmt::Result {
        let profile = self.profile;
        writeln!(out, "def frame_size(octets):")?;
        writeln!(
            out,
            "    # None as long as that is not known, or if there is no such frame."
        )?;
        self.length(out)?;
        if profile.unit() == Unit::Chunks {
            writeln!(out, "    count *= {}", profile.chunk())?;
        }
        if profile.covered_header_len() > 0 {
            writeln!(out, "    count -= {}", profile.covered_header_len())?;
        }
        let index = profile.index();
        if let Some(index) = index.filter(|_| profile.covers(Region::Indexes)) {
            let (width, chunk) = (
                index.width(),
                index::chunk(index).saturating_add(index.width()),
            );
            writeln!(out, "    count -= -(-count // {chunk}) * {width}")?;
        }
        if !profile.covers(Region::Padding) {
            let chunk = profile.chunk();
            writeln!(out, "    count = -(-count // {chunk}) * {chunk}")?;
        }
        if let Some(index) = index {
            let (width, chunk) = (index.width(), index.chunk());
            writeln!(out, "    count += -(-count // {chunk}) * {width}")?;
        }
        let behind = match profile.trailer().len() {
            0 => String::new(),
            len => format!(" + {len}"),
        };
        writeln!(
            out,
            "    return header + count{behind} if count >= 0 else None\n\n"
        )
    }

    /// How it reads the count, and how many octets the header has.
    fn length(&self, out: &mut String) -> fmt::Result {
        let profile = self.profile;
        let (start, after) = (profile.before().len(), profile.after().len());
        let around = start.saturating_add(after);
        match profile.length() {
            Length::Binary {
                width,
                order,
                signed,
            } => {
                let end = start.saturating_add(width.into());
                let order = match order {
                    Order::Big => "big",
                    Order::Little => "little",
                };
                let signed = if signed { "True" } else { "False" };
                let header = profile.header_len();
                writeln!(out, "    header = {header}")?;
                writeln!(out, "    if len(octets) < header:")?;
                writeln!(out, "        return None")?;
                writeln!(
                    out,
                    "    count = int.from_bytes(octets[{start}:{end}], \"{order}\", signed={signed})"
                )
            }
            Length::Varint { most, .. } => {
                let end = start.saturating_add(most.into());
                writeln!(out, "    groups = octets[{start}:{end}]")?;
                writeln!(
                    out,
                    "    ends = [at for at, octet in enumerate(groups) if octet < 0x80]"
                )?;
                writeln!(out, "    if not ends:")?;
                writeln!(out, "        return None")?;
                writeln!(out, "    width = ends[0] + 1")?;
                writeln!(
                    out,
                    "    count = sum((octet & 0x7f) << 7 * at for at, octet in enumerate(groups[:width]))"
                )?;
                writeln!(out, "    header = {around} + width")
            }
            Length::Decimal { end, .. } => {
                let most = start.saturating_add(profile.length().most_len());
                let ends = literals(end.octets()).concat();
                let around = around.saturating_add(end.octets().len());
                writeln!(
                    out,
                    "    digits, ends, _ = octets[{start}:{most}].partition({ends})"
                )?;
                writeln!(out, "    if not ends or not digits.isdigit():")?;
                writeln!(out, "        return None")?;
                writeln!(out, "    count = int(digits)")?;
                writeln!(out, "    header = {around} + len(digits)")
            }
        }
    }

    fn steps(&self, out: &mut String) -> fmt::Result {
        let mut layout = Layout::new(self.profile, self.script);
        let mut so_far = vec![SoFar::default(); self.script.connections()];
        for step in self.script.steps() {
            if let (Action::Stall, Some(so_far)) = (&step.action, so_far.get_mut(step.conn)) {
                so_far.will_stall = true;
            }
        }
        for step in self.script.steps() {
            if let Some(so_far) = so_far.get_mut(step.conn) {
                so_far.take(&step.action);
            }
            self.step(step, &so_far, &mut layout, out)?;
        }
        writeln!(out, "\n# Whatever is still owed.")?;
        for (conn, so_far) in so_far.iter().enumerate() {
            if !so_far.reset && !so_far.stalled {
                self.wait(conn, *so_far, out)?;
            }
        }
        writeln!(out, "say(\"\", \"done\")")
    }

    fn step(
        &self,
        step: &Step,
        so_far: &[SoFar],
        layout: &mut Layout,
        out: &mut String,
    ) -> fmt::Result {
        let name = ConnName(step.conn);
        match &step.action {
            Action::Open => {
                let slow = so_far.get(step.conn).is_some_and(|conn| conn.will_stall);
                let slow = if slow { ", small_buffer=True" } else { "" };
                writeln!(out, "{name} = Client(\"{name}\"{slow})")
            }
            Action::Begin(opening) => self.begin(step.conn, opening, out),
            Action::Send(segments) => self.send(&name.to_string(), step, segments, layout, out),
            Action::Await => {
                let so_far = so_far.get(step.conn).copied().unwrap_or_default();
                self.wait(step.conn, so_far, out)
            }
            Action::Quiet => writeln!(out, "{name}.quiet()"),
            Action::SendEmpty => writeln!(out, "{name}.send_empty()"),
            // None of a script of this side.
            Action::Type(_) | Action::Shown | Action::Settle => Ok(()),
            Action::Pause(time) => writeln!(out, "time.sleep({})", time.as_secs_f64()),
            Action::Fin => writeln!(out, "{name}.fin()"),
            Action::Rst => writeln!(out, "{name}.rst()"),
            Action::Stall => writeln!(out, "{name}.stall()"),
            Action::Resume => writeln!(out, "{name}.resume()"),
            Action::Sample(_) => writeln!(out, "# Here the server's process would be looked at."),
        }
    }

    /// Connects, and says what the script has in place of the prologue.
    fn begin(&self, conn: Conn, opening: &Opening, out: &mut String) -> fmt::Result {
        let (mut turns, is_whole) = by_turns(self.profile, opening);
        let last = opening.is_glued.then(|| turns.last_mut()?.pop()).flatten();
        let segment = |octets: &Vec<u8>| literals(octets).join(" + ");
        let turns = turns.iter().map(|turn| {
            let segments: Vec<String> = turn.iter().map(segment).collect();
            format!("[{}]", segments.join(", "))
        });
        let turns: Vec<String> = turns.collect();
        let (name, turns) = (ConnName(conn), turns.join(", "));
        let is_whole = if is_whole { "True" } else { "False" };
        let held = last.as_ref().map_or("b\"\"".to_owned(), segment);
        writeln!(
            out,
            "{name} = Client(\"{name}\", says=[{turns}], whole={is_whole}, held={held})"
        )
    }

    /// Waits for what is owed for what has been sent on a connection.
    fn wait(&self, conn: Conn, so_far: SoFar, out: &mut String) -> fmt::Result {
        let (replies, close) = owed(self.permitted.get(conn), so_far.sent);
        let close = if close || so_far.fin {
            ", close=True"
        } else {
            ""
        };
        let (apart, _) = owed(self.apart.get(conn), so_far.sent);
        let apart = match apart == replies {
            true => String::new(),
            false => format!(", datagrams={apart}"),
        };
        writeln!(out, "{}.wait({replies}{close}{apart})", ConnName(conn))
    }
}

/// How many replies are owed for so many octets, and whether a close is.
fn owed(permitted: Option<&Permitted>, sent: usize) -> (usize, bool) {
    let is_seen = |none: &NoSession| none.why.is_seen();
    let no_session = permitted.and_then(|one| one.no_session.as_ref());
    let (mut replies, mut close) = (0_usize, no_session.is_some_and(is_seen));
    let duties = permitted.into_iter().flat_map(|one| &one.duties);
    for duty in duties.filter(|duty| duty.due <= sent) {
        match duty.owes {
            Owes::Close(_) => close = true,
            Owes::Reply(_) | Owes::ReplyOrClose(_) => replies = replies.saturating_add(1),
            Owes::Nothing(_)
            | Owes::ReplyOrSilence(_)
            | Owes::Showing(_)
            | Owes::ReadOnOrEnd(_) => {}
        }
    }
    (replies, close)
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, Default)]
struct SoFar {
    sent: usize,
    fin: bool,
    reset: bool,
    stalled: bool,
    /// It stops reading at some time, so its buffer has to be small from the beginning.
    will_stall: bool,
}

impl SoFar {
    fn take(&mut self, action: &Action) {
        match action {
            Action::Send(segments) => {
                let octets = segments.iter().map(Vec::len).sum();
                self.sent = self.sent.saturating_add(octets);
            }
            Action::Fin => self.fin = true,
            Action::Rst => self.reset = true,
            Action::Stall | Action::Resume => self.stalled = *action == Action::Stall,
            _ => {}
        }
    }
}

/// Octets as Python's list, `None` for one that may be anything.
fn listed(octets: &Mark) -> String {
    let octet = |octet: &Option<u8>| octet.map_or("None".into(), |octet| format!("{octet:#04x}"));
    let octets: Vec<String> = octets.octets().iter().map(octet).collect();
    format!("[{}]", octets.join(", "))
}

/// How the program waits for what is awaited.
const fn wait_for(awaited: Option<&Awaited>) -> &'static str {
    match awaited {
        Some(Awaited::RequestOrEnd(_)) => "request(or_end=True)",
        Some(Awaited::End) => "end()",
        Some(Awaited::Notice) => "notice()",
        _ => "request()",
    }
}

/// A text as Python's literal.
fn text(text: &str) -> String {
    format!("{}.decode()", literal(text.as_bytes()))
}

/// Octets as Python's literals, to be added up: runs as repetitions, all else as text or escapes.
fn literals(mut octets: &[u8]) -> Vec<String> {
    let mut literals = Vec::new();
    while let Some(first) = octets.first() {
        let same = octets.iter().take_while(|octet| *octet == first).count();
        let taken = if same >= RUN {
            literals.push(format!("{} * {same}", literal(&[*first])));
            same
        } else {
            // A run that begins beyond this literal is none of its business.
            let near = octets
                .get(..PER_LITERAL.saturating_add(RUN))
                .unwrap_or(octets);
            let run = near
                .windows(RUN)
                .position(|window| window.iter().all(|octet| Some(octet) == window.first()));
            let taken = run.unwrap_or(octets.len()).min(PER_LITERAL);
            literals.push(literal(octets.get(..taken).unwrap_or_default()));
            taken
        };
        octets = octets.get(taken..).unwrap_or_default();
    }
    literals
}

fn literal(octets: &[u8]) -> String {
    let mut text = String::from("b'");
    for octet in octets {
        match octet {
            b'\'' | b'\\' => text.extend(['\\', char::from(*octet)]),
            b' '..=b'~' => text.push(char::from(*octet)),
            // Writing to a string cannot fail.
            _ => drop(write!(text, "\\x{octet:02x}")),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_pythons() {
        assert_eq!(literals(b"\0\0\0\x3c"), ["b'\\x00\\x00\\x00<'"]);
        assert_eq!(
            literals(b"it's\\\0\0\0\0\0\0\0\0\0\0\0\0!"),
            ["b'it\\'s\\\\'", "b'\\x00' * 12", "b'!'"]
        );
        assert_eq!(literals(&[b'a'; 11]), ["b'aaaaaaaaaaa'"]);
        assert!(literals(b"").is_empty());
    }

    #[test]
    fn what_is_owed_is_waited_for() {
        let script = "framespec script 1\n\
            open a\nsend a 00000000 | 0000003c '1' 00*59\nawait a\n\
            open b\nsend b ffffffff\nawait b\nopen c\nrst c\nfin a\n";
        let text = program(&Profile::tutorial(), &script.parse().unwrap(), &[]);
        let body = text.split("def frame_size").nth(1).unwrap();
        let waits: Vec<&str> = body
            .lines()
            .filter(|line| line.contains(".wait("))
            .collect();
        assert_eq!(
            waits,
            [
                "a.wait(2, datagrams=1)",
                "b.wait(0, close=True)",
                "a.wait(2, close=True, datagrams=1)",
                "b.wait(0, close=True)"
            ]
        );
    }

    #[test]
    fn over_udp_segments_are_waited_for_one_by_one() {
        let script = "framespec script 1\nopen a\nsend a 0000 | 003c '1' 00*59\nempty a\nawait a\n";
        let text = program(&Profile::tutorial(), &script.parse().unwrap(), &[]);
        assert!(
            text.contains("\na.send_empty()\na.wait(1, datagrams=0)\n"),
            "{text}"
        );
    }

    #[test]
    fn notes_stay_comments() {
        let script = "framespec script 1\nopen a\n".parse().unwrap();
        let text = program(&Profile::tutorial(), &script, &["a\nimport os".to_owned()]);
        assert!(text.contains("# a\\nimport os\n"));
    }
}
