//! What every transaction starts from: the policy in force, the ledger's place, the clock, and the facts of
//! the run.

use std::cell::{Cell, OnceCell, RefCell};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gate_checkout::facts::{self, Begun, Facts, FactsError};
use gate_checkout::git;
use gate_ledger::store::{Access, AppendError, Ledger, StoreError, Transaction};
use gate_model::exit::{Ends, Exit};
use gate_model::time::Timestamp;

use crate::ledger_access::{self, Unusable};
use crate::ownership;
use gate_judge::ownership::Guard;
use gate_judge::policy_text::{Loaded, NoFile};

use crate::policy_source::{self, Choice, PolicyError};
use crate::remote::{Away, Connect, Link};
use crate::token;

/// How long a transaction waits for the ledger's lock.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The variable that holds a CI's OIDC token.
pub const TOKEN_VARIABLE: &str = "GATE_ID_TOKEN";

/// Why the facts of the run are not known.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Git cannot be asked.
    #[error(transparent)]
    Facts(#[from] FactsError),
}

impl Ends for WorkspaceError {
    // What cannot be known about the run is wrong with what was given: nothing was decided.
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The effects that a transaction may use, and what the caller chose.
pub struct Place<'a> {
    /// The working directory.
    pub cwd: &'a Path,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The clock.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// `--policy`, else `GATE_POLICY`.
    pub policy: Option<PathBuf>,
    /// `--policy-ref`.
    pub policy_ref: Option<String>,
    /// `--ledger`, else `GATE_LEDGER`.
    pub ledger: Option<PathBuf>,
    /// How the helper of a remote is reached.
    pub connect: Connect,
}

impl Place<'_> {
    fn load(&self) -> Result<Loaded, PolicyError> {
        self.refuse_detour()?;
        policy_source::load(&Choice {
            cwd: self.cwd,
            path: self.policy.as_deref(),
            revision: self.policy_ref.as_deref(),
        })
    }

    /// Refuses a working directory that a change under review chose: a folder of the repository that became a link. The
    /// shell's `PWD` tells the way that was taken; where it does not lead here it tells nothing.
    fn refuse_detour(&self) -> Result<(), PolicyError> {
        let Some(way) = (self.env)("PWD").map(PathBuf::from).filter(|way| way.is_absolute()) else {
            return Ok(());
        };
        let leads_here =
            matches!((way.canonicalize(), self.cwd.canonicalize()), (Ok(way), Ok(here)) if way == here);
        match if leads_here { git::tracked_link(&way)? } else { None } {
            Some(link) => Err(PolicyError::Detour(link)),
            None => Ok(()),
        }
    }
}

/// How a ledger is opened.
type Opening<'o> = &'o dyn Fn() -> Result<Ledger, Unusable>;
/// From how many seconds on it is told that the ledger's newest entry is ahead of this machine's clock.
const NOTABLE_LEAD: i64 = 5;

/// The policy in force, with the place it is in force in. It is read once.
pub struct Workspace<'a> {
    /// The effects and choices.
    pub place: Place<'a>,
    /// The policy.
    pub loaded: Loaded,
    facts: OnceCell<Facts>,
    /// The repository's name, once somebody asked for it, by the guardians of the ledger where there are any.
    named: OnceCell<Option<String>>,
    /// What CI and the checkout call the repository.
    stated: OnceCell<Vec<String>>,
    /// Facts that are still being gathered.
    begun: RefCell<Option<Begun>>,
    is_glance: Cell<bool>,
    /// The ledger as it lay when it was asked who guards the policy, for whoever looks into it next.
    at_rest: RefCell<Option<Ledger>>,
    /// The link to the remote, once it was needed.
    pub(crate) link: RefCell<Option<Link>>,
    /// That the remote was out of reach.
    pub(crate) away: RefCell<Option<Away>>,
    /// How many times somebody else wrote to the remote first.
    pub(crate) lost: Rc<Cell<u32>>,
    /// By how much the newest entry was ahead of the clock in the last transaction.
    ahead: Cell<Option<i64>>,
}

impl<'a> Workspace<'a> {
    /// Reads the policy. Where owners guard it, it must be admitted by one of them.
    ///
    /// # Errors
    /// A [`PolicyError`]; among them that the ledger which knows its owners cannot be asked.
    pub fn read(place: Place<'a>) -> Result<Self, PolicyError> {
        let mut workspace = Self::unguarded(place)?;
        let lying = workspace.asked(&|| workspace.open_at_rest())?;
        let admitted = workspace.admitted(lying.as_ref());
        if lying.as_ref().is_none_or(Ledger::is_still) {
            workspace.loaded = admitted?;
            *workspace.at_rest.get_mut() = lying.filter(Ledger::is_at_rest);
            return Ok(workspace);
        }
        // Somebody wrote meanwhile: what was found out counts for nothing.
        drop(lying);
        workspace.named = OnceCell::new();
        let ledger = workspace.asked(&|| workspace.open(Access::Read))?;
        workspace.loaded = workspace.admitted(ledger.as_ref())?;
        Ok(workspace)
    }

