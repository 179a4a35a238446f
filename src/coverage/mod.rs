//! Coverage of a server that is started here: which ways it takes through its own code, without a change to that code.
//!
//! Steps from place to place are counted in a file in a folder of their own; here that file is read, and what it holds
//! compared with what it held before. As in AFL a step that was taken 2, 3, or 4 to 7 times is something else than one that
//! was taken once. Who counts is named to the server by variables: a `sitecustomize` that every Python loads by itself, a module
//! for Node.js, and the [`RUNTIME`] that is linked into what a compiler instruments.
//!
//! What the program compares with, looks up and calls functions with is noted too: words that it may be waiting for.

mod asked;
mod told;

use asked::Asked;
use serde::Deserialize;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use tempfile::TempDir;
use told::TellsOn;

/// What is linked into a server that a compiler instruments with SanitizerCoverage, so that it can be watched: a file in C.
pub const RUNTIME: &str = include_str!("framespec_cov.c");

/// Counters, each of an octet, in the file that is mapped.
const COUNTERS: usize = 1 << 16;

/// What the runtime keeps behind them, to tell each word once.
const KNOWN: usize = 1 << 12;

/// The most words that are kept.
const MOST_WORDS: usize = 256;

/// Why nothing is counted, if nobody said anything.
const NOBODY: &str = "nothing was started that can be watched: no Python that looks at PYTHONPATH, no Node.js that looks at \
     NODE_OPTIONS, and nothing that was linked with what `conformance fuzz --runtime` prints";

/// A place that so many looks have seen, or fewer, is a rare one …
const FEW_LOOKS: u32 = 8;

/// … and so is one that not even one in so many has.
const ONE_IN: u32 = 40;

/// What a server's own code does, as the file has it.
#[derive(Debug)]
pub struct Coverage {
    folder: TempDir,
    map: File,
    /// The counters when they were last looked at.
    before: Vec<u8>,
    places: Vec<Place>,
    looks: u32,
    edges: usize,
    told: TellsOn,
    words: Vec<Value>,
    asked: Asked,
}

/// What is known of a counter.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// How often it was taken at a time, a bit for each class.
    classes: u8,
    /// In how many looks it was taken at all.
    looks: u32,
}

/// What was new since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Nothing.
    Nothing,
    /// A place that is often taken was, so many times.
    Often,
    /// A place was taken that never had been, or seldom is: of these the one that is most seldom.
    Seldom(PlaceId),
}

/// Which of the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlaceId(usize);

/// What somebody who counts said of itself when it began.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Attached {
    How(String),
    Old(String),
    Failed(String),
}

