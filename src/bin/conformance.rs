//! The program `conformance`: see `framespec::cli`.
fn main() {}
