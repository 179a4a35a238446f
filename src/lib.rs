//! Conformance and fuzzing for servers that speak length-prefixed frames, with the reference codec,
//! session, server and client that the checks are measured against.
//!
//! # The way of an octet
//!
//! ```text
//! profile ─► wire (octets ⇄ frames) ─► message ─► session ─► server, client
//!               script ─► run (script + live peer → transcript) ─► judge (model) ─► event ─► report
//! ```
//!
//! # Where to begin
//!
//! - To put a codec into a program: [`wire`], and [`profile`] for the format it speaks, perhaps
//!   [`Profile::u32_be`](profile::Profile::u32_be). Without default features that is all there is, and only
//!   `bytes` is compiled with it.
//! - To serve or to ask: [`server::Server`] takes a closure, [`client::Client`] asks.
//! - To check a server in a test: [`check()`]. Below it, [`run::run`] plays [`cases`] and tells
//!   [`event`]s, of which [`report`] makes what people and machines read.
//! - To add a case: the table of its clause in [`cases`]; [`spec`] holds the clauses.
//! - To see why something is a failure: [`model`] says what is permitted, [`judge`] compares.
//!
//! # Rooms
//!
//! | room | what is in it | feature |
//! |---|---|---|
//! | [`profile`] | what a wire format looks like: header, length, chunk, padding, limits | – |
//! | [`wire`] | encoder and incremental zero-copy decoder; a reader and a writer of frames | – |
//! | [`transport`] | addresses, listeners and streams: TCP, TLS, unix sockets, pipes | `transport` |
//! | [`message`] | payloads that have been found to mean something | `message` |
//! | [`session`] | the server's side of one connection as a state machine without I/O | `server` |
//! | [`server`] | sockets, tasks, limits and shutdown | `server` |
//! | [`client`] | connect, request, receive | `server` |
//! | [`spec`] | the clauses: slug, level, sentence | `spec` |
//! | [`altered`] | peers with planted faults, and with permitted differences | `altered` |
//! | [`lang`] | texts for people, in English and in other languages | `suite` |
//! | [`script`] | what a client does, as data and as a file | `suite` |
//! | [`model`] | the naive reading of a script: what may be answered to it | `suite` |
//! | [`cases`] | scripts that hold a server, or a client, to the clauses, one table a file | `suite` |
//! | [`transcript`] | what was seen while a script was played | `suite` |
//! | [`judge`] | a transcript against what is permitted | `suite` |
//! | [`event`] | what happens in a run, as plain data | `suite` |
//! | [`diagnosis`] | from verdicts to the fewest causes that explain them | `suite` |
//! | [`marks`] | where frames lie in the octets of a timeline | `suite` |
//! | [`report`] | events as text, JSON, JUnit, HTML and more | `suite` |
//! | [`expect`] | known failures, set aside with a reason | `suite` |
//! | [`recall`] | what failed last time, kept between runs | `suite` |
//! | [`shrink`] | smaller scripts that still break the same clause | `suite` |
//! | [`capture`] | connections read from pcap, pcapng and hex dumps | `detect` |
//! | [`detect`] | from what was said to the wire format in which it is frames | `detect` |
//! | [`generate`] | scripts made by chance, of any wire format | `suite` |
//! | [`reproducer`] | scripts as files that explain themselves, as Python, as hex | `suite` |
//! | [`dissector`] | a format as a Lua program with which Wireshark reads it | `suite` |
//! | [`peer`] | processes, connections and their clock, for either role | `check` |
//! | [`outcome`] | how often a case is tried, what that comes to, and who is told | `check` |
//! | [`run`] | cases played at a live peer: first look, schedule, verdicts | `check` |
//! | [`coverage`] | which ways a server takes through its own code | `check` |
//! | [`campaign`] | scripts made by chance, played at a live server for as long as is wanted | `check` |
//! | [`check`] | checks as a value, for tests and other programs | `check` |
//! | [`grade`] | a folder of submissions checked within limits, and given points | `grade` |
//! | [`selftest`] | the suite against servers of which it is known what it should find | `selftest` |
//! | [`fuzz`] | bodies of the fuzz targets | `fuzz` |
//! | [`live`] | the report in a browser while the run goes on | `cli` |
//! | [`watch`] | which files in folders have changed | `cli` |
//! | [`cli`] | the program `conformance`: arguments, exit codes | `cli` |
//!
//! A room without a feature is always there. The others can be had by name; `cli`, which is among the
//! default features, brings all but `fuzz`.
//!
// What is not compiled in has no page to lead to: the table says which feature brings it.
#![cfg_attr(not(feature = "message"), doc = "[`message`]: #rooms")]
#![cfg_attr(
    not(feature = "server"),
    doc = "[`session`]: #rooms\n[`server`]: #rooms\n[`client`]: #rooms\n[`server::Server`]: #rooms\n[`client::Client`]: #rooms"
)]
#![cfg_attr(
    not(feature = "suite"),
    doc = "[`script`]: #rooms\n[`model`]: #rooms\n[`cases`]: #rooms\n[`transcript`]: #rooms\n[`judge`]: #rooms\n[`event`]: #rooms\n[`diagnosis`]: #rooms\n[`marks`]: #rooms\n[`report`]: #rooms\n[`expect`]: #rooms\n[`shrink`]: #rooms\n[`reproducer`]: #rooms\n[`generate`]: #rooms\n[`dissector`]: #rooms\n[`recall`]: #rooms\n[`lang`]: #rooms"
)]
#![cfg_attr(
    not(feature = "check"),
    doc = "[`campaign`]: #rooms\n[`check`]: #rooms\n[`check()`]: #rooms\n[`coverage`]: #rooms\n[`outcome`]: #rooms\n[`peer`]: #rooms\n[`run`]: #rooms\n[`run::run`]: #rooms"
)]
#![cfg_attr(not(feature = "transport"), doc = "[`transport`]: #rooms")]
#![cfg_attr(not(feature = "spec"), doc = "[`spec`]: #rooms")]
#![cfg_attr(not(feature = "altered"), doc = "[`altered`]: #rooms")]
#![cfg_attr(
    not(feature = "detect"),
    doc = "[`capture`]: #rooms\n[`detect`]: #rooms"
)]
#![cfg_attr(not(feature = "grade"), doc = "[`grade`]: #rooms")]
#![cfg_attr(not(feature = "selftest"), doc = "[`selftest`]: #rooms")]
// A function has the same name.
#![cfg_attr(feature = "check", doc = "[`check`]: mod@check")]
#![cfg_attr(not(feature = "fuzz"), doc = "[`fuzz`]: #rooms")]
#![cfg_attr(
    not(feature = "cli"),
    doc = "[`cli`]: #rooms\n[`live`]: #rooms\n[`watch`]: #rooms"
)]
#![forbid(unsafe_code)]
// What comes from outside is counted with checks. Tests may reckon as they like.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::string_slice
    )
)]

