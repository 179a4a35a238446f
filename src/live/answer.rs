//! What is answered to a request: the page, its script, what it is told, or that there is nothing of the sort.

use super::Shared;
use super::audience::Seat;
use super::tale::Reading;
use crate::report::html::live;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// The body of an answer.
pub(super) enum Answer {
    Whole(Option<Bytes>),
    /// Each event when it is told. Nothing is read ahead of what a client has taken.
    Events(mpsc::Receiver<Bytes>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Whole(whole) => whole.take(),
            Self::Events(events) => ready!(events.poll_recv(context)),
        };
        Poll::Ready(next.map(|octets| Ok(Frame::data(octets))))
    }
}

/// What no answer is without: nobody keeps it, nobody shows it in a page of his own, and nothing is taken for what it is not.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

impl Shared {
    /// Answers a request. Whoever is told events has a seat on that connection.
    pub(super) fn answer<B>(
        &self,
        request: &Request<B>,
        seat: &OnceLock<Seat>,
    ) -> Response<Answer> {
        let answer = self.found(request, seat);
        let mut answer = answer.unwrap_or_else(refused);
        let headers = answer.headers_mut();
        headers.extend(ALWAYS.map(|(name, value)| (name, HeaderValue::from_static(value))));
        if let Ok(policy) =
            HeaderValue::try_from(format!("{}; frame-ancestors 'none'", live::POLICY))
        {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        answer
    }

    fn found<B>(
        &self,
        request: &Request<B>,
        seat: &OnceLock<Seat>,
    ) -> Result<Response<Answer>, StatusCode> {
        if !self.is_named(request.headers()) {
            return Err(StatusCode::FORBIDDEN);
        }
        let path = request.uri().path().strip_prefix('/');
        let (token, file) = path
            .and_then(|path| path.split_once('/'))
            .ok_or(StatusCode::NOT_FOUND)?;
        if token != self.token {
            return Err(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        match file {
            "" => Ok(whole("text/html; charset=utf-8", blank()?)),
            "live.js" => Ok(whole("text/javascript; charset=utf-8", live::SCRIPT.into())),
            "events" => self.events(request.headers(), seat),
            _ => Err(StatusCode::NOT_FOUND),
        }
    }

    /// Whether a request names this machine, and nothing that only leads to it.
    fn is_named(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let own = [
            self.address.to_string(),
            format!("localhost:{}", self.address.port()),
        ];
        match (hosts.next(), hosts.next()) {
            (Some(host), None) => own.iter().any(|own| host == own.as_str()),
            _ => false,
        }
    }

    fn events(
        &self,
        headers: &HeaderMap,
        seat: &OnceLock<Seat>,
    ) -> Result<Response<Answer>, StatusCode> {
        let free = self
            .audience
            .seat()
            .ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        // A connection is for one request.
        seat.set(free)
            .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        let last = headers.get("last-event-id");
        let place = last.and_then(|id| id.to_str().ok()?.parse().ok());
        let (into, events) = mpsc::channel(1);
        tokio::spawn(told(self.tale.from(place.unwrap_or_default()), into));
        Ok(typed("text/event-stream", Answer::Events(events)))
    }
}

/// Hands on what is read, until there is no more of it or nobody takes it.
async fn told(mut reading: Reading, into: mpsc::Sender<Bytes>) {
    loop {
        let next = tokio::select! {
            next = reading.next() => next,
            () = into.closed() => None,
        };
        let Some(event) = next else { return };
        if into.send(event).await.is_err() {
            return;
        }
    }
}

/// The page as it is first seen.
fn blank() -> Result<Bytes, StatusCode> {
    let mut page = Vec::new();
    live::blank(&mut page).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(page.into())
}

fn refused(status: StatusCode) -> Response<Answer> {
    let why = status.canonical_reason().unwrap_or_default();
    let mut answer = whole("text/plain", why.into());
    *answer.status_mut() = status;
    answer
}

fn whole(kind: &'static str, octets: Bytes) -> Response<Answer> {
    typed(kind, Answer::Whole(Some(octets)))
}

fn typed(kind: &'static str, body: Answer) -> Response<Answer> {
    let mut answer = Response::new(body);
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
