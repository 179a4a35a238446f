//! A server that can be altered: the reference server's behaviour, put together from replaceable steps.
//!
//! It takes one frame after the other off the socket, in plain steps, and each step is one of the
//! [`Hooks`]. With none of them replaced it says on the wire what the reference server says; a test plays
//! the same exchanges at both.
//!
//! ```
//! use framespec::altered::server::{Fault, start};
//! use framespec::{profile::Profile, server::{Echo, Settings}};
//!
//! let fault = Fault::named("header-in-one-read").unwrap();
//! let server = start("127.0.0.1:0", Profile::tutorial(), Settings::default(), Echo, fault)?;
//! std::net::TcpStream::connect(server.addr())?;
//! # std::io::Result::Ok(())
//! ```

mod client;
mod door;
mod faults;
mod honest;
mod hooks;
mod shared;
mod variants;

pub use client::{Alteration, Alterations, Fault, Hooks, Variant};

use super::alteration::{Alterable, Theme};
use crate::profile::Profile;
use crate::server::{Background, Handler, Server, Settings};
use crate::session::Limits;
use std::future::Future;
use std::io;
use std::net::ToSocketAddrs;
use tracing::info;

impl Alterable for Hooks {
    fn unaltered() -> Self {
        honest::hooks(Limits::default())
    }

    fn agreeing(&self, other: &Self) -> Vec<bool> {
        Self::agreeing(self, other)
    }

    fn themes() -> &'static [Theme<Self>] {
        faults::THEMES
    }

    fn variants() -> &'static [&'static [Variant]] {
        &[
            variants::VARIANTS,
            variants::prologue::VARIANTS,
            variants::long_replies::VARIANTS,
            variants::unanswered::VARIANTS,
        ]
    }
}

/// Serves with a [`Fault`] or several, or as a [`Variant`], until `shutdown` is ready or the fault ends the server;
/// clients are then dropped as they are.
pub async fn serve<H: Handler>(
    server: Server,
    handler: H,
    alterations: impl Into<Alterations>,
    shutdown: impl Future<Output = ()>,
) {
    let alterations = alterations.into();
    info!(altered = ?alterations.names(), "serving");
    let altered = |limits| {
        let mut hooks = honest::hooks(limits);
        alterations.plug(&mut hooks);
        hooks
    };
    door::run(server, handler, altered, shutdown).await;
    info!("down");
}

/// Listens, and [serves](serve) from then on, beside the program.
///
/// # Errors
/// If it cannot listen there, or the system gives no thread.
pub fn start<H: Handler>(
    addr: impl ToSocketAddrs,
    profile: Profile,
    settings: Settings,
    handler: H,
    alterations: impl Into<Alterations>,
) -> io::Result<Background> {
    let alterations = alterations.into();
    Background::start_with(addr, profile, settings, move |server, shutdown| {
        serve(server, handler, alterations, shutdown)
    })
}
