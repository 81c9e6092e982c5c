//! Signed documents that commit to personal text, and how they travel.
//!
//! Under a policy with `[ledger] commit` a request or a statement is signed over commitments in place of its reason
//! and its signer's name, so that erasing either later breaks no signature. The openings go along beside the
//! document: in memory as its member `openings`, which is neither signed nor recorded; between machines in a document
//! of their own, [`SCHEMA`], that holds both.
//!
//! Not here: checking the signature ([`gate_judge::signatures`]) and keeping the openings (gate-ledger).

use gate_ledger::commitment::{Field, Opening, OpeningError};
use gate_ledger::profile::ProfileError;
use gate_ledger::redaction::Privacy;
use gate_ledger::store::{StoreError, View};
use gate_model::exit::{Ends, Exit};
use gate_model::opening::WrittenOpening;
use gate_model::request::{self, Request};
use serde::Serialize;
use serde_json::{Map, Value, json};

use gate_judge::signatures;
use gate_judge::statement::{self, Statement};

/// The value of `schema` of a request or a statement that travels with its openings.
pub const SCHEMA: &str = "gate.sealed/1";

/// The members of a signed document that may be committed to.
const MEMBERS: [(&str, &str, Field); 2] =
    [("reason", "reason_c", Field::Reason), ("by", "by_c", Field::Name)];

/// Why a document cannot commit to its texts.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text that the ledger would not take.
    #[error("the document's texts cannot be committed to: {0}")]
    Profile(#[from] ProfileError),
    /// No randomness for a salt.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
}

impl Ends for CommitError {
    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            Self::Profile(_) => Exit::Usage,
            Self::Random(_) => Exit::Failure,
        }
    }
}

/// Lets `request` commit to what `privacy` covers. A ledger at hand lends the pseudonym that it uses for the name.
///
/// # Errors
/// A [`CommitError`].
pub fn request(request: &mut Request, privacy: Privacy, view: Option<&View<'_>>) -> Result<(), CommitError> {
    if privacy.reasons {
        request.reason_c = Some(commit(&mut request.openings, &reason(&request.reason)?)?);
    }
    if privacy.names {
        request.by_c = Some(commit(&mut request.openings, &name(&request.by, view)?)?);
    }
    Ok(())
}

/// The same for a statement.
///
/// # Errors
/// A [`CommitError`].
pub fn statement(
    statement: &mut Statement,
    privacy: Privacy,
    view: Option<&View<'_>>,
) -> Result<(), CommitError> {
    if let (true, Some(text)) = (privacy.reasons, &statement.reason) {
        statement.reason_c = Some(commit(&mut statement.openings, &reason(text)?)?);
    }
    if privacy.names {
        statement.by_c = Some(commit(&mut statement.openings, &name(&statement.by, view)?)?);
    }
    Ok(())
}

fn commit(openings: &mut Vec<WrittenOpening>, opening: &Opening) -> Result<String, CommitError> {
    let commitment = opening.commitment()?.to_string();
    openings.push(WrittenOpening::from(opening));
    Ok(commitment)
}

fn reason(text: &str) -> Result<Opening, CommitError> {
    drawn(Field::Reason, text)
}

fn name(name: &str, view: Option<&View<'_>>) -> Result<Opening, CommitError> {
    if let Some(view) = view
        && let Some(pseudonym) = view.pseudonyms(name)?.first()
        && let Some(opening) = view.opening(*pseudonym)?
    {
        return Ok(opening);
    }
    drawn(Field::Name, name)
}

fn drawn(field: Field, value: &str) -> Result<Opening, CommitError> {
    Opening::draw(field, value).map_err(|error| CommitError::Random(error.to_string()))
}

/// A document that somebody signed, as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// What somebody asks for.
    Request(Box<Request>),
    /// What somebody does with an opt-out.
    Statement(Box<Statement>),
}

/// A signed document as it travels: alone, or as the member `what` (`request`, `statement`) of one that holds its
/// openings too.
///
/// # Errors
/// A failure of serialisation.
pub fn pack<T: Serialize>(what: &str, document: &T) -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(document)?;
    let Some(members) = document.as_object_mut() else { return Ok(document) };
    let Some(openings) = members.remove("openings") else { return Ok(document) };
    let signature = members.remove("signature");
    signatures::signed_members(members);
    members.extend(signature.map(|text| ("signature".to_owned(), text)));
    Ok(json!({"schema": SCHEMA, what: document, "openings": openings}))
}