impl Coverage {
    /// Makes the folder.
    ///
    /// # Errors
    /// If no folder can be made, or nothing written to it.
    pub fn open() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("framespec-").tempdir()?;
        let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text);
        write("sitecustomize.py", include_bytes!("sitecustomize.py"))?;
        write("framespec_tracer.py", include_bytes!("framespec_tracer.py"))?;
        write("framespec_node.cjs", include_bytes!("framespec_node.cjs"))?;
        write("map", &vec![0; COUNTERS.saturating_add(KNOWN)])?;
        Ok(Self {
            map: File::open(folder.path().join("map"))?,
            told: TellsOn::new(folder.path().join("words")),
            asked: Asked::new(folder.path()),
            folder,
            before: vec![0; COUNTERS],
            places: vec![Place::default(); COUNTERS],
            looks: 0,
            edges: 0,
            words: Vec::new(),
        })
    }

    /// The variables with which the server has to be started.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let folder = self.folder.path();
        vec![
            ("FRAMESPEC_COVERAGE".into(), folder.into()),
            python(folder),
            node(folder),
        ]
    }

    /// How the server's steps are counted, in every way in which some are.
    ///
    /// # Errors
    /// If none are, why.
    pub fn attached(&self) -> Result<String, String> {
        let text = fs::read_to_string(self.folder.path().join("attached")).unwrap_or_default();
        let told = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let (mut hows, mut why) = (Vec::new(), NOBODY.to_owned());
        for attached in told {
            match attached {
                Attached::How(how) if !hows.contains(&how) => hows.push(how),
                Attached::How(_) => {}
                Attached::Old(version) => {
                    why = format!("Python {version} is too old: 3.8 is needed")
                }
                Attached::Failed(error) => why = error,
            }
        }
        match hows.is_empty() {
            true => Err(why),
            false => Ok(hows.join("; ")),
        }
    }

    /// What was reached since the last look.
    pub fn look(&mut self) -> Reached {
        let Ok(now) = self.counters() else {
            return Reached::Nothing;
        };
        self.looks = self.looks.saturating_add(1);
        let few = FEW_LOOKS.max(self.looks.checked_div(ONE_IN).unwrap_or_default());
        let (mut reached, mut rarest) = (Reached::Nothing, few);
        let counters = now.iter().zip(&self.before).zip(&mut self.places);
        for (at, ((now, before), place)) in counters.enumerate() {
            if now == before {
                continue;
            }
            let is_first = place.classes == 0;
            self.edges = self.edges.saturating_add(usize::from(is_first));
            if !place.take(now.wrapping_sub(*before)) {
                continue;
            }
            if place.looks <= rarest {
                (reached, rarest) = (Reached::Seldom(PlaceId(at)), place.looks);
            }
            reached = reached.max(Reached::Often);
        }
        self.before = now;
        reached
    }

    /// In how many looks a place was taken.
    #[must_use]
    pub fn looks_at(&self, place: PlaceId) -> u32 {
        self.places.get(place.0).map_or(0, |place| place.looks)
    }

    /// Leaves out what was reached since the last look.
    pub fn skip(&mut self) {
        if let Ok(now) = self.counters() {
            self.before = now;
        }
    }

    /// The counters, once everybody has put there what was counted.
    fn counters(&mut self) -> io::Result<Vec<u8>> {
        self.asked.ask();
        let mut now = vec![0; COUNTERS];
        self.map.seek(SeekFrom::Start(0))?;
        self.map.read_exact(&mut now)?;
        Ok(now)
    }

    /// How many different steps have been seen.
    #[must_use]
    pub const fn edges(&self) -> usize {
        self.edges
    }

    /// The words that the server's code knows, as far as it has been run: texts and numbers.
    pub fn words(&mut self) -> &[Value] {
        for line in self.told.lines() {
            if let Ok(word) = serde_json::from_slice(&line)
                && self.words.len() < MOST_WORDS
                && !self.words.contains(&word)
            {
                self.words.push(word);
            }
        }
        &self.words
    }

    /// The folder that all of them are to look into.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Python looks for modules there first.
fn python(folder: &Path) -> (OsString, OsString) {
    const PATH: &str = "PYTHONPATH";
    let inherited = std::env::var_os(PATH).filter(|path| !path.is_empty());
    let inherited = inherited.iter().flat_map(std::env::split_paths);
    let folders = std::iter::once(folder.to_owned()).chain(inherited);
    // Neither can the folder's name hold what separates paths, nor can names that were separated by it.
    let path = std::env::join_paths(folders).unwrap_or_else(|_| folder.into());
    (PATH.into(), path)
}

/// Node.js loads a module first, and then whatever else it was told to.
fn node(folder: &Path) -> (OsString, OsString) {
    const OPTIONS: &str = "NODE_OPTIONS";
    let module = folder.join("framespec_node.cjs");
    let quoted = module.to_string_lossy().replace('\\', "\\\\");
    let mut options = OsString::from(format!("--require \"{quoted}\""));
    if let Some(inherited) = std::env::var_os(OPTIONS) {
        options.push(" ");
        options.push(inherited);
    }
    (OPTIONS.into(), options)
}

impl Place {
    /// Notes that it was taken so often; whether it never was so often before.
    fn take(&mut self, times: u8) -> bool {
        self.looks = self.looks.saturating_add(1);
        let class = class(times);
        let is_new = self.classes & class == 0;
        self.classes |= class;
        is_new
    }
}

