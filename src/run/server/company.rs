//! What scripts have in common that are played side by side at a server that lets its clients wait: one canary, and
//! one new client at a time that finds out how the server fares.
//!
//! A script that has these to itself waits four times for a reply where it asks once, and takes twice the
//! connections. What is said to one script holds for every other that asked before it was begun.

use super::canary::{Canary, Trouble};
use super::session::ServerPeer;
use crate::transcript;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// What the scripts of a group share.
#[derive(Debug, Clone, Default)]
pub(super) struct Company(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    canary: Mutex<Option<Canary>>,
    round_trips: InCommon<Result<(), Trouble>>,
    health: InCommon<transcript::Canary>,
}

impl Company {
    /// A round trip of the common canary that begins from now on. One that was in trouble is replaced.
    pub(super) async fn round_trip(&self, peer: &ServerPeer) -> Result<(), Trouble> {
        self.0.round_trips.one(self.sing(peer)).await
    }

    async fn sing(&self, peer: &ServerPeer) -> Result<(), Trouble> {
        let mut canary = self.0.canary.lock().await;
        // It is put back when it has been served: a round trip that is broken off leaves a reply behind.
        let served = match canary.take() {
            None => peer.canary().await?,
            Some(mut held) => {
                let limit = peer.hard_timeout(1, 0);
                held.round_trip(&peer.canary_rule, limit).await?;
                held
            }
        };
        *canary = Some(served);
        Ok(())
    }

    /// How a new client fares that comes from now on.
    pub(super) async fn health(&self, peer: &ServerPeer) -> transcript::Canary {
        self.0.health.one(peer.health()).await
    }
}

/// The canary beside a script.
#[derive(Debug)]
pub(super) enum Beside<'a> {
    Own(Box<Canary>),
    /// That of all scripts which are played side by side.
    Common(&'a Company),
}

impl Beside<'_> {
    pub(super) async fn round_trip(&mut self, peer: &ServerPeer) -> Result<(), Trouble> {
        match self {
            Self::Common(company) => company.round_trip(peer).await,
            Self::Own(canary) => {
                let limit = peer.hard_timeout(1, 0);
                canary.round_trip(&peer.canary_rule, limit).await.map(drop)
            }
        }
    }
}

/// Something that is found out for all who ask before it is begun.
#[derive(Debug)]
struct InCommon<T> {
    begun: AtomicU64,
    /// What was found out last, and the how manieth that was.
    found: Mutex<Option<(u64, T)>>,
}

impl<T> Default for InCommon<T> {
    fn default() -> Self {
        Self {
            begun: AtomicU64::new(0),
            found: Mutex::new(None),
        }
    }
}

impl<T: Clone> InCommon<T> {
    /// What is found out by one of those that are begun from now on: this one, if no other is before it.
    async fn one(&self, find_out: impl Future<Output = T>) -> T {
        let before = self.begun.load(Ordering::Acquire);
        let mut found = self.found.lock().await;
        if let Some((number, what)) = &*found
            && *number > before
        {
            return what.clone();
        }
        let number = self.begun.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let what = find_out.await;
        *found = Some((number, what.clone()));
        what
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::permitted;
    use crate::run::server::health::tests::{met, served};
    use crate::script::Script;
    use std::sync::atomic::AtomicU32;
    use tokio::sync::Notify;
    use tokio::time::{Duration, timeout};

    const ASKS: &str = "framespec script 1\nopen a\nsend a 0000003c '1' 00*59\nawait a\n";

    /// Scripts played side by side, each of which must find the server well.
    async fn play_side_by_side(peer: &ServerPeer, scripts: usize) {
        let script: Script = ASKS.parse().unwrap();
        let permitted = permitted(&peer.profile, &script);
        let playing = (0..scripts).map(|_| peer.play(&script, &permitted));
        for recording in futures_util::future::join_all(playing).await {
            assert_eq!(recording.transcript.canary, transcript::Canary::Well);
        }
    }

    #[tokio::test]
    async fn scripts_in_company_take_hardly_more_connections_than_they_open() {
        let (address, clients) = served(usize::MAX);
        let mut peer = met(address).await;
        let came = || clients.all.load(Ordering::SeqCst);
        let before = came();
        play_side_by_side(&peer, 10).await;
        let by_themselves = came() - before;
        peer.company = Some(Company::default());
        play_side_by_side(&peer, 10).await;
        let in_company = came() - before - by_themselves;
        assert_eq!(by_themselves, 3 * 10);
        // The common canary, and two new clients: one that was begun before the last of them asked, and one more.
        assert!((10 + 2..=10 + 1 + 10).contains(&in_company), "{in_company}");
    }

    /// Counts how often it was found out, each time when told to go on.
    #[derive(Default)]
    struct Question {
        asked: AtomicU32,
        answered: Notify,
    }

    impl Question {
        async fn find_out(&self) -> u32 {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.answered.notified().await;
            asked
        }
    }

    #[tokio::test]
    async fn what_is_found_out_is_told_to_all_who_asked_before() {
        let (common, question) = (InCommon::default(), Question::default());
        let one = || common.one(question.find_out());
        let answers = async {
            // The first asks alone; the other two ask meanwhile, and have the second answer in common.
            question.answered.notify_one();
            tokio::task::yield_now().await;
            question.answered.notify_one();
        };
        let (first, second, third, ()) = tokio::join!(one(), one(), one(), answers);
        assert_eq!((first, second, third), (1, 2, 2));
        question.answered.notify_one();
        assert_eq!(one().await, 3);
    }

    #[tokio::test]
    async fn what_is_broken_off_is_found_out_by_the_next() {
        let (common, question) = (InCommon::default(), Question::default());
        let never = timeout(Duration::from_millis(1), common.one(question.find_out()));
        assert!(never.await.is_err());
        question.answered.notify_one();
        assert_eq!(common.one(question.find_out()).await, 2);
    }
}
