//! Keys and quorum files, alone and together.

use std::path::Path;

use gate_ledger::checkpoint::Checkpoint;
use gate_ledger::cosignature::cosign;
use gate_ledger::cosignature::policy::QuorumError;
use gate_ledger::note::{self, SignerKey};

use super::{Trust, TrustError, shown_time};

fn log() -> SignerKey {
    SignerKey::generate("example.org/log", [1; 32]).unwrap()
}

fn witness(n: u8) -> SignerKey {
    SignerKey::generate(&format!("witness.example/{n}"), [100 + n; 32]).unwrap()
}

/// A checkpoint of the log, cosigned by these witnesses.
fn seen_by(witnesses: &[u8]) -> Vec<u8> {
    let checkpoint =
        Checkpoint { origin: "example.org/log".into(), size: 3, root: [3; 32], extensions: vec![] };
    let mut note = note::parse(checkpoint.sign(&log()).unwrap().as_bytes()).unwrap();
    for n in witnesses {
        note = note.with(cosign(&checkpoint.to_string(), 60, &witness(*n)).unwrap()).unwrap();
    }
    note.to_string().into_bytes()
}

fn witnesses() -> String {
    let line = |n| format!("witness w{n} {}\n", witness(n).verifier().as_cosigner());
    (1..=3).map(line).collect::<String>() + "group two 2 w1 w2 w3\nquorum two\n"
}

fn read(file: Option<&str>, keys: &[String]) -> Result<Trust, TrustError> {
    let dir = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(dir.path().join("q"), text).unwrap();
    }
    Trust::read(keys, file.map(|_| Path::new("q")), dir.path())
}

fn key(signer: &SignerKey) -> String {
    signer.verifier().to_string()
}

#[test]
fn fewer_witnesses_than_the_quorum_do_not_count_however_the_log_is_known() {
    let with_log = format!("log {}\n{}", key(&log()), witnesses());
    for trust in [read(Some(&with_log), &[]), read(Some(&witnesses()), &[key(&log())])] {
        let trust = trust.unwrap();
        let fewer = trust.open(&seen_by(&[2])).unwrap_err();
        assert!(matches!(&fewer, QuorumError::NotReached { missing, .. } if missing == &["w1", "w3"]));
        let enough = trust.open(&seen_by(&[2, 3])).unwrap();
        let seen: Vec<_> = enough.witnesses.iter().map(|one| (one.name.as_str(), one.at.as_str())).collect();
        assert_eq!(seen, [("w2", "1970-01-01T00:01:00.000000Z"), ("w3", "1970-01-01T00:01:00.000000Z")]);
    }
}

#[test]
fn a_key_beside_a_quorum_file_does_not_widen_it() {
    let other = SignerKey::generate("example.org/log", [9; 32]).unwrap();
    let with_log = format!("log {}\n{}", key(&log()), witnesses());
    assert!(matches!(read(Some(&with_log), &[key(&other)]), Err(TrustError::OtherLog(_))));
    assert!(read(Some(&with_log), &[key(&other), key(&log())]).unwrap().open(&seen_by(&[1, 2])).is_ok());
    assert!(matches!(read(Some(&witnesses()), &[]), Err(TrustError::NoLog(_))));
}

#[test]
fn what_is_no_quorum_file_is_an_error_not_an_empty_quorum() {
    assert!(matches!(read(Some(""), &[key(&log())]), Err(TrustError::Form { .. })));
    assert!(matches!(read(Some("quorum none"), &[key(&log())]), Err(TrustError::Form { .. })));
    let missing = Trust::read(&[], Some(Path::new("none")), Path::new("/nonexistent"));
    assert!(matches!(missing, Err(TrustError::Read { .. })));
}

#[test]
fn without_a_quorum_file_the_witnesses_that_are_trusted_are_shown() {
    let cosigner = witness(1).verifier().as_cosigner().to_string();
    let trust = read(None, &[key(&log()), cosigner]).unwrap();
    let trusted = trust.open(&seen_by(&[1, 2])).unwrap();
    assert_eq!((trusted.logs.len(), trusted.witnesses.len()), (1, 1));
    assert_eq!(trusted.witnesses[0].name, "witness.example/1");
}

#[test]
fn a_time_beyond_any_calendar_is_shown_as_it_is() {
    assert_eq!(shown_time(i64::MAX as u64), i64::MAX.to_string());
}
