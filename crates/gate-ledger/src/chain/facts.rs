//! One body alone: is it an entry, and what does it say about its place?

use std::fmt;

use gate_model::time::Timestamp;

use super::Bad;
use crate::entry::{EntryHash, Kind, VERSION, hash};
use crate::profile::{self, Key, word};

/// What a body says about its place in the chain. Small and `Copy`: verification holds thousands at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The position.
    pub seq: u64,
    /// The hash, computed from the body.
    pub hash: EntryHash,
    /// The hash of the entry before it, as the body says.
    pub prev: EntryHash,
    /// When, in the 27 bytes of its one written form, which sorts as time does.
    pub at: [u8; 27],
    /// What it records.
    pub kind: Kind,
    /// The ledger that it belongs to, as the body says.
    pub ledger: LedgerId,
    /// The opt-out that it belongs to (`ref`).
    pub reference: Option<u64>,
    /// Whether it names a gate.
    pub has_gate: bool,
}

/// The id of a ledger: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LedgerId([u8; 32]);

impl LedgerId {
    /// The id that `text` writes, if it writes one.
    pub fn read(text: &[u8]) -> Option<Self> {
        let digits: [u8; 32] = text.try_into().ok()?;
        digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(Self(digits))
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digits only, so no byte is lost.
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// Checks `body` on its own and returns what it says about its place.
///
/// # Errors
/// The first reason why it is not exactly the canonical form of an entry of version 1.
pub fn inspect(body: &[u8]) -> Result<Facts, Bad> {
    Ok(Facts { hash: hash(body), ..inspect_unhashed(body)? })
}

/// The members of a body that are no facts about its place, as they are written there.
pub(crate) struct Written<'a> {
    pub(crate) actor: &'a [u8],
    pub(crate) data: &'a [u8],
    pub(crate) gate: Option<&'a [u8]>,
}

/// What [`inspect`] finds, with what else the body holds.
pub(crate) fn inspect_whole(body: &[u8]) -> Result<(Facts, Written<'_>), Bad> {
    let members = members(body)?;
    let facts = Facts { hash: hash(body), ..members.facts()? };
    let actor = members.actor.ok_or(Bad::Missing("actor"))?;
    let data = members.data.ok_or(Bad::Missing("data"))?;
    Ok((facts, Written { actor, data, gate: members.gate }))
}

/// The same but for the hash, which is left zero: many are computed at once for less.
pub(crate) fn inspect_unhashed(body: &[u8]) -> Result<Facts, Bad> {
    members(body)?.facts()
}

fn members(body: &[u8]) -> Result<Members<'_>, Bad> {
    let mut members = Members::default();
    profile::scan(body, |key, value| members.take(key, value))?;
    if body.first() != Some(&b'{') {
        return Err(Bad::NotAnObject);
    }
    Ok(members)
}

/// The members of an entry as they are written. In a canonical body none can come twice.
#[derive(Default)]
struct Members<'a> {
    actor: Option<&'a [u8]>,
    at: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    gate: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    ledger: Option<&'a [u8]>,
    prev: Option<&'a [u8]>,
    reference: Option<&'a [u8]>,
    seq: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    unknown: Option<&'a [u8]>,
}

impl<'a> Members<'a> {
    fn take(&mut self, key: Key<'a>, value: &'a [u8]) {
        // Numbers instead of texts: comparing texts took a seventh of the time of a verification.
        const ACTOR: u128 = word(b"actor");
        const AT: u128 = word(b"at");
        const DATA: u128 = word(b"data");
        const GATE: u128 = word(b"gate");
        const KIND: u128 = word(b"kind");
        const LEDGER: u128 = word(b"ledger");
        const PREV: u128 = word(b"prev");
        const REF: u128 = word(b"ref");
        const SEQ: u128 = word(b"seq");
        const V: u128 = word(b"v");
        let place = match key.word {
            ACTOR => &mut self.actor,
            AT => &mut self.at,
            DATA => &mut self.data,
            GATE => &mut self.gate,
            KIND => &mut self.kind,
            LEDGER => &mut self.ledger,
            PREV => &mut self.prev,
            REF => &mut self.reference,
            SEQ => &mut self.seq,
            V => &mut self.version,
            _ => return self.unknown = self.unknown.or(Some(key.bytes)),
        };
        *place = Some(value);
    }

