//! The ledger on the branch, as the protocol asks for it.

use std::time::{Duration, Instant};

use gate_cli::clock::Clock;
use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::entry::Entry;
use gate_ledger::remote::{Batch, Can, Each, Hello, Outcome, Remote, RemoteError};

use crate::address::Address;
use crate::cache::{Cache, TIP};
use crate::commit::{self, Change, Note};
use crate::error::{distrust, failure};
use crate::git::Git;
use crate::layout::{self, END, FOLDER};
use crate::message::message;
use crate::objects::Objects;
use crate::push::{Branch, Pushed, There};
use crate::settings::{Places, redacted};
use crate::tip::Tip;

/// How long the answer to `hello` serves the `read` right behind it.
const FRESH: Duration = Duration::from_secs(1);
/// How often something is tried anew where others push meanwhile.
const TRIES: u32 = 8;

/// A branch of a repository that git can reach.
pub(crate) struct GitRemote<'c> {
    git: Git,
    cache: Cache,
    places: Places,
    address: Address,
    clock: Clock<'c>,
    objects: Option<Objects>,
    /// What the branch held when it was last looked at; none where there was no branch.
    tip: Option<Tip>,
    /// Since when that serves the next `read`, if it does.
    fresh: Option<Instant>,
}

impl<'c> GitRemote<'c> {
    pub(crate) fn new(git: Git, cache: Cache, places: Places, address: Address, clock: Clock<'c>) -> Self {
        Self { git, cache, places, address, clock, objects: None, tip: None, fresh: None }
    }

