use proptest::prelude::{any, prop, proptest};

use super::{
    Defect, KeyKind, MAX_BYTES, MAX_SIGNATURES, Note, NoteError, SignError, Signature, SignerKey,
    VerifierKey, attach, parse, sign,
};

fn signer(seed: u8) -> SignerKey {
    SignerKey::generate("example.org/log", [seed; 32]).unwrap()
}

fn key(seed: u8) -> VerifierKey {
    signer(seed).verifier().clone()
}

/// A note of "hello\n" that [`signer`] 7 signed.
fn signed() -> String {
    sign("hello\n", &signer(7)).unwrap()
}

#[test]
fn a_note_is_read_and_written_back_byte_for_byte() {
    for text in ["\n", "one\n", "a\n\nb\n", "ends in empty lines\n\n\n", "déjà vu 修 — x\n"] {
        let signed = sign(text, &signer(7)).unwrap();
        let note = parse(signed.as_bytes()).unwrap();
        assert_eq!((note.text.as_str(), note.to_string()), (text, signed));
        assert_eq!(note.verify(&[key(7)]).unwrap().len(), 1);
    }
}

#[test]
fn the_example_of_the_specification_verifies() {
    // C2SP signed-note, section "Verifier keys".
    let key =
        VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
    let note = concat!(
        "This is an example message.\n\n",
        "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    );
    let note = parse(note.as_bytes()).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap()[0].key, key);
}

#[test]
fn one_of_name_and_id_alone_makes_no_known_key_and_sixteen_unknown_ones_do_no_harm() {
    // Section "Signatures": verifiers must ignore signatures of unknown keys that share a name or an id, and
    // must accept 16 signatures.
    let mut note = parse(signed().as_bytes()).unwrap();
    let own = note.signatures[0].clone();
    note.signatures.clear();
    for n in 0..15 {
        let same_name = Signature { id: own.id ^ (n + 1), bytes: vec![0; 2_500], ..own.clone() };
        note.signatures.push(same_name);
    }
    note.signatures.push(Signature { name: "another".into(), bytes: vec![1], ..own.clone() });
    note.signatures.push(own);
    let note = parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(note.verify(&[key(7)]).unwrap().len(), 1);
    assert_eq!(note.unknown(&[key(7)]).count(), 16);
}

#[test]
fn a_damaged_note_is_refused_by_its_defect() {
    let good = signed();
    let (head, encoded) = good.trim_end().rsplit_once(' ').unwrap();
    let with = |encoded: &str| format!("{head} {encoded}\n");
    let defect = |defect| NoteError::Signature { line: 3, defect };
    let cases = [
        ("empty", String::new(), NoteError::Unsigned),
        ("text only", "hello\n".into(), NoteError::Unsigned),
        ("no signature after the empty line", "hello\n\n".into(), NoteError::Unsigned),
        ("no empty line", good.replace("\n\n", "\n"), NoteError::Unsigned),
        ("no final newline", good.trim_end().into(), NoteError::Unterminated),
        ("carriage returns", good.replace('\n', "\r\n"), NoteError::Control { offset: 5, byte: b'\r' }),
        ("tab", good.replace("hello", "hel\tlo"), NoteError::Control { offset: 3, byte: b'\t' }),
        ("escape", good.replace("hello", "\u{1b}[2J"), NoteError::Control { offset: 0, byte: 0x1b }),
        ("hyphen for em dash", good.replace('—', "-"), NoteError::NotASignature { line: 3 }),
        ("no space after the dash", good.replace("— ", "—"), NoteError::NotASignature { line: 3 }),
        ("trailing line", format!("{good}more\n"), NoteError::NotASignature { line: 4 }),
        ("no name", good.replace("example.org/log ", ""), NoteError::Name { line: 3 }),
        ("empty name", good.replace("example.org/log", ""), NoteError::Name { line: 3 }),
        ("plus in the name", good.replace("/log", "+log"), NoteError::Name { line: 3 }),
        ("no-break space in the name", good.replace("/log", "\u{a0}log"), NoteError::Name { line: 3 }),
        ("trailing space", with(&format!("{encoded} ")), defect(Defect::OuterSpace)),
        ("two spaces", with(&format!(" {encoded}")), defect(Defect::OuterSpace)),
        ("no base64", with(""), defect(Defect::Empty)),
        ("no padding", with(encoded.trim_end_matches('=')), defect(Defect::NotBase64)),
        ("a comment after it", with(&format!("{encoded} ok")), defect(Defect::NotBase64)),
        ("only a key id", with("AAAAAA=="), NoteError::ShortSignature { line: 3 }),
        ("three bytes", with("AAAA"), NoteError::ShortSignature { line: 3 }),
    ];
    for (name, text, expected) in cases {
        assert_eq!(parse(text.as_bytes()), Err(expected), "{name}");
    }
}

