//! Several reports of one run, each to where it belongs.
//!
//! Every destination is opened before the run begins, so that one that cannot be written is an error
//! then and not after minutes of work. A report that is made at the end is written beside its
//! destination and moved there when it is whole. However the run ends, all are written: dropping
//! [`Outputs`] finishes them too.

use super::place::Place;
use super::{Collector, Format, Look, Reporter, reporter};
use crate::event::{Event, Run};
use crate::lang::{Hole, Text, say};
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Where a report goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file, which is replaced if it exists.
    File(PathBuf),
}

impl Hole for Destination {
    fn text(&self) -> Text {
        match self {
            Self::Stdout => say!("standard output"),
            Self::File(path) => path.display().to_string().into(),
        }
    }
}

/// In the language of the reader.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// A report, and where it goes. As text `FORMAT` or `FORMAT=FILE`, where `-` is standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its format.
    pub format: Format,
    /// Where it goes.
    pub destination: Destination,
}

impl FromStr for Output {
    type Err = super::UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = text.split_once('=').unwrap_or((text, "-"));
        Ok(Self {
            format: format.parse()?,
            destination: match path {
                "" | "-" => Destination::Stdout,
                path => Destination::File(path.into()),
            },
        })
    }
}

impl Destination {
    /// Writes something whole: a file is replaced only when all of it has been written.
    ///
    /// # Errors
    /// If the destination cannot be opened, or `written` fails; a file is then as it was.
    pub fn write(&self, written: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = BufWriter::new(io::stdout().lock());
                written(&mut out)?;
                out.flush()
            }
            Self::File(path) => {
                let place = Place::open(path)?;
                let mut out = BufWriter::new(place.writer());
                written(&mut out)?;
                out.flush()?;
                place.settle()
            }
        }
    }
}

/// Why a report cannot be written.
#[derive(Debug)]
pub enum OutputError {
    /// Its destination cannot be opened.
    Unwritable {
        /// Its format.
        format: Format,
        /// Where it was to go.
        destination: Destination,
        /// Why not.
        error: io::Error,
    },
    /// Two reports would go to the same place.
    Twice(Destination),
}

impl Hole for OutputError {
    fn text(&self) -> Text {
        match self {
            Self::Unwritable {
                format,
                destination,
                error,
            } => say!(
                "cannot write the {format} report to {destination}: {error}",
                format = format.as_str(),
                destination = destination.text(),
                error
            ),
            Self::Twice(destination) => say!(
                "two reports cannot both go to {destination}",
                destination = destination.text()
            ),
        }
    }
}

/// In the language of the reader.
impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for OutputError {}

/// What became of the reports.
#[derive(Debug)]
pub struct Closing {
    /// The run, with its cases in the order of the table.
    pub run: Run,
    /// Reports that could not be written.
    pub failed: Vec<OutputError>,
}

/// Writes into an event what is known beyond it.
type Marker = Box<dyn FnMut(&mut Event) + Send>;

/// All reports of a run.
#[derive(Default)]
pub struct Outputs {
    marker: Option<Marker>,
    collector: Collector,
    reports: Vec<Report>,
    /// Reports that have failed; they are not tried again.
    failed: Vec<OutputError>,
    /// Why the run ends without telling its end, if that is known.
    broken_off: Option<Text>,
    /// How long such a run took.
    elapsed: Duration,
    is_closed: bool,
}

/// A report that is being written.
struct Report {
    reporter: Box<dyn Reporter + Send>,
    /// What it is and where it goes; nothing for what was [added](Outputs::add) by the caller.
    output: Option<Output>,
    place: Option<Place>,
}

impl Outputs {
    /// Opens every destination. `look` is for what a person reads on standard output.
    ///
    /// # Errors
    /// If a destination cannot be written, or is named twice.
    pub fn open(outputs: &[Output], look: Look) -> Result<Self, OutputError> {
        Self::distinct(outputs)?;
        let reports: Result<Vec<Report>, OutputError> =
            outputs.iter().map(|output| open(output, look)).collect();
        let mut opened = Self::default();
        opened.reports = reports?;
        Ok(opened)
    }

    /// Makes sure that each goes to a place of its own.
    ///
    /// # Errors
    /// If two have the same destination.
    pub fn distinct(outputs: &[Output]) -> Result<(), OutputError> {
        for (index, output) in outputs.iter().enumerate() {
            let mut before = outputs.iter().take(index);
            if before.any(|other| other.destination == output.destination) {
                return Err(OutputError::Twice(output.destination.clone()));
            }
        }
        Ok(())
    }

    /// Adds a reporter that is told everything before the others are.
    pub fn add(&mut self, reporter: Box<dyn Reporter + Send>) {
        let report = Report {
            reporter,
            output: None,
            place: None,
        };
        self.reports.insert(0, report);
    }

    /// Has every event marked before any report hears of it, also the end that is told of a run which
    /// tells none itself.
    pub fn mark(&mut self, marker: impl FnMut(&mut Event) + Send + 'static) {
        self.marker = Some(Box::new(marker));
    }