    fn branch(&self) -> Branch<'_> {
        Branch { git: &self.git, places: &self.places, name: &self.address.branch }
    }

    fn head(&self) -> Option<EntryRef> {
        self.tip.as_ref().map(|tip| tip.head)
    }

    /// Looks at the branch. The caller holds the cache's lock.
    fn refresh(&mut self) -> Result<(), RemoteError> {
        self.fresh = None;
        // It starts beside the fetch, and looks for what is new when it is asked.
        self.objects()?;
        // Where little can be new, what came between is fetched as well: then git sees at once whether anything is new.
        if !self.branch().fetch(!self.cache.is_recent())?.success {
            if self.branch().ask()? == There::NoBranch {
                self.tip = None;
                return Ok(());
            }
            // It can be reached, so that what is wrong is here: a lock of a process that was killed, a full or broken
            // cache. It is made anew, once.
            self.objects = None;
            self.cache.renew(&self.git)?;
            let again = self.branch().fetch(true)?;
            if !again.success {
                return Err(again.unreached("the repository", &self.branch().said(&again)));
            }
        }
        self.reread()
    }

    /// Reads what was fetched.
    fn reread(&mut self) -> Result<(), RemoteError> {
        let commit = self.objects()?.commit(TIP)?;
        self.read_tip(&commit)
    }

    fn read_tip(&mut self, commit: &str) -> Result<(), RemoteError> {
        if self.tip.as_ref().is_none_or(|tip| tip.commit != commit) {
            let read = Tip::read(self.objects()?, commit);
            self.tip = Some(read?);
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<&mut Objects, RemoteError> {
        if self.objects.is_none() {
            self.objects = Some(Objects::open(&self.git)?);
        }
        self.objects.as_mut().ok_or_else(|| failure("git hands out no objects"))
    }

    /// The lines of `batch` with their positions.
    fn placed(batch: &Batch) -> Result<Vec<(u64, Vec<u8>)>, RemoteError> {
        let place = |line: &Vec<u8>| {
            let seq = layout::position(line).filter(|seq| *seq < END);
            seq.map(|seq| (seq, line.clone()))
                .ok_or_else(|| failure("the branch has no room for more entries"))
        };
        batch.lines.iter().map(place).collect()
    }

    /// What adding `lines` changes: their files, and those of each thousand that becomes full in one.
    fn change(&mut self, mut lines: Vec<(u64, Vec<u8>)>) -> Result<Change, RemoteError> {
        let mut change =
            Change { parent: self.tip.as_ref().map(|tip| tip.commit.clone()), ..Change::default() };
        let (first, last) = (lines.first().map_or(0, |line| line.0), lines.last().map_or(0, |line| line.0));
        let begun = first / FOLDER;
        if let Some(tip) = self.tip.clone()
            && !first.is_multiple_of(FOLDER)
            && last >= begun * FOLDER + FOLDER - 1
        {
            let mut whole = tip.folder(self.objects()?, begun)?;
            whole.append(&mut lines);
            lines = whole;
            change.dropped = tip.paths(self.objects()?, begun)?;
        }
        change.files = layout::files(&lines);
        Ok(change)
    }

    fn commit(&self, change: &Change, lines: &[Vec<u8>]) -> Result<String, RemoteError> {
        let text = message(&self.address.prefix, lines, &commit::nonce()?);
        let at = (self.clock)().micros() / 1_000_000;
        commit::make(&self.git, change, &Note { author: self.address.author.clone(), at, text })
    }

    /// Commits and pushes; afterwards the tip is what the branch has.
    fn publish(&mut self, change: &Change, lines: &[Vec<u8>]) -> Result<Outcome, RemoteError> {
        self.fresh = None;
        let commit = self.commit(change, lines)?;
        let pushed = self.branch().push(&commit, change.parent.as_deref())?;
        match pushed {
            Pushed::Taken => {
                self.cache.keep(&commit);
                // What was pushed can be read again later; that it was taken must be told now.
                if self.read_tip(&commit).is_err() {
                    self.tip = None;
                }
                Ok(Outcome::Taken)
            }
            Pushed::Moved => {
                self.refresh()?;
                // Whoever lost reads what is new, and then judges again.
                self.fresh = Some(Instant::now());
                Ok(Outcome::Moved(self.head()))
            }
            Pushed::Refused(said) => Ok(Outcome::Refused(said)),
            Pushed::Unknown(said) => Ok(Outcome::Unknown(said)),
        }
    }

    /// What dropping the lines before `before` changes, but for those at `keep`.
    fn without(&mut self, before: u64, keep: &[u64]) -> Result<Change, RemoteError> {
        let tip = self.tip.clone().ok_or_else(|| distrust("there is no such branch"))?;
        let mut change = Change { parent: Some(tip.commit.clone()), ..Change::default() };
        for number in tip.thousands_before(before) {
            let lines = tip.folder(self.objects()?, number)?;
            let (kept, dropped): (Vec<_>, Vec<_>) =
                lines.into_iter().partition(|(seq, _)| *seq >= before || keep.contains(seq));
            if !dropped.is_empty() {
                change.dropped.extend(tip.paths(self.objects()?, number)?);
                change.files.extend(layout::files(&kept));
            }
        }
        Ok(change)
    }
}

impl Remote for GitRemote<'_> {
    fn hello(&mut self, _: Option<LedgerId>) -> Result<Hello, RemoteError> {
        let _lock = self.cache.lock()?;
        self.refresh()?;
        self.fresh = Some(Instant::now());
        let branch = self.address.branch.trim_start_matches("refs/heads/");
        Ok(Hello {
            can: Can { forget: true, ..Can::default() },
            ledger: self.tip.as_ref().map(|tip| tip.ledger),
            head: self.head(),
            now: None,
            place: Some(redacted(&format!("branch {branch} of {}", self.places.fetch), &self.places)),
        })
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        let _lock = self.cache.lock()?;
        if self.fresh.take().is_none_or(|since| since.elapsed() > FRESH) {
            self.refresh()?;
        }
        let Some(tip) = self.tip.clone() else { return Ok(None) };
        let mut last = after;
        tip.lines(self.objects()?, after, most, &mut |line| {
            last = layout::position(line);
            each(line)
        })?;
        // Whoever reads on, reads on in the same ledger.
        self.fresh = (most > 0 && last < Some(tip.head.seq)).then(Instant::now);
        Ok(Some(tip.head))
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        let _lock = self.cache.lock()?;
        if self.head() != Some(after) {
            self.refresh()?;
        }
        for _ in 0..TRIES {
            if self.head() != Some(after) {
                break;
            }
            let change = self.change(Self::placed(batch)?)?;
            let outcome = self.publish(&change, &batch.lines)?;
            if !matches!(outcome, Outcome::Moved(_)) {
                return Ok(outcome);
            }
            // Where the newest entry is the same, only something else on the branch moved.
        }
        Ok(Outcome::Moved(self.head()))
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        let _lock = self.cache.lock()?;
        self.refresh()?;
        if self.tip.is_some() {
            return Ok(Outcome::Moved(self.head()));
        }
        let first = batch.lines.first().and_then(|line| Entry::from_line(line).ok());
        let first = first.ok_or_else(|| failure("the first line is no entry"))?;
        let mut change = self.change(Self::placed(batch)?)?;
        change.files.push(layout::ledger_file(&first.ledger));
        self.publish(&change, &batch.lines)
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        let _lock = self.cache.lock()?;
        for _ in 0..TRIES {
            self.refresh()?;
            let change = self.without(before, keep)?;
            if change.dropped.is_empty() {
                return Ok(());
            }
            match self.publish(&change, &[])? {
                Outcome::Taken => return Ok(()),
                // Perhaps it is done, perhaps not: looking again tells.
                Outcome::Moved(_) | Outcome::Unknown(_) => {}
                Outcome::Refused(said) => {
                    return Err(failure(&format!("the repository does not take it: {said}")));
                }
            }
        }
        Err(failure("others appended at the same time, again and again"))
    }
}

impl Drop for GitRemote<'_> {
    /// Puts loose objects together now and then, when nobody waits for an answer any more.
    fn drop(&mut self) {
        if self.cache.is_littered()
            && let Ok(_lock) = self.cache.lock()
        {
            // A cache that was not tidied up is only larger.
            drop(self.git.run(&["gc", "--quiet"], b""));
        }
    }
}
