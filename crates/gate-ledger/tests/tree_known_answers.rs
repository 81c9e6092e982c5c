//! Known answers for trees, proofs and signed checkpoints, from sources that share nothing with this code:
//! `rfc6962.py` beside this file (its output for sizes 0 to 64 is `rfc6962.txt`), the reference tree of
//! Certificate Transparency, and, where a copy is at hand, the vectors that transparency-dev/merkle publishes.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate_ledger::checkpoint::Checkpoint;
use gate_ledger::note::{self, SignerKey};
use gate_ledger::tree::{self, CompactRange, Hash, Leaves, MissingLeaf, ProofError, ProveError};
use gate_ledger::{checkpoint, cosignature};
use sha2::{Digest, Sha256};

/// The output of `rfc6962.py 64`.
const ANSWERS: &str = include_str!("rfc6962.txt");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| tree::leaf_hash(n.to_string().as_bytes())).collect()
}

/// Leaves, and the roots of the ranges that were asked for before: many proofs share them.
struct Remembered<'a> {
    leaves: &'a [Hash],
    roots: RefCell<HashMap<Range<u64>, Hash>>,
}

impl Leaves for Remembered<'_> {
    type Error = ProveError<MissingLeaf>;

    fn leaf(&self, index: u64) -> Result<Hash, Self::Error> {
        self.leaves.leaf(index).map_err(ProveError::Read)
    }

    fn kept(&self, range: &Range<u64>) -> Result<Option<Hash>, Self::Error> {
        if let Some(root) = self.roots.borrow().get(range) {
            return Ok(Some(*root));
        }
        let place = |index: u64| usize::try_from(index).unwrap();
        let part = &self.leaves[place(range.start)..place(range.end)];
        let root = tree::root_of(part, range.end - range.start)?;
        self.roots.borrow_mut().insert(range.clone(), root);
        Ok(Some(root))
    }
}

/// The digest over proofs that `rfc6962.py` describes.
fn digest(proofs: impl Iterator<Item = Vec<Hash>>) -> String {
    let (mut sha, mut any) = (Sha256::new(), false);
    for proof in proofs {
        any = true;
        sha.update([u8::try_from(proof.len()).unwrap()]);
        for hash in &proof {
            sha.update(hash);
        }
    }
    if any { hex(&sha.finalize()) } else { "-".to_owned() }
}

/// The line for `size` as this crate computes it; each proof is verified on the way.
fn answer(source: &Remembered<'_>, roots: &[Hash], size: u64) -> String {
    let root = |size: u64| &roots[usize::try_from(size).unwrap()];
    let inclusion = digest((0..size).map(|index| {
        let proof = tree::inclusion_proof(source, index, size).unwrap();
        let leaf = &source.leaves[usize::try_from(index).unwrap()];
        tree::verify_inclusion(leaf, index, size, &proof, root(size)).unwrap();
        proof
    }));
    let consistency = digest((1..=size).map(|old| {
        let proof = tree::consistency_proof(source, old, size).unwrap();
        tree::verify_consistency(old, size, root(old), root(size), &proof).unwrap();
        proof
    }));
    let (signature, cosignature) = signatures(size, *root(size));
    format!("{size} {} {inclusion} {consistency} {signature} {cosignature}", hex(root(size)))
}

