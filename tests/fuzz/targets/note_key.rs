//! See `gate_tests::fuzz::note_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::note_key(data));