#[test]
fn wrong_encodings_and_sizes_are_refused() {
    let mut bytes = signed().into_bytes();
    bytes[1] = 0xff;
    assert_eq!(parse(&bytes), Err(NoteError::NotUtf8(1)));
    assert_eq!(parse(&vec![b'a'; MAX_BYTES + 1]), Err(NoteError::TooLarge(MAX_BYTES + 1)));
    let line = signed().lines().last().unwrap().to_owned() + "\n";
    let many = |count| format!("hello\n\n{}", line.repeat(count));
    assert!(parse(many(MAX_SIGNATURES).as_bytes()).is_ok());
    assert_eq!(parse(many(MAX_SIGNATURES + 1).as_bytes()), Err(NoteError::TooManySignatures));
}

#[test]
fn an_unknown_key_is_ignored_but_listed() {
    let stranger = SignerKey::generate("stranger", [9; 32]).unwrap();
    let theirs = parse(sign("hello\n", &stranger).unwrap().as_bytes()).unwrap().signatures.remove(0);
    let note = parse(signed().as_bytes()).unwrap().with(theirs.clone()).unwrap();
    let keys = [key(7)];
    assert_eq!(note.verify(&keys).unwrap().len(), 1);
    assert_eq!(note.unknown(&keys).collect::<Vec<_>>(), [&theirs]);
    let error = note.verify(&[key(1)]).unwrap_err();
    assert!(error.to_string().contains("stranger"), "{error}");
}

#[test]
fn a_name_or_an_id_alone_does_not_make_a_key_known() {
    let note = parse(signed().as_bytes()).unwrap();
    let other_id = key(8);
    let other_name = SignerKey::generate("example.org/other", [7; 32]).unwrap().verifier().clone();
    for keys in [vec![other_id], vec![other_name]] {
        assert!(matches!(note.verify(&keys), Err(NoteError::NoKnownSignature { .. })));
    }
}

#[test]
fn a_known_key_with_a_bad_signature_refuses_the_whole_note() {
    let note = parse(signed().as_bytes()).unwrap();
    let mut bad = note.signatures[0].clone();
    bad.bytes[63] ^= 1;
    let beside_a_good_one =
        Note { signatures: vec![note.signatures[0].clone(), bad.clone()], ..note.clone() };
    let short = Signature { bytes: note.signatures[0].bytes[..63].to_vec(), ..bad.clone() };
    let long = Signature { bytes: [note.signatures[0].bytes.as_slice(), &[0]].concat(), ..bad.clone() };
    let of = |signature| Note { signatures: vec![signature], ..note.clone() };
    for note in [beside_a_good_one, of(bad), of(short), of(long)] {
        let expected = NoteError::BadSignature { name: "example.org/log".into(), id: key(7).id() };
        assert_eq!(note.verify(&[key(7)]), Err(expected));
    }
}

#[test]
fn one_key_counts_once() {
    let mut note = parse(signed().as_bytes()).unwrap();
    note.signatures.push(note.signatures[0].clone());
    assert_eq!(note.verify(&[key(7), key(7)]).unwrap().len(), 1);
}