    /// Says why a run will not tell its end itself.
    pub fn broken_off(&mut self, why: Text) {
        self.broken_off = Some(why);
    }

    /// Says how long such a run took.
    pub fn took(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    /// Takes an event. A report that cannot be written is given up; the others go on, and
    /// [`Self::finish`] tells.
    pub fn event(&mut self, mut event: Event) {
        if let Some(marker) = &mut self.marker {
            marker(&mut event);
        }
        self.each(|report| report.reporter.event(&event));
        self.collector.event(event);
    }

    /// Writes what is to be written at the end.
    #[must_use]
    pub fn finish(mut self) -> Closing {
        let run = self.close();
        Closing {
            run,
            failed: std::mem::take(&mut self.failed),
        }
    }

    fn close(&mut self) -> Run {
        if !self.collector.is_finished() {
            let mut end = self.collector.abrupt_end();
            let elapsed = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
            end.summary.elapsed_ms = end.summary.elapsed_ms.max(elapsed);
            if let Some(why) = self.broken_off.take() {
                end.broken_off = Some(why);
            }
            self.event(Event::Finished(end));
        }
        self.is_closed = true;
        let run = std::mem::take(&mut self.collector).into_run();
        self.each(|report| {
            report.reporter.finish(&run)?;
            report.place.take().map_or(Ok(()), Place::settle)
        });
        run
    }

    fn each(&mut self, mut told: impl FnMut(&mut Report) -> io::Result<()>) {
        let failed = &mut self.failed;
        self.reports.retain_mut(|report| match told(report) {
            Ok(()) => true,
            Err(error) => {
                if let Some(Output {
                    format,
                    destination,
                }) = report.output.clone()
                {
                    failed.push(OutputError::Unwritable {
                        format,
                        destination,
                        error,
                    });
                }
                false
            }
        });
    }
}

/// A run that ends by a panic or an early return still has its reports.
impl Drop for Outputs {
    fn drop(&mut self) {
        if !self.is_closed && !self.reports.is_empty() {
            self.close();
        }
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs")
            .field("reports", &self.reports.len())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

fn open(output: &Output, look: Look) -> Result<Report, OutputError> {
    let unwritable = |error| OutputError::Unwritable {
        format: output.format,
        destination: output.destination.clone(),
        error,
    };
    let format = output.format;
    let (reporter, place) = match &output.destination {
        Destination::Stdout => (reporter(format, look, BufWriter::new(io::stdout())), None),
        Destination::File(path) if is_streamed(format) => {
            let file = File::create(path).map_err(unwritable)?;
            let reporter = reporter(format, look.of_file(), BufWriter::new(file));
            (reporter, None)
        }
        Destination::File(path) => {
            let place = Place::open(path).map_err(unwritable)?;
            let file = BufWriter::new(place.writer());
            (reporter(format, look.of_file(), file), Some(place))
        }
    };
    Ok(Report {
        reporter,
        output: Some(output.clone()),
        place,
    })
}

/// Whether something is written while the run goes on.
const fn is_streamed(format: Format) -> bool {
    matches!(format, Format::Human | Format::Jsonl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, read_run};
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    fn output(format: Format, path: &Path) -> Output {
        Output {
            format,
            destination: Destination::File(path.into()),
        }
    }

    fn names(dir: &TempDir) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Whoever interrupts a run learns how long it had taken.
    #[test]
    fn a_run_that_is_broken_off_has_taken_its_time() {
        let mut outputs = Outputs::open(&[], Look::default()).unwrap();
        let is_start = |event: &Event| matches!(event, Event::Started(_));
        for event in fixture::events().into_iter().filter(is_start) {
            outputs.event(event);
        }
        outputs.took(Duration::from_secs(7));
        outputs.broken_off("interrupted".into());
        let elapsed = outputs.finish().run.finished.summary.elapsed_ms;
        assert_eq!(elapsed, 7_000);
    }

    #[test]
    fn every_format_is_written_whole_and_nothing_else_is_left() {
        let dir = TempDir::new().unwrap();
        let paths = Format::ALL.map(|format| dir.path().join(format.as_str()));
        let list: Vec<Output> = Format::ALL
            .into_iter()
            .zip(&paths)
            .map(|(format, path)| output(format, path))
            .collect();
        let mut outputs = Outputs::open(&list, Look::default()).unwrap();
        for event in fixture::events() {
            outputs.event(event);
        }
        let closing = outputs.finish();
        assert!(closing.failed.is_empty(), "{:?}", closing.failed);
        assert_eq!(closing.run, fixture::run());
        let mut expected = Format::ALL.map(|format| format.as_str().to_owned());
        expected.sort();
        assert_eq!(names(&dir), expected);
        for (format, path) in Format::ALL.into_iter().zip(&paths) {
            let mut whole = Vec::new();
            format
                .write(&closing.run, Look::default(), &mut whole)
                .unwrap();
            if format != Format::Jsonl {
                assert!(fs::read(path).unwrap() == whole, "{format}");
            }
        }
        let lines = fs::read_to_string(dir.path().join("jsonl")).unwrap();
        let read: Vec<Event> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(read, fixture::events());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error_at_once() {
        let dir = TempDir::new().unwrap();
        for format in [Format::Json, Format::Jsonl] {
            for path in [dir.path().join("no/such/folder"), dir.path().to_owned()] {
                let error = Outputs::open(&[output(format, &path)], Look::default())
                    .unwrap_err()
                    .to_string();
                assert!(error.contains(path.to_str().unwrap()), "{error}");
            }
        }
        assert_eq!(names(&dir), [""; 0]);
    }

    #[test]
    fn two_reports_do_not_go_to_one_place() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("report");
        let list = [output(Format::Json, &path), output(Format::Html, &path)];
        let error = Outputs::open(&list, Look::default()).unwrap_err();
        assert!(matches!(error, OutputError::Twice(_)), "{error}");
        assert_eq!(names(&dir), [""; 0]);
    }

    #[test]
    fn a_run_that_is_dropped_is_reported_as_broken_off() {
        let dir = TempDir::new().unwrap();
        let (json, jsonl) = (dir.path().join("json"), dir.path().join("jsonl"));
        let list = [output(Format::Json, &json), output(Format::Jsonl, &jsonl)];
        let mut outputs = Outputs::open(&list, Look::default()).unwrap();
        for event in fixture::events().into_iter().take(20) {
            outputs.event(event);
        }
        drop(outputs);
        let run = read_run(&fs::read_to_string(json).unwrap()).unwrap();
        assert!(run.finished.broken_off.is_some());
        assert_eq!(run.results.len(), fixture::run().results.len());
        let lines = fs::read_to_string(jsonl).unwrap();
        let last: Event = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert!(matches!(last, Event::Finished(_)), "{last:?}");
    }

    #[test]
    fn a_run_that_is_given_up_says_why() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("json");
        let mut outputs = Outputs::open(&[output(Format::Json, &path)], Look::default()).unwrap();
        for event in fixture::events().into_iter().take(20) {
            outputs.event(event);
        }
        outputs.broken_off("interrupted".into());
        let closing = outputs.finish();
        let why = closing.run.finished.broken_off.as_ref().map(Text::as_str);
        assert_eq!(why, Some("interrupted"));
        let mut results = closing.run.results.iter();
        assert!(results.any(|result| result.detail == "not run: interrupted"));
    }

    #[test]
    fn an_older_report_stays_until_the_new_one_is_whole() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let outputs = Outputs::open(&[output(Format::Json, &path)], Look::default()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let closing = outputs.finish();
        assert!(closing.failed.is_empty());
        assert!(fs::read_to_string(&path).unwrap().starts_with('{'));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_keeps_its_permissions_and_a_new_one_has_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let dir = TempDir::new().unwrap();
        let [old, new, any] = ["old", "new", "any"].map(|name| dir.path().join(name));
        for path in [&old, &any] {
            fs::write(path, "").unwrap();
        }
        fs::set_permissions(&old, fs::Permissions::from_mode(0o600)).unwrap();
        let list = [output(Format::Json, &old), output(Format::Html, &new)];
        let closing = Outputs::open(&list, Look::default()).unwrap().finish();
        assert!(closing.failed.is_empty(), "{:?}", closing.failed);
        assert_eq!(mode(&old) & 0o777, 0o600);
        assert_eq!(mode(&new), mode(&any));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let dir = TempDir::new().unwrap();
        let (link, file) = (dir.path().join("link"), dir.path().join("file"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let list = [
            output(Format::Json, &link),
            output(Format::Html, Path::new("/dev/null")),
        ];
        let closing = Outputs::open(&list, Look::default()).unwrap().finish();
        assert!(closing.failed.is_empty(), "{:?}", closing.failed);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&file).unwrap().starts_with('{'));
        assert_eq!(names(&dir), ["file", "link"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_report_that_fails_does_not_take_the_others_with_it() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("json");
        let list = [
            output(Format::Jsonl, Path::new("/dev/full")),
            output(Format::Json, &path),
        ];
        let mut outputs = Outputs::open(&list, Look::default()).unwrap();
        for event in fixture::events() {
            outputs.event(event);
        }
        let closing = outputs.finish();
        assert_eq!(closing.failed.len(), 1);
        assert!(closing.failed[0].to_string().contains("/dev/full"));
        assert_eq!(closing.run, fixture::run());
        assert!(read_run(&fs::read_to_string(path).unwrap()).is_ok());
    }

    #[test]
    fn an_output_is_named_by_format_and_file() {
        assert_eq!(
            "html=a=b.html".parse(),
            Ok(output(Format::Html, Path::new("a=b.html")))
        );
        for text in ["json", "json=-", "json="] {
            let parsed: Output = text.parse().unwrap();
            assert_eq!(parsed.destination, Destination::Stdout);
        }
        assert!("xml=a".parse::<Output>().is_err());
    }
}
