//! Where personal text stands in an entry, and putting commitments in its place and back.
//!
//! Purpose: one list of the members that may hold personal text (`Spot`), and the only two ways across: [`seal`]
//! before an entry is written, [`reveal`] after it was read. So whoever judges or shows entries works with plain
//! values and cannot forget one.
//!
//! | member | field |
//! | --- | --- |
//! | `actor.id` | name |
//! | `data.reason`, `data.request.reason`, `data.statement.reason` | reason |
//! | `data.author`, `data.request.by`, `data.statement.by` | name |
//!
//! The sentences in `data.reasons` may repeat such texts; there each is replaced by its commitment.
//! Of kinds that hold other people's documents (`note`, `import`, `policy`, …) only the actor is looked at, and of
//! notes those with the schema [`ERASURE_SCHEMA`].
//!
//! Invariants: what was revealed was checked against its commitment; a text whose opening is gone is marked, never
//! guessed: a reason becomes [`ERASED`], a name its commitment, which serves as a pseudonym. `<member>_c` stays beside
//! a revealed member of `data`, since signatures cover it; the actor's is taken out.
//!
//! Not here: where openings are kept. Callers pass a function that finds them.

mod sentences;

use gate_model::text::ERASED;
use serde_json::{Map, Value};

use crate::commitment::{Commitment, Field, Opening, WrittenOpening};
use crate::entry::Kind;

pub use sentences::{Text, hide, mentions};

/// The `schema` of a note that tells of an erasure.
pub const ERASURE_SCHEMA: &str = "gate.erasure/1";

/// Which texts are committed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Reasons that people give.
    pub reasons: bool,
    /// The ids of principals and the names of authors.
    pub names: bool,
}

impl Privacy {
    const fn covers(self, field: Field) -> bool {
        match field {
            Field::Reason => self.reasons,
            Field::Name => self.names,
        }
    }
}

/// A member that may hold personal text.
struct Spot {
    /// The object within `data`; empty for `data` itself.
    object: &'static str,
    member: &'static str,
    sealed: &'static str,
    field: Field,
}

impl Spot {
    const fn of(object: &'static str, member: &'static str, sealed: &'static str, field: Field) -> Self {
        Self { object, member, sealed, field }
    }

    fn within<'v>(&self, data: &'v mut Value) -> Option<&'v mut Map<String, Value>> {
        let object = if self.object.is_empty() { data } else { data.get_mut(self.object)? };
        object.as_object_mut()
    }

    fn read<'v>(&self, data: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = if self.object.is_empty() { data } else { data.get(self.object)? };
        object.as_object()
    }

    fn commitment(&self, object: &Map<String, Value>) -> Option<Commitment> {
        object.get(self.sealed)?.as_str()?.parse().ok()
    }
}

const ACTOR: Spot = Spot::of("", "id", "id_c", Field::Name);

const DATA: [Spot; 6] = [
    Spot::of("", "reason", "reason_c", Field::Reason),
    Spot::of("", "author", "author_c", Field::Name),
    Spot::of("request", "reason", "reason_c", Field::Reason),
    Spot::of("request", "by", "by_c", Field::Name),
    Spot::of("statement", "reason", "reason_c", Field::Reason),
    Spot::of("statement", "by", "by_c", Field::Name),
];

/// The spots of `data`; none where the kind holds somebody else's document.
fn spots(kind: Kind, data: &Value) -> &'static [Spot] {
    let ours = match kind {
        Kind::Decision
        | Kind::Request
        | Kind::Grant
        | Kind::Denial
        | Kind::Approval
        | Kind::Revocation
        | Kind::Review => true,
        Kind::Note => data.get("schema").is_some_and(|schema| schema == ERASURE_SCHEMA),
        Kind::Genesis | Kind::Policy | Kind::Import | Kind::Archive => false,
    };
    if ours { &DATA } else { &[] }
}

/// Whether a body may hold a commitment; a quick look that spares most entries a closer one.
pub fn may_hold(body: &str) -> bool {
    body.contains("_c\":\"b3:")
}

/// What an entry commits to, as it was read or as it was revealed (then without its actor's).
pub fn commitments(kind: Kind, actor: &Value, data: &Value) -> Vec<(Field, Commitment)> {
    let of_actor =
        actor.as_object().and_then(|actor| ACTOR.commitment(actor)).map(|found| (Field::Name, found));
    let of_data =
        spots(kind, data).iter().filter_map(|spot| Some((spot.field, spot.commitment(spot.read(data)?)?)));
    of_actor.into_iter().chain(of_data).collect()
}

/// Whether something of a revealed entry was erased.
pub fn has_erased(kind: Kind, actor: &Value, data: &Value) -> bool {
    let pseudonym =
        actor.get("id").and_then(Value::as_str).is_some_and(|id| id.parse::<Commitment>().is_ok());
    pseudonym
        || spots(kind, data).iter().any(|spot| spot.read(data).is_some_and(|object| is_erased(spot, object)))
}

fn is_erased(spot: &Spot, object: &Map<String, Value>) -> bool {
    let (plain, sealed) = (object.get(spot.member), object.get(spot.sealed));
    sealed.is_some()
        && (plain == sealed || (spot.field == Field::Reason && plain.is_some_and(|text| text == ERASED)))
}

/// Whether the reason of a revealed entry was erased.
pub fn is_reason_erased(data: &Value) -> bool {
    data.as_object().is_some_and(|object| is_erased(&DATA[0], object))
}

/// An opening that belongs to another member than it stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("commitment {0} opens to another kind of text than belongs where it stands")]
pub struct WrongField(pub Commitment);

