//! Sealing and revealing without a store.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Privacy, SealError, Text, WrongField, commitments, has_erased, hide, reveal, seal};
use crate::commitment::{Commitment, Field, Opening};
use crate::entry::Kind;

#[derive(Debug, PartialEq)]
enum Failed {
    Seal(SealError),
    Field(WrongField),
}

impl From<SealError> for Failed {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

impl From<WrongField> for Failed {
    fn from(error: WrongField) -> Self {
        Self::Field(error)
    }
}

type Openings = BTreeMap<Commitment, Opening>;

const ALL: Privacy = Privacy { reasons: true, names: true };

fn sealed(actor: &mut Value, data: &mut Value, privacy: Privacy) -> Result<(Vec<Text>, Openings), Failed> {
    let mut openings = Openings::new();
    let mut salt = 0;
    let texts = seal::<Failed>(Kind::Denial, actor, data, privacy, &mut |field, value, _| {
        let same = openings.iter().find(|(_, opening)| opening.field == field && opening.value == value);
        if let Some((commitment, _)) = same {
            return Ok(*commitment);
        }
        salt += 1;
        let opening = Opening { field, salt: [salt; 32], value: value.to_owned() };
        let commitment = opening.commitment().unwrap();
        openings.insert(commitment, opening);
        Ok(commitment)
    })?;
    Ok((texts, openings))
}

fn revealed(actor: &mut Value, data: &mut Value, openings: &Openings) -> Result<(), Failed> {
    reveal(Kind::Denial, actor, data, &mut |commitment| Ok(openings.get(&commitment).cloned()))
}

fn sample() -> (Value, Value) {
    let actor = json!({"id": "os:alice", "assurance": "asserted", "via": "os"});
    let statement = json!({"by": "os:alice", "reason": "not now"});
    let data = json!({"reason": "not now", "reasons": ["not now", "os:alice may not"], "author": "bob@example.com",
        "statement": statement, "context": {"run": {"id": "7"}}});
    (actor, data)
}

#[test]
fn nothing_personal_is_left_and_all_of_it_comes_back() {
    let (mut actor, mut data) = sample();
    let (texts, openings) = sealed(&mut actor, &mut data, ALL).unwrap();
    for sentence in data["reasons"].as_array_mut().unwrap() {
        *sentence = Value::String(hide(sentence.as_str().unwrap(), &texts));
    }
    let written = format!("{actor}{data}");
    for plain in ["alice", "bob", "not now"] {
        assert!(!written.contains(plain), "{written}");
    }
    assert_eq!(commitments(Kind::Denial, &actor, &data).len(), 5);
    assert_eq!(data["context"]["run"]["id"], "7");
    revealed(&mut actor, &mut data, &openings).unwrap();
    let (plain_actor, plain) = sample();
    assert_eq!(actor, plain_actor);
    for member in ["reason", "reasons", "author", "context"] {
        assert_eq!(data[member], plain[member]);
    }
    assert_eq!(data["statement"]["reason"], "not now");
    assert!(!has_erased(Kind::Denial, &actor, &data));
}

#[test]
fn what_has_no_opening_is_marked_and_a_name_keeps_its_pseudonym() {
    let (mut actor, mut data) = sample();
    sealed(&mut actor, &mut data, ALL).unwrap();
    let pseudonym = actor["id_c"].clone();
    revealed(&mut actor, &mut data, &Openings::new()).unwrap();
    assert_eq!((&actor["id"], actor.get("id_c")), (&pseudonym, None));
    assert_eq!(data["reason"], "erased");
    assert!(has_erased(Kind::Denial, &actor, &data));
}

#[test]
fn without_privacy_nothing_changes() {
    let (mut actor, mut data) = sample();
    assert!(sealed(&mut actor, &mut data, Privacy::default()).unwrap().0.is_empty());
    assert_eq!((actor, data), sample());
}

#[test]
fn somebody_elses_event_is_left_alone() {
    let (mut actor, mut data) = sample();
    let commit = &mut |_: Field, _: &str, _: Option<Commitment>| Ok::<_, Failed>(Commitment([1; 32]));
    seal(Kind::Note, &mut actor, &mut data, ALL, commit).unwrap();
    assert_eq!(data, sample().1);
    assert_eq!(actor.get("id"), None);
}

#[test]
fn nobody_passes_for_erased_and_a_reason_never_for_a_name() {
    let (mut actor, mut data) = sample();
    data["reason"] = json!("erased");
    data["statement"] = json!({});
    let refused = sealed(&mut actor, &mut data, ALL).map(drop);
    assert_eq!(refused, Err(Failed::Seal(SealError::Reserved(Field::Reason))));
    let (mut actor, mut data) = sample();
    actor["id"] = json!(Commitment([3; 32]).to_string());
    let refused = sealed(&mut actor, &mut data, ALL).map(drop);
    assert_eq!(refused, Err(Failed::Seal(SealError::Reserved(Field::Name))));
    let (mut actor, mut data) = sample();
    let (_, openings) = sealed(&mut actor, &mut data, ALL).unwrap();
    actor["id_c"] = data["reason_c"].clone();
    assert!(matches!(revealed(&mut actor, &mut data, &openings), Err(Failed::Field(_))));
}

#[test]
fn only_whole_words_are_hidden_and_the_longest_first() {
    let text = |value: &str, byte| Text {
        field: Field::Name,
        value: value.into(),
        commitment: Commitment([byte; 32]),
    };
    let (long, short) = (text("os:alice2", 1), text("os:alice", 2));
    let texts = [short.clone(), long.clone()];
    let (short, long) = (short.commitment, long.commitment);
    assert_eq!(hide("os:alice, os:alice2.", &texts), format!("{short}, {long}."));
    assert_eq!(hide("los:alice os:alicex", &texts), "los:alice os:alicex");
    assert_eq!(hide("", &texts), "");
}
