//! The policies of a ledger, and which of them were in force when.
//!
//! A verdict names its policy by digest and source; the text comes from the newest entry before it that holds
//! both. Each text is parsed once, and its digest computed again. Where a policy had owners, the entries after
//! it must be admitted by them: [`crate::ownership`] has the rules.

use std::collections::HashMap;
use std::rc::Rc;

use gate_ledger::entry::Entry;
use gate_model::payload::{PolicyData, TrustedFile};
use gate_model::repository::canonical;
use gate_model::text::visible;
use gate_policy::Policy;

use crate::ownership::Guard;
use crate::recorded::{self, Recorded};
use crate::repository::is_elsewhere;

use super::archived;
use super::report::{Doubt, Judged, Oddity};
use super::unreadable;

/// A policy that verdicts can name.
#[derive(Debug)]
struct Filed {
    /// The policy, or why its entry cannot be used.
    recorded: Result<Rc<Recorded>, String>,
    /// Each source under which it was recorded, and whether that entry was right.
    sources: Vec<(String, bool)>,
}

/// Which policies ruled in a repository from an entry on.
#[derive(Debug, Clone)]
struct Era {
    since: u64,
    repository: Option<String>,
    newest: usize,
    guardian: Option<usize>,
}

/// Every policy of the ledger.
#[derive(Debug, Default)]
pub(super) struct PolicyLog {
    all: Vec<Filed>,
    by_digest: HashMap<String, usize>,
    eras: Vec<Era>,
    guard: Guard,
}

/// A policy that a verdict was made under.
#[derive(Debug, Clone)]
pub(super) struct Used {
    /// Its number, one for each digest.
    pub(super) number: usize,
    /// The rules and the files they trust.
    pub(super) recorded: Rc<Recorded>,
    /// What is odd about it.
    pub(super) oddity: Option<Oddity>,
    /// Whether a revision vouches for it: no owner is asked then.
    by_revision: bool,
}

impl Used {
    pub(super) fn policy(&self) -> &Policy {
        &self.recorded.policy
    }

    /// The policy with the files that it trusts, as signatures are judged by them.
    pub(super) fn trust(&self) -> (&Policy, &[TrustedFile]) {
        (&self.recorded.policy, &self.recorded.data.files)
    }
}

impl PolicyLog {
    /// Judges a policy entry and files it.
    pub(super) fn file(&mut self, entry: &Entry) -> Judged {
        let recorded = match recorded::recorded(entry) {
            Ok(recorded) => Rc::new(recorded),
            Err(error) => return Err(self.file_damaged(entry, &error)),
        };
        let admitted = self.guard.pass(&recorded, entry.at);
        self.add(&recorded, admitted.is_ok());
        admitted.map_err(|reason| Doubt::Wrong(format!("is no policy that takes effect: {reason}")))
    }

    /// What cannot be used is filed too, unless the same digest was there in good order: it must not take the
    /// text away from what was judged by it.
    fn file_damaged(&mut self, entry: &Entry, error: &recorded::NoPolicy) -> Doubt {
        let named = entry.data.get("digest").and_then(serde_json::Value::as_str);
        if let Some(digest) = named.filter(|digest| !self.by_digest.contains_key(*digest)) {
            self.by_digest.insert(digest.to_owned(), self.all.len());
            let source = entry.data.get("source").and_then(serde_json::Value::as_str).unwrap_or_default();
            self.all
                .push(Filed { recorded: Err(error.to_string()), sources: vec![(source.to_owned(), false)] });
        }
        unreadable(&entry.data, error)
    }

