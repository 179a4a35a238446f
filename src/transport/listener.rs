//! Where peers connect to.

#[cfg(unix)]
use super::SocketPath;
#[cfg(feature = "tls")]
use super::tls::Identity;
use super::{Address, Stream, datagram};
use socket2::{Domain, Socket, Type};
use std::fmt;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, UdpSocket};

/// Connections that wait to be accepted; the system may hold fewer.
const BACKLOG: i32 = 1024;

/// Where peers connect to. The file of a unix socket is removed when this is dropped.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Udp(Arc<UdpSocket>),
    #[cfg(unix)]
    Unix(UnixListener, OwnFile),
    Only(Mutex<Option<Stream>>),
    #[cfg(feature = "tls")]
    Tls(TcpListener, Identity),
}

/// Who has connected, for a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caller {
    /// Somebody with an address.
    At(SocketAddr),
    /// Somebody on this machine.
    Local,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Local => f.write_str("a local process"),
        }
    }
}

impl Listener {
    /// Listens on the first of the addresses where that is possible. `[::]` takes IPv4 clients too, where the
    /// system can do that. The file of a unix socket at which nobody listens any more is replaced. It has to
    /// be called within a runtime.
    ///
    /// # Errors
    /// If it is possible on none.
    pub fn bind(addresses: &[Address]) -> io::Result<Self> {
        let mut last = None;
        for address in addresses {
            match listen(address) {
                Ok(kind) => return Ok(Self(kind)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::other("the name has no address")))
    }

    /// The same over TLS, with that to show for itself, on the first of these addresses where it is possible.
    /// What is agreed with a client is agreed when its stream is first used.
    ///
    /// # Errors
    /// If it is possible on none.
    #[cfg(feature = "tls")]
    pub fn bind_tls(addresses: &[SocketAddr], identity: Identity) -> io::Result<Self> {
        let addresses: Vec<Address> = addresses.iter().copied().map(Address::from).collect();
        match Self::bind(&addresses)?.0 {
            Kind::Tcp(listener) => Ok(Self(Kind::Tls(listener, identity))),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// One to which only this peer ever connects, which has done so already. It has no address.
    #[must_use]
    pub const fn only(stream: Stream) -> Self {
        Self(Kind::Only(Mutex::new(Some(stream))))
    }

    /// Where it is; with the port that the system chose, if it was left to it.
    ///
    /// # Errors
    /// If the system cannot tell.
    pub fn address(&self) -> io::Result<Address> {
        match &self.0 {
            Kind::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Kind::Udp(socket) => socket.local_addr().map(Address::Udp),
            #[cfg(unix)]
            Kind::Unix(_, file) => Ok(Address::Unix(file.0.clone())),
            #[cfg(feature = "tls")]
            Kind::Tls(listener, identity) => {
                Ok(Address::Tls(listener.local_addr()?, identity.client()?))
            }
            Kind::Only(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The next peer that connects. Over UDP that is the next datagram: its stream brings its octets and ends, and
    /// what is written to it goes back to its sender, each write as a datagram.
    ///
    /// # Errors
    /// If the system refuses: it may be short of something.
    pub async fn accept(&self) -> io::Result<(Stream, Caller)> {
        match &self.0 {
            Kind::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((stream.into(), Caller::At(address)))
            }
            Kind::Udp(socket) => {
                let (asked, address) = datagram::Asked::next(socket).await?;
                Ok((asked.into(), Caller::At(address)))
            }
            #[cfg(unix)]
            Kind::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((stream.into(), Caller::Local))
            }
            #[cfg(feature = "tls")]
            Kind::Tls(listener, identity) => {
                let (stream, address) = listener.accept().await?;
                Ok((identity.stream(stream)?.into(), Caller::At(address)))
            }
            Kind::Only(stream) => {
                let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                match stream {
                    Some(stream) => Ok((stream, Caller::Local)),
                    None => std::future::pending().await,
                }
            }
        }
    }
}

fn listen(address: &Address) -> io::Result<Kind> {
    match address {
        Address::Tcp(address) => tcp(*address).map(Kind::Tcp),
        Address::Udp(address) => Ok(Kind::Udp(Arc::new(datagram::bound(*address)?))),
        #[cfg(unix)]
        Address::Unix(path) => unix(path),
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        #[cfg(feature = "tls")]
        Address::Tls(..) => Err(io::Error::other("there is no certificate to be shown")),
    }
}

fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        // A system that cannot do both serves IPv6 alone.
        let _ = socket.set_only_v6(false);
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(unix)]
fn unix(path: &SocketPath) -> io::Result<Kind> {
    let listener = match UnixListener::bind(path.as_path()) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let file = path.file().filter(|file| is_left_over(file)).ok_or(error)?;
            std::fs::remove_file(file)?;
            UnixListener::bind(path.as_path())
        }
        bound => bound,
    };
    Ok(Kind::Unix(listener?, OwnFile(path.clone())))
}

/// Whether that is the socket of a listener that has gone.
#[cfg(unix)]
fn is_left_over(file: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    // Of any other file the system says as well that nobody listens there.
    let is_socket = file
        .symlink_metadata()
        .map(|file| file.file_type().is_socket());
    let connected = std::os::unix::net::UnixStream::connect(file);
    is_socket.unwrap_or_default()
        && connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// The file of a unix socket that is listened at.
#[cfg(unix)]
#[derive(Debug)]
struct OwnFile(SocketPath);

#[cfg(unix)]
impl Drop for OwnFile {
    fn drop(&mut self) {
        if let Some(file) = self.0.file() {
            // Somebody else may have removed it.
            let _ = std::fs::remove_file(file);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::transport::Name;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn addresses(name: &str) -> Vec<Address> {
        name.parse::<Name>().unwrap().resolve().unwrap()
    }

    async fn carries(name: &str) -> Listener {
        let at = addresses(name);
        let listener = Listener::bind(&at).unwrap();
        assert_eq!(listener.address().unwrap().to_string(), name);
        let (connected, accepted) = tokio::join!(Stream::connect(&at), listener.accept());
        let (client, (mut server, _)) = (connected.unwrap(), accepted.unwrap());
        let (mut reads, mut writes) = client.split();
        writes.write_all(b"asked").await.unwrap();
        drop(writes);
        let mut came = Vec::new();
        server.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, b"asked");
        server.write_all(b"answered").await.unwrap();
        drop(server);
        came.clear();
        reads.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, b"answered");
        listener
    }

    #[tokio::test]
    async fn a_unix_socket_ends_in_one_direction_and_then_in_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let name = format!("unix:{}", path.display());
        let listener = carries(&name).await;
        assert!(Listener::bind(&addresses(&name)).is_err());
        drop(listener);
        assert!(!path.exists());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_unix_socket_needs_no_file_on_linux() {
        carries(&format!("unix:@framespec-{}", std::process::id())).await;
    }

    #[tokio::test]
    async fn what_a_listener_has_left_behind_is_replaced_and_a_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let at = addresses(&format!("unix:{}", path.display()));
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        drop(Listener::bind(&at).unwrap());
        std::fs::write(&path, "mine").unwrap();
        assert!(Listener::bind(&at).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
