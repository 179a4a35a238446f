//! The server beside others under load, in one run: a raw epoll loop, tokio's codec, and what people write in other languages.
//!
//! Each server is a process of its own, on the first processor; the load is this one, on the second. What is
//! compared takes turns, and what is quoted is the median of the ratios within each turn: absolute figures
//! of a shared machine mean little.
//!
//! ```text
//! cargo bench --bench server
//! ```

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[cfg(target_os = "linux")]
mod compare;
#[cfg(target_os = "linux")]
mod epoll;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod servers;

#[cfg(target_os = "linux")]
fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("serve") => servers::serve(&args[2]),
        // Without this argument it is `cargo test` that wants to know whether it runs at all.
        _ => compare::all(args.iter().any(|arg| arg == "--bench")),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("this bench needs epoll");
}
