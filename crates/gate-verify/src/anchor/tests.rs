//! Checkpoints against ledgers, each attack under its name.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use gate_ledger::checkpoint::{Checkpoint, ledger_origin};
use gate_ledger::entry::{Draft, Kind};
use gate_ledger::note::SignerKey;
use gate_ledger::store::Ledger;
use gate_ledger::tree::{CompactRange, leaf_hash};
use gate_ledger::verify::{self, EachEntry, Options};
use gate_model::time::Timestamp;
use gate_model::verification::Verification;
use serde_json::json;

use super::given::CheckpointError;
use super::{Anchors, read};
use crate::args::Required;
use crate::report;
use crate::trust::Trust;

fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-11-22T16:00:00Z").unwrap().plus(seconds).unwrap()
}

fn key(seed: u8) -> SignerKey {
    SignerKey::generate("example.com/log", [seed; 32]).unwrap()
}

/// A folder with a ledger of `entries` entries, an hour between them, and checkpoints beside it.
struct Session {
    dir: tempfile::TempDir,
    ledger: Ledger,
}

impl Session {
    fn new(entries: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Self::ledger(&dir.path().join("l.db"), entries, "");
        Self { dir, ledger }
    }

    fn ledger(path: &Path, entries: u64, text: &str) -> Ledger {
        let actor = json!({"id": "os:a", "assurance": "asserted", "via": "os"});
        let mut ledger = Ledger::create(path, &actor, json!({}), at(0)).unwrap();
        for n in 1..entries {
            let kind = if n == 1 { Kind::Policy } else { Kind::Note };
            let data = json!({"text": text, "digest": "d"});
            let draft = Draft { kind, gate: None, reference: None, actor: actor.clone(), data };
            let clock = || at(3_600 * n);
            ledger.append(Duration::from_secs(1), &clock, |transaction| transaction.append(&draft)).unwrap();
        }
        ledger
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// The checkpoint of the first `size` entries, claiming `claimed`, for the ledger `id`.
    fn checkpoint(&self, name: &str, size: u64, claimed: u64, id: &str, key: &SignerKey) {
        let mut range = CompactRange::default();
        self.ledger
            .view()
            .scan_lines(0, None, &mut |body, _| {
                if range.size() < size {
                    range.push(leaf_hash(body));
                }
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        let origin = ledger_origin("example.com/log", id).unwrap();
        let checkpoint = Checkpoint { origin, size: claimed, root: range.root(), extensions: Vec::new() };
        std::fs::write(self.path(name), checkpoint.sign(key).unwrap()).unwrap();
    }

    fn sign(&self, name: &str, size: u64) {
        self.checkpoint(name, size, size, self.ledger.id(), &key(1));
    }

    fn verify(
        &self,
        ledger: &str,
        checkpoints: &[&str],
        required: Required,
    ) -> Result<Verification, CheckpointError> {
        let words = [key(1).verifier().to_string()];
        let trust = Trust::read(&words, None, self.dir.path()).unwrap();
        let paths: Vec<_> = checkpoints.iter().map(Into::into).collect();
        let (given, refused) = read(&paths, &trust, self.dir.path())?;
        let mut anchors = Anchors::new(given, refused, required, CompactRange::default());
        let mut observer = EachEntry(|seen: verify::Seen<'_>| anchors.take(&seen));
        let outcome = verify::sqlite(&self.path(ledger), &Options::default(), &mut observer).unwrap();
        let comparison = anchors.compare(&outcome, at(3_600 * 10));
        Ok(report::verification(outcome, comparison, None))
    }

    fn check(&self, checkpoints: &[&str]) -> Verification {
        self.verify("l.db", checkpoints, Required::Nothing).unwrap()
    }
}

fn codes(verification: &Verification) -> Vec<&str> {
    verification.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[test]
fn the_largest_checkpoint_anchors_and_the_rest_is_said_to_be_open() {
    let session = Session::new(7);
    session.sign("three", 3);
    session.sign("five", 5);
    let found = session.check(&["five", "three"]);
    assert!(found.ok);
    assert_eq!(found.anchored.as_ref().unwrap().size, 5);
    let open = found.warnings.iter().find(|warning| warning.code == "unanchored").unwrap();
    assert_eq!((open.seq, open.count), (Some(5), Some(2)));
    session.sign("all", 7);
    assert!(!codes(&session.check(&["all"])).contains(&"unanchored"));
}

#[test]
fn truncated_tail_is_reported() {
    let session = Session::new(4);
    session.checkpoint("c", 4, 6, session.ledger.id(), &key(1));
    let found = session.check(&["c"]);
    let bad = found.first_bad.unwrap();
    assert_eq!((found.ok, bad.seq, bad.code.as_str()), (false, 4, "checkpoint-larger"));
    assert_eq!(found.anchored, None);
}

#[test]
fn rewritten_history_is_reported_behind_what_still_agrees() {
    let session = Session::new(6);
    session.sign("two", 2);
    session.checkpoint("five", 3, 5, session.ledger.id(), &key(1));
    let found = session.check(&["two", "five"]);
    let bad = found.first_bad.unwrap();
    assert_eq!((found.ok, bad.seq, bad.code.as_str()), (false, 2, "checkpoint-root"));
}

#[test]
fn two_histories_cannot_both_agree_with_one_checkpoint() {
    let session = Session::new(5);
    session.sign("c", 5);
    // The same ledger id cannot be had twice, so the other history is one of another ledger.
    drop(Session::ledger(&session.path("other.db"), 5, "another"));
    let found = session.verify("other.db", &["c"], Required::Nothing).unwrap();
    assert!(!found.ok && codes(&found).contains(&"checkpoint-origin"), "{found:?}");
}

#[test]
fn a_checkpoint_of_another_origin_does_not_count() {
    let session = Session::new(3);
    session.checkpoint("c", 3, 3, &"0".repeat(32), &key(1));
    let found = session.check(&["c"]);
    assert!(!found.ok && found.anchored.is_none() && codes(&found).contains(&"checkpoint-origin"));
    // An id that merely ends like this one's is not this one's.
    session.checkpoint("c", 3, 3, &format!("x{}", session.ledger.id()), &key(1));
    assert!(!session.check(&["c"]).ok);
}

#[test]
fn an_unknown_key_and_a_bad_signature_do_not_count() {
    let session = Session::new(3);
    session.checkpoint("stranger", 3, 3, session.ledger.id(), &key(2));
    let found = session.check(&["stranger"]);
    assert!(!found.ok && codes(&found).contains(&"checkpoint-key"), "{found:?}");
    session.sign("edited", 3);
    let text = std::fs::read_to_string(session.path("edited")).unwrap();
    std::fs::write(session.path("edited"), text.replacen("\n3\n", "\n2\n", 1)).unwrap();
    let found = session.check(&["edited"]);
    assert!(!found.ok && codes(&found).contains(&"checkpoint-signature"), "{found:?}");
}

#[test]
fn one_good_checkpoint_does_not_make_up_for_a_bad_one() {
    let session = Session::new(3);
    session.sign("good", 3);
    session.checkpoint("stranger", 3, 3, session.ledger.id(), &key(2));
    let found = session.check(&["good", "stranger"]);
    assert!(!found.ok && found.anchored.is_some());
}

#[test]
fn a_key_that_signs_requests_does_not_anchor() {
    let public = *key(1).verifier().public();
    let blob = [b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20".as_slice(), &public].concat();
    let line = format!("alice ssh-ed25519 {}", base64::engine::general_purpose::STANDARD.encode(blob));
    let dir = tempfile::tempdir().unwrap();
    let ledger = Session::ledger(&dir.path().join("l.db"), 3, &line);
    let session = Session { dir, ledger };
    session.sign("c", 3);
    let found = session.check(&["c"]);
    assert!(
        !found.ok && found.anchored.is_none() && codes(&found).contains(&"checkpoint-signer"),
        "{found:?}"
    );
}

#[test]
fn what_must_be_covered_and_is_not_fails() {
    let session = Session::new(8);
    session.sign("c", 5);
    let with = |checkpoints: &[&str], required| session.verify("l.db", checkpoints, required).unwrap();
    assert!(!with(&[], Required::Everything).ok);
    assert!(!with(&["c"], Required::Everything).ok);
    // Entry 5 is of hour 5, and it is hour 10.
    assert!(with(&["c"], Required::OlderThan(5 * 3_600)).ok);
    assert!(!with(&["c"], Required::OlderThan(5 * 3_600 - 1)).ok);
    assert!(!with(&[], Required::OlderThan(3_600)).ok);
    assert!(with(&[], Required::OlderThan(100 * 3_600)).ok);
    session.sign("all", 8);
    assert!(with(&["all"], Required::Everything).ok);
}

#[test]
fn what_is_no_checkpoint_at_all_is_an_error() {
    let session = Session::new(2);
    std::fs::write(session.path("c"), "hello\n").unwrap();
    let result = session.verify("l.db", &["c"], Required::Nothing);
    assert!(matches!(result, Err(CheckpointError::Form { .. })));
    assert!(matches!(
        session.verify("l.db", &["none"], Required::Nothing),
        Err(CheckpointError::Read { .. })
    ));
}