/// Why a document that came in is none that somebody signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// It is not of a schema that is read here.
    #[error("its schema is '{0}', not 'gate.request/1', 'gate.statement/1' or '{SCHEMA}'")]
    Schema(String),
    /// Members are missing, unknown or of another type.
    #[error("{0}")]
    Shape(String),
    /// An opening is none.
    #[error("one of its openings is wrong: {0}")]
    Opening(#[from] OpeningError),
    /// It commits to a text, and the opening is not there.
    #[error(
        "it commits to its '{0}' and comes without the opening; give the whole document that --detached printed"
    )]
    Unopened(&'static str),
    /// It holds a text and a commitment to it.
    #[error("it holds both '{0}' and a commitment to it, and one of them must go")]
    Both(&'static str),
    /// The policy wants a commitment, and it holds the text.
    #[error(
        "the policy keeps the '{0}' of documents erasable, and this one holds it in plain; sign a new one"
    )]
    Plain(&'static str),
}

/// Reads a document as [`pack`] writes it. Each opening is checked against its commitment.
///
/// # Errors
/// An [`UnpackError`].
pub fn unpack(mut document: Value, privacy: Privacy) -> Result<Signed, UnpackError> {
    only_object(&document)?;
    let mut carried = Value::Array(Vec::new());
    if schema(&document) == SCHEMA
        && let Some(members) = document.as_object_mut()
    {
        carried = members.remove("openings").unwrap_or_default();
        carried.as_array().into_iter().flatten().try_for_each(only_object)?;
        let inner = ["request", "statement"].into_iter().find_map(|what| members.remove(what));
        if let Some(other) = members.keys().find(|key| *key != "schema") {
            return Err(UnpackError::Shape(format!("unknown member '{}'", gate_model::text::visible(other))));
        }
        document = inner.unwrap_or_default();
        only_object(&document)?;
    }
    let openings: Vec<WrittenOpening> = serde_json::from_value(carried).map_err(|error| shape(&error))?;
    if let Some(members) = document.as_object_mut() {
        open(members, &openings, privacy)?;
    }
    match schema(&document).as_str() {
        request::SCHEMA => {
            let read: Request = serde_json::from_value(document).map_err(|error| shape(&error))?;
            Ok(Signed::Request(Box::new(Request { openings, ..read })))
        }
        statement::SCHEMA => {
            let read: Statement = serde_json::from_value(document).map_err(|error| shape(&error))?;
            Ok(Signed::Statement(Box::new(Statement { openings, ..read })))
        }
        other => Err(UnpackError::Schema(gate_model::text::visible(other))),
    }
}