    /// Reads the policy with which a ledger is going to be made: what lies in its place is not asked.
    ///
    /// # Errors
    /// A [`PolicyError`].
    pub fn founding(place: Place<'a>) -> Result<Self, PolicyError> {
        let mut workspace = Self::unguarded(place)?;
        workspace.loaded = workspace.admitted(None)?;
        Ok(workspace)
    }

    /// Reads the policy for no more than what it says of its ledger: nobody is asked whether it is in force, and nothing
    /// may be decided by it.
    ///
    /// # Errors
    /// A [`PolicyError`].
    pub fn unguarded(place: Place<'a>) -> Result<Self, PolicyError> {
        let loaded = place.load()?;
        let (begun, link, away) = (RefCell::new(None), RefCell::new(None), RefCell::new(None));
        let (facts, named, is_glance) = (OnceCell::new(), OnceCell::new(), Cell::new(false));
        let (stated, at_rest) = (OnceCell::new(), RefCell::new(None));
        let (lost, ahead) = (Rc::default(), Cell::default());
        Ok(Self { place, loaded, facts, named, stated, begun, is_glance, at_rest, link, away, lost, ahead })
    }

    /// The ledger that knows who guards the text of a work tree. Nothing that a change can bring may hide it: there is
    /// none only where no file is, nobody named one, and the text names no remote. For a revision nobody is asked;
    /// whether the ledger can be used is told where it is needed.
    ///
    /// # Errors
    /// Why it cannot be asked.
    fn guarding(&self, open: Opening<'_>) -> Result<Option<Ledger>, Unusable> {
        if self.place.ledger.is_none() && !self.loaded.is_from_revision() {
            let path = self.ledger_path()?;
            if self.place.policy.is_none() {
                ledger_access::refuse_second(&path, self.place.cwd)?;
            }
            if self.remote().is_none() && ledger_access::is_absent(&path)? {
                return Ok(None);
            }
        }
        open().map(Some)
    }

    /// The same for a text that counts only where it can be asked who guards it.
    fn asked(&self, open: Opening<'_>) -> Result<Option<Ledger>, PolicyError> {
        match self.guarding(open) {
            Ok(ledger) => Ok(ledger),
            Err(_) if self.loaded.is_from_revision() => Ok(None),
            Err(source) => Err(PolicyError::Unguarded { name: self.loaded.name.clone(), source }),
        }
    }

    fn admitted(&self, ledger: Option<&Ledger>) -> Result<Loaded, PolicyError> {
        let named = &|guard: &Guard| self.named_by(guard).map(|name| name.map(str::to_owned));
        let view = ledger.map(Ledger::view);
        Ok(ownership::admit(self.loaded.clone(), view.as_ref(), named, self.now())?)
    }

    /// The ledger as it lies, else as [`Workspace::open`] opens it for reading.
    pub(crate) fn open_at_rest(&self) -> Result<Ledger, Unusable> {
        match self.at_rest() {
            Some(ledger) => Ok(ledger),
            None => self.open(Access::Read),
        }
    }

    /// Lets go of the ledger: something is going to be waited for, and no file of it stays open meanwhile.
    pub fn let_go(&self) {
        drop(self.at_rest.take());
    }

    /// The ledger as it lies, for a look that is over before anything else is done with it: nothing where it has a remote,
    /// is verified first, or may be written to just now. What is wrong with it the next way to open it tells. What was seen
    /// counts only where [`Ledger::is_still`] says so afterwards.
    pub(crate) fn at_rest(&self) -> Option<Ledger> {
        if self.remote().is_some() || self.loaded.policy.ledger.verify {
            return None;
        }
        let open = || ledger_access::open_at_rest(&self.ledger_path().ok()?, &self.loaded).ok().flatten();
        // Long may have passed since it was opened: a report was read, say.
        self.at_rest.take().filter(Ledger::is_newest).or_else(open)
    }

    /// The clock's instant.
    pub fn now(&self) -> Timestamp {
        (self.place.clock)()
    }

