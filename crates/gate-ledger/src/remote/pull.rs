//! Bringing a working copy up to date: whatever comes is checked before it counts.

use std::ops::ControlFlow;

use gate_model::exit::{Ends, Exit};

use super::front::Front;
use super::{MAX_LINES, Remote, RemoteError};
use crate::archive::EntryRef;
use crate::chain::{Bad, Chain, LedgerId, Start};
use crate::entry::{Entry, EntryHash};

/// What is known of the ledger before anybody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// The hash of its first entry, as the policy pins it.
    pub genesis: EntryHash,
    /// Its id, where it is known.
    pub ledger: Option<LedgerId>,
    /// An entry that it must have: without it, it was rolled back.
    pub at_least: Option<EntryRef>,
}

/// A ledger that follows a remote.
pub trait WorkingCopy {
    /// What goes wrong with it.
    type Error;

    /// Its newest entry; none where it has nothing yet.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn head(&self) -> Result<Option<EntryRef>, Self::Error>;

    /// The hash of the entry at `seq`, if that is there.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn hash_at(&self, seq: u64) -> Result<Option<EntryHash>, Self::Error>;

    /// Takes the next entry, on probation: unless [`pull`] ends well, nothing that it handed over may be kept.
    /// Behind entries that were archived, `entry` stands further on than the next one.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn take(&mut self, entry: &Entry) -> Result<(), Self::Error>;
}

/// Why a working copy could not be brought up to date. Nothing that was handed over counts.
#[derive(Debug, thiserror::Error)]
pub enum PullError<E> {
    /// The remote did not answer.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The working copy failed.
    #[error("{0}")]
    Copy(E),
    /// There is no ledger.
    #[error("the remote holds no ledger\nmake one there with gate-log init --remote, or name another remote")]
    NoLedger,
    /// It is another one.
    #[error(
        "the remote holds another ledger: its first entry is {found}, expected {expected}\n\
             name the right remote, or the genesis that belongs to it"
    )]
    OtherLedger {
        /// The hash that was expected.
        expected: EntryHash,
        /// What is there.
        found: EntryHash,
    },
    /// It does not have what was seen there before.
    #[error("the remote was rolled back: its newest entry is {}, and entry {seen} was there before\n\
             find out who did that; a copy that has the entry can be pushed again", Newest(*there))]
    RolledBack {
        /// The newest entry that the remote has.
        there: Option<u64>,
        /// The entry that it had.
        seen: u64,
    },
    /// It has another history than the working copy.
    #[error(
        "the remote was forked: entry {at} is {found} there, and was {known}\n\
             find out who wrote two histories; gate-verify both of them"
    )]
    Forked {
        /// The position at which the two differ, at the latest.
        at: u64,
        /// The entry here.
        known: EntryHash,
        /// What the remote says.
        found: EntryHash,
    },
    /// What follows the working copy was archived, or taken out: nothing shows that its newest entry is among what is
    /// missing.
    #[error(
        "the remote has nothing between entry {own}, the newest of the working copy, and entry {found}\n\
         if it was archived there, remove the working copy, which is made anew (gate-log remote names its file); else \
         find out who took it out"
    )]
    Behind {
        /// The newest entry of the working copy.
        own: u64,
        /// The first one that the remote has behind it.
        found: u64,
    },
    /// An entry that it must have was archived, so that nothing shows whether it was there.
    #[error("entry {0}, which the remote must have, was archived\nname a newer entry in at_least")]
    FloorArchived(u64),
    /// An entry is of a later format.
    #[error(
        "entry {seq} of the remote is of a format that this build does not know: {source}\ninstall a newer gate"
    )]
    Newer {
        /// The entry.
        seq: u64,
        /// What it says of itself.
        source: Bad,
    },
    /// A line is not the entry that should come.
    #[error("entry {seq} of the remote is bad: {source}\nsomebody changed it there; nothing of it was taken")]
    Bad {
        /// The position of the entry.
        seq: u64,
        /// What is wrong with it.
        source: Bad,
    },
    /// What it says of its newest entry and what it sends contradict each other.
    #[error("the remote contradicts itself: {0}\nnothing of it was taken")]
    Contradiction(String),
}

impl<E> PullError<E> {
    /// How a tool ends on it, `copy` saying so for its own errors.
    pub fn exit(&self, copy: impl FnOnce(&E) -> Exit) -> Exit {
        match self {
            Self::Remote(error) => error.exit(),
            Self::Copy(error) => copy(error),
            Self::NoLedger
            | Self::OtherLedger { .. }
            | Self::RolledBack { .. }
            | Self::Forked { .. }
            | Self::Behind { .. }
            | Self::FloorArchived(_)
            | Self::Newer { .. }
            | Self::Bad { .. }
            | Self::Contradiction(_) => Exit::Distrust,
        }
    }
}

struct Newest(Option<u64>);

impl std::fmt::Display for Newest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(seq) => write!(f, "{seq}"),
            None => f.write_str("none"),
        }
    }
}

