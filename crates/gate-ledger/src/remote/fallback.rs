//! A remote, or why there is none: that is the answer to whatever is asked.

use super::{Batch, Each, Failed, Hello, Outcome, Remote, RemoteError};
use crate::archive::EntryRef;
use crate::chain::LedgerId;
use crate::commitment::Commitment;

fn there<R>(remote: &mut Result<R, Failed>) -> Result<&mut R, RemoteError> {
    remote.as_mut().map_err(|failed| failed.clone().into())
}

impl<R: Remote> Remote for Result<R, Failed> {
    fn hello(&mut self, ledger: Option<LedgerId>) -> Result<Hello, RemoteError> {
        there(self)?.hello(ledger)
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        there(self)?.read(after, most, each)
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        there(self)?.append(after, batch)
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        there(self)?.create(batch)
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        there(self)?.forget(before, keep)
    }

    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        there(self)?.openings(from, to, each)
    }

    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        there(self)?.erase(commitments)
    }
}
