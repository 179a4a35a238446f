//! The client: connect, request, receive.
//!
//! ```
//! use framespec::{client::Client, message::Message, profile::Profile};
//! use framespec::server::{Background, Echo, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let profile = Profile::tutorial();
//! let server = Background::start("127.0.0.1:0", profile.clone(), Settings::default(), Echo)?;
//! let mut client = Client::connect(server.addr(), &profile).await?;
//! let hello = Message::from_text(profile.payload(), "hello");
//! assert_eq!(client.request(&hello).await?, hello);
//! # Ok(())
//! # }
//! ```
//!
//! No method waits for a limited time only; wrap it in [`tokio::time::timeout`] where that is wanted.

use crate::message::{Message, Undecodable};
use crate::profile::{Carriage, Payload, Profile, Speaker};
use crate::transport::{ReadHalf, Stream, WriteHalf};
use crate::wire::{DecodeError, Decoder, EncodeError, Encoder, Frame, Prologue};
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, ToSocketAddrs};

/// Room for a read.
const ROOM: usize = 4 << 10;

/// Room for a read that brings a datagram: what it has no room for would be lost.
const ROOM_FOR_DATAGRAM: usize = 64 << 10;

/// Why a client's exchange failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The message fits into no frame.
    #[error("the message cannot be sent: {0}")]
    Encode(#[from] EncodeError),
    /// What came is no frame.
    #[error("what came is no frame: {0}")]
    Decode(#[from] DecodeError),
    /// A frame came whose payload is no message.
    #[error("a reply came that is no message: {why}")]
    Undecodable {
        /// Why it is none.
        why: Undecodable,
        /// The payload.
        payload: Bytes,
    },
    /// The server ended the connection where a reply was owed.
    #[error("the server closed the connection without a reply")]
    Closed,
}

/// A connection to a server.
#[derive(Debug)]
pub struct Client {
    sender: Sender,
    receiver: Receiver,
}

/// The sending half of a [`Client`].
#[derive(Debug)]
pub struct Sender {
    half: WriteHalf,
    encoder: Encoder,
    unsent: BytesMut,
    /// How many requests there were, which is the id of the last.
    asked: u64,
    carriage: Carriage,
}

/// The receiving half of a [`Client`].
#[derive(Debug)]
pub struct Receiver {
    half: ReadHalf,
    decoder: Decoder,
    payload: Payload,
    received: BytesMut,
    /// What has come of a reply of which the last frame is still to come.
    part: BytesMut,
    profile: Profile,
    answered: Option<u64>,
    carriage: Carriage,
}

impl Client {
    /// Connects to the first of the addresses that answers, and goes through the prologue of the profile.
    ///
    /// # Errors
    /// If none does, or something else comes than the prologue has.
    pub async fn connect(addr: impl ToSocketAddrs, profile: &Profile) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Self::over(stream.into(), profile).await
    }

    /// A client of whoever is at the other end of that stream, once the prologue is over.
    ///
    /// # Errors
    /// If the connection breaks or ends before, or something else comes than the prologue has.
    pub async fn over(stream: Stream, profile: &Profile) -> io::Result<Self> {
        stream
            .begin(Prologue::new(profile, Speaker::Client))
            .await?;
        let (read, write) = stream.split();
        Ok(Self {
            sender: Sender {
                half: write,
                encoder: Encoder::new(profile),
                unsent: BytesMut::new(),
                asked: 0,
                carriage: profile.carriage(),
            },
            receiver: Receiver {
                half: read,
                decoder: Decoder::new(&profile.of_replies()),
                payload: profile.payload(),
                received: BytesMut::new(),
                part: BytesMut::new(),
                profile: profile.clone(),
                answered: None,
                carriage: profile.carriage(),
            },
        })
    }

    /// Sends a message and waits for the reply.
    ///
    /// # Errors
    /// If the message fits into no frame, the connection breaks or ends, or what comes is no message.
    pub async fn request(&mut self, message: &Message) -> Result<Message, ClientError> {
        match self.sender.send(message).await {
            // A server that closes upon a request may have said why before.
            Err(ClientError::Io(broken)) => match self.receiver.receive().await {
                Ok(Some(reply)) => Ok(reply),
                _ => Err(broken.into()),
            },
            Err(error) => Err(error),
            Ok(()) => self.receiver.receive().await?.ok_or(ClientError::Closed),
        }
    }

    /// Both halves, to send and to receive at the same time.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }
}

