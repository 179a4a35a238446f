//! One client of an altered server: its socket, and what is remembered about it.

use super::hooks::{End, Steps};
use super::shared::{Memory, Shared};
use crate::altered::alteration;
use crate::profile::Profile;
use crate::session::WRITE_PROGRESS;
use crate::transport::Stream;
use crate::wire::Decoder;
use bytes::BytesMut;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{timeout, timeout_at};

/// The most that one read brings.
const MOST_ROOM: usize = 64 << 10;

/// The most that is read ahead.
const MOST_AHEAD: usize = 256 << 10;

/// The steps of a server.
pub type Hooks = Steps<Client>;

/// What a server does differently from the reference server.
pub type Alteration = alteration::Alteration<Hooks>;

/// What a server does differently in several ways at once.
pub type Alterations = alteration::Alterations<Hooks>;

/// One deviation of the reference server.
pub type Fault = alteration::Fault<Hooks>;

/// A server that differs from the reference server as it may.
pub type Variant = alteration::Variant<Hooks>;

/// A client.
pub struct Client {
    pub(crate) shared: Arc<Shared<Client>>,
    pub(crate) stream: Arc<Stream>,
    /// Counted from 1, over all clients there have been.
    pub(crate) number: usize,
    /// Octets that have been read and not been used.
    pub(crate) inbox: BytesMut,
    /// Frames that have been taken.
    pub(crate) frames: usize,
    pub(crate) memory: Memory,
    /// The id of the frame that was taken last, where frames have one.
    pub(crate) id: u64,
    /// When the first octet of the frame came that is being taken.
    begun: Option<Instant>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared<Self>>, stream: Stream, number: usize) -> Self {
        Self {
            shared,
            stream: Arc::new(stream),
            number,
            inbox: BytesMut::new(),
            frames: 0,
            memory: Memory::default(),
            id: 0,
            begun: None,
        }
    }

    /// The steps to be taken with it.
    pub(crate) fn hooks(&self) -> Arc<Hooks> {
        Arc::clone(&self.shared.hooks)
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// A frame has been taken: the next octet begins another.
    pub(crate) fn frame_taken(&mut self) {
        self.frames = self.frames.saturating_add(1);
        self.begun = None;
    }

    /// Whatever has come so far is none of a frame.
    pub(crate) fn between_frames(&mut self) {
        self.begun = None;
    }

    /// Whether some of a frame has come.
    pub(crate) fn is_inside(&self) -> bool {
        self.begun.is_some()
    }

    /// The time that the frame may take runs from now on.
    pub(crate) fn begin_anew(&mut self) {
        self.begun = Some(Instant::now());
    }

    /// Some octets, at least one and at most so many; none if the client has ended its stream.
    pub(crate) async fn recv(&mut self, most: usize) -> Result<Vec<u8>, End> {
        let octets = if self.inbox.is_empty() {
            let mut buffer = vec![0; most.min(MOST_ROOM)];
            let stream = Arc::clone(&self.stream);
            let taken = self.in_time(stream.read(&mut buffer)).await?;
            buffer.truncate(taken);
            buffer
        } else {
            let taken = most.min(self.inbox.len());
            self.inbox.split_to(taken).to_vec()
        };
        if !octets.is_empty() {
            self.begun.get_or_insert_with(Instant::now);
        }
        Ok(octets)
    }

    /// So many octets; fewer only if the client has ended its stream.
    pub(crate) async fn collect(&mut self, wanted: usize) -> Result<Vec<u8>, End> {
        let mut all = Vec::new();
        while all.len() < wanted {
            let octets = self.recv(wanted.saturating_sub(all.len())).await?;
            if octets.is_empty() {
                break;
            }
            all.extend(octets);
        }
        Ok(all)
    }

    /// All that has come with the datagram that this client is, of which nothing has been read.
    pub(super) async fn whole_datagram(&self) -> Vec<u8> {
        let mut datagram = vec![0; MOST_ROOM];
        let octets = self.stream.read(&mut datagram).await.unwrap_or_default();
        datagram.truncate(octets);
        datagram
    }

    /// One read of whatever comes next, put behind what was read before; how much it was.
    pub(crate) async fn fill(&mut self, most: usize) -> Result<usize, End> {
        let mut buffer = vec![0; most];
        let stream = Arc::clone(&self.stream);
        let taken = self.in_time(stream.read(&mut buffer)).await?;
        self.inbox
            .extend_from_slice(buffer.get(..taken).unwrap_or_default());
        if taken > 0 {
            self.begun.get_or_insert_with(Instant::now);
        }
        Ok(taken)
    }

    /// Waits until there is an octet that has not been used, or none will come any more.
    pub(crate) async fn wait_for_more(&mut self) {
        if !self.inbox.is_empty() {
            return;
        }
        let mut buffer = vec![0; 4096];
        // A connection that has ended or broken is found out by whoever reads next.
        let taken = self.stream.read(&mut buffer).await.unwrap_or_default();
        self.inbox
            .extend_from_slice(buffer.get(..taken).unwrap_or_default());
        if taken > 0 {
            self.look_ahead();
        }
    }

    /// Whether nothing comes in that time, nor the end.
    pub(crate) async fn is_silent_for(&mut self, time: Duration) -> bool {
        timeout(time, self.wait_for_more()).await.is_err()
    }

    /// Reads what is here already, without waiting; whether the client has ended its stream.
    pub(crate) fn look_ahead(&mut self) -> bool {
        let mut buffer = vec![0; 4096];
        while self.inbox.len() < MOST_AHEAD {
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return true,
                Ok(taken) => self
                    .inbox
                    .extend_from_slice(buffer.get(..taken).unwrap_or_default()),
                Err(_) => return false,
            }
        }
        false
    }

    /// Whether another whole frame is here already.
    pub(crate) fn has_another(&mut self) -> bool {
        self.look_ahead();
        // One whose chunks have an index cannot be borrowed.
        let mut rest = self.inbox.clone();
        let next = Decoder::new(self.profile()).decode(&mut rest);
        matches!(next, Ok(Some(_)))
    }

    /// Waits no longer than a frame may take, if one has begun.
    async fn in_time<T>(&self, wait: impl Future<Output = io::Result<T>> + Send) -> Result<T, End> {
        let limit = self.shared.hooks.limits.frame_deadline;
        let deadline = self
            .begun
            .zip(limit)
            .and_then(|(at, limit)| at.checked_add(limit));
        let done = match deadline {
            Some(deadline) => timeout_at(deadline.into(), wait)
                .await
                .map_err(|_| End::Late)?,
            None => wait.await,
        };
        Ok(done?)
    }

    /// Sends all of these octets. A client that takes too little of them in the time that it is given is
    /// [stuck](End::Stuck).
    pub(crate) async fn send_all(&mut self, octets: &[u8]) -> Result<(), End> {
        let limit = self.shared.hooks.limits.write_deadline;
        let (mut rest, mut since, mut gone) = (octets, Instant::now(), 0_usize);
        while !rest.is_empty() {
            let left = limit.map(|limit| limit.saturating_sub(since.elapsed()));
            let taken = match left {
                Some(left) => timeout(left, self.stream.write(rest))
                    .await
                    .map_err(|_| End::Stuck)??,
                None => self.stream.write(rest).await?,
            };
            rest = rest.get(taken..).unwrap_or_default();
            gone = gone.saturating_add(taken);
            if gone >= WRITE_PROGRESS {
                (since, gone) = (Instant::now(), 0);
            }
        }
        Ok(())
    }

    /// Ends the sending side.
    pub(crate) async fn say_goodbye(&self) {
        // If the client has gone already, nobody is left to be told.
        let _ = self.stream.end().await;
    }

    /// Makes the connection end by a reset once its socket is closed.
    pub(crate) fn reset_at_close(&self) {
        self.stream.break_when_dropped();
    }
}
