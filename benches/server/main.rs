//! Frames per second through the server, beside a raw epoll loop and a tokio peer, in one run.
//!
//! Every server gets a thread on the first processor, the load one on the second. What is compared is
//! run in turns, and what is quoted is the median of the ratios within each turn: absolute figures of a
//! shared machine mean little.
//!
//! ```text
//! cargo bench --bench server
//! ```

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[cfg(target_os = "linux")]
mod epoll;
#[cfg(target_os = "linux")]
mod load;

#[cfg(target_os = "linux")]
fn main() {
    // Without this argument it is `cargo test` that wants to know whether it runs at all.
    let measured = std::env::args().any(|arg| arg == "--bench");
    load::compare(measured);
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("this bench needs epoll");
}
