//! The report in a browser while the run goes on: one page over HTTP on a port of this machine, filled by events.
//!
//! Nobody is waited for while cases are played: what is told is appended to a list, from which each browser reads at its
//! own pace, so a slow one, one that comes late and one that comes again read the same. The list is as long as the report
//! of the run. [`Page::delivered`] waits for a bounded time.
//!
//! Only who knows the address reads the page: it holds 128 bits made by chance. Requests that
//! name another host are refused, so no page of another site gets here by a name of its own, and none may read an answer.

mod answer;
mod audience;
mod browser;
mod serve;
mod tale;

pub use browser::Browser;

use crate::event::{Event, Run};
use crate::report::Reporter;
use crate::report::html::live::Telling;
use audience::Audience;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use tale::Tale;
use tokio::sync::oneshot;

/// A page that is served from when it is made until it is dropped.
#[derive(Debug)]
pub struct Page {
    shared: Arc<Shared>,
    /// When this goes, whatever serves the page ends.
    _serving: oneshot::Sender<()>,
}

/// What those who serve the page have in common.
#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    /// What the path begins with.
    token: String,
    tale: Tale,
    audience: Audience,
}

impl Page {
    /// Serves the page on a free port, in a thread of its own.
    ///
    /// # Errors
    /// If there is no port, no thread or no chance.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            token: token()?,
            tale: Tale::default(),
            audience: Audience::default(),
        });
        let (serving, ended) = oneshot::channel();
        let served = Arc::clone(&shared);
        thread::Builder::new()
            .name("page".to_owned())
            .spawn(move || serve::until(ended, listener, &served))?;
        Ok(Self {
            shared,
            _serving: serving,
        })
    }

    /// Where it is to be read.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.shared.address, self.shared.token)
    }

    /// What tells the page of a run. Runs may follow each other: the page shows the last one.
    #[must_use]
    pub fn reporter(&self) -> Box<dyn Reporter + Send> {
        Box::new(Teller {
            shared: Arc::clone(&self.shared),
            telling: Telling::default(),
        })
    }

    /// Whether somebody has read it.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.shared.audience.has_come()
    }

    /// Says that nothing more is told, and waits until whoever reads the page has all of it: at most 2 seconds; and until
    /// somebody comes, if a browser has been started: for that, at most 10 seconds.
    pub async fn delivered(&self, browser: Option<&Browser>) {
        self.shared.tale.end();
        let absent = async {
            if let Some(browser) = browser {
                browser.failed().await;
            }
        };
        self.shared.audience.gone(absent).await;
    }
}

/// What nobody can guess, as the letters and digits of a path.
fn token() -> io::Result<String> {
    let mut octets = [0_u8; 16];
    let filled = SystemRandom::new().fill(&mut octets);
    filled.map_err(|_| io::Error::other("the system gives no random octets"))?;
    let mut token = String::new();
    for octet in octets {
        write!(token, "{octet:02x}").map_err(io::Error::other)?;
    }
    Ok(token)
}

/// Tells the page of a run.
struct Teller {
    shared: Arc<Shared>,
    telling: Telling,
}

impl Reporter for Teller {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if matches!(event, Event::Started(_)) {
            self.shared.tale.begin();
        }
        if let Some(told) = self.telling.event(event)? {
            self.shared.tale.tell(&told);
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        self.shared.tale.tell(&self.telling.end(run)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
