//! What waits for somebody: requests for approvals, reviews that are owed, opt-outs that end soon, waivers that nothing
//! needs any more.
//!
//! Each item says who can act and by which command. The rules are today's policy for what is of its repository; for
//! another one, and for whoever has the ledger alone, they are those that the entry was judged under, as the ledger holds
//! them, and for what is still to be asked for the one in force in its repository.
//!
//! An entry that cannot be read as what its kind promises is listed as unreadable, never left out in silence.

mod ending;
mod idle;
mod pending;
mod reviews;

use std::ops::ControlFlow;
use std::rc::Rc;

use gate_judge::life::Life;
use gate_judge::lifting::{Pause, Trust};
use gate_judge::ownership::{Guard, Nameless};
use gate_judge::policy_text::Loaded;
use gate_judge::recorded::{NoPolicy, Recorded};
use gate_judge::repository::{self, is_elsewhere};
use gate_judge::{recorded, records};
use gate_ledger::entry::Entry;
use gate_ledger::store::{Ledger, StoreError, View};
use gate_model::action::Action;
use gate_model::finding::Evidence;
use gate_model::time::Timestamp;
use gate_policy::Policy;
use serde::Serialize;

use crate::lifting;
use crate::ownership::{self, Unowned};
use crate::policies::Policies;
pub use crate::remedy::Remedy;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.due/1";

/// How long before its end an opt-out is listed where no policy says so: three days, the policy's default.
pub const WARN_BEFORE: u64 = 72 * 3600;

/// After how many decisions that did not need it a waiver is named.
pub const UNNEEDED_AFTER: u64 = 10;

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The instant that "pending" and "overdue" mean: the clock, or the newest entry's time where that is later.
    pub at: Timestamp,
    /// Requests that wait, the first to lapse first.
    pub requests: Vec<Waiting>,
    /// Reviews that are owed, the most urgent first.
    pub reviews: Vec<Owed>,
    /// Live opt-outs that end soon, the next first.
    pub ending: Vec<Ending>,
    /// Live waivers that the last decisions of their scope did not need, the oldest first.
    pub unneeded: Vec<Idle>,
    /// Entries that should be in one of the lists and cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// A request that waits for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The opt-out's ID.
    pub id: u64,
    /// The gate.
    pub gate: String,
    /// The repository whose gate it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What is asked for.
    pub action: Action,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The findings that a waiver would accept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Evidence>,
    /// Since when it waits.
    pub requested_at: Timestamp,
    /// When it lapses if it is not approved.
    pub lapses: Timestamp,
    /// How many approvals are needed.
    pub needed: u64,
    /// Who approved, as the policy names them.
    pub given: Vec<String>,
    /// How many are missing.
    pub missing: u64,
    /// Who may approve: groups and people, as the rule writes them.
    pub from: Vec<String>,
    /// Why nobody can, where today's policy no longer has such a rule, and which reviews do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub remedy: Remedy,
}

/// A review that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// The opt-out's ID.
    pub id: u64,
    /// The gate.
    pub gate: String,
    /// The repository whose gate it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What was granted.
    pub action: Action,
    /// Who used break-glass.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// By when it must be reviewed.
    pub deadline: Timestamp,
    /// Whether that has passed.
    pub overdue: bool,
    /// Who may review: groups and people, as the rule writes them.
    pub from: Vec<String>,
    /// Why nobody can, where today's policy no longer has such a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub remedy: Remedy,
}

/// An opt-out that ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// The opt-out's ID.
    pub id: u64,
    /// The gate.
    pub gate: String,
    /// The repository whose gate it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What it does.
    pub action: Action,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Timestamp,
    /// How many uses are left, where they are limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
    /// What to do.
    #[serde(flatten)]
    pub remedy: Remedy,
}

/// A live waiver that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Idle {
    /// The opt-out's ID.
    pub id: u64,
    /// The gate.
    pub gate: String,
    /// The repository whose gate it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// The findings that it accepts.
    pub findings: Vec<Evidence>,
    /// How many decisions of its scope in a row did not need it.
    pub decisions: u64,
    /// What ends it.
    #[serde(flatten)]
    pub remedy: Remedy,
}

