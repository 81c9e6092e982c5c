//! See `gate_tests::fuzz::tlog_proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gate_tests::fuzz::tlog_proof(data));
