//! See `gate_tests::fuzz::remote`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::remote(data));
