//! A gap in what a remote sends: lines that were archived, if an entry says so.
//!
//! Only a working copy that has nothing yet can cross one. Where there is a newest entry already, nothing would show
//! that it is among what is missing, and a fork could hide there.

use crate::archive::{EntryRef, Statement, is_always_kept};
use crate::chain::{Bad, Chain, Facts, Linked};
use crate::entry::{Entry, Kind};

/// What came before the first entry that an archive would have moved, and what accounts for gaps in it.
#[derive(Debug)]
pub(super) struct Front {
    /// Whether a gap can still come.
    open: bool,
    kept: Vec<EntryRef>,
    /// The entry behind the last gap, and the hash that it names.
    last: Option<(EntryRef, EntryRef)>,
    statement: Option<(u64, Result<Statement, String>)>,
}

impl Front {
    /// For a working copy that `is_new`, or for one that has entries already.
    pub(super) const fn new(is_new: bool) -> Self {
        Self { open: is_new, kept: Vec::new(), last: None, statement: None }
    }

    /// Takes an entry that stands behind a gap, on probation.
    ///
    /// # Errors
    /// The gap, where no archive can have left it.
    pub(super) fn cross(&mut self, chain: &mut Chain, facts: Facts, gap: Bad) -> Result<Linked, Bad> {
        if !self.open || chain.newest().is_none() {
            return Err(gap);
        }
        let linked = chain.leap(facts)?;
        let before = EntryRef { seq: facts.seq - 1, hash: facts.prev };
        self.last = Some((EntryRef { seq: facts.seq, hash: facts.hash }, before));
        Ok(linked)
    }

    /// Takes note of an entry that was linked.
    pub(super) fn pass(&mut self, entry: &Entry) {
        if entry.kind == Kind::Archive {
            let statement = Statement::of(entry).map_err(|error| error.to_string());
            self.statement = Some((entry.seq, statement));
        }
        // The first entry behind a gap may be the first that was not moved, of whatever kind it is.
        self.open = self.open && is_always_kept(entry.kind);
        if self.open {
            self.kept.push(entry.into());
        }
    }

    /// Whether the newest statement accounts for what is missing.
    ///
    /// # Errors
    /// The position that is missing, and why nothing accounts for it.
    pub(super) fn judge(&self) -> Result<(), (u64, Bad)> {
        let Some((behind, before)) = self.last else { return Ok(()) };
        let gap = Bad::Gap { expected: before.seq, found: behind.seq };
        let Some((seq, statement)) = &self.statement else { return Err((before.seq, gap)) };
        let wrong = |defect: String| (before.seq, Bad::Archive { statement: *seq, defect });
        let statement = statement.as_ref().map_err(|defect| wrong(defect.clone()))?;
        if statement.head != before {
            return Err(wrong(format!("it names another last moved entry than {}", before.seq)));
        }
        let kept = &self.kept[..self.kept.partition_point(|kept| kept.seq < statement.before)];
        if statement.kept != kept {
            return Err(wrong("the kept entries are not those that it names".to_owned()));
        }
        Ok(())
    }
}
