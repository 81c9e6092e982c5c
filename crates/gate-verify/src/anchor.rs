//! Comparing a ledger with checkpoints.
//!
//! A checkpoint says how many entries there were and what their root was. Here the root of the same number of
//! entries is computed anew from the bytes that are verified, while they are verified; nothing cached counts.
//! A checkpoint counts only if a key from the command line signed it, for this ledger, and if that key is not
//! one with which people sign requests: who may ask for an opt-out must not vouch for the record of it.

mod given;
mod signers;

use std::collections::BTreeMap;

use gate_ledger::entry::Kind;
use gate_ledger::tree::{CompactRange, Hash, Stretch, leaf_hash};
use gate_ledger::verify::{Outcome, Seen};
use gate_model::time::Timestamp;
use gate_model::verification::{Anchored, FirstBad, Warning};

use crate::args::Required;
use signers::Fingerprint;

pub(crate) use given::{GivenCheckpoint, read};

/// Checkpoints, and what the ledger has in their places.
pub(crate) struct Anchors {
    given: Vec<GivenCheckpoint>,
    refused: Vec<Warning>,
    required: Required,
    range: CompactRange,
    /// What came behind entries that were archived, whose own tree is told later.
    behind: Option<Stretch>,
    /// The same at the sizes of checkpoints.
    stretches: BTreeMap<u64, Stretch>,
    /// The root of so many entries, for each checkpoint's size.
    roots: BTreeMap<u64, Hash>,
    /// The time of the first entry that a checkpoint of that size does not cover.
    after: BTreeMap<u64, Option<Timestamp>>,
    fingerprints: Vec<Fingerprint>,
}

/// What the comparison showed.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// The largest checkpoint that the ledger agrees with.
    pub anchored: Option<Anchored>,
    /// What a checkpoint shows to be wrong.
    pub first_bad: Option<FirstBad>,
    /// Checkpoints that do not count, and what is not covered although it must be. None may be there in a
    /// verification that is ok.
    pub refused: Vec<Warning>,
    /// What is not covered.
    pub unanchored: Option<Warning>,
}

impl Anchors {
    /// Compares with `given`; `refused` are checkpoints that did not become one. `range` is the tree of
    /// the entries that are not looked at because they were proven elsewhere.
    pub(crate) fn new(
        given: Vec<GivenCheckpoint>,
        refused: Vec<Warning>,
        required: Required,
        range: CompactRange,
    ) -> Self {
        let sizes = given.iter().map(|given| given.checkpoint.size).chain([0]);
        let after = sizes.map(|size| (size, None)).collect();
        // The tree has a root before any entry too; without any, that of the empty tree.
        let roots = BTreeMap::from([(range.size(), range.root())]);
        let fingerprints = given.iter().flat_map(|one| one.keys.iter().map(Fingerprint::of)).collect();
        let (behind, stretches) = (None, BTreeMap::new());
        Self { given, refused, required, range, behind, stretches, roots, after, fingerprints }
    }

    /// Whether entries have to be looked at.
    pub(crate) const fn wants_entries(&self) -> bool {
        !self.given.is_empty() || matches!(self.required, Required::OlderThan(_))
    }

    /// Takes the next good entry.
    pub(crate) fn take(&mut self, seen: &Seen<'_>) {
        if let Some(at) = self.after.get_mut(&seen.seq) {
            *at = gate_ledger::entry::Entry::from_body(seen.body).ok().map(|entry| entry.at);
        }
        if self.given.is_empty() {
            return;
        }
        if seen.kind == Kind::Policy {
            self.fingerprints.iter_mut().for_each(|key| key.look_for_in(seen.body));
        }
        let leaf = leaf_hash(seen.body);
        if let Some(stretch) = &mut self.behind {
            stretch.push(leaf);
            return self.note_stretch();
        }
        self.range.push(leaf);
        let size = self.range.size();
        if self.is_asked(size) {
            self.roots.insert(size, self.range.root());
        }
    }

    /// Entries up to `end` are missing and may have been archived.
    pub(crate) fn gap(&mut self, end: u64) {
        self.behind = Some(Stretch::starting(end));
        self.note_stretch();
    }

    fn note_stretch(&mut self) {
        let stretch = self.behind.as_ref().filter(|stretch| self.is_asked(stretch.end())).cloned();
        self.stretches.extend(stretch.map(|stretch| (stretch.end(), stretch)));
    }

    fn is_asked(&self, size: u64) -> bool {
        self.given.iter().any(|given| given.checkpoint.size == size)
    }

