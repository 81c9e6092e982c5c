use proptest::prelude::{any, prop, proptest};

use super::{PolicyProblem as Problem, QuorumError, TrustPolicy};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::cosignature::cosign;
use crate::note::{self, Defect, KeyError, NoteError, SignerKey, VerifierKey};

fn log() -> SignerKey {
    SignerKey::generate("example.org/log", [1; 32]).unwrap()
}

fn witness(n: u8) -> SignerKey {
    SignerKey::generate("witness.example", [100 + n; 32]).unwrap()
}

/// The line of witness `n`, called `w<n>`.
fn line(n: u8) -> String {
    format!("witness w{n} {}\n", witness(n).verifier().as_cosigner())
}

/// A checkpoint that the log signed and those witnesses cosigned.
fn seen_by(witnesses: &[u8]) -> Vec<u8> {
    let checkpoint =
        Checkpoint { origin: "example.org/log".into(), size: 3, root: [3; 32], extensions: vec![] };
    let mut note = note::parse(checkpoint.sign(&log()).unwrap().as_bytes()).unwrap();
    for n in witnesses {
        note = note.with(cosign(&checkpoint.to_string(), 60 + u64::from(*n), &witness(*n)).unwrap()).unwrap();
    }
    note.to_string().into_bytes()
}

/// A file with the log, witnesses 1 to 6, and `rest`.
fn file(rest: &str) -> String {
    format!("log {}\n{}{rest}", log().verifier(), (1..=6).map(line).collect::<String>())
}