    fn facts(&self) -> Result<Facts, Bad> {
        // The version first: what an entry of a later one holds is not for this build to judge.
        self.check_version()?;
        if let Some(key) = self.unknown {
            return Err(Bad::Unknown(shown(key)));
        }
        object(self.actor, "actor")?;
        object(self.data, "data")?;
        let gate = self.gate.map(|value| text(Some(value), "gate")).transpose()?;
        if gate.is_some_and(<[u8]>::is_empty) {
            return Err(Bad::member("gate", "is empty; leave it out"));
        }
        let seq = number(self.seq, "seq")?;
        let reference = self.reference.map(|value| number(Some(value), "ref")).transpose()?;
        if reference.is_some_and(|reference| reference > seq) {
            return Err(Bad::member("ref", "names an entry that comes later"));
        }
        Ok(Facts {
            seq,
            hash: EntryHash::ZERO,
            prev: EntryHash::read(text(self.prev, "prev")?)
                .ok_or(Bad::member("prev", "is not b3: and 64 digits of 0-9 and a-f"))?,
            at: instant(text(self.at, "at")?).ok_or(Bad::Time)?,
            kind: kind(text(self.kind, "kind")?)?,
            ledger: LedgerId::read(text(self.ledger, "ledger")?)
                .ok_or(Bad::member("ledger", "is not 32 digits of 0-9 and a-f"))?,
            reference,
            has_gate: gate.is_some(),
        })
    }

    fn check_version(&self) -> Result<(), Bad> {
        let version = number(self.version, "v")?;
        if version == VERSION { Ok(()) } else { Err(Bad::Version(version.to_string())) }
    }
}

impl Facts {
    /// The time as an instant.
    pub(crate) fn instant(&self) -> Result<Timestamp, Bad> {
        std::str::from_utf8(&self.at).ok().and_then(|at| Timestamp::parse(at).ok()).ok_or(Bad::Time)
    }
}

/// The inside of a string member. What the ledger reads of them never needs an escape.
fn text<'a>(value: Option<&'a [u8]>, name: &'static str) -> Result<&'a [u8], Bad> {
    let value = value.ok_or(Bad::Missing(name))?;
    match value {
        [b'"', inside @ .., b'"'] => Ok(inside),
        _ => Err(Bad::member(name, "is not a string")),
    }
}

fn object(value: Option<&[u8]>, name: &'static str) -> Result<(), Bad> {
    match value.ok_or(Bad::Missing(name))? {
        [b'{', ..] => Ok(()),
        _ => Err(Bad::member(name, "is not an object")),
    }
}

/// A whole number from 0 up; the profile has already bounded it.
fn number(value: Option<&[u8]>, name: &'static str) -> Result<u64, Bad> {
    let digits = value.ok_or(Bad::Missing(name))?;
    let fails = Bad::member(name, "is not a whole number from 0 up");
    digits
        .iter()
        .try_fold(0_u64, |sum, byte| {
            byte.is_ascii_digit().then(|| sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'))).flatten()
        })
        .ok_or(fails)
}

fn kind(text: &[u8]) -> Result<Kind, Bad> {
    const WORDS: [u128; Kind::ALL.len()] = {
        let mut words = [0; Kind::ALL.len()];
        let mut index = 0;
        while index < words.len() {
            words[index] = word(Kind::ALL[index].as_str().as_bytes());
            index += 1;
        }
        words
    };
    let given = word(text);
    let known = WORDS.iter().zip(Kind::ALL).find(|(word, _)| **word == given);
    known.map(|(_, kind)| kind).ok_or_else(|| Bad::Kind(shown(text)))
}

/// Unknown texts in a message: bounded, and harmless to a terminal.
fn shown(word: &[u8]) -> String {
    const KEPT: usize = 60;
    gate_model::text::visible(&String::from_utf8_lossy(&word[..word.len().min(KEPT)]))
}

/// The instant in its one written form, if `text` is one: `2026-11-22T16:30:35.123456Z`.
fn instant(text: &[u8]) -> Option<[u8; 27]> {
    const SHAPE: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
    let text: [u8; 27] = text.try_into().ok()?;
    // A digit differs from '0' in its low bits alone, by less than ten; everything else must not differ.
    let fits = text
        .iter()
        .zip(SHAPE)
        .fold(true, |fits, (byte, shape)| fits & ((byte ^ shape) < if *shape == b'0' { 10 } else { 1 }));
    let two = |at: usize| u32::from(text[at] & 15) * 10 + u32::from(text[at + 1] & 15);
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let in_range = year >= 1 && (1..=days_of(year, month)).contains(&day);
    (fits && in_range && two(11) < 24 && two(14) < 60 && two(17) < 60).then_some(text)
}

/// How many days a month of the Gregorian calendar has; none where there is no such month.
const fn days_of(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}
