//! The page as a plain HTTP client sees it, told by hand what happens.

use super::*;
use crate::report::fixture;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// No wait lasts as long unless something hangs.
const GUARD: Duration = Duration::from_secs(30);

/// A connection on which something was asked for.
fn asked(page: &Page, head: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(page.shared.address).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    BufReader::new(stream)
}

/// A request for a file of the page.
fn request(page: &Page, file: &str, more: &str) -> String {
    let Shared { address, token, .. } = page.shared.as_ref();
    format!("GET /{token}/{file} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n")
}

/// All of an answer.
fn answered(page: &Page, head: &str) -> String {
    let mut answer = String::new();
    asked(page, head).read_to_string(&mut answer).unwrap();
    answer
}

/// The events of a stream, one by one, each with its id.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn of(page: &Page, more: &str) -> Self {
        Self(asked(page, &request(page, "events", more)))
    }

    /// The id and the data of the next event; `None` behind the last.
    fn next(&mut self) -> Option<(String, serde_json::Value)> {
        let mut id = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(told) = line.strip_prefix("id: ") {
                told.trim_end().clone_into(&mut id);
            } else if let Some(told) = line.strip_prefix("data: ") {
                return Some((id, serde_json::from_str(told).unwrap()));
            }
        }
    }

    /// What the next event is.
    fn is(&mut self) -> Option<String> {
        let (_, told) = self.next()?;
        Some(told["is"].as_str().unwrap().to_owned())
    }
}

fn delivered(page: &Page, browser: Option<&Browser>) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let begun = Instant::now();
    runtime.unwrap().block_on(page.delivered(browser));
    begun.elapsed()
}

/// Each event is read before the next one is told.
#[test]
fn events_arrive_while_the_run_goes_on_and_the_page_behind_the_last() {
    let page = Page::open().unwrap();
    let mut reporter = page.reporter();
    let mut stream = Stream::of(&page, "");
    let mut late = None;
    for event in fixture::events() {
        reporter.event(&event).unwrap();
        let expected = match event {
            Event::Started(_) => "start",
            Event::Calibrated(_) => "look",
            Event::CaseStarted { .. } => "begun",
            Event::CaseFinished(_) => "case",
            Event::Diagnosed(_) | Event::Finished(_) => continue,
        };
        let (id, told) = stream.next().unwrap();
        assert_eq!(told["is"], expected);
        late.get_or_insert((id, told));
    }
    // Whoever comes late reads the same from the beginning, and whoever comes again, what he has not.
    let (id, first) = late.unwrap();
    let mut late = Stream::of(&page, "");
    assert_eq!(late.next().unwrap(), (id.clone(), first));
    let mut again = Stream::of(&page, &format!("Last-Event-ID: {id}\r\n"));
    assert_eq!(again.is().as_deref(), Some("look"));
    drop(again);
    reporter.finish(&fixture::run()).unwrap();
    assert_eq!(stream.is().as_deref(), Some("page"));
    page.shared.tale.end();
    assert_eq!(stream.is().as_deref(), Some("bye"));
    assert_eq!(stream.is(), None);
    while let Some(is) = late.is() {
        assert_ne!(is, "start");
    }
    assert!(delivered(&page, None) < GUARD);
}

#[test]
fn another_run_begins_anew_for_those_who_read() {
    let page = Page::open().unwrap();
    let started = fixture::events().remove(0);
    let mut stream = Stream::of(&page, "");
    for _ in 0..2 {
        let mut reporter = page.reporter();
        reporter.event(&started).unwrap();
        assert_eq!(stream.is().as_deref(), Some("start"));
        reporter.finish(&fixture::run()).unwrap();
        assert_eq!(stream.is().as_deref(), Some("page"));
    }
}

#[test]
fn only_who_knows_the_address_and_names_this_machine_is_answered() {
    let page = Page::open().unwrap();
    let Shared { address, token, .. } = page.shared.as_ref();
    let port = address.port();
    for (head, status) in [
        (request(&page, "", ""), 200),
        (request(&page, "live.js", ""), 200),
        (request(&page, "other", ""), 404),
        (request(&page, "", "").replace("GET", "POST"), 405),
        (request(&page, "", "").replace(token, "0123"), 404),
        (request(&page, "events", "").replace(token, ""), 404),
        (format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n"), 404),
        (
            format!("GET /{token}/ HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"),
            200,
        ),
        (
            format!("GET /{token}/ HTTP/1.1\r\nHost: rebound.example:{port}\r\n\r\n"),
            403,
        ),
        (
            format!("GET /{token}/events HTTP/1.1\r\nHost: {address}.example\r\n\r\n"),
            403,
        ),
        (format!("GET /{token}/ HTTP/1.0\r\n\r\n"), 403),
        (request(&page, "", &format!("Host: {address}\r\n")), 403),
    ] {
        let answer = answered(&page, &head);
        assert_eq!(
            answer.split(' ').nth(1),
            Some(status.to_string().as_str()),
            "{head}"
        );
        let lower = answer.to_lowercase();
        assert!(
            lower.contains("content-security-policy: default-src 'none'"),
            "{answer}"
        );
        assert!(!lower.contains("access-control"), "{answer}");
    }
    assert_eq!(token.len(), 32);
    assert_ne!(*token, Page::open().unwrap().shared.token);
}

/// More than there are seats, none of whom reads, hold nobody: neither the run nor its end.
#[test]
fn those_who_do_not_read_are_not_waited_for() {
    let page = Page::open().unwrap();
    let mut reporter = page.reporter();
    let mut streams: Vec<_> = (0..9).map(|_| Stream::of(&page, "")).collect();
    let mut refused = Vec::new();
    for stream in &mut streams {
        let mut line = String::new();
        stream.0.read_line(&mut line).unwrap();
        refused.push(line.contains("503"));
    }
    assert_eq!(refused.iter().filter(|it| **it).count(), 1);
    let begun = Instant::now();
    // More than any socket holds.
    page.shared.tale.tell(&"x".repeat(64 << 20));
    reporter.finish(&fixture::run()).unwrap();
    assert!(begun.elapsed() < GUARD);
    let waited = delivered(&page, None);
    assert!(
        waited >= Duration::from_secs(2) && waited < GUARD,
        "{waited:?}"
    );
}

#[test]
fn nobody_is_waited_for_who_was_not_called_and_no_browser_that_cannot_be_started() {
    let page = Page::open().unwrap();
    assert!(delivered(&page, None) < Duration::from_secs(2));
    assert!(!page.was_read());
}
