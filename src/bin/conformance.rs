//! The program `conformance`: see `framespec::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    framespec::cli::main()
}