/// A bit for each class of counts, as AFL has them.
const fn class(times: u8) -> u8 {
    match times {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128.. => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write as _;

    fn set(coverage: &Coverage, place: usize, count: u8) {
        let path = coverage.folder().join("map");
        let mut map = fs::OpenOptions::new().write(true).open(path).unwrap();
        map.seek(SeekFrom::Start(place as u64)).unwrap();
        map.write_all(&[count]).unwrap();
    }

    #[test]
    fn a_step_is_new_and_so_is_how_often_it_is_taken() {
        let mut coverage = Coverage::open().unwrap();
        assert_eq!(coverage.look(), Reached::Nothing);
        set(&coverage, 7, 255);
        assert_eq!(
            (coverage.look(), coverage.edges()),
            (Reached::Seldom(PlaceId(7)), 1)
        );
        assert_eq!(coverage.look(), Reached::Nothing);
        // Twice, across the end of an octet.
        set(&coverage, 7, 1);
        assert_eq!(
            (coverage.look(), coverage.edges()),
            (Reached::Seldom(PlaceId(7)), 1)
        );
        set(&coverage, 7, 3);
        assert_eq!(coverage.look(), Reached::Nothing);
        set(&coverage, 65_535, 1);
        coverage.skip();
        assert_eq!((coverage.look(), coverage.edges()), (Reached::Nothing, 1));
    }

    #[test]
    fn what_is_often_reached_is_told_apart_from_what_seldom_is() {
        let mut coverage = Coverage::open().unwrap();
        for count in 1..=20 {
            set(&coverage, 7, count);
            coverage.look();
        }
        set(&coverage, 7, 22);
        assert_eq!(coverage.look(), Reached::Often);
        set(&coverage, 7, 23);
        set(&coverage, 8, 1);
        assert_eq!(coverage.look(), Reached::Seldom(PlaceId(8)));
        assert_eq!(coverage.looks_at(PlaceId(8)), 1);
    }

    #[test]
    fn words_are_read_once_each_and_whole() {
        let mut coverage = Coverage::open().unwrap();
        assert_eq!(coverage.words(), [] as [Value; 0]);
        let path = coverage.folder().join("words");
        fs::write(&path, "\"op\"\n17\n\"op\"\n\"sy").unwrap();
        assert_eq!(coverage.words(), [json!("op"), json!(17)]);
        fs::write(&path, "\"op\"\n17\n\"op\"\n\"sync\"\n").unwrap();
        assert_eq!(coverage.words(), [json!("op"), json!(17), json!("sync")]);
    }

    #[test]
    fn it_is_said_why_nothing_is_counted() {
        let coverage = Coverage::open().unwrap();
        let why = || coverage.attached().unwrap_err();
        assert!(why().contains("no Python"), "{}", why());
        let path = coverage.folder().join("attached");
        fs::write(&path, "{\"old\": \"2.7\"}\n").unwrap();
        assert!(why().contains("2.7"), "{}", why());
        let how = "{\"old\": \"2.7\"}\n{\"how\": \"sys.settrace, Python 3.8.18\"}\n";
        fs::write(&path, how).unwrap();
        assert_eq!(coverage.attached().unwrap(), "sys.settrace, Python 3.8.18");
        let more = "{\"how\": \"blocks\"}\n{\"how\": \"blocks\"}\n";
        fs::write(&path, format!("{how}{more}")).unwrap();
        let both = "sys.settrace, Python 3.8.18; blocks";
        assert_eq!(coverage.attached().unwrap(), both);
    }

    #[test]
    fn the_folder_comes_first() {
        let coverage = Coverage::open().unwrap();
        let environment = coverage.environment();
        let of = |wanted: &str| {
            let (_, value) = environment.iter().find(|(name, _)| name == wanted).unwrap();
            value
        };
        let first = std::env::split_paths(of("PYTHONPATH")).next().unwrap();
        assert_eq!(first, coverage.folder());
        let options = of("NODE_OPTIONS").to_string_lossy();
        assert!(options.starts_with("--require \""), "{options}");
        assert!(options.contains("framespec_node.cjs\""), "{options}");
        assert_eq!(of("FRAMESPEC_COVERAGE"), coverage.folder());
    }
}
