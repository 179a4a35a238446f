//! Processes that count elsewhere, and put it into the file when they are asked: one octet on a connection is answered by
//! one, once what ran before it is counted.

use super::told::TellsOn;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long somebody is waited for who is busy. What is then counted later is the next script's.
const PATIENCE: Duration = Duration::from_millis(200);

/// The most processes that are asked.
const MOST: usize = 64;

/// Those that are asked.
#[derive(Debug)]
pub(super) struct Asked {
    ports: TellsOn,
    processes: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    stream: TcpStream,
    /// Octets that it has not answered.
    owed: usize,
}

impl Asked {
    /// Those who write their port down in this folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            ports: TellsOn::new(folder.join("asked")),
            processes: Vec::new(),
        }
    }

    /// Has everybody put what was counted into the file. Who is gone is forgotten.
    pub(super) fn ask(&mut self) {
        for line in self.ports.lines() {
            let port = serde_json::from_slice(&line).ok();
            self.processes.extend(port.and_then(Process::on));
        }
        self.processes.truncate(MOST);
        self.processes.retain_mut(|process| process.ask().is_ok());
    }
}

impl Process {
    fn on(port: u16) -> Option<Self> {
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        Some(Self { stream, owed: 0 })
    }

    fn ask(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&[0])?;
        self.owed = self.owed.saturating_add(1);
        let begun = Instant::now();
        while self.owed > 0 {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                break;
            }
            self.stream.set_read_timeout(Some(left))?;
            self.take_answers()?;
        }
        Ok(())
    }

    fn take_answers(&mut self) -> std::io::Result<()> {
        let mut octets = [0; 64];
        match self.stream.read(&mut octets) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.owed = self.owed.saturating_sub(count),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::net::TcpListener;

    #[test]
    fn who_is_busy_is_not_waited_for_long_and_who_is_gone_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        fs::write(folder.path().join("asked"), format!("{port}\nno port\n")).unwrap();
        let mut asked = Asked::new(folder.path());
        let owed = |asked: &Asked| {
            asked
                .processes
                .iter()
                .map(|one| one.owed)
                .collect::<Vec<_>>()
        };
        asked.ask();
        assert_eq!(owed(&asked), [1]);
        let (mut busy, _) = listener.accept().unwrap();
        let answer = |stream: &mut TcpStream, count: usize| {
            let mut octets = vec![0; count];
            stream.read_exact(&mut octets).unwrap();
            stream.write_all(&octets).unwrap();
        };
        // Both are answered at once, the first too late.
        let answering = std::thread::spawn(move || {
            answer(&mut busy, 2);
            busy
        });
        asked.ask();
        assert_eq!(owed(&asked), [0]);
        drop((answering.join().unwrap(), listener));
        asked.ask();
        assert!(asked.processes.is_empty());
    }
}
