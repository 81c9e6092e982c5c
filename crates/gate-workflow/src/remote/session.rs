//! A run and its remote: one connection, made when it is first needed.

use std::cell::RefMut;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gate_identity::ci;
use gate_ledger::archive::{EntryRef, Statement};
use gate_ledger::commitment::Commitment;
use gate_ledger::entry::{Entry, EntryHash};
use gate_ledger::remote::{Expect, Hello, working_copy};
use gate_ledger::store::{Access, Ledger, StoreError, Transaction};
use gate_ledger::waiting::{self, Waiting, WaitingError};
use gate_model::exit::Ends;
use gate_model::payload::DecisionData;
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::{Floor, Publish, Remote as Rules};

use super::transaction::Stopped;
use super::waiting::take_foreign;
use super::{Link, RemoteProblem, State, Synced, WAIT, copy};
use crate::ledger_access::{self, Unusable};
use crate::policies;
use crate::workspace::Workspace;

/// The variable that names a floor under the remote, beside the policy's.
pub const AT_LEAST_VARIABLE: &str = "GATE_LEDGER_AT_LEAST";

/// For how long a remote that was out of reach is not asked again.
const REST: Duration = Duration::from_secs(20);

/// A remote that could not be reached.
pub(crate) struct Away {
    since: Instant,
    said: String,
    exit: gate_model::exit::Exit,
}

impl Away {
    fn problem(&self) -> RemoteProblem {
        RemoteProblem::Away { said: self.said.clone(), exit: self.exit }
    }
}