    /// The roots behind archived entries, now that the tree of those is known.
    fn join(&mut self, outcome: &Outcome) {
        if outcome.archived.is_none() {
            return;
        }
        let Some(tree) = outcome.statement.as_ref().and_then(|statement| statement.tree().ok()) else {
            return;
        };
        for (size, stretch) in std::mem::take(&mut self.stretches) {
            self.roots.extend(tree.joined(&stretch).map(|joined| (size, joined.root())));
        }
    }

    /// Compares, once every good entry was taken. `now` is for the age of what is not covered.
    pub(crate) fn compare(mut self, outcome: &Outcome, now: Timestamp) -> Comparison {
        let mut comparison =
            Comparison { refused: std::mem::take(&mut self.refused), ..Comparison::default() };
        self.join(outcome);
        self.given.sort_by_key(|given| given.checkpoint.size);
        for given in &self.given {
            match self.judge(given, outcome) {
                Judged::Agrees => comparison.anchored = Some(given.anchored()),
                Judged::Refused(warning) => comparison.refused.push(warning),
                Judged::Contradicts(code, words) => {
                    let seq = comparison.anchored.as_ref().map_or(0, |anchored| anchored.size);
                    let seq = if code == "checkpoint-larger" { outcome.entries } else { seq };
                    let reason = format!("{code}: {words}");
                    comparison.first_bad.get_or_insert(FirstBad { seq, reason, code: code.to_owned() });
                }
            }
        }
        comparison.unanchored = unanchored(comparison.anchored.as_ref(), outcome.entries);
        comparison.refused.extend(self.missing(comparison.anchored.as_ref(), outcome.entries, now));
        comparison
    }

    fn judge(&self, given: &GivenCheckpoint, outcome: &Outcome) -> Judged {
        let size = given.checkpoint.size;
        if let Err(words) = given.must_be_of(outcome.ledger.as_deref()) {
            return Judged::refused("checkpoint-origin", words);
        }
        if self.fingerprints.iter().any(|key| key.found && given.is_signed_by(&key.key)) {
            let words = "is signed with a key that the ledger's policy trusts for requests; \
                         whoever may ask must not vouch for the record";
            return Judged::refused("checkpoint-signer", given.says(words));
        }
        match self.roots.get(&size) {
            Some(root) if *root == given.checkpoint.root => Judged::Agrees,
            Some(_) => Judged::Contradicts(
                "checkpoint-root",
                given
                    .says(&format!("has another root for the first {size} entries: history was rewritten")),
            ),
            // What lies behind a bad entry was not looked at, so the end need not be cut off.
            None if !outcome.is_good() => Judged::refused(
                "checkpoint-unreached",
                given.says(&format!("covers {size} entries, and only {} are good", outcome.entries)),
            ),
            None if outcome.archived.is_some_and(|archived| size < archived.before) => Judged::refused(
                "checkpoint-archived",
                given.says(&format!(
                    "covers {size} entries, which were archived; give their segments with --archive to compare it"
                )),
            ),
            None => Judged::Contradicts(
                "checkpoint-larger",
                given.says(&format!(
                    "covers {size} entries, and the ledger has {}: its end was cut off",
                    outcome.entries
                )),
            ),
        }
    }

    /// What is not covered although it must be.
    fn missing(&self, anchored: Option<&Anchored>, entries: u64, now: Timestamp) -> Option<Warning> {
        let covered = anchored.map_or(0, |anchored| anchored.size);
        let message = match self.required {
            Required::Nothing => return None,
            _ if covered >= entries => return None,
            Required::Everything => "no checkpoint covers these entries, as --require-anchor asks".to_owned(),
            Required::OlderThan(seconds) => {
                let at = self.after.get(&covered).copied().flatten();
                if at.is_some_and(|at| at >= now.minus(seconds)) {
                    return None;
                }
                let age = gate_model::time::format_duration(seconds);
                format!("no checkpoint covers these entries, and the first is older than {age}")
            }
        };
        Some(Warning::new("anchor-required", message).about(Some(entries - covered), Some(covered)))
    }
}

enum Judged {
    Agrees,
    Contradicts(&'static str, String),
    Refused(Warning),
}

impl Judged {
    fn refused(code: &str, message: String) -> Self {
        Self::Refused(Warning::new(code, message))
    }
}

fn unanchored(anchored: Option<&Anchored>, entries: u64) -> Option<Warning> {
    let covered = anchored.map_or(0, |anchored| anchored.size);
    if covered >= entries && anchored.is_some() {
        return None;
    }
    let message = if anchored.is_some() {
        "no checkpoint covers these entries, so that they could be cut off unseen"
    } else {
        "no checkpoint covers this ledger: a chain alone cannot see that its end was cut off or all of it rewritten"
    };
    Some(Warning::new("unanchored", message).about(Some(entries - covered), Some(covered)))
}

#[cfg(test)]
mod tests;