#[cfg(feature = "altered")]
pub mod altered;
#[cfg(feature = "check")]
pub mod campaign;
#[cfg(feature = "detect")]
pub mod capture;
#[cfg(feature = "suite")]
pub mod cases;
#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "server")]
pub mod client;
#[cfg(feature = "check")]
pub mod coverage;
#[cfg(feature = "detect")]
pub mod detect;
#[cfg(feature = "suite")]
pub mod diagnosis;
#[cfg(feature = "suite")]
pub mod dissector;
#[cfg(feature = "suite")]
pub mod event;
#[cfg(feature = "suite")]
pub mod expect;
#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "suite")]
pub mod generate;
#[cfg(feature = "grade")]
pub mod grade;
#[cfg(feature = "suite")]
pub mod judge;
#[cfg(feature = "suite")]
pub mod lang;
#[cfg(feature = "cli")]
pub mod live;
#[cfg(feature = "suite")]
pub mod marks;
#[cfg(feature = "message")]
pub mod message;
#[cfg(feature = "suite")]
pub mod model;
#[cfg(feature = "check")]
pub mod outcome;
#[cfg(feature = "check")]
pub mod peer;
pub mod profile;
#[cfg(feature = "suite")]
pub mod recall;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod reproducer;
#[cfg(feature = "check")]
pub mod run;
#[cfg(feature = "suite")]
pub mod script;
#[cfg(feature = "selftest")]
pub mod selftest;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "suite")]
pub mod shrink;
#[cfg(feature = "spec")]
pub mod spec;
#[cfg(feature = "suite")]
pub mod transcript;
#[cfg(feature = "transport")]
pub mod transport;
#[cfg(feature = "cli")]
pub mod watch;
pub mod wire;

#[cfg(feature = "check")]
pub use check::{check, check_client, check_command};
