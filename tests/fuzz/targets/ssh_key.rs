//! See `gate_tests::fuzz::ssh_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::ssh_key(data));