    fn add(&mut self, recorded: &Rc<Recorded>, admitted: bool) {
        let PolicyData { digest, source, .. } = &recorded.data;
        let number = if let Some(&number) = self.by_digest.get(digest) {
            number
        } else {
            self.by_digest.insert(digest.clone(), self.all.len());
            self.all.push(Filed { recorded: Ok(Rc::clone(recorded)), sources: Vec::new() });
            self.all.len() - 1
        };
        let filed = &mut self.all[number];
        filed.recorded = Ok(Rc::clone(recorded));
        match filed.sources.iter_mut().find(|(known, _)| known == source) {
            Some((_, right)) => *right |= admitted,
            None => filed.sources.push((source.clone(), admitted)),
        }
        let raw = recorded.data.repository.as_deref();
        // Where nobody can tell whose it is it is in force nowhere, and replaces nothing.
        let Ok(guardian) = self.guard.in_force(raw) else { return };
        let guardian = guardian.and_then(|guardian| self.by_digest.get(&guardian.data.digest)).copied();
        // Verdicts name the repository by the first of its aliases.
        let repository = raw.map(|name| canonical(name, &recorded.policy.aliases));
        self.eras.push(Era { since: recorded.seq, repository, newest: number, guardian });
    }

    /// The policy that a verdict names.
    pub(super) fn used(&self, digest: &str, source: &str) -> Result<Used, Doubt> {
        let Some((number, filed)) =
            self.by_digest.get(digest).and_then(|&number| Some((number, self.all.get(number)?)))
        else {
            return Err(Doubt::Wrong(format!(
                "names policy {}, which no entry before it holds",
                visible(digest)
            )));
        };
        let Some((_, admitted)) = filed.sources.iter().find(|(known, _)| known == source) else {
            let source = visible(source);
            return Err(Doubt::Wrong(format!(
                "says that its policy came from '{source}', and no entry before it does"
            )));
        };
        let oddity = match (source, admitted) {
            (_, false) => Some(Oddity::Refused),
            ("worktree", _) => Some(Oddity::Worktree),
            _ => None,
        };
        match &filed.recorded {
            Ok(recorded) => {
                let (recorded, by_revision) = (Rc::clone(recorded), source.starts_with("rev:"));
                Ok(Used { number, recorded, oddity, by_revision })
            }
            Err(reason) => Err(Doubt::Wrong(format!("rests on a policy that cannot be used: {reason}"))),
        }
    }

    /// Whether the policy that the verdict `entry` names has personal text committed to. Where it does not, nothing
    /// can have been erased of the entry, whatever it looks like. A policy that is not there may have.
    pub(super) fn may_commit(&self, entry: &Entry) -> bool {
        let digest = entry.data.pointer("/policy/digest").and_then(serde_json::Value::as_str);
        let filed = digest.and_then(|digest| self.all.get(*self.by_digest.get(digest)?));
        let policy = filed.and_then(|filed| filed.recorded.as_ref().ok()).map(|recorded| &recorded.policy);
        policy.is_none_or(|policy| policy.ledger.commit.any())
    }

    /// How long, in seconds, anything can count that was admitted under any of them.
    pub(super) fn longest(&self) -> u64 {
        let policies = self.all.iter().filter_map(|filed| filed.recorded.as_ref().ok());
        policies.map(|recorded| archived::longest_effect(&recorded.policy)).max().unwrap_or(0)
    }

    /// Whether `used` had been replaced before the entry `from` in the repository `here`, and did not rule there again up
    /// to the entry `to`. What never ruled there counts as replaced.
    pub(super) fn is_superseded(&self, used: &Used, here: Option<&str>, (from, to): (u64, u64)) -> bool {
        let rules = |era: &Era| {
            era.newest == used.number || era.guardian.is_none_or(|guardian| guardian == used.number)
        };
        if used.by_revision {
            return false;
        }
        let is_here = |era: &&Era| !is_elsewhere(era.repository.as_deref(), here);
        // The era that the entry `from` stands in began at or before it.
        let (before, after) = self.eras.split_at(self.eras.partition_point(|era| era.since <= from));
        let later = after.iter().take_while(|era| era.since <= to).filter(is_here);
        !before.iter().rfind(is_here).into_iter().chain(later).any(rules)
    }
}