    /// Who acts and where, from CI's variables and git, and from a CI token where there is one. Git is asked
    /// once, when this is first called.
    ///
    /// # Errors
    /// A [`WorkspaceError`].
    pub fn facts(&self) -> Result<&Facts, WorkspaceError> {
        if let Some(facts) = self.facts.get() {
            return Ok(facts);
        }
        let begun = self.begun.take().or_else(|| self.is_glance.get().then(|| self.glance()).flatten());
        let asserted = match begun {
            Some(begun) => begun.finish(&self.loaded.policy.aliases)?,
            None => facts::gather(self.place.env, self.place.cwd, &self.loaded.policy.aliases)?,
        };
        self.stated.get_or_init(|| asserted.context.stated_names().into_iter().map(str::to_owned).collect());
        let known = match self.token() {
            Some(token) => token::prove(asserted, token.trim(), &self.loaded, self.now()),
            None => asserted,
        };
        Ok(self.facts.get_or_init(|| known))
    }

    /// The repository that the policy is in, as CI and the checkout name it. Neither the aliases of the policy count nor a
    /// token whose issuers it names: the text in question has no say in whose it is. Nothing where the name is unknown, or
    /// several are stated that nobody in the ledger joins.
    ///
    /// # Errors
    /// A [`WorkspaceError`].
    pub fn repository(&self) -> Result<Option<&str>, WorkspaceError> {
        self.named_by(&Guard::default())
    }

    /// The same, where `guard` may join several names; what was found out first stays.
    ///
    /// # Errors
    /// A [`WorkspaceError`].
    pub fn named_by(&self, guard: &Guard) -> Result<Option<&str>, WorkspaceError> {
        if self.named.get().is_none() {
            self.facts()?;
            let stated: Vec<&str> = self.stated.get().into_iter().flatten().map(String::as_str).collect();
            let name = guard.name_of(&stated).map(str::to_owned);
            return Ok(self.named.get_or_init(|| name).as_deref());
        }
        Ok(self.named.get().and_then(Option::as_deref))
    }

    fn token(&self) -> Option<String> {
        (self.place.env)(TOKEN_VARIABLE).filter(|token| !token.is_empty())
    }

    /// Where each fact of the run comes from, as sentences for whoever asks.
    ///
    /// # Errors
    /// A [`WorkspaceError`].
    pub fn origins(&self) -> Result<Vec<String>, WorkspaceError> {
        self.let_go();
        let known = self.facts()?;
        let asserted = facts::origins(self.place.env, self.place.cwd, &self.loaded.policy.aliases)?;
        Ok(token::origins(known, &asserted))
    }

    /// By how many seconds `instant`, at which something was judged, is ahead of this machine's clock, where that is
    /// notable: it is then the time of the ledger's newest entry, and opt-outs end that much earlier.
    pub(crate) fn lead(&self, instant: Timestamp) -> Option<i64> {
        Some(instant.seconds_since(self.now())).filter(|ahead| *ahead > NOTABLE_LEAD)
    }

