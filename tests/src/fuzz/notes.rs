//! Signed notes and what they carry: checkpoints, cosignatures, proofs, quorum files, keys.
//!
//! The keys are of known seeds. A fuzzer that changes bytes does not sign: whatever verifies says exactly what
//! these keys have signed in the seeds of the corpus.

use gate_ledger::checkpoint::{self as checkpoints, Checkpoint};
use gate_ledger::cosignature::policy::TrustPolicy;
use gate_ledger::note::{self as notes, SignerKey, VerifierKey};
use gate_ledger::proof::TlogProof;
use gate_ledger::tree::{CompactRange, leaf_hash};

use super::{assert_message, text};

/// The name of the log whose checkpoints the seeds hold.
const ORIGIN: &str = "example.org/log";

/// How many entries the log has.
const LEAVES: u8 = 5;

/// The bytes of an entry of the log.
fn leaf(number: u8) -> Vec<u8> {
    format!("leaf {number}").into_bytes()
}

/// The log's key.
fn log_key() -> SignerKey {
    SignerKey::generate(ORIGIN, [7; 32]).expect("a key of the tests")
}

/// A witness's key.
fn witness_key() -> SignerKey {
    SignerKey::generate("witness.example", [8; 32]).expect("a key of the tests")
}

/// The only checkpoint that the log has signed: the tree of all the leaves.
fn signed_checkpoint() -> Checkpoint {
    let mut range = CompactRange::default();
    (0..LEAVES).for_each(|number| range.push(leaf_hash(&leaf(number))));
    Checkpoint { origin: ORIGIN.to_owned(), size: u64::from(LEAVES), root: range.root(), extensions: vec![] }
}

fn keys() -> [VerifierKey; 2] {
    [log_key().verifier().clone(), witness_key().verifier().as_cosigner()]
}

/// A note reads back from its own writing; what verifies is the text that was signed.
pub fn note(data: &[u8]) {
    let note = match notes::parse(data) {
        Ok(note) => note,
        Err(error) => return assert_message(&error),
    };
    assert_eq!(note.to_string().as_bytes(), data, "one note, two writings");
    assert_eq!(notes::parse(note.to_string().as_bytes()).as_ref(), Ok(&note));
    match note.verify(&keys()) {
        Ok(_) => assert_eq!(note.text, signed_checkpoint().to_string(), "a forged note"),
        Err(error) => assert_message(&error),
    }
}

/// A checkpoint reads back from its own writing; what opens is the one that was signed.
pub fn checkpoint(data: &[u8]) {
    match text(data).map(Checkpoint::parse) {
        Some(Ok(read)) => assert_eq!(read.to_text().as_deref().map(str::as_bytes), Ok(data)),
        Some(Err(error)) => assert_message(&error),
        None => {}
    }
    match checkpoints::open(data, &keys()) {
        Ok((opened, by)) => {
            assert_eq!(opened, signed_checkpoint(), "a forged checkpoint");
            assert!(by.iter().any(|signature| signature.key == keys()[0]), "opened without the log's key");
        }
        Err(error) => assert_message(&error),
    }
    assert!(
        checkpoints::open_pinned(data, "example.org/other", &keys()).is_err(),
        "another log's checkpoint"
    );
}

/// A cosignature counts for the one key, the one text and the one time that it covers.
pub fn cosignature(data: &[u8]) {
    let Ok(note) = notes::parse(data) else { return };
    let Ok(verified) = note.verify(&keys()[1..]) else { return };
    assert_eq!(note.text, signed_checkpoint().to_string(), "a forged cosignature");
    for signature in verified {
        assert_eq!(signature.timestamp, Some(1_790_000_000), "the time was changed");
        assert_eq!(signature.key, keys()[1]);
    }
    assert!(checkpoints::open(data, &keys()[1..]).is_err(), "witnesses alone make no checkpoint");
}

