use super::weak::SMALL_ORDER;
use super::{KeyError, KeyKind, SignerKey, VerifierKey, key_id};
use crate::note::line::{self, Defect};
use crate::note::{NoteError, parse, sign};

fn signer() -> SignerKey {
    SignerKey::generate("example.org/log", [7; 32]).unwrap()
}

/// A verifier key whose id fits whatever the parts are.
fn vkey(name: &str, type_byte: u8, public: &[u8]) -> String {
    let id = key_id(name, type_byte, public);
    format!("{name}+{id:08x}+{}", line::to_base64(&[&[type_byte], public].concat()))
}

#[test]
fn both_texts_round_trip() {
    let signer = signer();
    let secret = signer.to_secret_text();
    assert!(secret.starts_with("PRIVATE+KEY+example.org/log+"));
    let again = SignerKey::parse(&secret).unwrap();
    assert_eq!(again.verifier(), signer.verifier());
    assert_eq!(VerifierKey::parse(&signer.verifier().to_string()).unwrap(), *signer.verifier());
    let witness = signer.verifier().as_cosigner();
    assert_eq!(VerifierKey::parse(&witness.to_string()).unwrap(), witness);
    assert_ne!(witness.id(), signer.verifier().id());
}

#[test]
fn the_secret_is_not_in_debug_output_nor_in_errors() {
    let secret = signer().to_secret_text();
    let material = secret.rsplit('+').next().unwrap();
    let seed = line::base64(material).unwrap();
    let shown = format!("{:?}", signer());
    assert!(!shown.contains(material) && !shown.contains(&format!("{:?}", &seed[1..])));
    let error = VerifierKey::parse(&secret).unwrap_err();
    assert_eq!(error, KeyError::Private);
    assert!(!error.to_string().contains(material));
}

#[test]
fn a_damaged_verifier_key_is_refused_by_its_defect() {
    let public = *signer().verifier().public();
    let good = signer().verifier().to_string();
    let id = &good[16..24];
    let cases = [
        ("empty", String::new(), KeyError::VerifierShape),
        ("one plus", good.replacen('+', "-", 1).replacen('+', "-", 1), KeyError::VerifierShape),
        ("empty name", vkey("", 1, &public), KeyError::Name),
        ("name with a space", vkey("a b", 1, &public), KeyError::Name),
        ("name with a newline", vkey("a\nb", 1, &public), KeyError::Name),
        ("upper-case id", good.replace(id, &id.to_uppercase()), KeyError::Id),
        ("short id", good.replace(id, &id[1..]), KeyError::Id),
        ("signed id", good.replace(id, "+1234567"), KeyError::Id),
        ("another id", good.replace(id, "00000000"), KeyError::IdMismatch),
        ("another name", good.replace("log", "lag"), KeyError::IdMismatch),
        ("trailing newline", format!("{good}\n"), KeyError::Material(Defect::OuterSpace)),
        ("no padding", good.trim_end_matches('=').to_owned() + "A", KeyError::Material(Defect::NotBase64)),
        ("no material", "a+00000000+".to_owned(), KeyError::Material(Defect::Empty)),
        ("ML-DSA", vkey("a", 6, &public), KeyError::UnsupportedType(6)),
        (
            "short public key",
            vkey("a", 1, &public[1..]),
            KeyError::Material(Defect::Length { found: 32, expected: 33 }),
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(VerifierKey::parse(&text), Err(expected), "{name}");
    }
}

#[test]
fn a_damaged_signer_key_is_refused_by_its_defect() {
    let good = signer().to_secret_text();
    let wrong = |text: &str| SignerKey::parse(text).unwrap_err();
    assert_eq!(wrong(&signer().verifier().to_string()), KeyError::Public);
    assert_eq!(wrong(""), KeyError::SignerShape);
    assert_eq!(wrong("PRIVATE+KEY+name"), KeyError::SignerShape);
    assert_eq!(wrong(&good.replace("log", "lag")), KeyError::IdMismatch);
    let head = &good[..good.rfind('+').unwrap()];
    assert_eq!(wrong(&format!("{head}+{}", line::to_base64(&[4; 33]))), KeyError::SignerType(4));
    let short = KeyError::Material(Defect::Length { found: 32, expected: 33 });
    assert_eq!(wrong(&format!("{head}+{}", line::to_base64(&[1; 32]))), short);
}

#[test]
fn keys_for_which_anybody_could_sign_are_refused() {
    // With the neutral element as the key, R = B and s = 1 verify over every message. Ring alone accepts it.
    let neutral = SMALL_ORDER[1];
    let base: [u8; 32] = std::array::from_fn(|n| if n == 0 { 0x58 } else { 0x66 });
    let forged = [base, std::array::from_fn(|n| u8::from(n == 0))].concat();
    let ring = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &neutral);
    assert!(ring.verify(b"anything", &forged).is_ok(), "the attack that the check is for");
    for mut public in SMALL_ORDER {
        assert_eq!(VerifierKey::new("a", KeyKind::Note, public), Err(KeyError::Weak));
        public[31] |= 0x80;
        assert_eq!(VerifierKey::new("a", KeyKind::Note, public), Err(KeyError::Weak));
    }
}

#[test]
fn a_public_key_above_the_field_prime_is_refused() {
    let mut y = [0xff; 32];
    for low in 0xed..=0xff_u8 {
        for high in [0x7f, 0xff] {
            (y[0], y[31]) = (low, high);
            assert_eq!(VerifierKey::parse(&vkey("a", 1, &y)), Err(KeyError::Weak));
        }
    }
    // Of the two below, the first is of small order and the second no point.
    (y[0], y[31]) = (0xea, 0x7f);
    assert!(VerifierKey::parse(&vkey("a", 1, &y)).is_ok());
}

#[test]
fn a_key_made_to_collide_with_a_trusted_one_is_not_taken_for_it() {
    let signed = sign("hello\n", &signer()).unwrap();
    let note = parse(signed.as_bytes()).unwrap();
    let trusted = signer().verifier().clone();
    // Two to the 32nd tries find such a key; the test writes the id instead.
    let other = SignerKey::generate("example.org/log", [8; 32]).unwrap().verifier().clone();
    let collides = VerifierKey { id: trusted.id, ..other };
    let bad = NoteError::BadSignature { name: "example.org/log".into(), id: trusted.id };
    assert_eq!(note.verify(std::slice::from_ref(&collides)), Err(bad));
    let ambiguous = NoteError::AmbiguousKey { name: "example.org/log".into(), id: trusted.id };
    for keys in [[trusted.clone(), collides.clone()], [collides, trusted]] {
        assert_eq!(note.verify(&keys), Err(ambiguous.clone()));
    }
}

#[test]
fn a_key_is_written_as_ssh_does() {
    // The public key of RFC 8032, section 7.1, test 1, as ssh-keygen -i -m PKCS8 writes it.
    let public = [
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
        0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ];
    let key = VerifierKey::new("example.org/log", KeyKind::Note, public).unwrap();
    let text = "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    assert_eq!(key.to_ssh_base64(), text);
}

#[test]
fn a_key_off_the_curve_is_refused() {
    // Of all y about half belong to no point; these are the smallest of them.
    for y in [2_u8, 7, 8] {
        let mut public = [0; 32];
        public[0] = y;
        assert_eq!(VerifierKey::new("a", KeyKind::Note, public), Err(KeyError::Weak), "{y}");
        assert_eq!(VerifierKey::new("a", KeyKind::Cosignature, public), Err(KeyError::Weak), "{y}");
    }
}
