use super::{Checkpoint, CheckpointError, ledger_origin, open, open_pinned, speaks_for};
use crate::cosignature::cosign;
use crate::note::{self, Defect, NoteError, SignerKey, VerifierKey};
use crate::tree::EMPTY_ROOT;

const ORIGIN: &str = "example.com/payments/0123";

fn signer(name: &str, seed: u8) -> SignerKey {
    SignerKey::generate(name, [seed; 32]).unwrap()
}

fn keys(signers: &[&SignerKey]) -> Vec<VerifierKey> {
    signers.iter().map(|signer| signer.verifier().clone()).collect()
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: ORIGIN.into(), size: 5, root: [9; 32], extensions: vec![] }
}

#[test]
fn a_damaged_checkpoint_is_refused_by_its_defect() {
    let good = checkpoint().to_string();
    let size = |text: &str| good.replace("\n5\n", &format!("\n{text}\n"));
    let root = |text: &str| format!("{ORIGIN}\n5\n{text}\n");
    let encoded = good.lines().nth(2).unwrap().to_owned();
    let short = CheckpointError::Root(Defect::Length { found: 3, expected: 32 });
    let cases = [
        ("empty", String::new(), CheckpointError::Unterminated),
        ("no final newline", good.trim_end().into(), CheckpointError::Unterminated),
        ("two lines", format!("{ORIGIN}\n5\n"), CheckpointError::TooFewLines(2)),
        ("empty origin", good.replace(ORIGIN, ""), CheckpointError::EmptyOrigin),
        ("carriage return", good.replace('\n', "\r\n"), CheckpointError::Control(b'\r')),
        ("empty size", size(""), CheckpointError::Size(Defect::Empty)),
        ("trailing space", size("5 "), CheckpointError::Size(Defect::OuterSpace)),
        ("leading zero", size("05"), CheckpointError::Size(Defect::LeadingZero)),
        ("sign", size("+5"), CheckpointError::Size(Defect::NotDecimal)),
        ("hexadecimal size", size("0x5"), CheckpointError::Size(Defect::NotDecimal)),
        ("size overflow", size("18446744073709551621"), CheckpointError::Size(Defect::Overflow)),
        ("size above 2^63 - 1", size("9223372036854775808"), CheckpointError::Size(Defect::Overflow)),
        (
            "root with a trailing space",
            root(&format!("{encoded} ")),
            CheckpointError::Root(Defect::OuterSpace),
        ),
        (
            "hexadecimal root",
            root(&"09".repeat(32)),
            CheckpointError::Root(Defect::Length { found: 48, expected: 32 }),
        ),
        ("short root", root("AAAA"), short),
        (
            "root without padding",
            root(encoded.trim_end_matches('=')),
            CheckpointError::Root(Defect::NotBase64),
        ),
        ("empty extension", format!("{good}\n"), CheckpointError::EmptyExtension { line: 4 }),
        (
            "empty line amid extensions",
            format!("{good}a\n\nb\n"),
            CheckpointError::EmptyExtension { line: 5 },
        ),
        ("empty tree with a root", size("0"), CheckpointError::EmptyTreeRoot),
    ];
    for (name, text, expected) in cases {
        assert_eq!(Checkpoint::parse(&text), Err(expected), "{name}");
    }
}

#[test]
fn extensions_and_odd_origins_of_others_are_read_and_kept() {
    let text = format!("go.sum + tree\n{}\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\nx y\nz\n", i64::MAX);
    let read = Checkpoint::parse(&text).unwrap();
    assert_eq!((read.extensions.len(), read.to_string()), (2, text));
    let empty = Checkpoint { size: 0, root: EMPTY_ROOT, ..checkpoint() };
    assert_eq!(Checkpoint::parse(&empty.to_string()), Ok(empty));
}

#[test]
fn a_line_break_in_a_member_is_never_signed() {
    let log = signer("example.com", 1);
    let forged = "example.com/payments/0123\n9\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    for checkpoint in [
        Checkpoint { origin: forged.into(), ..checkpoint() },
        Checkpoint { origin: String::new(), ..checkpoint() },
        Checkpoint { size: u64::MAX, ..checkpoint() },
        Checkpoint { size: 0, ..checkpoint() },
        Checkpoint { extensions: vec![String::new()], ..checkpoint() },
        Checkpoint { extensions: vec!["a\nb".into()], ..checkpoint() },
    ] {
        assert_eq!(checkpoint.sign(&log), Err(CheckpointError::Unwritable), "{checkpoint:?}");
    }
}