/// The two signatures of the checkpoint of `size`, as they stand in the note.
fn signatures(size: u64, root: Hash) -> (String, String) {
    let log = SignerKey::generate("example.org/ledger", [1; 32]).unwrap();
    let witness = SignerKey::generate("witness.example", [2; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "example.org/ledger".into(), size, root, extensions: vec![] };
    let time = 1_700_000_000 + size;
    let cosigned = cosignature::cosign(&checkpoint.to_string(), time, &witness).unwrap();
    let signed = checkpoint.sign(&log).unwrap();
    let note = note::parse(signed.as_bytes()).unwrap().with(cosigned).unwrap().to_string();
    let keys = [log.verifier().clone(), witness.verifier().as_cosigner()];
    let (opened, verified) = checkpoint::open(note.as_bytes(), &keys).unwrap();
    assert_eq!((opened, verified[1].timestamp), (checkpoint, Some(time)));
    let mut lines = note.lines().rev().map(|line| line.rsplit(' ').next().unwrap().to_owned());
    let (last, first) = (lines.next().unwrap(), lines.next().unwrap());
    (first, last)
}

/// Compares this crate with `text`, line by line; gives the number of sizes compared.
fn compare(text: &str) -> u64 {
    let count = u64::try_from(text.lines().filter(|line| !line.starts_with('#')).count()).unwrap();
    let leaves = leaves(count);
    let mut range = CompactRange::default();
    let mut roots = vec![range.root()];
    for leaf in &leaves {
        range.push(*leaf);
        roots.push(range.root());
    }
    let source = Remembered { leaves: &leaves, roots: RefCell::default() };
    for (size, line) in (0..).zip(text.lines().filter(|line| !line.starts_with('#'))) {
        assert_eq!(answer(&source, &roots, size), line, "size {size}");
    }
    count
}

#[test]
fn sizes_0_to_64_agree_with_the_recorded_answers() {
    assert_eq!(compare(ANSWERS), 65);
}

#[test]
fn the_keys_agree_with_the_recorded_answers() {
    let log = SignerKey::generate("example.org/ledger", [1; 32]).unwrap();
    let witness = SignerKey::generate("witness.example", [2; 32]).unwrap();
    let mut lines = ANSWERS.lines();
    assert_eq!(lines.next(), Some(format!("# {}", log.verifier()).as_str()));
    assert_eq!(lines.next(), Some(format!("# {}", witness.verifier().as_cosigner()).as_str()));
}

#[test]
fn sizes_0_to_300_agree_with_python() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc6962.py");
    let output = match Command::new("python3").arg("-B").arg(script).arg("300").output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: cannot start python3: {error}");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(ANSWERS), "rfc6962.txt is not what rfc6962.py prints");
    assert_eq!(compare(&text), 301);
}

#[test]
fn the_reference_tree_of_certificate_transparency() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<Hash> = entries.iter().map(|entry| tree::leaf_hash(entry)).collect();
    for (size, root) in (0..).zip(roots) {
        assert_eq!(hex(&tree::root_of(leaves.as_slice(), size).unwrap()), root, "size {size}");
    }
}

/// Every JSON file below `folder`.
fn json_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// A hash of a published vector. Some are placeholders of another length where the value must not matter:
/// they are padded, so that they stay different from each other. A hash of no bytes cannot be written here.
fn padded(value: &serde_json::Value) -> Option<Hash> {
    let bytes = STANDARD.decode(value.as_str()?).unwrap();
    (!bytes.is_empty()).then(|| std::array::from_fn(|n| bytes.get(n).copied().unwrap_or_default()))
}

/// The path of a published vector; one with a hash of another length cannot even be written for this crate.
fn path_of(vector: &serde_json::Value) -> Option<Vec<Hash>> {
    let hashes = vector["proof"].as_array().cloned().unwrap_or_default();
    let decode = |value: &serde_json::Value| {
        Hash::try_from(STANDARD.decode(value.as_str().unwrap_or_default()).ok()?.as_slice()).ok()
    };
    hashes.iter().map(decode).collect()
}

/// What this crate says about a published vector; `None` where it cannot even take it.
fn judge(vector: &serde_json::Value) -> Option<Result<(), ProofError>> {
    let number = |name: &str| vector[name].as_u64();
    let proof = path_of(vector)?;
    let root = |name: &str| padded(&vector[name]);
    Some(if vector.get("leafIdx").is_some() {
        let (index, size) = (number("leafIdx")?, number("treeSize")?);
        tree::verify_inclusion(&padded(&vector["leafHash"])?, index, size, &proof, &root("root")?)
    } else {
        let (old, new) = (number("size1")?, number("size2")?);
        tree::verify_consistency(old, new, &root("root1")?, &root("root2")?, &proof)
    })
}

#[test]
fn published_vectors_agree() {
    let Some(folder) = std::env::var_os("GATE_MERKLE_VECTORS") else {
        eprintln!("skipped: GATE_MERKLE_VECTORS does not name a copy of transparency-dev/merkle's testdata");
        return;
    };
    let mut files = Vec::new();
    for kind in ["inclusion", "consistency"] {
        json_files(&Path::new(&folder).join(kind), &mut files);
    }
    assert!(files.len() > 100, "only {} vectors were found", files.len());
    let mut good = 0;
    for file in &files {
        let vector: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let wanted = vector["wantErr"] == false;
        let result = judge(&vector);
        assert_eq!(matches!(result, Some(Ok(()))), wanted, "{}: {result:?}", file.display());
        good += u32::from(wanted);
    }
    assert!(good > 5);
    eprintln!("{} published vectors agree, {good} of them valid", files.len());
}