#[test]
fn the_malleable_twin_of_a_signature_is_refused() {
    // s + L is the same scalar modulo the order L; RFC 8032, section 5.1.7, wants s below L.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut note = parse(signed().as_bytes()).unwrap();
    let mut carry = 0;
    for (byte, add) in note.signatures[0].bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (u8::try_from(sum & 0xff).unwrap(), sum >> 8);
    }
    assert!(matches!(note.verify(&[key(7)]), Err(NoteError::BadSignature { .. })));
}

#[test]
fn text_that_a_reader_would_refuse_is_not_signed() {
    for text in ["", "no newline"] {
        assert_eq!(sign(text, &signer(7)), Err(SignError::Unterminated));
    }
    assert_eq!(sign("a\r\n", &signer(7)), Err(SignError::Control { offset: 1, byte: b'\r' }));
    assert_eq!(sign(&("a".repeat(MAX_BYTES) + "\n"), &signer(7)), Err(SignError::TooLarge));
}

#[test]
fn what_an_agent_signed_is_verified_before_it_is_written() {
    let raw = signer(7).sign_bytes(b"hello\n");
    let signature = attach("hello\n", &key(7), &raw).unwrap();
    assert_eq!(format!("hello\n\n{signature}\n"), signed());
    let wrong = SignError::WrongSignature { name: "example.org/log".into() };
    assert_eq!(attach("hello\n", &key(8), &raw), Err(wrong.clone()));
    assert_eq!(attach("other\n", &key(7), &raw), Err(wrong.clone()));
    assert_eq!(attach("hello\n", &key(7), &raw[1..]), Err(wrong.clone()));
    assert_eq!(attach("hello\n", &key(7).as_cosigner(), &raw), Err(wrong));
}

#[test]
fn a_new_signature_replaces_the_old_one_of_its_key() {
    let note = parse(signed().as_bytes()).unwrap();
    let again = note.clone().with(note.signatures[0].clone()).unwrap();
    assert_eq!(again, note);
    let full =
        Note { signatures: vec![Signature { name: "x".into(), id: 0, bytes: vec![1] }; 100], ..note.clone() };
    assert_eq!(full.with(note.signatures[0].clone()), Err(SignError::TooLarge));
}

#[test]
fn the_kind_is_part_of_the_key() {
    let keys = [key(7), key(7).as_cosigner()];
    assert_eq!(keys.map(|key| key.kind()), [KeyKind::Note, KeyKind::Cosignature]);
    assert!(parse(signed().as_bytes()).unwrap().verify(&[key(7).as_cosigner()]).is_err());
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_note_is_found(place in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut bytes = signed().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        if let Ok(note) = parse(&bytes) {
            assert!(note.verify(&[key(7)]).is_err(), "byte {place}");
        }
    }

    #[test]
    fn any_byte_left_out_or_put_in_is_found(place in any::<prop::sample::Index>(), byte in any::<Option<u8>>()) {
        let good = signed().into_bytes();
        let mut bytes = good.clone();
        let place = place.index(bytes.len());
        match byte {
            Some(byte) => bytes.insert(place, byte),
            None => drop(bytes.remove(place)),
        }
        if let Ok(note) = parse(&bytes) {
            assert!(bytes == good || note.verify(&[key(7)]).is_err(), "byte {place}");
        }
    }

    #[test]
    fn what_is_read_is_written_back(text in "\\PC{0,20}(\n\\PC{0,20}){0,5}\n", seed in any::<u8>()) {
        let signed = sign(&text, &signer(seed)).unwrap();
        let note = parse(signed.as_bytes()).unwrap();
        assert_eq!((&note.text, note.to_string()), (&text, signed));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(parse(&bytes));
        drop(VerifierKey::parse(&String::from_utf8_lossy(&bytes)));
        drop(SignerKey::parse(&String::from_utf8_lossy(&bytes)));
    }
}
