//! Connections: how many there may be, and how long one may take to say what it wants.

use super::Shared;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::sleep;

/// At most so many connections at once: a browser needs two or three.
const MOST: usize = 32;

/// How long a request may take to come.
const ASKS_WITHIN: Duration = Duration::from_secs(5);

/// Octets of a request, and of what is written ahead of a client that does not read.
const BUFFER: usize = 16 << 10;

/// How long is waited where no connection can be taken, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the page until whoever holds the other end of `ended` lets go of it.
pub(super) fn until(
    ended: oneshot::Receiver<()>,
    listener: net::TcpListener,
    shared: &Arc<Shared>,
) {
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        tokio::select! {
            _ = ended => {}
            () = accept(listener, shared) => {}
        }
    });
}

async fn accept(listener: net::TcpListener, shared: &Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let room = Arc::new(Semaphore::new(MOST));
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(attend(Arc::clone(shared), stream, permit));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Answers one request, to the last octet.
async fn attend(shared: Arc<Shared>, stream: TcpStream, _permit: OwnedSemaphorePermit) {
    // Until the connection has been shut down, and not until the answer has been made.
    let seat = OnceLock::new();
    let service = service_fn(|request| {
        let answer = shared.answer(&request, &seat);
        async { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ASKS_WITHIN)
        .keep_alive(false)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever went away early has had enough.
    let _ = served.await;
}
