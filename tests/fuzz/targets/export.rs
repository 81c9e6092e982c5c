//! See `gate_tests::fuzz::export`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::export(data));
