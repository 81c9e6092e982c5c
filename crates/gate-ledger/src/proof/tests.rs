use proptest::prelude::{any, prop, proptest};

use super::{MAX_BYTES, ProveFailure, TlogProof, TlogProofError};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::{self, Defect, SignerKey, VerifierKey};
use crate::tree::{self, Hash, ProofError};

fn signer() -> SignerKey {
    SignerKey::generate("example.com/payments", [7; 32]).unwrap()
}

fn keys() -> Vec<VerifierKey> {
    vec![signer().verifier().clone()]
}

fn body(index: u64) -> String {
    format!("{{\"seq\":{index}}}")
}

fn proof(index: u64, size: u64) -> TlogProof {
    let leaves: Vec<Hash> = (0..size).map(|n| tree::leaf_hash(body(n).as_bytes())).collect();
    let root = tree::root_of(leaves.as_slice(), size).unwrap();
    let checkpoint = Checkpoint { origin: "example.com/payments".into(), size, root, extensions: vec![] };
    TlogProof {
        index,
        extra: Some(body(index).into_bytes()),
        hashes: tree::inclusion_proof(leaves.as_slice(), index, size).unwrap(),
        checkpoint: checkpoint.sign(&signer()).unwrap(),
    }
}

#[test]
fn proofs_of_every_place_are_read_back_and_hold() {
    for size in 1..20 {
        for index in 0..size {
            for extra in [None, Some(vec![0, 255])] {
                let proof = TlogProof { extra, ..proof(index, size) };
                let read = TlogProof::parse(proof.to_string().as_bytes()).unwrap();
                assert_eq!(read, proof);
                let proven = read.verify(body(index).as_bytes(), &keys()).unwrap();
                assert_eq!((proven.checkpoint.size, proven.signatures.len()), (size, 1));
            }
        }
    }
}

