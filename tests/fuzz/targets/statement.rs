//! See `gate_tests::fuzz::statement`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::statement(data));