fn accepts(policy: &str, witnesses: &[u8]) -> bool {
    let policy = TrustPolicy::parse(policy.as_bytes()).unwrap();
    match policy.verify(&seen_by(witnesses), policy.logs()) {
        Ok(_) => true,
        Err(QuorumError::NotReached { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn two_levels_of_groups_are_counted_as_written() {
    let policy = file("group x 2 w1 w2 w3\ngroup y any w4 w5 w6\ngroup both all x y\nquorum both\n");
    for (witnesses, expected) in [
        (&[][..], false),
        (&[1, 2], false),
        (&[1, 4], false),
        (&[4, 5, 6], false),
        (&[1, 3, 6], true),
        (&[1, 2, 3, 4, 5, 6], true),
    ] {
        assert_eq!(accepts(&policy, witnesses), expected, "{witnesses:?}");
    }
}

#[test]
fn a_quorum_may_be_one_witness_or_none() {
    assert!(accepts(&file("quorum none\n"), &[]));
    assert!(accepts(&file("quorum w2\n"), &[2]) && !accepts(&file("quorum w2\n"), &[1, 3]));
}

#[test]
fn a_witness_of_no_group_of_the_quorum_does_not_help() {
    assert!(!accepts(&file("group x 2 w1 w2\ngroup y any w3\nquorum x\n"), &[1, 3, 4]));
}

#[test]
fn white_space_comments_urls_and_other_scripts_are_read() {
    let key = witness(1).verifier().as_cosigner();
    let text = format!("\t # a comment\n\n \t\nwitness\tK \u{a0}{key}\n");
    assert!(TrustPolicy::parse(text.as_bytes()).is_err(), "a no-break space is no white space");
    let text = format!("#\n  witness\t\u{212a}  {key}\thttps://w.example/ \n\n quorum \u{212a}\t\n");
    let policy = TrustPolicy::parse(text.as_bytes()).unwrap();
    assert!(policy.logs().is_empty());
    let witnessed = policy.verify(&seen_by(&[1]), &[log().verifier().clone()]).unwrap();
    assert_eq!(witnessed.witnesses, [("\u{212a}".to_owned(), 61)]);
    let opaque = [b"witness \xff ".as_slice(), key.to_string().as_bytes(), b"\nquorum \xff\n"].concat();
    assert!(TrustPolicy::parse(&opaque).is_ok());
}

#[test]
fn a_log_or_a_witness_that_is_not_trusted_does_not_count() {
    let policy = TrustPolicy::parse(file("quorum w1\n").as_bytes()).unwrap();
    let stranger = SignerKey::generate("example.org/log", [9; 32]).unwrap();
    let result = policy.verify(&seen_by(&[1]), &[stranger.verifier().clone()]);
    assert!(matches!(result, Err(QuorumError::Checkpoint(CheckpointError::OnlyWitnesses))));
    let result = policy.verify(&seen_by(&[2, 7]), policy.logs());
    let expected = QuorumError::NotReached {
        quorum: "w1".into(),
        witnesses: vec!["w2".into()],
        missing: vec!["w1".into()],
    };
    assert_eq!(result, Err(expected));
}

#[test]
fn who_is_missing_is_named_through_every_level_of_groups() {
    let lines = "group x 2 w1 w2 w3\ngroup y any w4 w5\ngroup both all x y\nquorum both\n";
    let policy = TrustPolicy::parse(file(lines).as_bytes()).unwrap();
    let Err(QuorumError::NotReached { quorum, witnesses, missing }) =
        policy.verify(&seen_by(&[2, 6]), policy.logs())
    else {
        panic!("the quorum was not reached");
    };
    assert_eq!((quorum.as_str(), witnesses), ("both", vec!["w2".to_owned(), "w6".to_owned()]));
    // The sixth witness stands in the file and counts for nothing here.
    assert_eq!(missing, ["w1", "w3", "w4", "w5"]);
}

#[test]
fn a_wrong_signature_of_a_known_witness_refuses_even_a_reached_quorum() {
    let policy = TrustPolicy::parse(file("group x any w1 w2\nquorum x\n").as_bytes()).unwrap();
    let mut note = note::parse(&seen_by(&[1, 2])).unwrap();
    note.signatures[2].bytes[20] ^= 1;
    let result = policy.verify(note.to_string().as_bytes(), policy.logs());
    let bad = CheckpointError::Note(NoteError::BadSignature {
        name: "witness.example".into(),
        id: witness(2).verifier().as_cosigner().id(),
    });
    assert_eq!(result, Err(QuorumError::Checkpoint(bad)));
}

#[test]
fn a_witness_whose_key_type_is_not_supported_never_counts() {
    use base64::Engine as _;
    use sha2::{Digest, Sha256};
    let material = [&[6_u8], [5; 1312].as_slice()].concat();
    let digest = Sha256::new().chain_update("pq.example\n").chain_update(&material).finalize();
    let id = digest.iter().take(4).fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
    let encoded = base64::engine::general_purpose::STANDARD.encode(&material);
    let witness = format!("witness pq pq.example+{id}+{encoded}\n");
    let text = file(&format!("{witness}group x 1 pq w1\nquorum x\n"));
    let policy = TrustPolicy::parse(text.as_bytes()).unwrap();
    assert_eq!(policy.unsupported().collect::<Vec<_>>(), ["pq"]);
    assert!(accepts(&text, &[1]) && !accepts(&text, &[2]));
    assert!(!accepts(&file(&format!("{witness}quorum pq\n")), &[1]));
    let twice = file(&format!("{witness}{}quorum none\n", witness.replace("witness pq", "witness qp")));
    assert_eq!(TrustPolicy::parse(twice.as_bytes()).unwrap_err().problem, Problem::DuplicateKey);
}

#[test]
fn a_damaged_file_is_refused_by_its_problem() {
    let log_key = log().verifier().to_string();
    let cosigner = witness(1).verifier().as_cosigner();
    let renamed = VerifierKey::new("other", cosigner.kind(), *cosigner.public()).unwrap();
    let cases: Vec<(&str, String, Problem)> = vec![
        ("no quorum", String::new(), Problem::NoQuorum),
        ("two quorums", "quorum none\nquorum w1\n".into(), Problem::SecondQuorum),
        ("a quorum cut short", "quorum none".into(), Problem::Unterminated),
        ("a quorum of two words", "quorum w1 w2\n".into(), Problem::Form("quorum <name>")),
        ("a quorum nobody defined", "quorum w9\n".into(), Problem::UnknownName("w9".into())),
        ("a quorum before its group", "quorum x\ngroup x any w1\n".into(), Problem::UnknownName("x".into())),
        ("carriage return", "quorum none\r\n".into(), Problem::Control(b'\r')),
        ("NUL", "quorum none\0\n".into(), Problem::Control(0)),
        ("DEL in a comment", "# \u{7f}\n".into(), Problem::Control(0x7f)),
        ("an unknown word", "quorums none\n".into(), Problem::UnknownKeyword),
        ("a capital letter", "Quorum none\n".into(), Problem::UnknownKeyword),
        ("a comment after a line", "quorum none # all\n".into(), Problem::Form("quorum <name>")),
        ("a log without a key", "log\n".into(), Problem::Form("log <verifier key> [<url>]")),
        ("one log twice", format!("log {log_key}\n"), Problem::DuplicateKey),
        ("one witness twice", line(1).replace("w1", "w9"), Problem::DuplicateKey),
        ("one witness under another key name", format!("witness w9 {renamed}\n"), Problem::DuplicateKey),
        (
            "a witness's key for a log",
            format!("log {cosigner}\n"),
            Problem::KeyType { found: 4, expected: 1 },
        ),
        (
            "a log's key for a witness",
            format!("witness w9 {log_key}\n"),
            Problem::KeyType { found: 1, expected: 4 },
        ),
        ("a secret key", format!("log {}\n", log().to_secret_text()), Problem::Key(KeyError::Private)),
        (
            "one name twice",
            format!("witness w1 {}\n", witness(9).verifier().as_cosigner()),
            Problem::NameTaken("w1".into()),
        ),
        ("a group with a witness's name", "group w1 any w2\n".into(), Problem::NameTaken("w1".into())),
        ("a group called none", "group none any w1\n".into(), Problem::NameTaken("none".into())),
        ("none as a member", "group x any none\n".into(), Problem::UnknownName("none".into())),
        ("a group of itself", "group x any w1 x\n".into(), Problem::UnknownName("x".into())),
        ("an empty group", "group x any\n".into(), Problem::Form("group <name> all|any|<k> <member>...")),
        (
            "a group without a number",
            "group x\n".into(),
            Problem::Form("group <name> all|any|<k> <member>..."),
        ),
        ("a member twice", "group x any w1 w1\n".into(), Problem::MemberTwice("w1".into())),
        (
            "a member of two groups",
            "group x any w1\ngroup y any w1 w2\n".into(),
            Problem::MemberTwice("w1".into()),
        ),
        ("none of one", "group x 0 w1\n".into(), Problem::ThresholdRange { needed: 0, members: 1 }),
        ("two of one", "group x 2 w1\n".into(), Problem::ThresholdRange { needed: 2, members: 1 }),
        ("a leading zero", "group x 01 w1\n".into(), Problem::Threshold(Defect::LeadingZero)),
        ("a sign", "group x +1 w1\n".into(), Problem::Threshold(Defect::NotDecimal)),
        ("an overflow", "group x 18446744073709551617 w1\n".into(), Problem::Threshold(Defect::Overflow)),
    ];
    for (name, rest, expected) in cases {
        let error = TrustPolicy::parse(file(&rest).as_bytes()).unwrap_err();
        assert_eq!(error.problem, expected, "{name}");
    }
}

#[test]
fn an_error_names_its_line() {
    let error = TrustPolicy::parse(b"# one\n\nquorum w1\n").unwrap_err();
    assert_eq!(error.to_string(), "line 3: the name \"w1\" is not defined on an earlier line");
}

#[test]
fn a_flood_of_lines_is_refused() {
    let large = "# x\n".repeat(300_000);
    assert_eq!(TrustPolicy::parse(large.as_bytes()).unwrap_err().problem, Problem::TooLarge);
}

proptest! {
    #[test]
    fn a_threshold_is_reached_by_exactly_that_many(needed in 1_u8..=6, chosen in prop::collection::btree_set(1_u8..=6, 0..=6)) {
        let text = file(&format!("group x {needed} w1 w2 w3 w4 w5 w6\nquorum x\n"));
        let witnesses: Vec<u8> = chosen.into_iter().collect();
        assert_eq!(accepts(&text, &witnesses), witnesses.len() >= usize::from(needed));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(TrustPolicy::parse(&bytes));
    }
}