impl Workspace<'_> {
    /// The policy's remote, where it has one.
    pub const fn remote(&self) -> Option<&Rules> {
        self.loaded.policy.ledger.remote.as_ref()
    }

    fn needed(&self) -> Result<&Rules, RemoteProblem> {
        self.remote().ok_or(RemoteProblem::NoRemote)
    }

    /// The first entry that the policy pins, and the floor under its remote.
    fn expected(&self, rules: &Rules) -> Result<Expect, RemoteProblem> {
        let hash = |text: &str| text.parse::<EntryHash>().map_err(|_| RemoteProblem::Unpinned);
        let pinned = self.loaded.policy.ledger.genesis.as_deref().ok_or(RemoteProblem::Unpinned)?;
        let named = match (self.place.env)(AT_LEAST_VARIABLE) {
            Some(text) => Some(Floor::parse(&text).ok_or(RemoteProblem::Floor(text))?),
            None => None,
        };
        // The higher of the two is the stricter one.
        let floor = rules.at_least.clone().into_iter().chain(named).max_by_key(|floor| floor.seq);
        let at_least = match floor {
            Some(floor) => Some(EntryRef { seq: floor.seq, hash: hash(&floor.hash)? }),
            None => None,
        };
        Ok(Expect { genesis: hash(pinned)?, ledger: None, at_least })
    }

    /// The folder of working copies, which is made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub fn copy_folder(&self) -> Result<PathBuf, Unusable> {
        let place = working_copy(self.place.env, EntryHash::ZERO, "").map_err(RemoteProblem::from)?;
        copy::refuse_foreign(&place)?;
        Ok(place.parent().unwrap_or(Path::new("/")).to_owned())
    }

    /// Begins a ledger at the policy's remote with all entries of `ledger`.
    ///
    /// # Errors
    /// Where there is one already, or nobody can be reached.
    pub fn create_remote(&self, ledger: &Ledger) -> Result<(), Unusable> {
        Ok(super::create(&self.place.connect, &self.needed()?.address, ledger)?)
    }

    /// The first entry of the ledger that is at the policy's remote, if there is one.
    ///
    /// # Errors
    /// Where nobody can be reached, or what is there is no ledger.
    pub fn first_of_remote(&self) -> Result<Option<Entry>, Unusable> {
        Ok(super::first(&self.place.connect, &self.needed()?.address)?)
    }

    /// The link to the policy's remote.
    ///
    /// # Errors
    /// Where nothing pins the ledger, or another one was named.
    pub(crate) fn link(&self, rules: &Rules) -> Result<RefMut<'_, Link>, RemoteProblem> {
        if self.place.ledger.is_some() {
            return Err(RemoteProblem::Named(rules.address.clone()));
        }
        let mut link = self.link.borrow_mut();
        if link.is_none() {
            if !self.loaded.is_from_revision() && ci::detect(self.place.env).is_some_and(|ci| ci.pull_request)
            {
                return Err(RemoteProblem::UnderReview(rules.address.clone()));
            }
            let expect = self.expected(rules)?;
            let copy = working_copy(self.place.env, expect.genesis, &rules.address)?;
            let expect = (expect, ledger_access::privacy(&self.loaded));
            let mut new = Link::new(self.place.connect.clone(), rules.address.clone(), expect, copy);
            new.lost = self.lost.clone();
            *link = Some(new);
        }
        RefMut::filter_map(link, Option::as_mut).map_err(|_| RemoteProblem::NoRemote)
    }

    /// How many times somebody else wrote to the remote first, so that this run judged again.
    pub fn lost(&self) -> u32 {
        self.lost.get()
    }

    /// From now on nothing but the connection that there is counts.
    pub(crate) fn seal_remote(&self) {
        if let Some(link) = self.link.borrow_mut().as_mut() {
            link.seal();
        }
    }

    /// Refuses a remote that was out of reach a moment ago: one run does not wait for it twice.
    fn refuse_away(&self) -> Result<(), RemoteProblem> {
        match self.away.borrow().as_ref().filter(|away| away.since.elapsed() < REST) {
            Some(away) => Err(away.problem()),
            None => Ok(()),
        }
    }

    /// Does `work` with the link, unless the remote was out of reach a moment ago.
    fn reach<T>(
        &self,
        rules: &Rules,
        work: impl FnOnce(&mut Link) -> Result<T, RemoteProblem>,
    ) -> Result<T, RemoteProblem> {
        self.refuse_away()?;
        let done = work(&mut *self.link(rules)?);
        *self.away.borrow_mut() = match &done {
            Err(problem) if problem.is_out_of_reach() => {
                let (said, exit) = (problem.to_string(), problem.exit());
                Some(Away { since: Instant::now(), said, exit })
            }
            _ => None,
        };
        done
    }

    /// Brings the working copy of the policy's remote up to date and verifies it, where there is a remote.
    ///
    /// # Errors
    /// A [`RemoteProblem`].
    pub(crate) fn refresh(&self) -> Result<(), RemoteProblem> {
        match self.remote() {
            Some(rules) => self.reach(rules, |link| link.refresh(WAIT, self.place.clock)),
            None => Ok(()),
        }
    }

    /// Verifies the working copy as it is, for a remote that is out of reach; whether there is one.
    ///
    /// # Errors
    /// Where there is one and it does not hold.
    pub(crate) fn has_sound_copy(&self, rules: &Rules) -> Result<bool, RemoteProblem> {
        let link = self.link(rules)?;
        if link.copied()?.is_none() {
            return Ok(false);
        }
        link.verify().map(|_| true)
    }

    /// The working copy of a remote that is out of reach, as it is; none where there is no remote, or no copy.
    ///
    /// # Errors
    /// Where there is one and it does not hold.
    pub(crate) fn open_stale(&self) -> Result<Option<Ledger>, Unusable> {
        match self.remote() {
            Some(rules) if self.has_sound_copy(rules)? => {
                ledger_access::open(&self.ledger_path()?, Access::Read, &self.loaded).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The working copy of the remote, if there is one, open for what is taken back again.
    ///
    /// # Errors
    /// Where there is one and it does not hold.
    pub(crate) fn writable_copy(&self) -> Result<Option<Ledger>, Unusable> {
        let Some(rules) = self.remote() else { return Ok(None) };
        if !self.has_sound_copy(rules)? {
            return Ok(None);
        }
        let mut copy = Ledger::open(&self.ledger_path()?, Access::Append).map_err(RemoteProblem::from)?;
        copy.set_privacy(ledger_access::privacy(&self.loaded));
        Ok(Some(copy))
    }

    /// Erases the openings of `commitments`, which an entry that is recorded names, at the remote and here.
    ///
    /// # Errors
    /// Where the remote cannot, or this run may not; then it can be done again.
    pub fn erase(&self, commitments: &[Commitment]) -> Result<(), Unusable> {
        Ok(self.link(self.needed()?)?.erase(commitments, WAIT, self.place.clock)?)
    }

    /// Has the remote drop the entries that `statement`, which it has, says were archived.
    ///
    /// # Errors
    /// Where it cannot; then it has them still, which is no harm.
    pub fn drop_archived(&self, statement: &Statement) -> Result<(), Unusable> {
        let keep: Vec<u64> = statement.kept.iter().map(|kept| kept.seq).collect();
        Ok(self.link(self.needed()?)?.drop_archived(statement.before, &keep)?)
    }

    /// How old what was opened is, where the remote could not be reached, for whoever looks at it.
    ///
    /// # Errors
    /// Where the working copy cannot be read.
    pub fn stale(&self) -> Result<Option<String>, Unusable> {
        let Some(said) = self.away.borrow().as_ref().map(|away| away.said.clone()) else { return Ok(None) };
        let Some(ledger) = self.open_stale()? else { return Ok(None) };
        let head = ledger.view().head().map_err(RemoteProblem::from)?;
        Ok(Some(format!(
            "{}; what is known is as old as entry {} of {}",
            said.replace('\n', "; "),
            head.seq,
            head.at
        )))
    }

    /// Runs `work` in one transaction of the remote ledger.
    ///
    /// # Errors
    /// As [`Workspace::transact`].
    pub(crate) fn transact_there<T, E: From<Unusable> + From<StoreError>>(
        &self,
        rules: &Rules,
        work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.refuse_away().map_err(Unusable::from)?;
        let by = self.quick_facts().principal;
        let mut link = self.link(rules).map_err(Unusable::from)?;
        link.transact(WAIT, self.place.clock, &by, work).map_err(|stopped| match stopped {
            Stopped::Problem(problem) => Unusable::from(problem).into(),
            Stopped::Store(source) => source.into(),
            Stopped::Work(failed) => failed,
        })
    }

    /// Brings the working copy up to date and sends what waits: beside it, and in the file `from`.
    ///
    /// # Errors
    /// Why that is not possible; then what was not sent still waits.
    pub fn sync(&self, from: Option<&Path>) -> Result<Synced, Unusable> {
        let (by, clock) = (self.quick_facts().principal, self.place.clock);
        let mut link = self.link(self.needed()?)?;
        let before = link.copied()?.map_or(0, |head| head.seq + 1);
        let pulled = link.bring_up(WAIT, clock)?;
        let received = (pulled.seq + 1).saturating_sub(before);
        let mut sent = link.send_waiting(WAIT, clock, &by)?;
        if let Some(file) = from {
            sent += send(&mut link, file, &by, clock)?;
        }
        let head = link.copied()?.unwrap_or(pulled);
        Ok(Synced { schema: "gate.sync/1", head: head.into(), received, sent, lost: self.lost() })
    }

    /// Whether decisions that used no opt-out need not reach the ledger at once.
    pub(crate) fn lets_wait(&self) -> bool {
        self.remote().is_some_and(|rules| rules.publish == Publish::Batch)
    }

    /// Lets a decision on `gate` wait beside the working copy, durably. Returns whether it does: not where there is no
    /// working copy, or the rules that it was judged by are not in it.
    ///
    /// # Errors
    /// Why it cannot be kept.
    pub(crate) fn wait_for_sync(
        &self,
        gate: &str,
        by: &Principal,
        data: &DecisionData,
    ) -> Result<bool, RemoteProblem> {
        let link = self.link(self.needed()?)?;
        if link.copied()?.is_none() {
            return Ok(false);
        }
        let here = self.repository()?;
        let actor = serde_json::to_value(by).map_err(WaitingError::from)?;
        let data = serde_json::to_value(data).map_err(WaitingError::from)?;
        let file = waiting::beside(link.copy());
        link.alone(WAIT, self.place.clock, |transaction| {
            if !policies::is_recorded(&transaction.view(), &self.loaded, here)? {
                return Ok(false);
            }
            let head = transaction.head().into();
            let one = Waiting::new((gate, actor, data), transaction.view().ledger(), head, self.now())?;
            waiting::add(&file, &one)?;
            Ok(true)
        })
    }

    /// Where the remote and its working copy stand.
    ///
    /// # Errors
    /// Where there is no remote, or the working copy cannot be read.
    pub fn remote_state(&self) -> Result<State, Unusable> {
        let rules = self.needed()?;
        let mut link = self.link(rules)?;
        let (hello, unreachable) = match link.hello() {
            Ok(hello) => (hello, None),
            Err(problem) if problem.is_out_of_reach() => (Hello::default(), Some(problem.to_string())),
            Err(problem) => return Err(problem.into()),
        };
        Ok(State {
            schema: "gate.remote-state/1",
            address: rules.address.clone(),
            place: hello.place,
            unreachable,
            head: hello.head.map(Into::into),
            can: hello.can.words(),
            copy: link.copy().display().to_string(),
            copied: link.copied()?.map(Into::into),
            waiting: waiting::read(&waiting::beside(link.copy())).map_err(RemoteProblem::from)?.len(),
        })
    }
}

/// Sends what waits in `file`, which another machine wrote; returns how much of it is new in the ledger.
fn send(
    link: &mut Link,
    file: &Path,
    by: &Principal,
    clock: &dyn Fn() -> Timestamp,
) -> Result<usize, RemoteProblem> {
    let (all, mut sent, mut done) = (waiting::read(file)?.len(), 0, 0);
    while done < all {
        let taken =
            link.transact(WAIT, clock, by, |transaction| take_foreign(file, done, by, transaction))?;
        sent += taken.new.len();
        done += taken.ids.len();
    }
    Ok(sent)
}