impl Sender {
    /// The id of the last request, counted from 1: where frames have ids, as much of it as fits in one.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.asked
    }

    /// Sends a message. If this is cancelled, the rest of the frame goes with the next message; over datagrams nothing
    /// of it does.
    ///
    /// # Errors
    /// If the message fits into no frame, or the connection breaks.
    pub async fn send(&mut self, message: &Message) -> Result<(), ClientError> {
        let id = self.asked.wrapping_add(1);
        if self.carriage.is_datagrams() {
            self.unsent.clear();
        }
        self.encoder
            .encode_with_id(message.payload(), id, &mut self.unsent)?;
        self.asked = id;
        Ok(self.half.write_all_buf(&mut self.unsent).await?)
    }

    /// Ends the stream to the server, whose replies can still be received.
    ///
    /// # Errors
    /// If the connection is broken.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.half.write_all_buf(&mut self.unsent).await?;
        self.half.shutdown().await
    }
}

impl Receiver {
    /// The next message; `None` once the server has ended its stream between two frames. If this is
    /// cancelled, nothing that has arrived is lost.
    ///
    /// # Errors
    /// If the connection breaks, the stream ends inside a frame, or what comes is no message. After a
    /// payload that is no message the next one can be received.
    pub async fn receive(&mut self) -> Result<Option<Message>, ClientError> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.received)? {
                self.answered = self.decoder.id_of(&frame);
                match self.whole(frame)? {
                    Some(payload) => return self.read(payload).map(Some),
                    None => continue,
                }
            }
            if self.carriage.is_datagrams() {
                self.next_datagram().await?;
                continue;
            }
            self.received.reserve(ROOM);
            if self.half.read_buf(&mut self.received).await? == 0 {
                self.decoder.finish(&self.received)?;
                return match self.part.is_empty() {
                    true => Ok(None),
                    false => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                };
            }
        }
    }

    /// The payload of a reply whose last frame this is; nothing as long as there is more to come.
    fn whole(&mut self, frame: Frame) -> Result<Option<Bytes>, ClientError> {
        let is_last = self.carriage.is_datagrams() || self.profile.ends_reply(frame.header());
        if is_last && self.part.is_empty() {
            return Ok(Some(frame.into_payload()));
        }
        let most = usize::try_from(self.profile.max_body()).unwrap_or(usize::MAX);
        if self.part.len().saturating_add(frame.payload().len()) > most {
            let what = "a reply of several frames that are larger together than a body may be";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what).into());
        }
        self.part.extend_from_slice(frame.payload());
        Ok(is_last.then(|| self.part.split().freeze()))
    }

    /// Waits for a datagram. What is left of the one before it is no part of it.
    async fn next_datagram(&mut self) -> Result<(), ClientError> {
        self.decoder.finish(&std::mem::take(&mut self.received))?;
        self.received.reserve(ROOM_FOR_DATAGRAM);
        self.half.read_buf(&mut self.received).await?;
        Ok(())
    }

    /// The id in the last frame that came, where frames have ids: that of the request which it answers.
    #[must_use]
    pub fn last_id(&self) -> Option<u64> {
        self.answered
    }

    fn read(&self, payload: Bytes) -> Result<Message, ClientError> {
        Message::read(self.payload, payload.clone())
            .map_err(|why| ClientError::Undecodable { why, payload })
    }
}
