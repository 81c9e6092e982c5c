use gate_model::time::Timestamp;
use serde_json::json;

use super::{Draft, DraftError, Entry, EntryHash, Kind, Place, hash};
use crate::chain::Bad;
use crate::profile::MAX_BYTES;

const LEDGER: &str = "000102030405060708090a0b0c0d0e0f";

fn place() -> Place<'static> {
    let at = Timestamp::parse("2026-11-22T16:30:35.123456Z").unwrap();
    Place { ledger: LEDGER, seq: 42, prev: hash(b"the one before"), at }
}

fn draft() -> Draft {
    Draft {
        kind: Kind::Grant,
        gate: Some("lint".to_owned()),
        reference: Some(40),
        actor: json!({"id": "github:carol", "assurance": "asserted", "via": "github"}),
        data: json!({"reason": "a \"quoted\" line\nand another", "expires": "2026-11-23T00:00:00.000000Z"}),
    }
}

/// The body of the draft with one piece replaced.
fn edited(from: &str, to: &str) -> Bad {
    let body = draft().at(place()).unwrap().body;
    assert!(body.contains(from), "{body} has no {from}");
    Entry::from_body(body.replacen(from, to, 1).as_bytes()).unwrap_err().0
}

#[test]
fn a_draft_becomes_the_entry_that_its_body_reads_as() {
    let entry = draft().at(place()).unwrap();
    assert_eq!(Entry::from_body(entry.body.as_bytes()), Ok(entry.clone()));
    assert_eq!(entry.hash, hash(entry.body.as_bytes()));
    assert!(
        entry
            .body
            .starts_with(r#"{"actor":{"assurance":"asserted","id":"github:carol","via":"github"},"at":""#)
    );
    assert!(entry.body.ends_with(r#","ref":40,"seq":42,"v":1}"#));
    let plain = Draft { gate: None, reference: None, ..draft() }.at(place()).unwrap();
    assert_eq!((plain.gate, plain.reference), (None, None));
}

#[test]
fn the_line_is_the_body_with_the_hash_as_last_member() {
    let entry = draft().at(place()).unwrap();
    let expected = format!(r#"{},"hash":"{}"}}"#, entry.body.strip_suffix('}').unwrap(), entry.hash);
    assert_eq!(entry.line(), expected);
    assert_eq!(entry.line().len(), entry.body.len() + super::LINE_EXTRA);
}

#[test]
fn a_line_reads_as_the_entry_that_it_was_written_from_and_nothing_else_does() {
    let entry = draft().at(place()).unwrap();
    assert_eq!(Entry::from_line(entry.line().as_bytes()), Ok(entry.clone()));
    assert_eq!(Entry::from_line(entry.body.as_bytes()).unwrap_err().0, Bad::HashMissing);
    let edited = entry.line().replace("github:carol", "github:dave!");
    assert_eq!(Entry::from_line(edited.as_bytes()).unwrap_err().0.code(), "hash");
    let spaced = entry.line().replacen(',', ", ", 1);
    assert_eq!(Entry::from_line(spaced.as_bytes()).unwrap_err().0.code(), "not-canonical");
}

#[test]
fn each_member_is_checked() {
    let cases = [
        (r#""v":1"#, r#""v":2"#, "version"),
        (r#""v":1"#, r#""v":"1""#, "member"),
        (r#","v":1"#, "", "missing-member"),
        (r#""kind":"grant""#, r#""kind":"Grant""#, "kind"),
        (r#""kind":"grant""#, r#""kind":null"#, "member"),
        (r#""gate":"lint""#, r#""gate":null"#, "member"),
        (r#""gate":"lint""#, r#""gate":"""#, "member"),
        (r#""gate":"lint""#, r#""gate":"lint","hash":"b3:00""#, "unknown-member"),
        (r#""ref":40"#, r#""ref":43"#, "member"),
        (r#""ref":40"#, r#""ref":-1"#, "member"),
        (r#""ref":40"#, r#""reg":40"#, "unknown-member"),
        (r#""seq":42"#, r#""seq":-42"#, "member"),
        (r#""seq":42"#, r#""seq":true"#, "member"),
        (r#""ledger":"00"#, r#""ledger":"0"#, "member"),
        (r#""ledger":"00"#, r#""ledger":"0A"#, "member"),
        (r#""prev":"b3:"#, r#""prev":"b4:"#, "member"),
        (r#""at":"2026-11-22T16:30:35.123456Z""#, r#""at":"2026-11-22T16:30:35.12345Z""#, "time"),
        (r#""at":"2026-11-22T16:30:35.123456Z""#, r#""at":"2026-11-22T16:30:35.123456+""#, "time"),
        (r#""at":"2026-11-22"#, r#""at":"2026-11-31"#, "time"),
        (r#""at":"2026-11-22"#, r#""at":"2026-02-29"#, "time"),
        (r#""at":"2026-11-22"#, r#""at":"0000-11-22"#, "time"),
        (r#""at":"2026-11-22T16:30:35"#, r#""at":"2026-11-22T16:30:60"#, "time"),
        (r#""actor":{"#, r#""actor":[],"actor_":{"#, "unknown-member"),
    ];
    for (from, to, code) in cases {
        let bad = edited(from, to);
        assert_eq!(bad.code(), code, "{from} -> {to}: {bad}");
    }
    assert_eq!(edited(r#""seq":42"#, r#""seq": 42"#).code(), "not-canonical");
    assert!(Entry::from_body(b"[]").is_err() && Entry::from_body(b"").is_err());
}

#[test]
fn leap_days_are_days() {
    let at = |text: &str| Place { at: Timestamp::parse(text).unwrap(), ..place() };
    for text in [
        "2024-02-29T00:00:00Z",
        "2000-02-29T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ] {
        let entry = draft().at(at(text)).unwrap();
        assert_eq!(Entry::from_body(entry.body.as_bytes()).unwrap().at, entry.at);
    }
    assert_eq!(edited(r#""at":"2026-11-22"#, r#""at":"1900-02-29"#).code(), "time");
}

#[test]
fn what_could_not_be_verified_is_not_written() {
    let error = |draft: Draft| draft.at(place()).unwrap_err();
    let profile = error(Draft { data: json!({"x": 0.5}), ..draft() });
    assert!(matches!(profile, DraftError::Profile { member: "data", .. }), "{profile}");
    let control = error(Draft { gate: Some("a\u{1b}".to_owned()), ..draft() });
    assert!(matches!(control, DraftError::Profile { member: "gate", .. }), "{control}");
    assert!(matches!(error(Draft { data: json!([]), ..draft() }), DraftError::Invalid(_)));
    assert!(matches!(error(Draft { actor: json!("alice"), ..draft() }), DraftError::Invalid(_)));
    assert!(matches!(error(Draft { reference: Some(43), ..draft() }), DraftError::Invalid(_)));
    let large = error(Draft { data: json!({"x": "x".repeat(MAX_BYTES)}), ..draft() });
    assert!(large.to_string().contains("1048576 bytes"), "{large}");
}

#[test]
fn an_entry_is_as_large_as_the_profile_allows_and_no_larger() {
    let empty = Draft { data: json!({"x": ""}), ..draft() }.at(place()).unwrap().body.len();
    let filled = |length: usize| Draft { data: json!({"x": "x".repeat(length)}), ..draft() }.at(place());
    assert_eq!(filled(MAX_BYTES - empty).unwrap().body.len(), MAX_BYTES);
    assert!(filled(MAX_BYTES - empty + 1).is_err());
}

#[test]
fn hashes_have_one_writing() {
    let written = hash(b"x").to_string();
    assert_eq!(written.parse(), Ok(hash(b"x")));
    for wrong in
        [written.to_uppercase(), written[3..].to_owned(), format!("{written}0"), written[..66].to_owned()]
    {
        assert!(wrong.parse::<EntryHash>().is_err(), "{wrong}");
    }
    let json = serde_json::to_string(&hash(b"x")).unwrap();
    assert_eq!(serde_json::from_str::<EntryHash>(&json).unwrap(), hash(b"x"));
}

#[test]
fn kinds_have_one_word_each() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::parse("Grant"), None);
}