fn schema(document: &Value) -> String {
    document.get("schema").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A list of an object's members in their order would be read as well, and nobody wrote that.
fn only_object(value: &Value) -> Result<(), UnpackError> {
    if value.is_object() { Ok(()) } else { Err(UnpackError::Shape("it is not a JSON object".to_owned())) }
}

fn shape(error: &serde_json::Error) -> UnpackError {
    UnpackError::Shape(error.to_string())
}

/// Puts the texts beside their commitments.
fn open(
    members: &mut Map<String, Value>,
    openings: &[WrittenOpening],
    privacy: Privacy,
) -> Result<(), UnpackError> {
    if members.contains_key("openings") {
        return Err(UnpackError::Shape("unknown member 'openings'".to_owned()));
    }
    let checked = openings.iter().map(Opening::check).collect::<Result<Vec<_>, _>>()?;
    for (member, sealed, field) in MEMBERS {
        let wanted = match field {
            Field::Reason => privacy.reasons,
            Field::Name => privacy.names,
        };
        let Some(commitment) = members.get(sealed) else {
            if wanted && members.contains_key(member) {
                return Err(UnpackError::Plain(member));
            }
            continue;
        };
        if members.contains_key(member) {
            return Err(UnpackError::Both(member));
        }
        let named = commitment.as_str();
        let found = checked
            .iter()
            .find(|(found, opening)| opening.field == field && named == Some(found.to_string().as_str()));
        let (_, opening) = found.ok_or(UnpackError::Unopened(member))?;
        members.insert(member.to_owned(), Value::String(opening.value.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gate_judge::statement::Statement;
    use gate_ledger::redaction::Privacy;
    use gate_model::payload::Verb;
    use gate_model::request::Request;
    use serde_json::{Value, json};

    use super::{Signed, UnpackError, pack, request, statement, unpack};
    use gate_judge::signatures::signed_bytes;

    const ALL: Privacy = Privacy { reasons: true, names: true };

    fn plain() -> Value {
        json!({"schema": "gate.request/1", "gate": "lint", "action": "skip", "reason": "the reason",
            "by": "alice@example.com", "scope": {}, "ttl": {"text": "1h", "seconds": 3600}, "policy": "b3:00",
            "requested_at": "2026-01-01T00:00:00.000000Z", "submit_by": "2026-01-02T00:00:00.000000Z",
            "nonce": "00", "signature": "S"})
    }

    fn sealed() -> Request {
        let mut sealed: Request = serde_json::from_value(plain()).unwrap();
        request(&mut sealed, ALL, None).unwrap();
        sealed
    }

    #[test]
    fn what_is_signed_holds_no_text_and_the_whole_document_but_its_signature() {
        let sealed = sealed();
        let signed = String::from_utf8(signed_bytes(&sealed).unwrap()).unwrap();
        assert!(!signed.contains("the reason") && !signed.contains("alice"), "{signed}");
        let mut travelling = pack("request", &sealed).unwrap()["request"].clone();
        travelling.as_object_mut().unwrap().remove("signature");
        assert_eq!(serde_json::from_str::<Value>(&signed).unwrap(), travelling);
    }

    #[test]
    fn a_packed_request_comes_back_whole() {
        let sealed = sealed();
        let packed = pack("request", &sealed).unwrap();
        assert_eq!(unpack(packed, ALL).unwrap(), Signed::Request(Box::new(sealed)));
        let bare: Request = serde_json::from_value(plain()).unwrap();
        let packed = pack("request", &bare).unwrap();
        assert_eq!(unpack(packed, Privacy::default()).unwrap(), Signed::Request(Box::new(bare)));
    }

    #[test]
    fn a_packed_statement_comes_back_whole_with_a_reason_and_without_one() {
        for reason in [None, Some("the reason".to_owned())] {
            let mut sealed =
                Statement { by: "alice".to_owned(), reason, ..Statement::of(Verb::Approve, "b3:0".into()) };
            statement(&mut sealed, ALL, None).unwrap();
            let packed = pack("statement", &sealed).unwrap();
            assert!(!packed["statement"].to_string().contains("alice"), "{packed}");
            assert_eq!(unpack(packed, ALL).unwrap(), Signed::Statement(Box::new(sealed)));
        }
        let plain = json!({"schema": "gate.statement/1", "act": "revoke", "subject": "b3:0", "by": "alice"});
        assert_eq!(unpack(plain, ALL), Err(UnpackError::Plain("by")));
    }

    #[test]
    fn a_wrong_a_missing_and_a_swapped_opening_are_refused() {
        let packed = pack("request", &sealed()).unwrap();
        let mut wrong = packed.clone();
        wrong["openings"][0]["value"] = json!("another reason");
        assert!(matches!(unpack(wrong, ALL), Err(UnpackError::Opening(_))));
        let mut missing = packed.clone();
        missing["openings"].as_array_mut().unwrap().remove(1);
        assert_eq!(unpack(missing, ALL), Err(UnpackError::Unopened("by")));
        let mut swapped = packed.clone();
        swapped["request"]["by_c"] = packed["request"]["reason_c"].clone();
        assert_eq!(unpack(swapped, ALL), Err(UnpackError::Unopened("by")));
        assert_eq!(unpack(packed["request"].clone(), ALL), Err(UnpackError::Unopened("reason")));
        let mut both = packed;
        both["request"]["reason"] = json!("the reason");
        assert_eq!(unpack(both, ALL), Err(UnpackError::Both("reason")));
        assert_eq!(unpack(plain(), ALL), Err(UnpackError::Plain("reason")));
    }
}
