//! A server beside the program that started it.

use super::{Handler, Server, Settings};
use crate::profile::Profile;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::thread::{self, JoinHandle};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

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
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let addrs: Vec<SocketAddr> = addr.to_socket_addrs()?.collect();
        let server = runtime.block_on(Server::bind(&addrs[..], profile, settings))?;
        let addr = server.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            let shutdown = async {
                // Told or dropped, it means the same.
                let _ = stopped.await;
            };
            runtime.block_on(server.serve(handler, shutdown));
        };
        let thread = thread::Builder::new()
            .name("framespec-server".into())
            .spawn(serve)?;
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
