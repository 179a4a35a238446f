//! The server under test, as the user names it: where it listens, what it is, and whether it can be had again.

use super::calibrate::calibrate;
use super::pace::Load;
use super::port::{Net, SEES_LISTENERS};
use super::session::ServerPeer;
use super::unmet::Failed;
use crate::lang::{Hole, Text, say};
use crate::peer::door::{Door, Program};
use crate::peer::group::{Group, Streams};
use crate::peer::{Launch, Process, Stderr};
use crate::profile::Carriage;
use crate::run::Options;
use crate::run::peer::Peer;
use crate::run::target::{Met, NotMet};
use crate::transcript::Exit;
use crate::transport::Address;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long a server may take to listen, unless an option says otherwise.
pub const DEFAULT_STARTUP: Duration = Duration::from_secs(10);

/// How often a server is started that comes too late for its port.
const MOST_PORTS: u32 = 4;

/// Others of the same are started beside a server that listens so soon …
const SOON: Duration = Duration::from_secs(5);

/// … and has spent no more of a processor on that.
const CHEAP: Duration = Duration::from_millis(500);

/// How long a server that hangs is given to end by itself.
const HUNG: Duration = Duration::from_millis(500);

/// How long a server that has stopped to answer may take until its process has ended.
const ENDING: Duration = Duration::from_millis(300);

/// How long it is relied upon that the system tells who listens: a server in a container is not seen.
const UNSEEN: Duration = Duration::from_secs(2);

fn busy() -> Text {
    say!(
        "the server's process was busy before the first client came: what clients cost it is not checked"
    )
}

/// A server under test.
#[derive(Debug)]
pub struct ServerTarget {
    kind: Kind,
    process: Option<Process>,
    slack: Option<Duration>,
}

#[derive(Debug)]
enum Kind {
    /// One that somebody else started.
    Fixed(Vec<Address>),
    /// One that is started here.
    Spawned(Spawned),
    /// One that is started for each connection.
    OnPipes(Program),
}

#[derive(Debug)]
struct Spawned {
    launch: Launch,
    startup: Duration,
    over: Net,
    /// Where it is to listen, if that was said.
    at: Option<SocketAddr>,
    group: Option<(Group, Stderr)>,
    /// Whether it was soon there, the last time that it was started, and without much work.
    is_soon_there: bool,
}

/// Where a server listens, and what of it can be looked at.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) doors: Vec<Door>,
    pub(super) process: Option<Process>,
    /// What it writes to its standard error.
    pub(super) stderr: Option<Stderr>,
}

/// Why a server that was to be started is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotStarted {
    /// What happened instead.
    pub why: Text,
    /// The last of what it wrote to its standard error, as it came.
    pub stderr: String,
}

impl Hole for NotStarted {
    fn text(&self) -> Text {
        say!("the server did not start: {why}", why = self.why)
    }
}

/// In the language of the reader.
impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for NotStarted {}

impl NotStarted {
    const fn new(why: Text) -> Self {
        Self {
            why,
            stderr: String::new(),
        }
    }
}

