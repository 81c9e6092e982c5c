//! A working copy in memory.

use gate_ledger::archive::EntryRef;
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::remote::{Expect, PullError, Remote, WorkingCopy, pull};
use gate_tests::remote::Chain;

/// What was taken for good, and what is on probation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copy {
    pub(crate) entries: Vec<Entry>,
    /// Fails when it is to take an entry at this position.
    pub(crate) full_at: Option<u64>,
}

impl Copy {
    /// With the entries of `lines`.
    pub(crate) fn of(lines: &[Vec<u8>]) -> Self {
        let entries = lines.iter().map(|line| Entry::from_line(line).unwrap()).collect();
        Self { entries, full_at: None }
    }

    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        self.entries.iter().map(|entry| entry.line().into_bytes()).collect()
    }

    /// Pulls as a caller does: nothing is kept unless all went well.
    pub(crate) fn pull(
        &mut self,
        remote: &mut dyn Remote,
        expect: &Expect,
    ) -> Result<EntryRef, PullError<String>> {
        let mut probation = self.clone();
        let head = pull(remote, expect, &mut probation)?;
        *self = probation;
        Ok(head)
    }
}

impl WorkingCopy for Copy {
    type Error = String;

    fn head(&self) -> Result<Option<EntryRef>, String> {
        Ok(self.entries.last().map(|entry| EntryRef { seq: entry.seq, hash: entry.hash }))
    }

    fn hash_at(&self, seq: u64) -> Result<Option<EntryHash>, String> {
        Ok(self.entries.iter().find(|entry| entry.seq == seq).map(|entry| entry.hash))
    }

    fn take(&mut self, entry: &Entry) -> Result<(), String> {
        if self.full_at == Some(entry.seq) {
            return Err("the disk is full".to_owned());
        }
        self.entries.push(entry.clone());
        Ok(())
    }
}

/// A ledger of `count` lines, what is known of it, and the chain to go on with.
pub(crate) fn ledger(count: usize) -> (Vec<Vec<u8>>, Expect, Chain) {
    let mut chain = Chain::new(0xc3);
    let lines = chain.batch(count, "entry").lines;
    let genesis = Entry::from_line(&lines[0]).unwrap().hash;
    (lines, Expect { genesis, ledger: Some(chain.id()), at_least: None }, chain)
}

/// The entry at `seq` of `lines`.
pub(crate) fn at(lines: &[Vec<u8>], seq: usize) -> EntryRef {
    let entry = Entry::from_line(&lines[seq]).unwrap();
    EntryRef { seq: entry.seq, hash: entry.hash }
}