#[test]
fn a_damaged_proof_is_refused_by_its_defect() {
    let good = proof(2, 5).to_string();
    let line = |number: usize, text: &str| {
        let mut lines: Vec<&str> = good.split('\n').collect();
        lines[number - 1] = text;
        lines.join("\n")
    };
    let without = |number: usize| {
        let mut lines: Vec<&str> = good.split('\n').collect();
        lines.remove(number - 1);
        lines.join("\n")
    };
    let first_hash = good.lines().nth(3).unwrap().to_owned();
    let index = |defect| TlogProofError::Index { line: 3, defect };
    let hash = |defect| TlogProofError::Hash { line: 4, defect };
    let cases = [
        ("empty", String::new(), TlogProofError::Header),
        ("another version", good.replace("@v1", "@v2"), TlogProofError::Header),
        ("carriage return", line(1, "c2sp.org/tlog-proof@v1\r"), TlogProofError::Header),
        ("header alone", "c2sp.org/tlog-proof@v1\n".into(), TlogProofError::NoIndex { line: 2 }),
        ("header without newline", "c2sp.org/tlog-proof@v1".into(), TlogProofError::NoCheckpoint),
        ("empty extra", line(2, "extra "), TlogProofError::Extra(Defect::Empty)),
        ("extra with a trailing space", line(2, "extra YQ== "), TlogProofError::Extra(Defect::OuterSpace)),
        ("extra that is no base64", line(2, "extra {}"), TlogProofError::Extra(Defect::NotBase64)),
        ("extra after the index", line(3, "extra YQ=="), TlogProofError::NoIndex { line: 3 }),
        ("no index", without(3), TlogProofError::NoIndex { line: 3 }),
        ("index without a number", line(3, "index "), index(Defect::Empty)),
        ("index with two spaces", line(3, "index  2"), index(Defect::OuterSpace)),
        ("index with a trailing space", line(3, "index 2 "), index(Defect::OuterSpace)),
        ("index with a leading zero", line(3, "index 02"), index(Defect::LeadingZero)),
        ("negative index", line(3, "index -1"), index(Defect::NotDecimal)),
        ("index overflow", line(3, "index 18446744073709551618"), index(Defect::Overflow)),
        ("hash with a trailing space", line(4, &format!("{first_hash} ")), hash(Defect::OuterSpace)),
        ("hash in hexadecimal", line(4, &"ab".repeat(32)), hash(Defect::Length { found: 48, expected: 32 })),
        ("hash without padding", line(4, first_hash.trim_end_matches('=')), hash(Defect::NotBase64)),
        ("no checkpoint", good.split_once("\n\n").unwrap().0.to_owned() + "\n", TlogProofError::NoCheckpoint),
        (
            "nothing after the empty line",
            good.split_once("\n\n").unwrap().0.to_owned() + "\n\n",
            TlogProofError::NoCheckpoint,
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(TlogProof::parse(text.as_bytes()), Err(expected), "{name}");
    }
}

#[test]
fn a_proof_that_was_cut_is_refused_wherever_it_was_cut() {
    let good = proof(2, 5).to_string();
    for end in 0..good.len() {
        assert!(TlogProof::parse(&good.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn a_checkpoint_that_is_none_is_refused_while_reading() {
    let note = note::sign("just a note\n", &signer()).unwrap();
    let text = TlogProof { checkpoint: note, ..proof(2, 5) }.to_string();
    let expected = TlogProofError::Checkpoint(CheckpointError::TooFewLines(1));
    assert_eq!(TlogProof::parse(text.as_bytes()), Err(expected));
}

#[test]
fn too_much_is_refused() {
    let many = TlogProof { hashes: vec![[1; 32]; 64], ..proof(2, 5) }.to_string();
    assert_eq!(TlogProof::parse(many.as_bytes()), Err(TlogProofError::TooManyHashes));
    let large = vec![b'a'; MAX_BYTES + 1];
    assert_eq!(TlogProof::parse(&large), Err(TlogProofError::TooLarge(MAX_BYTES + 1)));
    assert_eq!(TlogProof::parse(b"c2sp\xff"), Err(TlogProofError::NotUtf8(4)));
}

#[test]
fn an_entry_of_the_largest_size_fits() {
    let proof = TlogProof { extra: Some(vec![b'x'; 1 << 20]), ..proof(2, 5) };
    assert_eq!(TlogProof::parse(proof.to_string().as_bytes()), Ok(proof));
}

#[test]
fn the_proof_of_another_tree_or_entry_is_refused() {
    let fails = |proof: &TlogProof, entry: u64| proof.verify(body(entry).as_bytes(), &keys()).unwrap_err();
    let mismatch = ProveFailure::Inclusion(ProofError::RootMismatch);
    assert_eq!(fails(&proof(2, 5), 3), mismatch);
    assert_eq!(fails(&TlogProof { index: 3, ..proof(2, 5) }, 2), mismatch);
    let swapped = TlogProof { checkpoint: proof(2, 6).checkpoint, ..proof(2, 5) };
    assert_eq!(fails(&swapped, 2), mismatch);
    let taller = TlogProof { checkpoint: proof(2, 9).checkpoint, ..proof(2, 5) };
    assert_eq!(fails(&taller, 2), ProveFailure::Inclusion(ProofError::TooShort));
    let beyond = TlogProof { index: 5, ..proof(2, 5) };
    let out = ProofError::IndexOutOfRange { index: 5, size: 5 };
    assert_eq!(fails(&beyond, 2), ProveFailure::Inclusion(out));
}

#[test]
fn keys_of_others_prove_nothing() {
    let stranger = SignerKey::generate("example.com/payments", [8; 32]).unwrap().verifier().clone();
    let result = proof(2, 5).verify(body(2).as_bytes(), &[stranger]);
    assert!(matches!(result, Err(ProveFailure::Checkpoint(CheckpointError::Note(_)))));
    let other = proof(2, 5).verify_pinned(body(2).as_bytes(), "example.com/wages", &keys());
    assert!(matches!(other, Err(ProveFailure::Checkpoint(CheckpointError::OtherOrigin { .. }))));
    assert!(proof(2, 5).verify_pinned(body(2).as_bytes(), "example.com/payments", &keys()).is_ok());
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_proof_is_found(place in any::<prop::sample::Index>(), change in 1_u8..) {
        // Without extra data, which nothing authenticates but its use as the body.
        let good = TlogProof { extra: None, ..proof(2, 5) };
        let mut bytes = good.to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        if let Ok(read) = TlogProof::parse(&bytes) {
            assert!(read.verify(body(2).as_bytes(), &keys()).is_err(), "byte {place}");
        }
    }

    #[test]
    fn an_entry_that_travels_as_extra_data_is_proven_too(place in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut bytes = proof(2, 5).to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        if let Ok(read) = TlogProof::parse(&bytes) {
            let entry = read.extra.clone().unwrap_or_default();
            assert!(read.verify(&entry, &keys()).is_err(), "byte {place}");
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(TlogProof::parse(&bytes));
        let bytes = [b"c2sp.org/tlog-proof@v1\n".as_slice(), &bytes].concat();
        drop(TlogProof::parse(&bytes));
    }
}
