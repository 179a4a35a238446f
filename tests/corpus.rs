//! Replays every file of the corpus through every in-process target, one named test a file.
fn main() {}