    /// The same of the last transaction.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.ahead.get()
    }

    /// What a person should know about how the facts came about; nothing where nobody asked for them.
    pub fn notes(&self) -> &[String] {
        self.facts.get().map_or(&[], |facts| &facts.notes)
    }

    /// Begins to gather the facts where nobody asked for them yet: where they are plain HEAD is read now, the
    /// rest beside a command that is about to run. Then the context does not say whether the tree is dirty.
    ///
    /// Where they are not plain, or a token has to be checked, all is gathered now: a command could move HEAD,
    /// and a token that is good now may have ended when the command has.
    ///
    /// # Errors
    /// A [`WorkspaceError`]; then nothing may start.
    pub fn begin_facts(&self) -> Result<(), WorkspaceError> {
        if self.facts.get().is_some() {
            return Ok(());
        }
        match self.glance() {
            Some(begun) => *self.begun.borrow_mut() = Some(begun),
            None => drop(self.facts()?),
        }
        Ok(())
    }

    /// The facts at a glance, where they are plain and no token has to be checked.
    fn glance(&self) -> Option<Begun> {
        if self.token().is_some() { None } else { facts::begin(self.place.env, self.place.cwd) }
    }

    /// From now on a glance at the checkout is enough: what is not recorded need not say whether the tree is dirty.
    pub(crate) fn only_glance(&self) {
        self.is_glance.set(true);
    }

    /// Who acts and where as far as it is known without asking git.
    pub fn quick_facts(&self) -> Facts {
        match self.facts.get() {
            Some(facts) => facts.clone(),
            None => facts::without_git(self.place.env, self.place.cwd, &self.loaded.policy.aliases),
        }
    }

    /// The ledger's path; with a remote that of the working copy.
    ///
    /// # Errors
    /// Where nothing pins the ledger of a remote, or another one was named.
    pub fn ledger_path(&self) -> Result<PathBuf, Unusable> {
        match self.remote() {
            Some(rules) => Ok(self.link(rules)?.copy().to_owned()),
            None => ledger_access::locate(self.place.ledger.as_deref(), self.place.cwd, &self.loaded),
        }
    }

    /// Opens the ledger, checked to be the policy's, to look into it. The working copy of a remote that is out of reach
    /// serves as it is, and [`Workspace::stale`] says so. Nobody keeps it open over a command, or while they wait for
    /// something: whoever removes one of its files meanwhile would have two writers see two ledgers.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn open(&self, access: Access) -> Result<Ledger, Unusable> {
        if let Some(rules) = self.remote() {
            if access == Access::Append {
                // Whatever is written there alone would be found as an attack.
                return Err(NoFile(rules.address.clone()).into());
            }
            match self.refresh() {
                Err(away) if away.is_out_of_reach() && self.has_sound_copy(rules)? => {}
                done => done?,
            }
        }
        self.let_go();
        ledger_access::open(&self.ledger_path()?, access, &self.loaded)
    }

    /// Opens it to decide by what it holds.
    ///
    /// # Errors
    /// Why it cannot be used; with a remote also that this is out of reach; with `[ledger] verify` also that it does
    /// not hold.
    pub fn open_to_judge(&self, access: Access) -> Result<Ledger, Unusable> {
        self.refresh()?;
        if self.remote().is_some() {
            return self.open(access);
        }
        self.let_go();
        ledger_access::open_to_judge(&self.ledger_path()?, access, &self.loaded)
    }

    /// Runs `work` in one transaction of the ledger; with a remote again, each time that somebody else was first.
    ///
    /// # Errors
    /// Why the ledger cannot be used, a failure of the store, or that of `work`; then nothing was recorded.
    pub fn transact<T, E: From<Unusable> + From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let work = |transaction: &mut Transaction<'_>| {
            self.ahead.set(self.lead(transaction.now()));
            work(transaction)
        };
        if let Some(rules) = self.remote() {
            return self.transact_there(rules, work);
        }
        let mut ledger = self.open_to_judge(Access::Append)?;
        let done = ledger.append(LOCK_WAIT, self.place.clock, work).map_err(AppendError::flatten)?;
        ledger.close()?;
        Ok(done)
    }

    /// What `work` comes to in a transaction that is taken back, whatever it comes to.
    ///
    /// # Errors
    /// As [`Workspace::transact`]; then nobody can tell.
    pub fn rehearse<T, E: From<Unusable> + From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.remote().is_some() {
            // Nobody needs a right to write to the remote for what is taken back.
            self.refresh().map_err(Unusable::from)?;
            if let Some(value) = self.rehearse_in_copy(&mut work)? {
                return Ok(value);
            }
        }
        let Err(taken_back) =
            self.transact::<Infallible, _>(|transaction| Err(TakenBack::of(work(transaction))));
        taken_back.into_result()
    }

    /// The same in the working copy of a remote, as it is; nothing where there is none.
    ///
    /// # Errors
    /// As [`Workspace::rehearse`].
    pub(crate) fn rehearse_in_copy<T, E: From<Unusable> + From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let Some(mut copy) = self.writable_copy()? else { return Ok(None) };
        let rehearsed = copy.append::<Infallible, _>(LOCK_WAIT, self.place.clock, |transaction| {
            self.ahead.set(self.lead(transaction.now()));
            Err(TakenBack::of(work(transaction)))
        });
        let Err(taken_back) = rehearsed.map_err(AppendError::flatten);
        taken_back.into_result().map(Some)
    }
}

/// Why a rehearsal's transaction is taken back: it is known what it came to, or it came to nothing.
enum TakenBack<T, E> {
    Came(T),
    Failed(E),
}

impl<T, E> TakenBack<T, E> {
    fn of(came: Result<T, E>) -> Self {
        came.map_or_else(Self::Failed, Self::Came)
    }

    fn into_result(self) -> Result<T, E> {
        match self {
            Self::Came(value) => Ok(value),
            Self::Failed(error) => Err(error),
        }
    }
}

impl<T, E: From<Unusable>> From<Unusable> for TakenBack<T, E> {
    fn from(error: Unusable) -> Self {
        Self::Failed(error.into())
    }
}

impl<T, E: From<StoreError>> From<StoreError> for TakenBack<T, E> {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
