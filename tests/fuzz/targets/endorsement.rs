//! See `gate_tests::fuzz::endorsement`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::endorsement(data));
