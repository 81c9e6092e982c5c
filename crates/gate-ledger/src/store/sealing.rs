//! Taking personal text out of a draft before it becomes an entry.
//!
//! The salt of a name is drawn once for a ledger, so that its commitment stays the same; that of a reason once for
//! each entry, so that equal reasons look different. What a signed document commits to keeps the signer's salt.

use rusqlite::Connection;
use serde_json::Value;

use super::{StoreError, private};
use crate::commitment::{Commitment, Field, Opening};
use crate::entry::{Draft, Entry, Kind};
use crate::redaction::{self, Privacy, SealError, Text};

/// A commitment with the opening that is to be kept.
pub(super) type New = (Commitment, Opening);

/// The draft with commitments in place of what `privacy` covers, and the openings to be kept beside its entry.
pub(super) fn seal(
    connection: &Connection,
    draft: &Draft,
    privacy: Privacy,
) -> Result<(Draft, Vec<New>), StoreError> {
    let mut draft = draft.clone();
    let mut offered = redaction::take_openings(&mut draft.data)?;
    offered.extend(reasons_of_request(connection, &draft)?);
    let mut sealer = Sealer { connection: Some(connection), offered: &offered, new: Vec::new() };
    let mut texts = sealer.take_out(&mut draft, privacy)?;
    if texts.is_empty() {
        return Ok((draft, sealer.new));
    }
    if let Some(sentences) = draft.data.get("reasons").and_then(Value::as_array)
        && !sentences.is_empty()
    {
        let all = sentences.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n");
        texts.extend(names_in(connection, &all, privacy)?);
        texts.extend(reasons_of_used(connection, &draft, privacy)?);
    }
    hide(&mut draft.data, &texts);
    Ok((draft, sealer.new))
}

/// The same for the first entry, before there is a table to look into.
pub(super) fn first(draft: &mut Draft, privacy: Privacy) -> Result<Vec<New>, StoreError> {
    let mut sealer = Sealer { connection: None, offered: &[], new: Vec::new() };
    sealer.take_out(draft, privacy)?;
    Ok(sealer.new)
}

/// The reasons of the request that a grant grants: it commits to its reason as that did, so that both are known or
/// erased together.
fn reasons_of_request(connection: &Connection, draft: &Draft) -> Result<Vec<Opening>, StoreError> {
    let request = draft.reference.filter(|_| draft.kind == Kind::Grant);
    let texts = match request.and_then(|seq| i64::try_from(seq).ok()) {
        Some(seq) => reasons_in(connection, include_str!("sql/entry.sql"), seq)?,
        None => Vec::new(),
    };
    Ok(texts.into_iter().map(|(_, opening)| opening).collect())
}

fn hide(data: &mut Value, texts: &[Text]) {
    let sentences = data.get_mut("reasons").and_then(Value::as_array_mut);
    for sentence in sentences.into_iter().flatten() {
        if let Value::String(text) = sentence {
            *text = redaction::hide(text, texts);
        }
    }
}

fn names_in(connection: &Connection, text: &str, privacy: Privacy) -> Result<Vec<Text>, StoreError> {
    if privacy.names { private::mentioned(connection, text) } else { Ok(Vec::new()) }
}

/// The reasons of the opt-outs that a decision used: its sentences repeat them.
fn reasons_of_used(
    connection: &Connection,
    draft: &Draft,
    privacy: Privacy,
) -> Result<Vec<Text>, StoreError> {
    let mut texts = Vec::new();
    let used = draft.data.get("grants").and_then(Value::as_array).filter(|_| draft.kind == Kind::Decision);
    for id in used.into_iter().flatten().filter_map(Value::as_i64).filter(|_| privacy.reasons) {
        for sql in [include_str!("sql/entry.sql"), include_str!("sql/life.sql")] {
            let found = reasons_in(connection, sql, id)?.into_iter();
            texts.extend(found.map(|(commitment, opening)| Text {
                field: opening.field,
                value: opening.value,
                commitment,
            }));
        }
    }
    Ok(texts)
}

/// The reasons in the entries that `sql` finds for `id`.
fn reasons_in(connection: &Connection, sql: &str, id: i64) -> Result<Vec<New>, StoreError> {
    let mut found = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        found.extend(reasons_of(connection, row)?);
    }
    Ok(found)
}

fn reasons_of(connection: &Connection, row: &rusqlite::Row<'_>) -> Result<Vec<New>, StoreError> {
    let raw = super::RawRow::read(row)?;
    let entry: Entry = raw.entry().map_err(|source| StoreError::Bad { seq: raw.seq, source })?;
    let committed = redaction::commitments(entry.kind, &entry.actor, &entry.data);
    let mut found = Vec::new();
    for (_, commitment) in committed.into_iter().filter(|(field, _)| *field == Field::Reason) {
        found.extend(private::find(connection, commitment)?.map(|opening| (commitment, opening)));
    }
    Ok(found)
}

/// Where openings come from while a draft is sealed.
struct Sealer<'a> {
    connection: Option<&'a Connection>,
    offered: &'a [Opening],
    new: Vec<New>,
}

impl Sealer<'_> {
    fn take_out(&mut self, draft: &mut Draft, privacy: Privacy) -> Result<Vec<Text>, StoreError> {
        let commit = &mut |field: Field, value: &str, named: Option<Commitment>| match named {
            Some(named) => self.named(field, value, named),
            None => self.commit(field, value),
        };
        redaction::seal(draft.kind, &mut draft.actor, &mut draft.data, privacy, commit)
    }

    /// A commitment that a signed document names: its opening was handed over with it, or is kept already.
    fn named(&mut self, field: Field, value: &str, named: Commitment) -> Result<Commitment, StoreError> {
        let offered = self.offered.iter().find(|opening| opening.opens(named)).cloned();
        let kept = match (&offered, self.connection) {
            (None, Some(connection)) => private::find(connection, named)?,
            _ => None,
        };
        let opening = offered.or(kept).ok_or(SealError::Unopened(named))?;
        if opening.field != field || opening.value != value {
            return Err(SealError::Mismatch(named).into());
        }
        self.keep(named, opening);
        Ok(named)
    }

    fn commit(&mut self, field: Field, value: &str) -> Result<Commitment, StoreError> {
        let is_same = |opening: &Opening| opening.field == field && opening.value == value;
        if let (Field::Name, Some(connection)) = (field, self.connection)
            && let Some(pseudonym) = private::pseudonyms(connection, value)?.first()
        {
            return Ok(*pseudonym);
        }
        if let Some((commitment, _)) = self.new.iter().find(|(_, opening)| is_same(opening)) {
            return Ok(*commitment);
        }
        let offered = self.offered.iter().find(|opening| is_same(opening)).cloned();
        let opening = match offered {
            Some(opening) => opening,
            None => Opening::draw(field, value).map_err(|error| StoreError::Random(error.to_string()))?,
        };
        let commitment = opening.commitment().map_err(|source| {
            StoreError::Draft(crate::entry::DraftError::Profile { member: field.as_str(), source })
        })?;
        self.keep(commitment, opening);
        Ok(commitment)
    }

    fn keep(&mut self, commitment: Commitment, opening: Opening) {
        if self.new.iter().all(|(known, _)| *known != commitment) {
            self.new.push((commitment, opening));
        }
    }
}
