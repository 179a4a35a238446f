//! Reproducers: scripts written down for people, with what they show, and for other programs.
//!
//! A reproducer is a script file like any other. Its comments say in which wire format it is spoken
//! (see [`profile_of_file`](crate::script::profile_of_file)), which case it stands for, what was found
//! and how to play it again. The same script can be had as a [Python program](python) that needs
//! nothing but Python, and as [`hex`].

pub mod hex;
mod layout;
pub mod python;

use crate::profile::Profile;
use crate::report::escape::Line;
use crate::script::{Action, ConnName, Heading, MAGIC, Octets, Script, Step};
use layout::{Layout, Part};
use std::fmt;

/// In front of the name of the case that a file stands for.
const CASE: &str = "# case: ";

/// A script to be written to a file.
///
/// ```
/// use framespec::profile::Profile;
/// use framespec::reproducer::{Reproducer, case_of_file};
/// use framespec::script::{Script, profile_of_file};
///
/// let script: Script = "framespec script 1\nopen a\nsend a 01000000 '1' 00*3\n".parse()?;
/// let profile = Profile::chunk_count();
/// let mut reproducer = Reproducer::new(&profile, &script);
/// reproducer.stands_for("length-prefix/one-chunk");
/// reproducer.say("found", "no reply");
/// let file = reproducer.to_string();
/// assert_eq!(file.lines().nth(1), Some("#: chunk-count"));
/// assert_eq!(file.parse::<Script>()?, script);
/// assert_eq!(case_of_file(file.as_bytes()).as_deref(), Some("length-prefix/one-chunk"));
/// assert_eq!(profile_of_file(file.as_bytes()), Ok(Some(profile)));
/// # Ok::<(), framespec::script::ScriptError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reproducer<'a> {
    profile: &'a Profile,
    script: &'a Script,
    case: Option<String>,
    notes: Vec<(String, String)>,
}

impl<'a> Reproducer<'a> {
    /// A script of that wire format, with nothing said about it.
    #[must_use]
    pub fn new(profile: &'a Profile, script: &'a Script) -> Self {
        Self {
            profile,
            script,
            case: None,
            notes: Vec::new(),
        }
    }

    /// Names the case that it stands for: it is judged as that case is, wherever it is replayed.
    pub fn stands_for(&mut self, case: &str) {
        self.case = Some(case.to_owned());
    }

    /// Says something about it, in a comment of its own.
    pub fn say(&mut self, what: impl Into<String>, text: impl Into<String>) {
        self.notes.push((what.into(), text.into()));
    }
}

/// The case that a script file stands for; `None` if it says of none, as raw octets never do.
#[must_use]
pub fn case_of_file(octets: &[u8]) -> Option<String> {
    if !octets.starts_with(MAGIC.as_bytes()) {
        return None;
    }
    let comments = octets
        .split(|octet| *octet == b'\n')
        .skip(1)
        .take_while(|line| line.starts_with(b"#"));
    let named = |line: &[u8]| {
        let line = std::str::from_utf8(line).ok()?;
        Some(line.strip_prefix(CASE)?.trim().to_owned())
    };
    comments.filter_map(named).next()
}

impl fmt::Display for Reproducer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}")?;
        for line in profile_lines(self.profile) {
            writeln!(f, "#: {line}")?;
        }
        if let Some(case) = &self.case {
            writeln!(f, "{CASE}{}", Line(case))?;
        }
        for (what, text) in &self.notes {
            writeln!(f, "# {}: {}", Line(what), Line(text))?;
        }
        write!(f, "{}", Heading(self.script))?;
        let mut layout = Layout::new(self.profile, self.script);
        for step in self.script.steps() {
            self.step(step, &mut layout, f)?;
        }
        Ok(())
    }
}

impl Reproducer<'_> {
    /// A step as scripts print it, but with each header, index and checksum in hex, apart from what is around it.
    fn step(&self, step: &Step, layout: &mut Layout, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Action::Send(segments) = &step.action else {
            return writeln!(f, "{step}");
        };
        write!(f, "send {}", ConnName(step.conn))?;
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                f.write_str(" |")?;
            }
            for (part, octets) in layout.next(step.conn, segment) {
                match part {
                    Part::Header | Part::Index | Part::Checksum => {
                        write!(f, " {}", hex::pairs(octets, ""))?
                    }
                    Part::Payload | Part::Padding | Part::Trailer | Part::Other => {
                        write!(f, " {}", Octets(octets))?;
                    }
                }
            }
        }
        writeln!(f)
    }
}