/// An entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The entry.
    pub seq: u64,
    /// Why not.
    pub reason: String,
}

/// The policy in force, and the repository that it is in force in.
#[derive(Debug, Clone, Copy)]
pub struct Today<'a> {
    /// The policy.
    pub policy: &'a Loaded,
    /// The repository; every one where it is unknown.
    pub repository: Option<&'a str>,
}

/// Reads what is due at `clock`, under today's policy where there is one. With `within`, only what has its end within
/// so many seconds: a request that lapses, a review whose deadline comes or has passed, an opt-out that ends. Else also the
/// waivers that the last `unneeded_after` decisions of their scope did not need.
///
/// # Errors
/// A [`StoreError`].
pub fn read(
    ledger: &Ledger,
    today: Option<Today<'_>>,
    clock: Timestamp,
    within: Option<u64>,
    unneeded_after: u64,
) -> Result<Due, StoreError> {
    let view = ledger.view();
    let now = clock.max(view.head()?.at);
    let warn_before = within.or(today.map(|today| today.policy.policy.warn_before)).unwrap_or(WARN_BEFORE);
    let (policies, unreadable) = (Policies::default(), Vec::new());
    let soon = now.plus(warn_before);
    let mut agenda = Agenda { view, today, now, soon, policies, guard: None, unreadable };
    let horizon = within.and(agenda.soon);
    let near = |end: Timestamp| horizon.is_none_or(|soon| end <= soon);
    let mut requests = pending::read(&mut agenda)?;
    requests.retain(|request| near(request.lapses));
    let mut reviews = reviews::read(&mut agenda)?;
    reviews.retain(|review| near(review.deadline));
    let ending = ending::read(&mut agenda)?;
    let unneeded = if within.is_none() { idle::read(&mut agenda, unneeded_after)? } else { Vec::new() };
    let mut unreadable = agenda.unreadable;
    unreadable.sort_by_key(|entry| entry.seq);
    unreadable.dedup_by_key(|entry| entry.seq);
    Ok(Due { schema: SCHEMA, at: now, requests, reviews, ending, unneeded, unreadable })
}

/// What the three lists are made from.
struct Agenda<'a> {
    view: View<'a>,
    today: Option<Today<'a>>,
    now: Timestamp,
    /// What ends before that, ends soon; `None` past the year 9999.
    soon: Option<Timestamp>,
    policies: Policies,
    /// Who guards the policies, once it was asked; an error where nobody can tell.
    guard: Option<Result<Rc<Guard>, Untold>>,
    unreadable: Vec<Unreadable>,
}

/// Nobody can tell who guards the policies: those that cannot be read are listed.
#[derive(Debug, Clone, Copy)]
struct Untold;

/// The rules that say who can act.
enum Rules<'a> {
    Today(Trust<'a>),
    Recorded(Rc<Recorded>),
    None,
}

impl Rules<'_> {
    /// The rules with the keys that they trust.
    fn trust(&self) -> Option<Trust<'_>> {
        match self {
            Self::Today(trust) => Some(*trust),
            Self::Recorded(recorded) => Some(recorded.trust()),
            Self::None => None,
        }
    }

    fn policy(&self) -> Option<&Policy> {
        self.trust().map(|trust| trust.0)
    }
}

