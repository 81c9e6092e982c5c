//! See `gate_tests::fuzz::compact_range`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::compact_range(data));
