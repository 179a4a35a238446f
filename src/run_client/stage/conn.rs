//! The connection that a play is played on: its socket, and the task that reads from it.

use super::super::log::Log;
use crate::client_cases::Seen;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The connection that is played on.
#[derive(Debug)]
pub(super) struct Conn {
    stream: Arc<TcpStream>,
    reader: JoinHandle<()>,
}

impl Conn {
    /// What comes is noted from now on.
    pub(super) fn new(stream: TcpStream, log: &Arc<Log>) -> Self {
        // It delays nothing that a delay could be mistaken for.
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let reader = tokio::spawn(read(Arc::clone(&stream), Arc::clone(log)));
        Self { stream, reader }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends octets, and tells whether the client took them all.
    pub(super) async fn send(&self, octets: &[u8], limit: Duration) -> bool {
        let mut rest = octets;
        while !rest.is_empty() {
            if !matches!(timeout(limit, self.stream.writable()).await, Ok(Ok(()))) {
                return false;
            }
            match self.stream.try_write(rest) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Ends the server's stream. If the client has reset the connection this fails, and the reader notes
    /// that.
    pub(super) fn end_stream(&self) {
        let _ = SockRef::from(self.stream()).shutdown(Shutdown::Write);
    }

    pub(super) async fn reset(self) {
        // With nothing to linger for, closing discards what is unsent and resets.
        let _ = SockRef::from(self.stream()).set_linger(Some(Duration::ZERO));
        self.reader.abort();
        // The task holds the socket too; it has let go of it when it is joined.
        let _ = self.reader.await;
    }
}

/// Notes what comes until the connection ends or no more is kept.
async fn read(stream: Arc<TcpStream>, log: Arc<Log>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        if stream.readable().await.is_err() {
            return log.note(Seen::Rst);
        }
        match stream.try_read(&mut buffer) {
            Ok(0) => return log.note(Seen::Fin),
            Ok(taken) => {
                if !log.received(buffer.get(..taken).unwrap_or_default()) {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return log.note(Seen::Rst),
        }
    }
}