/// A quorum file is left alone by a comment, refused where its last line was cut, and never trusts a checkpoint
/// that its logs have not signed.
pub fn quorum(data: &[u8]) {
    let trust = match TrustPolicy::parse(data) {
        Ok(trust) => trust,
        Err(error) => return assert_message(&error),
    };
    assert_eq!(TrustPolicy::parse(&[data, b"# the end\n"].concat()).as_ref(), Ok(&trust));
    let cut = data.strip_suffix(b"\n").expect("an end");
    assert!(cut.ends_with(b"\n") || TrustPolicy::parse(cut).is_err(), "a file that was cut");
    let signed = signed_checkpoint().sign(&log_key()).expect("a signature");
    let known = trust.logs().contains(log_key().verifier());
    let accepted = trust.verify(signed.as_bytes(), trust.logs());
    assert!(known || accepted.is_err(), "a checkpoint of a log that the file does not name");
    if let Err(error) = accepted {
        assert!(!error.to_string().is_empty());
    }
}

/// A proof reads back from its own writing, and proves one entry and not another.
pub fn tlog_proof(data: &[u8]) {
    let proof = match TlogProof::parse(data) {
        Ok(proof) => proof,
        Err(error) => return assert_message(&error),
    };
    assert_eq!(TlogProof::parse(proof.to_string().as_bytes()).as_ref(), Ok(&proof));
    let proven: Vec<u8> = (0..=LEAVES).filter(|n| proof.verify(&leaf(*n), &keys()).is_ok()).collect();
    assert!(proven.len() <= 1 && proven.iter().all(|n| u64::from(*n) == proof.index), "{proven:?}");
    if let Err(error) = proof.verify(b"another entry", &keys()) {
        assert_message(&error);
    } else {
        panic!("an entry that is not in the tree was proven");
    }
}

/// A key of a log or a witness has one writing.
pub fn note_key(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match VerifierKey::parse(text) {
        Ok(key) => assert_eq!(key.to_string(), text),
        Err(error) => assert_message(&error),
    }
    match SignerKey::parse(text) {
        Ok(key) => assert_eq!(key.to_secret_text(), text),
        Err(error) => assert_message(&error),
    }
}

/// The cached tree has one writing, and goes on from where it was.
pub fn compact_range(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match CompactRange::parse(text) {
        Ok(mut range) => {
            assert_eq!(range.to_string(), text);
            let size = range.size();
            range.push(leaf_hash(b"next"));
            assert_eq!(range.size(), size + 1);
            assert_ne!(range.root(), [0; 32]);
        }
        Err(error) => assert_message(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAVES, leaf, log_key, notes, signed_checkpoint, witness_key};
    use gate_ledger::cosignature::cosign;
    use gate_ledger::proof::TlogProof;
    use gate_ledger::tree::{Hash, inclusion_proof, leaf_hash};

    /// The seeds that only the keys can make, as they stand in the corpus.
    fn signed() -> [(&'static str, String); 3] {
        let checkpoint = signed_checkpoint();
        let log = checkpoint.sign(&log_key()).unwrap();
        let witnessed = cosign(&checkpoint.to_string(), 1_790_000_000, &witness_key()).unwrap();
        let both = notes::parse(log.as_bytes()).unwrap().with(witnessed).unwrap().to_string();
        let leaves: Vec<Hash> = (0..LEAVES).map(|number| leaf_hash(&leaf(number))).collect();
        let hashes = inclusion_proof(leaves.as_slice(), 2, u64::from(LEAVES)).unwrap();
        let proof = TlogProof { index: 2, extra: None, hashes, checkpoint: both.clone() };
        [("checkpoint/signed", log), ("cosignature/witnessed", both), ("tlog_proof/third", proof.to_string())]
    }

    #[test]
    fn the_seeds_are_what_the_keys_sign() {
        for (seed, text) in signed() {
            let path = format!("{}/fuzz/corpus/{seed}", env!("CARGO_MANIFEST_DIR"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{path}");
        }
    }
}