/// Takes over what `remote` has beyond `copy`; returns the newest entry, which both then have.
///
/// # Errors
/// A [`PullError`]; then `copy` must be put back to what it was.
pub fn pull<W: WorkingCopy>(
    remote: &mut dyn Remote,
    expect: &Expect,
    copy: &mut W,
) -> Result<EntryRef, PullError<W::Error>> {
    let own = copy.head().map_err(PullError::Copy)?;
    let mut intake =
        Intake { expect, own, chain: chain(expect, own), front: Front::new(own.is_none()), floor: None };
    let head = loop {
        let before = intake.chain.entries();
        let head = intake.page(remote, copy)?;
        let newest = intake.compare(head)?;
        if newest == head {
            break head;
        }
        if intake.chain.entries() == before {
            let sent =
                format!("its newest entry is {}, and it sends nothing behind {}", head.seq, newest.seq);
            return Err(PullError::Contradiction(sent));
        }
    };
    intake.front.judge().map_err(|(seq, source)| PullError::Bad { seq, source })?;
    intake.check_floor(head, copy)?;
    Ok(head)
}

fn chain(expect: &Expect, own: Option<EntryRef>) -> Chain {
    own.map_or_else(Chain::new, |own| {
        Chain::starting(Start {
            next: own.seq + 1,
            prev: own.hash,
            ledger: expect.ledger,
            genesis: Some(expect.genesis),
        })
    })
}

/// What came so far.
struct Intake<'e> {
    expect: &'e Expect,
    own: Option<EntryRef>,
    chain: Chain,
    front: Front,
    /// The hash of the entry that the remote must have, if it came.
    floor: Option<EntryHash>,
}

impl Intake<'_> {
    /// Takes one page of lines; returns the newest entry that the remote says it has.
    fn page<W: WorkingCopy>(
        &mut self,
        remote: &mut dyn Remote,
        copy: &mut W,
    ) -> Result<EntryRef, PullError<W::Error>> {
        let after = self.chain.entries().checked_sub(1);
        let mut stopped = None;
        let read = remote.read(after, MAX_LINES, &mut |line| match self.line(line, copy) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                stopped = Some(error);
                ControlFlow::Break(())
            }
        });
        if let Some(error) = stopped {
            return Err(error);
        }
        match (read?, self.own) {
            (Some(head), _) => Ok(head),
            (None, Some(own)) => Err(PullError::RolledBack { there: None, seen: own.seq }),
            (None, None) => Err(PullError::NoLedger),
        }
    }

    fn line<W: WorkingCopy>(&mut self, line: &[u8], copy: &mut W) -> Result<(), PullError<W::Error>> {
        let seq = self.chain.entries();
        let entry = Entry::from_line(line).map_err(|error| self.refuse(seq, error.0))?;
        self.link(&entry)?;
        self.front.pass(&entry);
        if self.expect.at_least.is_some_and(|floor| floor.seq == entry.seq) {
            self.floor = Some(entry.hash);
        }
        copy.take(&entry).map_err(PullError::Copy)
    }

    fn link<E>(&mut self, entry: &Entry) -> Result<(), PullError<E>> {
        let seq = self.chain.entries();
        let facts = crate::chain::inspect(entry.body.as_bytes()).map_err(|bad| self.refuse(seq, bad))?;
        let linked = match self.chain.link(facts) {
            Err(gap @ Bad::Gap { .. }) => self.front.cross(&mut self.chain, facts, gap),
            linked => linked,
        };
        let linked = linked.map_err(|bad| self.refuse(seq, bad))?;
        if linked.facts.seq == 0 && linked.facts.hash != self.expect.genesis {
            let (expected, found) = (self.expect.genesis, linked.facts.hash);
            return Err(PullError::OtherLedger { expected, found });
        }
        Ok(())
    }

    /// What it means that the line at `seq` is `bad`.
    fn refuse<E>(&self, seq: u64, bad: Bad) -> PullError<E> {
        match (bad, self.own) {
            (Bad::Prev { expected, found }, Some(own)) if own.seq + 1 == seq => {
                PullError::Forked { at: own.seq, known: expected, found }
            }
            (Bad::Gap { found, .. }, Some(own)) if own.seq + 1 == seq => {
                PullError::Behind { own: own.seq, found }
            }
            (source @ Bad::Version(_), _) => PullError::Newer { seq, source },
            (source, _) => PullError::Bad { seq, source },
        }
    }

    /// Compares what came with what the remote says is its newest entry; returns the newest that is known here.
    fn compare<E>(&self, head: EntryRef) -> Result<EntryRef, PullError<E>> {
        let Some((seq, hash)) = self.chain.newest() else {
            return Err(PullError::Contradiction(format!(
                "its newest entry is {}, and it sends none",
                head.seq
            )));
        };
        if head.seq < seq {
            return Err(PullError::RolledBack { there: Some(head.seq), seen: seq });
        }
        if head.seq == seq && head.hash != hash {
            return Err(PullError::Forked { at: seq, known: hash, found: head.hash });
        }
        Ok(EntryRef { seq, hash })
    }

    fn check_floor<W: WorkingCopy>(&self, head: EntryRef, copy: &W) -> Result<(), PullError<W::Error>> {
        let Some(floor) = self.expect.at_least else { return Ok(()) };
        if head.seq < floor.seq {
            return Err(PullError::RolledBack { there: Some(head.seq), seen: floor.seq });
        }
        let found = match self.floor {
            Some(hash) => Some(hash),
            None => copy.hash_at(floor.seq).map_err(PullError::Copy)?,
        };
        match found {
            Some(hash) if hash == floor.hash => Ok(()),
            Some(found) => Err(PullError::Forked { at: floor.seq, known: floor.hash, found }),
            None => Err(PullError::FloorArchived(floor.seq)),
        }
    }
}
