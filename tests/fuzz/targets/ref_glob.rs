//! See `gate_tests::fuzz::ref_glob`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::ref_glob(data));