#[test]
fn a_key_speaks_for_its_name_and_what_is_below() {
    assert!(speaks_for(ORIGIN, ORIGIN) && speaks_for("example.com/payments", ORIGIN));
    for name in ["example.com/pay", "example.com/payments/0123/4", "payments", "example.com/payments/", ""] {
        assert!(!speaks_for(name, ORIGIN), "{name}");
    }
}

#[test]
fn a_checkpoint_signed_by_the_key_of_another_origin_is_refused() {
    let wages = signer("example.com/wages", 2);
    // Signed as a bare note, as a dishonest holder of a trusted key would.
    let signed = note::sign(&checkpoint().to_string(), &wages).unwrap();
    let foreign = CheckpointError::ForeignKey { key: "example.com/wages".into(), origin: ORIGIN.into() };
    let payments = signer("example.com/payments", 1);
    assert_eq!(open(signed.as_bytes(), &keys(&[&payments, &wages])), Err(foreign));
    assert!(open_pinned(signed.as_bytes(), ORIGIN, &keys(&[&wages])).is_ok());
}

#[test]
fn a_checkpoint_of_another_origin_is_refused_where_one_is_pinned() {
    let log = signer("example.com", 1);
    let signed = checkpoint().sign(&log).unwrap();
    let other = open_pinned(signed.as_bytes(), "example.com/payments/4567", &keys(&[&log]));
    let (found, expected) = (ORIGIN.to_owned(), "example.com/payments/4567".to_owned());
    assert_eq!(other, Err(CheckpointError::OtherOrigin { found, expected }));
}

#[test]
fn witnesses_alone_do_not_make_a_checkpoint() {
    let witness = signer("example.com", 3);
    let text = checkpoint().to_string();
    let line = cosign(&text, 60, &witness).unwrap();
    let note = format!("{text}\n{line}\n");
    let keys = [witness.verifier().as_cosigner()];
    assert_eq!(open(note.as_bytes(), &keys), Err(CheckpointError::OnlyWitnesses));
    assert_eq!(open_pinned(note.as_bytes(), ORIGIN, &keys), Err(CheckpointError::OnlyWitnesses));
    let signed = checkpoint().sign_with(&keys[0], &line.bytes);
    assert_eq!(signed, Err(CheckpointError::OnlyWitnesses));
}

#[test]
fn a_second_key_that_speaks_for_the_origin_is_enough() {
    let (wages, payments) = (signer("example.com/wages", 2), signer("example.com/payments", 1));
    let note = note::parse(note::sign(&checkpoint().to_string(), &wages).unwrap().as_bytes()).unwrap();
    let own = note::parse(checkpoint().sign(&payments).unwrap().as_bytes()).unwrap().signatures.remove(0);
    let both = note.with(own).unwrap().to_string();
    let (_, verified) = open(both.as_bytes(), &keys(&[&wages, &payments])).unwrap();
    assert_eq!(verified.len(), 2);
}

#[test]
fn text_is_not_looked_at_before_its_signature() {
    let log = signer("example.com", 1);
    let signed = note::sign("not a checkpoint\n", &log).unwrap();
    assert_eq!(open(signed.as_bytes(), &keys(&[&log])), Err(CheckpointError::TooFewLines(1)));
    let edited = signed.replace("not", "now");
    let bad =
        |error: &CheckpointError| matches!(error, CheckpointError::Note(NoteError::BadSignature { .. }));
    assert!(bad(&open(edited.as_bytes(), &keys(&[&log])).unwrap_err()));
}

#[test]
fn an_agents_signature_gives_the_same_bytes() {
    let log = signer("example.com", 1);
    let raw = log.sign_bytes(checkpoint().to_text().unwrap().as_bytes());
    let by_agent = checkpoint().sign_with(log.verifier(), &raw);
    assert_eq!(by_agent, checkpoint().sign(&log));
}

#[test]
fn a_ledgers_origin_can_name_a_key_and_is_of_one_ledger() {
    assert_eq!(ledger_origin("example.com/payments", "0123").as_deref(), Ok(ORIGIN));
    for (policy, id) in
        [("", "1"), ("a", ""), ("a b", "1"), ("a+b", "1"), ("a\nb", "1"), ("a", "b/1"), ("a", "1\n")]
    {
        assert!(matches!(ledger_origin(policy, id), Err(CheckpointError::Origin(_))), "{policy:?} {id:?}");
    }
}
