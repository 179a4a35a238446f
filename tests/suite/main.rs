//! The one integration test binary: everything that needs the program, sockets or the repository.

// Helpers of tests fail by panicking, as tests do.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod altered;
mod blocks;
mod buggy;
mod causes;
mod check;
mod check_client;
mod check_python;
mod cli;
mod client;
mod compare;
mod corpus;
mod coverage;
#[cfg(unix)]
mod datagrams;
mod detect;
mod dissector;
mod docs;
mod exchanges;
mod exec;
mod fuzz_live;
mod generated;
mod grade;
mod kill_matrix;
mod library;
mod peers;
mod program;
mod prologue;
mod python;
#[cfg(unix)]
mod readme;
mod regress;
mod replay;
mod rules;
mod server;
#[cfg(unix)]
mod shell;
mod shown;
mod spanish;
mod tables;
#[cfg(unix)]
mod transports;
