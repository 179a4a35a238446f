#![no_main]

use framespec::fuzz;
use libfuzzer_sys::{fuzz_crossover, fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(init: fuzz::prepare(), |data: &[u8]| {
    if let Some(tally) = fuzz::tallied(fuzz::session, data) {
        eprintln!("{tally}");
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate(data, size, max_size, seed, fuzzer_mutate)
});

fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    fuzz::cross(one, other, out, seed)
});
