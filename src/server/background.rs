//! A server beside the program that started it.

use super::{Handler, Server, Settings};
use crate::profile::Profile;
use crate::transport::Address;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// What a server waits for.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server on a thread of its own. It goes down when this is dropped.
///
/// ```
/// use framespec::{profile::Profile, server::{Background, Echo, Settings}};
///
/// let server = Background::start("127.0.0.1:0", Profile::tutorial(), Settings::default(), Echo)?;
/// std::net::TcpStream::connect(server.addr())?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Background {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Listens, and serves from then on.
    ///
    /// # Errors
    /// If it cannot listen there, or the system gives no thread.
    pub fn start<H: Handler>(
        addr: impl ToSocketAddrs,
        profile: Profile,
        settings: Settings,
        handler: H,
    ) -> io::Result<Self> {
        Self::start_with(addr, profile, settings, |server, shutdown| {
            server.serve(handler, shutdown)
        })
    }

    /// Listens, and leaves it to `serve` to serve from then on, until the shutdown that it is handed is
    /// ready.
    ///
    /// # Errors
    /// If it cannot listen there, or the system gives no thread.
    pub fn start_with<S, T>(
        addr: impl ToSocketAddrs,
        profile: Profile,
        settings: Settings,
        serve: S,
    ) -> io::Result<Self>
    where
        S: FnOnce(Server, Shutdown) -> T + Send + 'static,
        T: Future<Output = ()>,
    {
        let addrs: Vec<SocketAddr> = addr.to_socket_addrs()?.collect();
        let (tell, told) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        // All of it on a thread of its own: the caller's may be driving another runtime.
        let run = move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(error))),
            };
            runtime.block_on(async {
                let server = match Server::bind(&addrs[..], profile, settings).await {
                    Ok(server) => server,
                    Err(error) => return drop(tell.send(Err(error))),
                };
                if tell.send(server.address().and_then(socket)).is_err() {
                    return;
                }
                let shutdown = async {
                    // Told or dropped, it means the same.
                    let _ = stopped.await;
                };
                serve(server, Box::pin(shutdown)).await;
            });
        };
        let thread = thread::Builder::new()
            .name("framespec-server".into())
            .spawn(run)?;
        let addr = told
            .recv()
            .map_err(|_| io::Error::other("the server's thread ended early"))??;
        Ok(Self {
            addr,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// A server that listens at a host and port has such an address.
fn socket(address: Address) -> io::Result<SocketAddr> {
    address.socket().ok_or(io::ErrorKind::Unsupported.into())
}

impl Drop for Background {
    /// Waits until it is down: as long as [`Settings::drain`] at most.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}