/// Puts the texts back into what was read, as far as `open` finds their openings.
///
/// # Errors
/// What `open` returns; [`WrongField`] where a reason stands at a name's place or the other way round.
pub fn reveal<E: From<WrongField>>(
    kind: Kind,
    actor: &mut Value,
    data: &mut Value,
    open: &mut dyn FnMut(Commitment) -> Result<Option<Opening>, E>,
) -> Result<(), E> {
    if let Some(actor) = actor.as_object_mut()
        && ACTOR.commitment(actor).is_some()
    {
        put_back(&ACTOR, actor, open)?;
        actor.remove(ACTOR.sealed);
    }
    let spots = spots(kind, data);
    for spot in spots {
        if let Some(object) = spot.within(data) {
            put_back(spot, object, open)?;
        }
    }
    let sentences = data.get_mut("reasons").and_then(Value::as_array_mut).filter(|_| !spots.is_empty());
    for sentence in sentences.into_iter().flatten() {
        if let Value::String(text) = sentence {
            *text = sentences::show(text, open)?;
        }
    }
    Ok(())
}

fn put_back<E: From<WrongField>>(
    spot: &Spot,
    object: &mut Map<String, Value>,
    open: &mut dyn FnMut(Commitment) -> Result<Option<Opening>, E>,
) -> Result<(), E> {
    let Some(commitment) = spot.commitment(object) else { return Ok(()) };
    let text = match (open(commitment)?, spot.field) {
        (Some(opening), field) if opening.field == field => opening.value,
        (Some(_), _) => return Err(WrongField(commitment).into()),
        (None, Field::Reason) => ERASED.to_owned(),
        (None, Field::Name) => commitment.to_string(),
    };
    object.insert(spot.member.to_owned(), Value::String(text));
    Ok(())
}

/// What cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// What stands for an erased text was given as one.
    #[error("the {} cannot be what stands for an erased one\nwrite another", .0.as_str())]
    Reserved(Field),
    /// A signed document commits to a text that nobody gave the opening of.
    #[error("commitment {0} comes without its opening; submit the document together with its openings")]
    Unopened(Commitment),
    /// What came with a signed document is no opening.
    #[error("the openings of the signed document cannot be used: {0}")]
    Opening(String),
    /// The opening of a signed document's commitment is another one.
    #[error("the opening of commitment {0} does not match it: field, salt or value was changed")]
    Mismatch(Commitment),
}

/// Takes the openings out that a signed document carries beside what is signed.
///
/// # Errors
/// [`SealError::Opening`] for one that does not fit the commitment that it names.
pub fn take_openings(data: &mut Value) -> Result<Vec<Opening>, SealError> {
    let mut openings = Vec::new();
    for object in ["request", "statement"] {
        let document = data.get_mut(object).and_then(Value::as_object_mut);
        let Some(carried) = document.and_then(|document| document.remove("openings")) else { continue };
        let carried: Vec<WrittenOpening> =
            serde_json::from_value(carried).map_err(|error| SealError::Opening(error.to_string()))?;
        for written in &carried {
            let checked = Opening::check(written).map_err(|error| SealError::Opening(error.to_string()))?;
            openings.push(checked.1);
        }
    }
    Ok(openings)
}

/// Who is asked for the commitment to a text; a commitment that the document names already comes along.
pub type Commit<'c, E> = &'c mut dyn FnMut(Field, &str, Option<Commitment>) -> Result<Commitment, E>;

/// Takes the texts that `privacy` covers out of what is to be written, and those that a signed document commits to.
///
/// `commit` is asked for the commitment to each text; a commitment that the document names already is passed to it,
/// and must be that of the text. Returns the texts with their commitments; the sentences are the caller's to
/// [`hide`] them in.
///
/// # Errors
/// What `commit` returns; a [`SealError`].
pub fn seal<E: From<SealError>>(
    kind: Kind,
    actor: &mut Value,
    data: &mut Value,
    privacy: Privacy,
    commit: Commit<'_, E>,
) -> Result<Vec<Text>, E> {
    let mut texts = Vec::new();
    if let Some(actor) = actor.as_object_mut() {
        texts.extend(take_out(&ACTOR, actor, privacy, commit)?);
    }
    // Signed documents first: whoever signed chose the salt, and the entry beside them commits in the same way.
    for spot in spots(kind, data).iter().rev() {
        if let Some(object) = spot.within(data) {
            texts.extend(take_out(spot, object, privacy, commit)?);
        }
    }
    Ok(texts)
}

fn take_out<E: From<SealError>>(
    spot: &Spot,
    object: &mut Map<String, Value>,
    privacy: Privacy,
    commit: Commit<'_, E>,
) -> Result<Option<Text>, E> {
    let named = spot.commitment(object);
    if named.is_none() && !privacy.covers(spot.field) {
        return Ok(None);
    }
    let Some(Value::String(plain)) = object.remove(spot.member) else {
        return named.map_or(Ok(None), |named| Err(SealError::Unopened(named).into()));
    };
    if is_reserved(spot.field, &plain) {
        return Err(SealError::Reserved(spot.field).into());
    }
    let commitment = commit(spot.field, &plain, named)?;
    object.insert(spot.sealed.to_owned(), Value::String(commitment.to_string()));
    Ok(Some(Text { field: spot.field, value: plain, commitment }))
}

/// Whether a text reads like one that was erased.
fn is_reserved(field: Field, text: &str) -> bool {
    match field {
        Field::Reason => text == ERASED,
        Field::Name => text.parse::<Commitment>().is_ok(),
    }
}

#[cfg(test)]
mod tests;