impl ServerTarget {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            process: None,
            slack: None,
        }
    }

    /// A server that listens at one of these addresses.
    #[must_use]
    pub fn at(addresses: &[Address]) -> Self {
        Self::new(Kind::Fixed(addresses.to_vec()))
    }

    /// A server to be started by that command, which then has so long until it listens. It ends when
    /// this is dropped, with all processes that it has started.
    #[must_use]
    pub const fn spawned(launch: Launch, startup: Duration) -> Self {
        Self::started(launch, startup, Net::Tcp, None)
    }

    /// The same over UDP, where each frame is a datagram; on that port, if one is named.
    #[must_use]
    pub const fn spawned_over_udp(
        launch: Launch,
        startup: Duration,
        at: Option<SocketAddr>,
    ) -> Self {
        Self::started(launch, startup, Net::Udp, at)
    }

    const fn started(launch: Launch, startup: Duration, over: Net, at: Option<SocketAddr>) -> Self {
        Self::new(Kind::Spawned(Spawned {
            launch,
            startup,
            over,
            at,
            group: None,
            is_soon_there: false,
        }))
    }

    /// What carries the frames of its requests and replies.
    pub(in crate::run) fn carriage(&self) -> Carriage {
        let is_of_datagrams = match &self.kind {
            Kind::Fixed(addresses) => addresses.iter().any(Address::is_of_datagrams),
            Kind::Spawned(spawned) => spawned.over == Net::Udp,
            Kind::OnPipes(_) => false,
        };
        match is_of_datagrams {
            true => Carriage::Datagrams,
            false => Carriage::Stream,
        }
    }

    /// A server that is started by that command for each connection, and speaks on its standard input and
    /// output. Each ends with its connection, with all processes that it has started.
    #[must_use]
    pub fn on_pipes(launch: Launch) -> Self {
        Self::new(Kind::OnPipes(Program::new(launch)))
    }

    /// The process of a server that somebody else started, if it may be looked at.
    #[must_use]
    pub fn process(self, process: Option<Process>) -> Self {
        Self { process, ..self }
    }

    /// What is added to silence that round trips have shown; found out if it is not given.
    #[must_use]
    pub fn slack(self, slack: Option<Duration>) -> Self {
        Self { slack, ..self }
    }

    /// Starts it with these variables beside those of this process, if it is started here.
    #[must_use]
    pub fn environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        let kind = match self.kind {
            Kind::Fixed(addresses) => Kind::Fixed(addresses),
            Kind::Spawned(spawned) => Kind::Spawned(Spawned {
                launch: spawned.launch.with_environment(environment),
                ..spawned
            }),
            Kind::OnPipes(program) => Kind::OnPipes(program.with_environment(environment)),
        };
        Self { kind, ..self }
    }

    /// Starts it, if it has to be started, and takes the first look at it.
    pub(in crate::run) async fn meet(&mut self, options: &Options) -> Result<Met, NotMet> {
        let endpoint = self.start().await?;
        // Before the first client has come: some servers never come to rest again.
        let rests = match endpoint.process {
            Some(process) => process.comes_to_rest().await,
            None => true,
        };
        match calibrate(&endpoint, options, self.slack).await {
            Ok((mut server, mut told)) => {
                server.rests = rests;
                told.notes.extend((!rests).then(busy));
                let peer = Peer::Server(server);
                Ok(Met { peer, told })
            }
            Err(Failed::Unreachable(error)) => Err(match self.kind {
                Kind::OnPipes(_) => NotStarted::new(error.why).into(),
                _ => error.into(),
            }),
            Err(Failed::NotServed(mut not_served)) => {
                if let Some(not_started) = self.does_not_stay().await {
                    return Err(not_started.into());
                }
                if let Some(ended) = self.ended().await {
                    let said = endpoint.stderr.map(|stderr| stderr.since(0));
                    not_served.then_ended(ended, &said.unwrap_or_default());
                }
                Err(NotMet::NotServed(not_served))
            }
        }
    }

    /// Why a server that is to speak on its standard input and output says nothing, if it ends whatever comes.
    async fn does_not_stay(&self) -> Option<NotStarted> {
        let Kind::OnPipes(program) = &self.kind else {
            return None;
        };
        let ended = program.ends_by_itself(UNSEEN).await?;
        Some(NotStarted {
            why: say!("it {ended} before anything was asked", ended),
            stderr: program.stderr().since(0),
        })
    }

    /// Whether it can be started again.
    pub(in crate::run) const fn can_be_revived(&self) -> bool {
        matches!(self.kind, Kind::Spawned(_))
    }

    async fn start(&mut self) -> Result<Endpoint, NotStarted> {
        match &mut self.kind {
            Kind::Fixed(addresses) => Ok(Endpoint {
                doors: addresses.iter().cloned().map(Door::from).collect(),
                process: self.process,
                stderr: None,
            }),
            Kind::Spawned(spawned) => spawned.start().await,
            Kind::OnPipes(program) => Ok(Endpoint {
                process: None,
                stderr: Some(program.stderr().clone()),
                doors: vec![Door::Program(program.clone())],
            }),
        }
    }

    /// Starts it anew, whether it still runs or not; `None` if that is not to be done here.
    pub(in crate::run) async fn revive(
        &mut self,
        peer: &mut ServerPeer,
    ) -> Option<Result<(), NotStarted>> {
        match &mut self.kind {
            Kind::Fixed(_) | Kind::OnPipes(_) => None,
            Kind::Spawned(spawned) => {
                let started = spawned.start().await;
                Some(started.map(|endpoint| peer.move_to(endpoint)))
            }
        }
    }

    /// Another that is started by the same command at a port of its own; `None` if there can be only one, or it is
    /// long in starting.
    pub(in crate::run) fn another(&self) -> Option<Self> {
        let Kind::Spawned(spawned) = &self.kind else {
            return None;
        };
        (spawned.is_soon_there && spawned.at.is_none()).then(|| Self {
            kind: Kind::Spawned(spawned.another()),
            process: None,
            slack: self.slack,
        })
    }

    /// How its process came to its end, if it was started here and has ended or is about to.
    pub(in crate::run) async fn ended(&mut self) -> Option<Exit> {
        let Kind::Spawned(spawned) = &mut self.kind else {
            return None;
        };
        let (group, stderr) = spawned.group.as_mut()?;
        let ended = group.ended_within(ENDING).await;
        if ended.is_some() {
            stderr.ended(ENDING).await;
        }
        ended
    }
}

impl ServerPeer {
    /// This server, as another of the same is until it is moved to.
    pub(in crate::run) fn elsewhere(&self) -> Self {
        Self {
            load: Load::default(),
            company: None,
            ..self.clone()
        }
    }

    /// The same server at another endpoint, started anew.
    fn move_to(&mut self, endpoint: Endpoint) {
        if let Some(door) = endpoint.doors.first() {
            self.door = door.clone();
        }
        self.process = endpoint.process;
        self.stderr = endpoint.stderr;
    }
}

