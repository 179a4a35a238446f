//! `--open`: the report in a browser while the run goes on.

use super::exit::Failure;
use super::signals::Signals;
use super::{out, runtime};
use crate::lang::{Text, say};
use crate::live::{Browser, Page};
use std::cell::OnceCell;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct OpenArgs {
    /// Show the report in a browser while the run goes on
    ///
    /// The page is the one of --format html, filled as cases end. It is served on a port of this machine, to whoever knows
    /// its address, which is printed too. The browser is what BROWSER names, or else the system's. When the run is over
    /// the page stays as it is in the browser, which is given up to 10 seconds to come for it.
    #[arg(long)]
    open: bool,
}

/// The page that shows what goes on, from the first run on.
#[derive(Debug)]
pub(crate) struct Shown {
    is_wanted: bool,
    opened: OnceCell<Opened>,
}

#[derive(Debug)]
struct Opened {
    page: Page,
    browser: Option<Browser>,
}

impl OpenArgs {
    /// Does what tells of runs. The page is whole when this returns, if anybody reads it.
    pub(crate) fn during<T>(
        &self,
        done: impl FnOnce(&Shown) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let shown = Shown {
            is_wanted: self.open,
            opened: OnceCell::new(),
        };
        let done = done(&shown);
        let closed = shown.opened.into_inner().map_or(Ok(()), Opened::close);
        done.and_then(|done| closed.map(|()| done))
    }
}

impl Shown {
    /// The page, opened at the first time.
    pub(crate) fn page(&self) -> Result<Option<&Page>, Failure> {
        if self.is_wanted && self.opened.get().is_none() {
            let opened = Opened::new()?;
            return Ok(Some(&self.opened.get_or_init(|| opened).page));
        }
        Ok(self.opened.get().map(|opened| &opened.page))
    }
}

impl Opened {
    fn new() -> Result<Self, Failure> {
        let page = Page::open().map_err(|error| {
            Failure::could_not(say!("--open: cannot serve the report: {error}", error))
                .hint(say!("--format html=FILE, which needs no port"))
        })?;
        let url = page.url();
        out::note(say!("the report, as it comes: {url}", url));
        let browser = Browser::open(&url).inspect_err(|error| {
            out::note(say!(
                "no browser is started: {error}; open that address by hand, as long as the run goes on",
                error = Text::from(error.to_string()).heard()
            ));
        });
        Ok(Self {
            page,
            browser: browser.ok(),
        })
    }

    /// Lets browsers have all of it. Who has had enough of that wait ends it.
    fn close(self) -> Result<(), Failure> {
        let runtime = runtime::single()?;
        runtime.block_on(async {
            let mut signals = Signals::new()?;
            tokio::select! {
                () = self.page.delivered(self.browser.as_ref()) => {}
                () = signals.next() => {}
            }
            Ok::<_, Failure>(())
        })?;
        if !self.page.was_read() {
            out::note(say!(
                "no browser has come for the report; --format html=FILE keeps it"
            ));
        }
        Ok(())
    }
}
