//! The load, the servers that bear it, and the comparison.

use crate::epoll;
use bytes::{Bytes, BytesMut};
use framespec::profile::{Draft, Payload, Profile};
use framespec::server::{Background, Echo, Settings};
use framespec::wire::Encoder;
use futures_util::{StreamExt as _, TryStreamExt as _};
use rustix::event::epoll::CreateFlags;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// A JSON text that fills a chunk with its padding: 64 octets on the wire.
const PAYLOAD: &[u8] = br#"{"nombre": "Margot", "edad": 15, "raza": "Schnauzer"}"#;
const FRAME: usize = 64;

/// Connections, and frames in flight on each.
const LOADS: [(usize, usize); 3] = [(64, 1), (64, 16), (1000, 1)];

/// Measures all servers under all loads; once and shortly unless it is to be `measured`.
pub(crate) fn compare(measured: bool) {
    let (turns, time) = if measured {
        (15, Duration::from_millis(500))
    } else {
        (1, Duration::from_millis(20))
    };
    let servers = [
        ("epoll loop", epoll_loop()),
        ("tokio, LengthDelimitedCodec", length_delimited()),
        ("framespec, JSON checked", framespec(Payload::Json)),
        ("framespec, opaque payloads", framespec(Payload::Opaque)),
    ];
    println!("| load | server | frames/s | to the epoll loop |");
    println!("|---|---|---|---|");
    for (connections, in_flight) in LOADS {
        let turns: Vec<Vec<f64>> = (0..turns)
            .map(|_| servers.map(|(_, addr)| frames_per_second(addr, connections, in_flight, time)))
            .map(Vec::from)
            .collect();
        for (i, (name, _)) in servers.iter().enumerate() {
            let rate = median(turns.iter().map(|turn| turn[i]));
            let ratio = median(turns.iter().map(|turn| turn[i] / turn[0]));
            println!(
                "| {connections} × {in_flight} | {name} | {:.0}k | {ratio:.2} |",
                rate / 1e3
            );
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Puts this thread on a processor; on a machine that has only one it stays there.
fn pin(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    let _ = sched_setaffinity(None, &set);
}

fn epoll_loop() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        pin(0);
        epoll::serve(&listener);
    });
    addr
}

fn length_delimited() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        pin(0);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let framed = Framed::new(stream, LengthDelimitedCodec::new());
                let (sink, stream) = framed.split::<Bytes>();
                tokio::spawn(stream.map_ok(BytesMut::freeze).forward(sink));
            }
        });
    });
    addr
}

fn framespec(payload: Payload) -> SocketAddr {
    let profile = Profile::try_from(Draft {
        payload,
        ..Draft::from(Profile::tutorial())
    })
    .unwrap();
    // A thread inherits the processor of the one that starts it.
    let started = thread::spawn(move || {
        pin(0);
        Background::start("127.0.0.1:0", profile, Settings::default(), Echo).unwrap()
    });
    let server = started.join().unwrap();
    let addr = server.addr();
    std::mem::forget(server);
    addr
}

/// A connection of the load, and how many octets of a frame it has behind the last whole one.
struct Client {
    stream: TcpStream,
    part: usize,
}

fn frames_per_second(
    addr: SocketAddr,
    connections: usize,
    in_flight: usize,
    time: Duration,
) -> f64 {
    pin(1);
    let requests = requests(in_flight);
    let poll = rustix::event::epoll::create(CreateFlags::CLOEXEC).unwrap();
    let mut clients: Vec<Client> = (0..connections)
        .map(|i| {
            let stream = TcpStream::connect(addr).unwrap();
            epoll::prepare(&stream);
            epoll::add(&poll, &stream, i as u64);
            Client { stream, part: 0 }
        })
        .collect();
    for client in &mut clients {
        client.stream.write_all(&requests).unwrap();
    }
    let mut events = Vec::with_capacity(256);
    let mut buffer = vec![0; requests.len()];
    let mut frames = 0;
    let start = Instant::now();
    while start.elapsed() < time {
        epoll::wait(&poll, &mut events);
        for event in &events {
            let client = &mut clients[event.data.u64() as usize];
            frames += client.go_on(&requests, &mut buffer);
        }
    }
    frames as f64 / start.elapsed().as_secs_f64()
}

fn requests(count: usize) -> Vec<u8> {
    let mut frame = BytesMut::new();
    Encoder::new(&Profile::tutorial())
        .encode(PAYLOAD, &mut frame)
        .unwrap();
    assert_eq!(frame.len(), FRAME);
    frame.repeat(count)
}

impl Client {
    /// Takes what came, which must be what was asked for, and asks for as many frames again.
    fn go_on(&mut self, requests: &[u8], buffer: &mut [u8]) -> usize {
        // At most what is in flight, so that it lies within the requests.
        let room = buffer.len() - self.part;
        let read = match self.stream.read(&mut buffer[..room]) {
            Ok(0) => panic!("closed"),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return 0,
            Err(error) => panic!("{error}"),
        };
        assert!(buffer[..read] == requests[self.part..self.part + read]);
        let frames = (self.part + read) / FRAME;
        self.part = (self.part + read) % FRAME;
        self.stream.write_all(&requests[..frames * FRAME]).unwrap();
        frames
    }
}
