//! What the page is told of a run: a list that grows, which each reader reads at its own pace.

use bytes::Bytes;
use std::fmt;
use std::str::FromStr;
use tokio::sync::watch;

/// All that was told of the run that goes on, as server-sent events.
#[derive(Debug)]
pub(super) struct Tale(watch::Sender<Told>);

#[derive(Debug, Default)]
struct Told {
    /// The number of the run.
    run: u64,
    events: Vec<Bytes>,
    is_over: bool,
}

/// How far a reader has come. As text it is the id of the last event that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    run: u64,
    /// How many events of that run it has.
    has: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.run, self.has)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (run, has) = text.split_once('.').ok_or(())?;
        Ok(Self {
            run: run.parse().map_err(drop)?,
            has: has.parse().map_err(drop)?,
        })
    }
}

/// What ends the page, as its script reads it.
const BYE: &str = r#"{"is":"bye"}"#;

impl Default for Tale {
    fn default() -> Self {
        Self(watch::Sender::new(Told::default()))
    }
}

impl Tale {
    /// Another run begins: what was told is of no more use to anybody.
    pub(super) fn begin(&self) {
        self.0.send_modify(|told| {
            told.run = told.run.saturating_add(1);
            told.events = Vec::new();
        });
    }

    /// Tells an event, which is one line of JSON.
    pub(super) fn tell(&self, json: &str) {
        self.0.send_modify(|told| told.push(json));
    }

    /// Nothing follows.
    pub(super) fn end(&self) {
        self.0.send_modify(|told| {
            told.push(BYE);
            told.is_over = true;
        });
    }

    /// Reads on from there.
    pub(super) fn from(&self, place: Place) -> Reading {
        Reading {
            told: self.0.subscribe(),
            place,
        }
    }
}

impl Told {
    fn push(&mut self, json: &str) {
        let id = Place {
            run: self.run,
            has: self.events.len().saturating_add(1),
        };
        let event = format!("id: {id}\ndata: {json}\n\n");
        self.events.push(event.into());
    }

    /// The first event behind a place. What was of another run is read from the beginning.
    fn behind(&self, place: Place) -> Option<(Place, Bytes)> {
        let run = self.run;
        let index = if place.run == run { place.has } else { 0 };
        let event = self.events.get(index)?.clone();
        let has = index.saturating_add(1);
        Some((Place { run, has }, event))
    }
}

/// What one reader has still to read.
#[derive(Debug)]
pub(super) struct Reading {
    told: watch::Receiver<Told>,
    place: Place,
}

impl Reading {
    /// The next event, when there is one; `None` behind the last.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let place = self.place;
        let is_news = |told: &Told| told.is_over || told.behind(place).is_some();
        let (place, event) = self.told.wait_for(is_news).await.ok()?.behind(place)?;
        self.place = place;
        Some(event)
    }
}
