//! One entry as the ledger holds it: checked, and parsed only as far as somebody asks.

use std::borrow::Cow;

use gate_ledger::chain::Facts;
use gate_ledger::entry::{Entry, write_line};
use gate_ledger::store::{StoreError, View};
use gate_model::action::Action;
use serde::Deserialize;
use serde_json::Value;

/// An entry whose bytes are canonical and have the hash that is stored beside them.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// What the body says about its place.
    pub facts: Facts,
    /// The canonical bytes.
    pub body: &'a [u8],
    /// The ledger, which may know the texts that the entry only commits to; nothing where it comes from elsewhere.
    pub view: Option<View<'a>>,
}

impl Record<'_> {
    /// Appends the entry's line of an export, with its newline.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        write_line(out, self.body, self.facts.hash);
        out.push(b'\n');
    }

    /// The entry with every member parsed.
    ///
    /// # Errors
    /// [`StoreError::Bad`], which checked bytes never give.
    pub fn entry(&self) -> Result<Entry, StoreError> {
        let mut entry = Entry::from_body(self.body).map_err(|error| self.bad(error.0))?;
        if let Some(view) = &self.view {
            view.reveal(&mut entry)?;
        }
        Ok(entry)
    }

    /// The few members that lists and counts look at.
    ///
    /// # Errors
    /// [`StoreError::Bad`], which checked bytes never give.
    pub fn brief(&self) -> Result<Brief<'_>, StoreError> {
        let mut brief: Brief<'_> = serde_json::from_slice(self.body).map_err(|_| {
            let defect = "cannot be read";
            self.bad(gate_ledger::chain::Bad::Member { member: "actor", defect })
        })?;
        if let Some(commitment) = brief.actor.id_c.as_str().and_then(|text| text.parse().ok()) {
            let opening = self.view.as_ref().map(|view| view.opening(commitment)).transpose()?.flatten();
            let name = opening.map_or(commitment.to_string(), |opening| opening.value);
            brief.actor.id = Value::String(name);
        }
        Ok(brief)
    }

    fn bad(&self, source: gate_ledger::chain::Bad) -> StoreError {
        StoreError::bad(self.facts.seq, source)
    }
}

/// The members of an entry that lists and counts look at. What a kind promises need not be there: a note
/// carries whatever somebody else's event holds, so nothing here fails on an unexpected type.
#[derive(Debug, Deserialize)]
pub struct Brief<'a> {
    actor: ActorBrief,
    #[serde(borrow, default)]
    gate: Option<Cow<'a, str>>,
    data: DataBrief,
}

#[derive(Debug, Deserialize)]
struct ActorBrief {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    id_c: Value,
}

#[derive(Debug, Deserialize)]
struct DataBrief {
    #[serde(default)]
    action: Value,
    #[serde(default)]
    decision: Value,
    #[serde(default)]
    waived: Value,
    #[serde(default)]
    grants: Value,
}

impl Brief<'_> {
    /// The actor's id, a pseudonym where it was erased; empty where the entry names none.
    pub fn actor(&self) -> &str {
        self.actor.id.as_str().unwrap_or_default()
    }

    /// The gate that the entry concerns.
    pub fn gate(&self) -> Option<&str> {
        self.gate.as_deref()
    }

    /// What a request, grant, denial or revocation asks for or ends.
    pub fn action(&self) -> Option<Action> {
        self.data.action.as_str().and_then(Action::parse)
    }

    /// The verdict of a decision: `pass`, `fail`, `skip`, `override`, `hold`.
    pub fn verdict(&self) -> Option<&str> {
        self.data.decision.as_str()
    }

    /// Whether a decision waived findings.
    pub fn waived(&self) -> bool {
        self.data.waived.as_u64().is_some_and(|count| count > 0)
    }

    /// The IDs of the opt-outs that a decision used.
    pub fn grants(&self) -> impl Iterator<Item = u64> {
        self.data.grants.as_array().into_iter().flatten().filter_map(Value::as_u64)
    }

    /// Whether the entry is about `action`: it asks for it, ends it, or is a decision that rests on it.
    pub fn concerns(&self, action: Action) -> bool {
        let decided = match action {
            Action::Skip => self.verdict() == Some("skip"),
            Action::Override => self.verdict() == Some("override"),
            Action::Pause => self.verdict() == Some("hold"),
            Action::Waive => self.waived(),
        };
        self.action() == Some(action) || decided
    }
}
