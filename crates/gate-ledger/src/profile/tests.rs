use proptest::prelude::*;
use serde_json::{Value, json};

use super::{MAX_BYTES, MAX_DEPTH, ProfileErrorKind as Kind, canonical, check_canonical, parse};

/// The kind of the error of the canonical check.
fn checked(bytes: impl AsRef<[u8]>) -> Kind {
    check_canonical(bytes.as_ref()).unwrap_err().kind
}

fn parsed(bytes: impl AsRef<[u8]>) -> Kind {
    parse(bytes.as_ref()).unwrap_err().kind
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn canonical_documents_are_accepted_by_all_three_doors() {
    let documents = [
        "{}",
        "[]",
        "null",
        "true",
        "0",
        "-9007199254740991",
        "9007199254740991",
        r#""""#,
        r#"{"a":[1,2,{"b":"x"}],"b_0":"\"\\\t\n/","c":"ü€𐍈\u2028"}"#.replace("\\u2028", "\u{2028}").as_str(),
        "\"\u{a0}\u{bf}\u{feff}\"",
    ]
    .map(str::to_owned);
    for document in documents {
        assert_eq!(check_canonical(document.as_bytes()), Ok(()), "{document}");
        let value = parse(document.as_bytes()).unwrap();
        assert_eq!(canonical(&value).unwrap(), document);
    }
}

#[test]
fn each_defect_has_its_own_error() {
    for (document, canonical_kind, parse_kind) in [
        ("1.0", Kind::Float, Kind::Float),
        ("1e3", Kind::Float, Kind::Float),
        ("-0", Kind::NegativeZero, Kind::NegativeZero),
        ("01", Kind::LeadingZero, Kind::LeadingZero),
        ("-01", Kind::LeadingZero, Kind::LeadingZero),
        ("9007199254740992", Kind::Integer, Kind::Integer),
        ("-9007199254740992", Kind::Integer, Kind::Integer),
        ("99999999999999999999999999", Kind::Integer, Kind::Integer),
        ("-", Kind::End, Kind::End),
        ("+1", Kind::Unexpected(b'+'), Kind::Unexpected(b'+')),
        ("NaN", Kind::Unexpected(b'N'), Kind::Unexpected(b'N')),
        ("nul", Kind::Unexpected(b'n'), Kind::Unexpected(b'n')),
        ("", Kind::End, Kind::End),
        ("{", Kind::End, Kind::End),
        (r#"{"a":1"#, Kind::End, Kind::End),
        (r#"{"a":1,}"#, Kind::Unexpected(b'}'), Kind::Unexpected(b'}')),
        ("[1,]", Kind::Unexpected(b']'), Kind::Unexpected(b']')),
        (r#"{"a" 1}"#, Kind::WhiteSpace, Kind::Unexpected(b'1')),
        (r#"{"a":1}{"#, Kind::Trailing, Kind::Trailing),
        (r#"{"A":1}"#, Kind::Key("A".into()), Kind::Key("A".into())),
        (r#"{"":1}"#, Kind::Key(String::new()), Kind::Key(String::new())),
        (r#"{"a-b":1}"#, Kind::Key("a-b".into()), Kind::Key("a-b".into())),
        (r#"{"a":1,"a":1}"#, Kind::DuplicateKey("a".into()), Kind::DuplicateKey("a".into())),
        (r#"{"a":1,"\u0061":2}"#, Kind::Escape, Kind::DuplicateKey("a".into())),
        (r#""\ud800""#, Kind::Escape, Kind::LoneSurrogate),
        (r#""\udc00\ud800""#, Kind::Escape, Kind::LoneSurrogate),
        (r#""\ud800\u0041""#, Kind::Escape, Kind::LoneSurrogate),
        (r#""\u000d""#, Kind::Escape, Kind::Control(13)),
        (r#""\r""#, Kind::Escape, Kind::Control(13)),
        (r#""\u0000""#, Kind::Escape, Kind::Control(0)),
        (r#""\u009f""#, Kind::Escape, Kind::Control(0x9f)),
        (r#""\x""#, Kind::BadEscape, Kind::BadEscape),
        (r#""\u12g4""#, Kind::Escape, Kind::BadEscape),
        ("\"\u{7f}\"", Kind::Control(0x7f), Kind::Control(0x7f)),
        ("\"\u{80}\"", Kind::Control(0x80), Kind::Control(0x80)),
        ("\"\u{9f}\"", Kind::Control(0x9f), Kind::Control(0x9f)),
        ("\"a\nb\"", Kind::Control(10), Kind::Control(10)),
        ("\"\0\"", Kind::Control(0), Kind::Control(0)),
        ("\u{feff}{}", Kind::Unexpected(0xef), Kind::Unexpected(0xef)),
    ] {
        assert_eq!(checked(document), canonical_kind, "check of {document:?}");
        assert_eq!(parsed(document), parse_kind, "parse of {document:?}");
    }
}

#[test]
fn what_is_only_written_otherwise_is_read_but_not_canonical() {
    for document in [
        " {}",
        "{} ",
        r#"{ "a":1}"#,
        r#"{"a": 1}"#,
        "[1, 2]",
        r#"{"b":1,"a":2}"#,
        r#""\u0041""#,
        r#""\/""#,
        r#""\u000a""#,
        r#""\ud83d\ude00""#,
    ] {
        assert!(check_canonical(document.as_bytes()).is_err(), "{document}");
        let value = parse(document.as_bytes()).unwrap();
        assert_eq!(check_canonical(canonical(&value).unwrap().as_bytes()), Ok(()), "{document}");
    }
}

#[test]
fn keys_of_any_length_are_compared() {
    let (short, exact, long, longer) = ("b", "bbbbbbbbbbbbbbbb", "bbbbbbbbbbbbbbbbb", "bbbbbbbbbbbbbbbbbb");
    let sorted = ["a", "b", exact, long, longer, "bc", "c0000000000000000", "d", "ddddddddddddddddd"];
    let object = |keys: &[&str]| {
        let members: Vec<_> = keys.iter().map(|key| format!("\"{key}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(check_canonical(object(&sorted).as_bytes()), Ok(()));
    for (first, second) in
        [(long, short), (longer, long), (long, exact), ("c", long), ("c0000000000000000", "c")]
    {
        assert_eq!(checked(object(&[first, second])), Kind::UnsortedKey(second.into()));
        assert_eq!(checked(object(&[first, first])), Kind::DuplicateKey(first.into()));
    }
}

#[test]
fn a_string_is_looked_at_wherever_its_special_bytes_lie() {
    for length in 0..40 {
        for (special, kind) in [
            ("\u{1f}", Kind::Control(0x1f)),
            ("\u{7f}", Kind::Control(0x7f)),
            ("\u{9f}", Kind::Control(0x9f)),
        ] {
            for before in 0..=length {
                let inside = format!("{}{special}{}", "~".repeat(before), " ".repeat(length - before));
                assert_eq!(checked(format!("\"{inside}\"")), kind);
            }
        }
        for plain in ["!", "#", "[", "]", "~", " ", "\u{a0}", "é", "𐍈"] {
            let document = format!("\"{}{plain}\"", "x".repeat(length));
            assert_eq!(check_canonical(document.as_bytes()), Ok(()), "{document}");
        }
    }
}

#[test]
fn invalid_utf8_is_placed() {
    for bytes in [&b"\"ab\xff\""[..], b"\"ab\xc3\"", b"\"ab\xed\xa0\x80\"", b"\"ab\xc0\x80\"", b"\"ab\xc2\""]
    {
        let error = check_canonical(bytes).unwrap_err();
        assert_eq!((error.offset, error.kind), (3, Kind::NotUtf8));
        assert_eq!(parsed(bytes), Kind::NotUtf8);
    }
}

#[test]
fn an_error_names_its_place() {
    assert_eq!(check_canonical(br#"{"a":1,"b":1.5}"#).unwrap_err().offset, 11);
    let error = parse(b"{\"a\": 1,\n \"b\": 1.5}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "at byte 15: a number with a fraction or an exponent; only whole numbers are allowed"
    );
}

#[test]
fn a_hostile_key_is_shown_short_and_inert() {
    let document = format!(r#"{{"a":1,"{}":1}}"#, "\u{202e}".repeat(500));
    let message = check_canonical(document.as_bytes()).unwrap_err().to_string();
    assert!(message.len() < 700 && !message.contains('\u{202e}'), "{message}");
}

#[test]
fn depth_is_bounded_at_exactly_the_limit() {
    assert_eq!(check_canonical(nested(MAX_DEPTH).as_bytes()), Ok(()));
    let value = parse(nested(MAX_DEPTH).as_bytes()).unwrap();
    assert!(canonical(&value).is_ok());
    assert!(matches!(canonical(&json!([value])).unwrap_err().kind, Kind::TooDeep));
    for deep in [MAX_DEPTH + 1, 100_000] {
        assert_eq!(checked(nested(deep)), Kind::TooDeep);
        assert_eq!(parsed(nested(deep)), Kind::TooDeep);
    }
}

#[test]
fn size_is_bounded_at_exactly_the_limit() {
    let fits = format!("\"{}\"", "x".repeat(MAX_BYTES - 2));
    let over = format!("\"{}\"", "x".repeat(MAX_BYTES - 1));
    assert_eq!(check_canonical(fits.as_bytes()), Ok(()));
    assert_eq!(canonical(&parse(fits.as_bytes()).unwrap()).unwrap(), fits);
    assert_eq!(checked(&over), Kind::TooLarge(MAX_BYTES));
    assert_eq!(parsed(&over), Kind::TooLarge(MAX_BYTES));
    let value = Value::String("x".repeat(MAX_BYTES - 1));
    assert_eq!(canonical(&value).unwrap_err().kind, Kind::TooLarge(MAX_BYTES));
}

#[test]
fn values_outside_the_profile_are_not_written() {
    for (value, kind) in [
        (json!({"a": 1.5}), Kind::Float),
        (json!(-0.0), Kind::Float),
        (json!(1_u64 << 53), Kind::Integer),
        (json!(-(1_i64 << 53)), Kind::Integer),
        (json!(i64::MIN), Kind::Integer),
        (json!(u64::MAX), Kind::Integer),
        (json!({"Key": 1}), Kind::Key("Key".into())),
        (json!("a\u{1b}b"), Kind::Control(0x1b)),
        (json!("a\rb"), Kind::Control(13)),
        (json!("\u{85}"), Kind::Control(0x85)),
    ] {
        assert_eq!(canonical(&value).unwrap_err().kind, kind, "{value}");
    }
}

/// Any value of the profile.
fn values() -> impl Strategy<Value = Value> {
    let text = proptest::collection::vec(
        prop_oneof![
            Just('"'),
            Just('\\'),
            Just('\t'),
            Just('\n'),
            Just('/'),
            proptest::char::range(' ', '~'),
            proptest::char::range('\u{a0}', '\u{7ff}'),
            any::<char>().prop_filter("a control character", |c| !c.is_control()),
        ],
        0..12,
    )
    .prop_map(|characters| characters.into_iter().collect::<String>());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-((1_i64 << 53) - 1)..(1_i64 << 53)).prop_map(Value::from),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map("[a-z0-9_]{1,5}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_is_that_of_rfc_8785(value in values()) {
        let ours = canonical(&value).unwrap();
        let theirs = serde_json_canonicalizer::to_string(&value).unwrap();
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(check_canonical(ours.as_bytes()), Ok(()));
        prop_assert_eq!(parse(ours.as_bytes()), Ok(value));
    }

    #[test]
    fn what_passes_the_check_is_what_the_writer_writes(value in values(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = canonical(&value).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let written_anew = parse(&bytes).and_then(|value| canonical(&value));
        let is_canonical = written_anew.is_ok_and(|written| written.as_bytes() == bytes);
        prop_assert_eq!(check_canonical(&bytes).is_ok(), is_canonical);
    }

    #[test]
    fn no_bytes_make_a_door_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(check_canonical(&bytes).is_ok(), parse(&bytes).is_ok_and(
            |value| canonical(&value).is_ok_and(|written| written.as_bytes() == bytes)));
    }
}