/// What says in a file in which format it is: nothing for the tutorial's, the name of another that is
/// built in, else a profile file.
fn profile_lines(profile: &Profile) -> Vec<String> {
    if *profile == Profile::tutorial() {
        return Vec::new();
    }
    if Profile::built_in(profile.name()).as_ref() == Some(profile) {
        return vec![profile.name().to_owned()];
    }
    profile.to_toml().lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::profile_of_file;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn script(text: &str) -> Script {
        format!("{MAGIC}\n{text}").parse().unwrap()
    }

    #[test]
    fn headers_stand_by_themselves_wherever_they_are_cut() {
        let profile = Profile::tutorial();
        let script = script("open a\nsend a 0000 | 003c 223c3c22 00*56 00\nfin a\n");
        let text = Reproducer::new(&profile, &script).to_string();
        assert_eq!(
            text,
            "framespec script 1\nopen a\nsend a 0000 | 003c '\"<<\"' 00*56 00\nfin a\n"
        );
        assert_eq!(text.parse::<Script>().unwrap(), script);
    }

    #[test]
    fn any_profile_goes_into_the_file_and_comes_out_of_it() {
        let script = script("open a\nsend a 0002 '12' 0001\n");
        let own = Profile::from_toml("name = 'own'\nlength.width = 2\n").unwrap();
        let limited = Profile::tutorial().with_max_body(120).unwrap();
        for profile in [own, limited, Profile::chunk_count()] {
            let file = Reproducer::new(&profile, &script).to_string();
            assert_eq!(profile_of_file(file.as_bytes()), Ok(Some(profile)));
            assert_eq!(file.parse::<Script>().unwrap(), script);
        }
        let file = Reproducer::new(&Profile::tutorial(), &script).to_string();
        assert_eq!(profile_of_file(file.as_bytes()), Ok(None));
    }

    proptest! {
        /// Whatever is sent, however cut: the file is that script, and so is its hex.
        #[test]
        fn any_script_is_in_its_file(
            segments in vec(vec(prop_oneof![Just(0_u8), Just(60), any::<u8>()], 1..90), 1..6),
            more in vec(any::<u8>(), 1..9),
        ) {
            let mut script = Script::new();
            script.push(0, Action::Open).unwrap();
            script.push(1, Action::Open).unwrap();
            script.push(1, Action::Send(segments)).unwrap();
            script.push(0, Action::Send(vec![more.clone()])).unwrap();
            script.push(1, Action::Send(vec![more])).unwrap();
            for profile in [Profile::tutorial(), Profile::chunk_count()] {
                let file = Reproducer::new(&profile, &script).to_string();
                prop_assert_eq!(&file.parse::<Script>().unwrap(), &script);
                let text = hex::text(&profile, &script);
                let sent: String = text.lines().filter_map(|line| line.split('#').next()).collect();
                let steps = [&script.steps()[2], &script.steps()[3], &script.steps()[4]];
                let octets = steps.iter().flat_map(|step| match &step.action {
                    Action::Send(segments) => segments.concat(),
                    _ => Vec::new(),
                });
                let octets: Vec<u8> = octets.collect();
                prop_assert_eq!(sent.replace(' ', ""), hex::pairs(&octets, ""));
            }
        }
    }

    #[test]
    fn nothing_that_is_said_can_become_a_step() {
        let script = script("open a\n");
        let profile = Profile::tutorial();
        let mut reproducer = Reproducer::new(&profile, &script);
        reproducer.stands_for("a/b\nfin a");
        reproducer.say("found", "\u{1b}[2J\nrst a\r\n#: chunk-count");
        let file = reproducer.to_string();
        assert_eq!(file.parse::<Script>().unwrap(), script);
        assert_eq!(profile_of_file(file.as_bytes()), Ok(None));
        assert!(!file.contains('\u{1b}'));
        assert_eq!(case_of_file(file.as_bytes()).unwrap(), "a/b\\nfin a");
    }

    #[test]
    fn only_a_comment_in_front_names_a_case() {
        assert_eq!(case_of_file(b"# case: a/b\n"), None);
        assert_eq!(
            case_of_file(b"framespec script 1\nopen a\n# case: a/b\n"),
            None
        );
        let file = b"framespec script 1\n# \xff\n# case: a/b \nopen a\n";
        assert_eq!(case_of_file(file).as_deref(), Some("a/b"));
    }
}
