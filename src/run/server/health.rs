//! How the server fares: whether a new client is served, and what becomes of clients that are not needed any more.

use super::canary::{Canary, Trouble, question};
use super::session::ServerPeer;
use super::unmet::NotServed;
use crate::judge::ReplyRule;
use crate::lang::{Hole, say};
use crate::profile::{Profile, Reply};
use crate::transcript;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long a server that takes no connections is given to come back.
const COME_BACK: Duration = Duration::from_millis(400);

/// How long one that takes connections and does not answer is given: it may be busy.
const RECOVER: Duration = Duration::from_secs(4);

impl ServerPeer {
    /// How a new client fares.
    pub(in crate::run) async fn health(&self) -> transcript::Canary {
        match self.canary().await {
            Ok(canary) => {
                self.let_go(canary);
                transcript::Canary::Well
            }
            Err(trouble @ Trouble::Refused(_)) => transcript::Canary::Dead(trouble.text()),
            Err(trouble) => transcript::Canary::Mute(trouble.text()),
        }
    }

    /// Lets a canary go that is not needed any more.
    pub(super) fn let_go(&self, canary: Canary) {
        if self.spins {
            canary.reset();
        }
    }

    /// Spares it clients that end their stream where no script asks for that. Whether it bears that they reset
    /// their connections instead; if not, all is as before.
    pub(in crate::run) async fn spare(&mut self) -> bool {
        self.spins = true;
        // The first of them is reset, and the second finds out what came of that.
        for _ in 0..2 {
            self.spins &= self.health().await == transcript::Canary::Well;
        }
        self.spins
    }

    /// Whether it serves a new client, if need be after a while.
    pub(in crate::run) async fn comes_back(&self) -> bool {
        self.comes_back_within(RECOVER).await
    }

    /// Whether it serves a new client, where one that takes connections and does not answer is given that long.
    pub(in crate::run) async fn comes_back_within(&self, recover: Duration) -> bool {
        let begun = Instant::now();
        loop {
            sleep(Duration::from_millis(50)).await;
            let patience = match self.health().await {
                transcript::Canary::Dead(_) => COME_BACK,
                transcript::Canary::Mute(_) => recover,
                transcript::Canary::Well | transcript::Canary::Disturbed(_) => return true,
            };
            if begun.elapsed() > patience {
                return false;
            }
        }
    }

    /// Whether it answers a plain request of another wire format.
    pub(in crate::run) async fn answers_in(&self, profile: &Profile) -> Result<(), NotServed> {
        let asked = self.asked_in(profile).await;
        asked.map_err(|trouble| NotServed {
            what: say!("a connection that asked something plain {trouble}", trouble),
            advice: None,
        })
    }

    async fn asked_in(&self, profile: &Profile) -> Result<(), Trouble> {
        let limit = self.hard_timeout(1, 0);
        let mut canary = Canary::connect(&self.door, profile, limit).await?;
        if profile.reply() != Reply::None {
            let (_, frame) = question(profile);
            canary.ask(&frame, limit).await?;
        }
        Ok(())
    }

    pub(super) async fn canary(&self) -> Result<Canary, Trouble> {
        let limit = self.hard_timeout(1, 0);
        let mut canary = Canary::connect(&self.door, &self.profile, limit).await?;
        if self.rule != ReplyRule::None {
            canary.round_trip(&self.canary_rule, limit).await?;
        }
        Ok(canary)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::Role;
    use crate::run::peer::Peer;
    use crate::run::{Options, ServerTarget};
    use crate::transport::Address;
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    /// How many clients an echoing server had, how many of them have ended their stream, and how many have reset
    /// their connection.
    #[derive(Debug, Default)]
    pub(in super::super) struct Ends {
        pub(in super::super) all: AtomicUsize,
        fin: AtomicUsize,
        rst: AtomicUsize,
    }

    /// An echoing server, that takes no more clients once so many have reset their connection.
    pub(in super::super) fn served(most: usize) -> (SocketAddr, Arc<Ends>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ends = Arc::new(Ends::default());
        let noted = Arc::clone(&ends);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if noted.rst.load(Ordering::SeqCst) >= most {
                    return;
                }
                noted.all.fetch_add(1, Ordering::SeqCst);
                let noted = Arc::clone(&noted);
                thread::spawn(move || echo(client, &noted));
            }
        });
        (address, ends)
    }

    fn echo(mut client: TcpStream, ends: &Ends) {
        let mut frame = [0; 64];
        loop {
            match client.read_exact(&mut frame) {
                Ok(()) => client.write_all(&frame).unwrap(),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    ends.fin.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                Err(_) => {
                    ends.rst.fetch_add(1, Ordering::SeqCst);
                    return;
                }
            }
        }
    }

    pub(in super::super) async fn met(address: SocketAddr) -> ServerPeer {
        let options = Options::new(Role::Server, "here", Profile::tutorial());
        let mut target = ServerTarget::at(&[Address::from(address)]);
        match target.meet(&options).await.unwrap().peer {
            Peer::Server(server) => server,
            Peer::Client(_) => panic!("a server was met"),
        }
    }

    /// How many have ended their stream and how many have reset, when all have done either: the server notes it after
    /// the client is gone.
    async fn gone(ends: &Ends) -> (usize, usize) {
        let begun = Instant::now();
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        loop {
            let (fin, rst) = (of(&ends.fin), of(&ends.rst));
            if fin + rst == of(&ends.all) {
                return (fin, rst);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{ends:?}");
            sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_server_that_is_spared_sees_no_stream_end() {
        let (address, ends) = served(usize::MAX);
        let mut server = met(address).await;
        assert_eq!(server.health().await, transcript::Canary::Well);
        let (fin, rst) = gone(&ends).await;
        assert!(fin > 1 && rst == 0, "{ends:?}");
        assert!(server.spare().await);
        assert_eq!(server.health().await, transcript::Canary::Well);
        assert_eq!(gone(&ends).await, (fin, 3));
    }

    #[tokio::test]
    async fn a_server_that_does_not_bear_it_is_not_spared() {
        let (address, ends) = served(1);
        let mut server = met(address).await;
        server.spins = true;
        assert_eq!(server.health().await, transcript::Canary::Well);
        assert_eq!(gone(&ends).await.1, 1);
        assert!(!server.spare().await);
        assert!(!server.spins);
    }
}
