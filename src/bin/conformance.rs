//! The program `conformance`: see `framespec::cli`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    framespec::cli::main()
}
