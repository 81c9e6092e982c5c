//! See `gate_tests::fuzz::note`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::note(data));
