//! The servers that are compared, each as a process of its own: this program again, or one in another language.

use crate::epoll;
use crate::process::Process;
use bytes::{Bytes, BytesMut};
use framespec::profile::{Draft, Payload, Profile};
use framespec::server::{Echo, Server, Settings};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::de::IgnoredAny;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::runtime::{Builder, Runtime};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// How a server is started.
#[derive(Clone, Copy)]
enum How {
    /// This program, told to serve in that way.
    Here(&'static str),
    /// Python, with that file beside this one.
    Python(&'static str),
    /// Go, with that file beside this one.
    Go(&'static str),
}

/// A server under the name that it has in the tables.
#[derive(Clone, Copy)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    how: How,
}

/// The first is the floor.
pub(crate) const ALL: [Contender; 8] = [
    Contender::new("floor", How::Here("floor")),
    Contender::new("tokio, `LengthDelimitedCodec`", How::Here("tokio")),
    Contender::new("the same, JSON checked", How::Here("tokio-json")),
    Contender::new("framespec, JSON checked", How::Here("framespec-json")),
    Contender::new("framespec, opaque payloads", How::Here("framespec")),
    Contender::new("Go `net`, JSON checked", How::Go("echo.go")),
    Contender::new(
        "Python `asyncio`, JSON read",
        How::Python("asyncio_echo.py"),
    ),
    Contender::new(
        "as the tutorial's, JSON read",
        How::Python("tutorial_echo.py"),
    ),
];

/// The last of them needs a thread for each connection, of which there cannot be ten thousand everywhere.
pub(crate) const WITHOUT_THREADS: usize = ALL.len() - 1;

/// The server that has two threads.
pub(crate) const ON_TWO_THREADS: Contender =
    Contender::new("framespec, two threads", How::Here("framespec-two"));

impl Contender {
    const fn new(name: &'static str, how: How) -> Self {
        Self { name, how }
    }

    /// Whether nothing but this program is needed.
    pub(crate) fn is_here(self) -> bool {
        matches!(self.how, How::Here(_))
    }

    /// Starts it; what is wrong if that cannot be done.
    pub(crate) fn start(self) -> Result<Process, String> {
        Process::start(match self.how {
            How::Here(way) => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["serve", way]);
                command
            }
            How::Python(file) => {
                let mut command = Command::new("python3");
                command.arg(beside(file));
                command
            }
            How::Go(file) => Command::new(built(file)?),
        })
    }
}

fn beside(file: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("benches/server/peers").join(file)
}

/// The program that Go makes of that file.
fn built(file: &str) -> Result<PathBuf, String> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("echo-go");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(beside(file));
    match go.status() {
        Ok(status) if status.success() => Ok(program),
        Ok(status) => Err(format!("`go build` ends with {status}")),
        Err(error) => Err(format!("there is no `go`: {error}")),
    }
}

/// Is the server of that name until it is killed.
pub(crate) fn serve(way: &str) {
    match way {
        "floor" => epoll::serve(&announced()),
        "tokio" => one_thread().block_on(length_delimited(|frame| Ok(frame.freeze()))),
        "tokio-json" => one_thread().block_on(length_delimited(checked)),
        "framespec" => one_thread().block_on(framespec(Payload::Opaque)),
        "framespec-json" => one_thread().block_on(framespec(Payload::Json)),
        "framespec-two" => two_threads().block_on(framespec(Payload::Json)),
        other => panic!("there is no server {other}"),
    }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn two_threads() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// A listener whose port is told to who started this process.
fn announced() -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).unwrap();
    // As many as all the others let wait.
    socket.listen(1024).unwrap();
    let listener = TcpListener::from(socket);
    announce(listener.local_addr().unwrap());
    listener
}

fn announce(addr: SocketAddr) {
    println!("{}", addr.port());
}

async fn length_delimited(reply: fn(BytesMut) -> io::Result<Bytes>) {
    let listener = announced();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let framed = Framed::new(stream, LengthDelimitedCodec::new());
        let (sink, stream) = framed.split::<Bytes>();
        let replies = stream.and_then(move |frame| std::future::ready(reply(frame)));
        tokio::spawn(replies.forward(sink));
    }
}

/// The frame, if what is in it before the padding is JSON.
fn checked(frame: BytesMut) -> io::Result<Bytes> {
    let end = frame.iter().rposition(|octet| *octet != 0);
    let payload = end.and_then(|end| frame.get(..=end)).unwrap_or_default();
    serde_json::from_slice::<IgnoredAny>(payload)?;
    Ok(frame.freeze())
}

async fn framespec(payload: Payload) {
    let draft = Draft::from(Profile::tutorial());
    let profile = Profile::try_from(Draft { payload, ..draft }).unwrap();
    let settings = Settings {
        max_connections: usize::MAX,
        ..Settings::default()
    };
    let server = Server::bind("127.0.0.1:0", profile, settings)
        .await
        .unwrap();
    announce(server.address().unwrap().socket().unwrap());
    server.serve(Echo, std::future::pending()).await;
}
