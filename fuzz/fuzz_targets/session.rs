#![no_main]

use framespec::{fuzz, profile::Profile};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| {
    fuzz::session(data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let size = fuzzer_mutate(data, size, max_size);
    if let Some(stream) = data.get_mut(..size) {
        fuzz::mend_lengths(&Profile::tutorial(), stream, seed);
    }
    size
});