impl<'a> Agenda<'a> {
    /// Today's rules, where they are those of `repository`.
    fn today(&self, repository: Option<&str>) -> Option<Rules<'a>> {
        let today = self.today.filter(|today| !is_elsewhere(repository, today.repository));
        today.map(|today| Rules::Today(today.policy.trust()))
    }

    /// Today's policy, else the recorded one that `digest` names.
    fn rules(&mut self, repository: Option<&str>, digest: &str) -> Result<Rules<'a>, StoreError> {
        if let Some(today) = self.today(repository) {
            return Ok(today);
        }
        let policy = self.policies.get(&self.view, digest)?;
        Ok(self.usable(policy))
    }

    /// Today's policy, else the one that is in force in `repository`: what is asked for next is judged by it. That is the
    /// one that its owners admitted, where it has any: a text that a build or a revision brought is in force nowhere else.
    fn rules_to_come(&mut self, repository: Option<&str>) -> Result<Rules<'a>, StoreError> {
        if let Some(today) = self.today(repository) {
            return Ok(today);
        }
        let Ok(guard) = self.guard()? else { return Ok(Rules::None) };
        let is_ours = |own: &&Rc<Recorded>| !is_elsewhere(own.data.repository.as_deref(), repository);
        match guard.in_force(repository).map(|own| own.filter(is_ours)) {
            Ok(Some(own)) => Ok(Rules::Recorded(Rc::clone(own))),
            Ok(None) => self.newest(repository),
            Err(Nameless) => Ok(Rules::None),
        }
    }

    /// The newest policy of `repository`, which nobody guards.
    fn newest(&mut self, repository: Option<&str>) -> Result<Rules<'a>, StoreError> {
        let mut newest = None;
        self.view.policies(&mut |entry: &Entry| {
            let of = entry.data.get("repository").and_then(serde_json::Value::as_str);
            if is_elsewhere(of, repository) {
                return ControlFlow::Continue(());
            }
            newest = Some(recorded::recorded(entry).map(Rc::new));
            ControlFlow::Break(())
        })?;
        Ok(newest.map_or(Rules::None, |newest| self.usable(newest)))
    }

    /// Who guards the policies; nobody can tell where one of them cannot be read, since it might be the one in force.
    fn guard(&mut self) -> Result<Result<Rc<Guard>, Untold>, StoreError> {
        if let Some(known) = &self.guard {
            return Ok(known.clone());
        }
        let guard = match ownership::guard(&self.view) {
            Ok(guard) => Ok(Rc::new(guard)),
            Err(Unowned::Store(error)) => return Err(error),
            Err(_) => Err(self.list_policies()?),
        };
        Ok(self.guard.insert(guard).clone())
    }

    /// Lists each policy of the ledger that cannot be read.
    fn list_policies(&mut self) -> Result<Untold, StoreError> {
        let mut found = Vec::new();
        self.view.policies(&mut |entry: &Entry| {
            found.extend(recorded::recorded(entry).err());
            ControlFlow::Continue(())
        })?;
        for error in found {
            self.list(&error);
        }
        Ok(Untold)
    }

    /// The rules of a recorded policy; one that is there and cannot be read is listed.
    fn usable(&mut self, policy: Result<Rc<Recorded>, NoPolicy>) -> Rules<'a> {
        match policy {
            Ok(policy) => Rules::Recorded(policy),
            Err(error) => {
                self.list(&error);
                Rules::None
            }
        }
    }

    /// Lists a policy that is there and cannot be read.
    fn list(&mut self, error: &NoPolicy) {
        self.unreadable.extend(error.seq().map(|seq| Unreadable { seq, reason: error.to_string() }));
    }

    /// Whether the opt-out that was `granted` was ended. Where nobody can tell of a pause, it was not.
    fn is_ended(&mut self, granted: Pause<'_>) -> Result<bool, StoreError> {
        let (entry, data, _) = granted;
        let life = self.view.life(records::id_of(entry))?;
        let rules = self.rules(repository::of_grant(data), &data.policy.digest)?;
        let ended = match rules.trust() {
            Some(trust) => lifting::ended(&self.view, &mut self.policies, trust, granted, &life)?.by,
            None => Life::of(entry, &life).ended_for_all(),
        };
        Ok(ended.is_some())
    }

    /// The command as it is given in `repository`.
    fn remedy(&self, remedy: Remedy, repository: Option<&str>) -> Remedy {
        match self.today.filter(|today| !is_elsewhere(repository, today.repository)) {
            Some(today) => remedy.under(today.policy),
            None => remedy,
        }
    }

    fn unreadable(&mut self, entry: &Entry, reason: &dyn std::fmt::Display) {
        self.unreadable.push(Unreadable { seq: entry.seq, reason: reason.to_string() });
    }
}

#[cfg(test)]
mod tests;
