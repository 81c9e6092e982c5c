//! What is to be moved: from which position up to which.
//!
//! Invariant: the entry before the end is one that is moved, so that the statement's `head` is not kept beside it.
//!
//! Not here: what somebody still needs ([`archiving::needed`]), and moving anything.

use std::ops::ControlFlow;

use gate_judge::lifting::Trust;
use gate_ledger::archive::{EntryRef, Statement, is_always_kept};
use gate_ledger::chain;
use gate_ledger::store::{Ledger, StoreError, View};
use gate_model::time::Timestamp;
use gate_workflow::archiving;

use super::ArchiveFailure;
use crate::args::{ArchiveArgs, Before};

/// The most entries that a statement can keep: each takes about ninety bytes of the mebibyte that an entry has.
const MAX_KEPT: usize = 10_000;

/// What is to be moved.
#[derive(Debug)]
pub(super) struct Plan {
    /// The position behind what was archived before; 0 the first time.
    pub(super) from: u64,
    /// The position behind what is archived now. The entry before it is moved.
    pub(super) before: u64,
    /// What stays before that.
    pub(super) kept: Vec<EntryRef>,
    /// The statement about what was archived before.
    pub(super) earlier: Option<Statement>,
}

impl Plan {
    /// The plan for `args` at `now`; none where no entry would be moved.
    ///
    /// # Errors
    /// An [`ArchiveFailure`]; one is that something must stay.
    pub(super) fn make(
        ledger: &Ledger,
        today: Option<Trust<'_>>,
        args: &ArchiveArgs,
        now: Timestamp,
    ) -> Result<Option<Self>, ArchiveFailure> {
        let view = ledger.view();
        let earlier = view.archive()?.map(|(_, statement)| statement);
        let from = earlier.as_ref().map_or(0, |earlier| earlier.before);
        let now = now.max(view.head()?.at);
        let wanted = wanted(&view, from, args.before, now)?;
        let needed = archiving::needed(&view, today, wanted, now)?;
        let limit = match needed {
            Some(needed) if !args.as_far_as_possible => return Err(ArchiveFailure::needed(wanted, needed)),
            Some(needed) => needed.seq,
            None => wanted,
        };
        let Some(before) = behind_last_moved(&view, from, limit)? else { return Ok(None) };
        let kept = kept(ledger, &view, before)?;
        Ok(Some(Self { from, before, kept, earlier }))
    }
}

/// The position that the option means.
fn wanted(view: &View<'_>, from: u64, before: Before, now: Timestamp) -> Result<u64, StoreError> {
    let when = match before {
        // One behind the newest entry is as far as there is anything.
        Before::Seq(seq) => return Ok(seq.min(view.head()?.seq + 1)),
        Before::When(when) => when.from(now).to_string(),
    };
    let mut wanted = from;
    each(view, from, None, |facts| {
        let older = facts.at.as_slice() < when.as_bytes();
        wanted = if older { facts.seq + 1 } else { wanted };
        older
    })?;
    Ok(wanted)
}

/// The position behind the last entry from `from` up to `limit` that is moved and not kept.
fn behind_last_moved(view: &View<'_>, from: u64, limit: u64) -> Result<Option<u64>, StoreError> {
    let mut last = None;
    let Some(to) = limit.checked_sub(1).filter(|to| *to >= from) else { return Ok(None) };
    each(view, from, Some(to), |facts| {
        if !is_always_kept(facts.kind) {
            last = Some(facts.seq + 1);
        }
        true
    })?;
    Ok(last)
}

/// Shows `look` what the entries from `from` to `to` say, until it has seen enough.
fn each(
    view: &View<'_>,
    from: u64,
    to: Option<u64>,
    mut look: impl FnMut(&chain::Facts) -> bool,
) -> Result<(), StoreError> {
    let (mut damage, mut next) = (None, from);
    view.scan_lines(from, to, &mut |body, _| match chain::inspect(body) {
        Ok(facts) => {
            next = facts.seq + 1;
            if look(&facts) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
        Err(source) => {
            damage = Some(StoreError::bad(next, source));
            ControlFlow::Break(())
        }
    })?;
    damage.map_or(Ok(()), Err)
}

/// Genesis and the policies before `before`.
fn kept(ledger: &Ledger, view: &View<'_>, before: u64) -> Result<Vec<EntryRef>, ArchiveFailure> {
    let mut kept = vec![EntryRef { seq: 0, hash: ledger.genesis() }];
    view.policies(&mut |entry| {
        if entry.seq < before {
            kept.push(EntryRef::from(entry));
        }
        ControlFlow::Continue(())
    })?;
    kept.sort_by_key(|kept| kept.seq);
    if kept.len() > MAX_KEPT { Err(ArchiveFailure::TooMany(kept.len())) } else { Ok(kept) }
}
