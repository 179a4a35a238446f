#![no_main]

libfuzzer_sys::fuzz_target!(init: framespec::fuzz::prepare(), |data: &[u8]| {
    if let Some(tally) = framespec::fuzz::tallied(framespec::fuzz::chunks, data) {
        eprintln!("{tally}");
    }
});