impl Spawned {
    /// The same, not yet started.
    fn another(&self) -> Self {
        Self {
            launch: self.launch.clone(),
            startup: self.startup,
            over: self.over,
            at: self.at,
            group: None,
            is_soon_there: false,
        }
    }

    async fn start(&mut self) -> Result<Endpoint, NotStarted> {
        if let Some((group, _)) = self.group.take() {
            group.with_grace(HUNG).end().await;
        }
        let mut tried = 1;
        loop {
            let address = match self.at {
                Some(address) => address,
                None => self.over.free_address().map_err(no_port)?,
            };
            match self.start_at(address).await {
                // Somebody else was given the port first.
                Err(_)
                    if tried < MOST_PORTS && self.at.is_none() && self.over.is_taken(address) =>
                {
                    tried = tried.saturating_add(1)
                }
                done => return done,
            }
        }
    }

    async fn start_at(&mut self, address: SocketAddr) -> Result<Endpoint, NotStarted> {
        let (command, stderr) = (self.launch.command(address), Stderr::default());
        let begun = Instant::now();
        let started = Group::start(command, Streams::StderrOnly, &stderr);
        let mut group = started.map_err(|error| {
            let command = self.launch.to_string();
            NotStarted::new(match error.kind() {
                io::ErrorKind::NotFound => {
                    say!(
                        "there is no program as the first word of `{command}` calls it",
                        command
                    )
                }
                _ => say!("`{command}`: {error}", command, error),
            })
        })?;
        match listens(&mut group, self.over, address, self.startup).await {
            Ok(address) => {
                let endpoint = Endpoint {
                    doors: vec![self.over.at(address).into()],
                    process: group.process().filter(Process::runs),
                    stderr: Some(stderr.clone()),
                };
                self.is_soon_there =
                    begun.elapsed() <= SOON && is_cheap(endpoint.process.as_ref()).await;
                self.group = Some((group, stderr));
                Ok(endpoint)
            }
            Err(why) => {
                group.with_grace(HUNG).end().await;
                stderr.ended(ENDING).await;
                let stderr = stderr.since(0);
                Err(NotStarted { why, stderr })
            }
        }
    }
}

/// Whether it has not worked much. What cannot be seen is taken to be so.
async fn is_cheap(process: Option<&Process>) -> bool {
    let Some(process) = process else {
        return true;
    };
    let reading = process.reading().await;
    reading.is_none_or(|reading| reading.cpu <= CHEAP)
}

fn no_port(error: io::Error) -> NotStarted {
    NotStarted::new(say!("there is no port to be had for it: {error}", error))
}

/// Waits until somebody listens there, be it by IPv4 or IPv6.
async fn listens(
    group: &mut Group,
    over: Net,
    address: SocketAddr,
    limit: Duration,
) -> Result<SocketAddr, Text> {
    let port = address.port();
    let begun = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        // Before the looks: on a busy machine one of them may take long, and it counts all the same.
        let is_late = begun.elapsed() > limit;
        if let Some(ended) = group.ended() {
            return Err(say!(
                "it {ended} before it listened on port {port}",
                ended,
                port
            ));
        }
        if let Some(address) = over.listener(port) {
            return stays(group, address);
        }
        if !SEES_LISTENERS || (begun.elapsed() > UNSEEN && rests(group).await) {
            // Meanwhile it may have begun to.
            if let Some(address) = over.listener(port) {
                return stays(group, address);
            }
            let other = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
            for address in [address, other] {
                if over.answers(address).await {
                    return stays(group, address);
                }
            }
        }
        if is_late {
            return Err(late(group, port, limit));
        }
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(Duration::from_millis(50));
    }
}

/// Why a server that runs has come too late.
fn late(group: &Group, port: u16, limit: Duration) -> Text {
    let ports = group.process().map(|process| process.ports());
    let others: Vec<String> = ports.iter().flatten().map(u16::to_string).collect();
    match others.as_slice() {
        [] => {
            say!(
                "it runs, but nothing listens on port {port} of this machine after {limit}",
                port,
                limit = format!("{limit:?}")
            )
        }
        others => say!(
            "it was told to listen on port {port}, and listens on port {others} instead",
            port,
            others = Text::joined(others.iter().cloned().map(Text::from), &say!(" and "))
        ),
    }
}

/// Whether it has done what it does first. Until then it may still be about to listen, and will be seen to: who asks by
/// connecting is a client, and there are servers that never rest again once they have had one.
async fn rests(group: &Group) -> bool {
    match group.process() {
        Some(process) => process.is_at_rest().await,
        None => true,
    }
}

/// A command that goes into the background cannot be watched, nor ended.
fn stays(group: &mut Group, address: SocketAddr) -> Result<SocketAddr, Text> {
    match group.ended() {
        None => Ok(address),
        Some(ended) => Err(say!(
            "it {ended} and left a server behind: the command has to last as long as the server does",
            ended
        )),
    }
}
