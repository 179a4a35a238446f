//! A client that can be altered: it sends what is typed, shows what comes, and each step in that is one of
//! the [`Hooks`].
//!
//! It is a client as many are: blocking, with one thread that sends and one that receives. With none of
//! its steps replaced it does everything right.
//!
//! ```no_run
//! use framespec::altered::client::{Console, Fault, run};
//! use framespec::profile::Profile;
//!
//! let fault = Fault::named("body-in-one-read").unwrap();
//! let servers = ["127.0.0.1:7060".parse()?];
//! let over = run(&servers, Profile::tutorial(), fault, Console::standard());
//! # Ok::<(), std::net::AddrParseError>(())
//! ```

mod faults;
mod half;
mod honest;
mod hooks;
mod shared;
mod variants;

pub use half::{Alteration, Alterations, Fault, Half, Hooks, Variant};
pub use hooks::{Over, Steps};
pub use shared::Console;

use super::alteration::{Alterable, Theme};
use crate::profile::Profile;
use shared::Shared;
use std::net::SocketAddr;
use std::sync::Arc;

impl Alterable for Hooks {
    fn unaltered() -> Self {
        honest::hooks()
    }

    fn agreeing(&self, other: &Self) -> Vec<bool> {
        Self::agreeing(self, other)
    }

    fn themes() -> &'static [Theme<Self>] {
        faults::THEMES
    }

    fn variants() -> &'static [&'static [Variant]] {
        &[variants::VARIANTS]
    }
}

/// Talks to the server at the first of these addresses where there is one, until one of the two ends that, and tells how that went.
///
/// Some faults end the whole process, and what a client is left with at its end, such as a thread that
/// waits for another line, stays: this is to be the last thing that a program does.
pub fn run(
    servers: &[SocketAddr],
    profile: Profile,
    alterations: impl Into<Alterations>,
    console: Console,
) -> Over {
    let mut hooks = honest::hooks();
    alterations.into().plug(&mut hooks);
    let converse = hooks.converse;
    match Shared::new(servers, profile, hooks, console) {
        Ok(shared) => converse(Half::new(Arc::new(shared))),
        Err(_) => Over::Badly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Background, Echo, Settings};
    use std::io::{self, Cursor, Write};
    use std::sync::Mutex;

    /// What was written, for whoever has another handle of it.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// How a client ends that is typed this, and what it shows.
    fn talk(alterations: impl Into<Alterations>, typed: &'static str) -> (Over, String) {
        let profile = Profile::tutorial();
        let server =
            Background::start("127.0.0.1:0", profile.clone(), Settings::default(), Echo).unwrap();
        let output = Written::default();
        let console = Console {
            input: Box::new(Cursor::new(typed)),
            output: Box::new(output.clone()),
            errors: Box::new(io::sink()),
        };
        let over = run(&[server.addr()], profile, alterations, console);
        let shown = output.0.lock().unwrap().clone();
        (over, String::from_utf8(shown).unwrap())
    }

    #[test]
    fn what_is_typed_is_sent_and_what_comes_is_shown() {
        let shown = "\"hello\"\n{\"a\": 1}\n";
        let said = (Over::Well, shown.to_owned());
        assert_eq!(talk(Alteration::NONE, "hello\n{\"a\": 1}\n"), said);
        assert_eq!(talk(Alteration::NONE, ""), (Over::Well, String::new()));
    }

    #[test]
    fn every_variant_gets_its_first_reply_at_least() {
        for variant in Variant::all() {
            let (over, shown) = talk(variant, "\"one\"\n\"two\"\n");
            assert_eq!(over, Over::Well, "{}: {shown}", variant.name);
            assert!(shown.contains("one"), "{}: {shown}", variant.name);
        }
    }

    #[test]
    fn without_a_server_it_ends_badly() {
        let console = Console {
            input: Box::new(io::empty()),
            output: Box::new(io::sink()),
            errors: Box::new(io::sink()),
        };
        let over = run(&[], Profile::tutorial(), Alteration::NONE, console);
        assert_eq!(over, Over::Badly);
    }
}
