#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(tally) = framespec::fuzz::tallied(framespec::fuzz::roundtrip, data) {
        eprintln!("{tally}");
    }
});
