//! The load: connections with frames in flight, each reply compared with what was sent, and how long it took.

use crate::epoll;
use crate::process::Process;
use bytes::BytesMut;
use framespec::profile::Profile;
use framespec::wire::Encoder;
use rustix::event::epoll::CreateFlags;
use socket2::SockRef;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// Frames on each that are not answered yet.
    pub(crate) in_flight: usize,
    /// Octets of a text in JSON that is sent.
    pub(crate) payload: usize,
}

/// What came of it in one turn.
pub(crate) struct Turn {
    /// Frames in a second.
    pub(crate) rate: f64,
    /// Nanoseconds of the server's processor for a frame.
    pub(crate) busy: f64,
    /// How long each frame was under way, in nanoseconds.
    pub(crate) latencies: Vec<u32>,
}

/// The connections to one server.
pub(crate) struct Connections {
    poll: OwnedFd,
    clients: Vec<Client>,
    requests: Vec<u8>,
    frame: usize,
}

struct Client {
    stream: TcpStream,
    /// Octets of a frame that have come behind the last whole one.
    part: usize,
    /// When how many frames were sent that have not come back.
    sent: VecDeque<(Instant, usize)>,
}

impl Load {
    /// A text like those of the tutorial: the smallest is 53 octets, which fill a chunk of its format with a little padding.
    fn frame(self) -> Vec<u8> {
        let rest = self.payload.saturating_sub(53);
        let text = format!(
            r#"{{"nombre": "Margot{}", "edad": 15, "raza": "Schnauzer"}}"#,
            "o".repeat(rest)
        );
        let mut frame = BytesMut::new();
        let encoder = Encoder::new(&Profile::tutorial());
        encoder.encode(text.as_bytes(), &mut frame).unwrap();
        frame.to_vec()
    }
}

impl Connections {
    pub(crate) fn open(addr: SocketAddr, load: Load) -> Self {
        let poll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let client = |number| {
            let stream = TcpStream::connect(addr).unwrap();
            // No port has to rest when this is over.
            SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            epoll::prepare(&stream);
            epoll::add(&poll, &stream, number as u64);
            Client {
                stream,
                part: 0,
                sent: VecDeque::new(),
            }
        };
        let clients = (0..load.connections).map(client).collect();
        let frame = load.frame();
        Self {
            poll,
            clients,
            requests: frame.repeat(load.in_flight),
            frame: frame.len(),
        }
    }

    /// Keeps the server busy for so long. All that was asked has been answered when this returns.
    pub(crate) fn turn(&mut self, server: &Process, time: Duration) -> Turn {
        let busy = server.busy();
        let start = Instant::now();
        let latencies = self.run(start + time);
        let took = start.elapsed();
        let frames = latencies.len() as f64;
        Turn {
            rate: frames / took.as_secs_f64(),
            busy: (server.busy() - busy) as f64 / frames,
            latencies,
        }
    }

    /// How long each frame took.
    pub(crate) fn run(&mut self, end: Instant) -> Vec<u32> {
        let Self {
            poll,
            clients,
            requests,
            frame,
        } = self;
        let mut latencies = Vec::new();
        let mut events = Vec::with_capacity(256);
        let mut buffer = vec![0; requests.len()];
        clients
            .iter_mut()
            .for_each(|client| client.send(requests, *frame));
        let mut unanswered = clients.len();
        while unanswered > 0 {
            epoll::wait(poll, &mut events);
            let now = Instant::now();
            for event in &events {
                let client = &mut clients[event.data.u64() as usize];
                let frames = client.receive(requests, *frame, &mut buffer, now, &mut latencies);
                if now < end {
                    client.send(&requests[..frames * *frame], *frame);
                }
                unanswered -= usize::from(frames > 0 && client.sent.is_empty());
            }
        }
        latencies
    }

    /// Asks once on each connection, and waits for the answers.
    pub(crate) fn once(&mut self) {
        self.run(Instant::now());
    }
}

impl Client {
    fn send(&mut self, requests: &[u8], frame: usize) {
        if !requests.is_empty() {
            self.sent
                .push_back((Instant::now(), requests.len() / frame));
            epoll::write_all(&self.stream, requests).unwrap();
        }
    }

    /// Takes what came, which must be what was asked for; how many frames that ends.
    fn receive(
        &mut self,
        requests: &[u8],
        frame: usize,
        buffer: &mut [u8],
        now: Instant,
        latencies: &mut Vec<u32>,
    ) -> usize {
        // At most what is in flight, so that it lies within the requests.
        let room = buffer.len() - self.part;
        let read = match self.stream.read(&mut buffer[..room]) {
            Ok(0) => panic!("closed"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return 0,
            Err(error) => panic!("{error}"),
        };
        assert!(buffer[..read] == requests[self.part..self.part + read]);
        let frames = (self.part + read) / frame;
        self.part = (self.part + read) % frame;
        for _ in 0..frames {
            let (sent, left) = self.sent.front_mut().unwrap();
            let nanos = now.saturating_duration_since(*sent).as_nanos();
            latencies.push(nanos.try_into().unwrap_or(u32::MAX));
            *left -= 1;
            if *left == 0 {
                self.sent.pop_front();
            }
        }
        frames
    }
}
