//! What every transaction starts from: the policy in force, the ledger's place, the clock, and the facts of
//! the run.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gate_checkout::facts::{self, Begun, Facts, FactsError};
use gate_ledger::store::{Access, AppendError, Ledger, StoreError, Transaction};
use gate_model::exit::Exit;
use gate_model::time::Timestamp;

use crate::kept::Kept;
use crate::ledger_access::{self, Unusable};
use crate::ownership;
use crate::policy_source::{self, Choice, Loaded, PolicyError};
use crate::token;

/// How long a transaction waits for the ledger's lock.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The variable that holds a CI's OIDC token.
pub const TOKEN_VARIABLE: &str = "GATE_ID_TOKEN";

/// Why the facts of the run are not known.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// Git cannot be asked.
    #[error(transparent)]
    Facts(#[from] FactsError),
}

impl SettingError {
    /// What cannot be known about the run is wrong with what was given: nothing was decided.
    pub const fn exit(&self) -> Exit {
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
    /// What the ledger will be used for.
    pub access: Access,
}

/// The policy in force, with the place it is in force in. It is read once.
pub struct Setting<'a> {
    /// The effects and choices.
    pub place: Place<'a>,
    /// The policy.
    pub loaded: Loaded,
    facts: OnceCell<Facts>,
    /// Facts that are still being gathered.
    begun: RefCell<Option<Begun>>,
    /// The ledger between two uses, as it was opened to find the policy's guardian.
    kept: RefCell<Option<Kept>>,
}

impl<'a> Setting<'a> {
    /// Reads the policy. Where owners guard it, it must be admitted by one of them.
    ///
    /// # Errors
    /// A [`PolicyError`].
    pub fn read(place: Place<'a>) -> Result<Self, PolicyError> {
        let choice =
            Choice { cwd: place.cwd, path: place.policy.as_deref(), revision: place.policy_ref.as_deref() };
        let loaded = policy_source::load(&choice)?;
        let path = ledger_access::locate(place.ledger.as_deref(), place.cwd, &loaded);
        // Why a ledger cannot be used is told when it is needed; here it only cannot name a guardian.
        let kept = path.ok().and_then(|path| Kept::open_for(&path, place.access, &loaded).ok());
        let now = (place.clock)();
        let admitted = match &kept {
            Some(kept) => ownership::admit(loaded, Some(&kept.ledger.view()), now),
            None => ownership::admit(loaded, None, now),
        };
        Ok(Self {
            place,
            loaded: admitted?,
            facts: OnceCell::new(),
            begun: RefCell::new(None),
            kept: RefCell::new(kept),
        })
    }

    /// The clock's instant.
    pub fn now(&self) -> Timestamp {
        (self.place.clock)()
    }

    /// Who acts and where, from CI's variables and git, and from a CI token where there is one. Git is asked
    /// once, when this is first called.
    ///
    /// # Errors
    /// A [`SettingError`].
    pub fn facts(&self) -> Result<&Facts, SettingError> {
        if let Some(facts) = self.facts.get() {
            return Ok(facts);
        }
        let asserted = match self.begun.take() {
            Some(begun) => begun.finish(&self.loaded.policy.aliases)?,
            None => facts::gather(self.place.env, self.place.cwd, &self.loaded.policy.aliases)?,
        };
        let token = (self.place.env)(TOKEN_VARIABLE).filter(|token| !token.is_empty());
        let known = match token {
            Some(token) => token::prove(asserted, token.trim(), &self.loaded, self.now()),
            None => asserted,
        };
        Ok(self.facts.get_or_init(|| known))
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
    /// A [`SettingError`]; then nothing may start.
    pub fn begin_facts(&self) -> Result<(), SettingError> {
        if self.facts.get().is_some() {
            return Ok(());
        }
        let has_token = (self.place.env)(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty());
        let begun = if has_token { None } else { facts::begin(self.place.env, self.place.cwd) };
        match begun {
            Some(begun) => *self.begun.borrow_mut() = Some(begun),
            None => drop(self.facts()?),
        }
        Ok(())
    }

    /// Who acts and where as far as it is known without asking git.
    pub fn quick_facts(&self) -> Facts {
        match self.facts.get() {
            Some(facts) => facts.clone(),
            None => facts::without_git(self.place.env, self.place.cwd, &self.loaded.policy.aliases),
        }
    }

    /// The ledger's path.
    ///
    /// # Errors
    /// [`Unusable::Url`].
    pub fn ledger_path(&self) -> Result<PathBuf, Unusable> {
        ledger_access::locate(self.place.ledger.as_deref(), self.place.cwd, &self.loaded)
    }

    /// Opens the ledger, checked to be the policy's.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn open(&self, access: Access) -> Result<Ledger, Unusable> {
        Ok(self.take(access)?.ledger)
    }

    /// Opens the ledger like [`Setting::open`], to be given back with [`Setting::keep`].
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn take(&self, access: Access) -> Result<Kept, Unusable> {
        let path = self.ledger_path()?;
        match self.kept.take() {
            Some(kept) if kept.serves(&path, access) => Ok(kept),
            _ => Kept::open(&path, access, &self.loaded),
        }
    }

    /// Runs `work` in one transaction of the ledger.
    ///
    /// # Errors
    /// Why the ledger cannot be used, a failure of the store, or that of `work`; then nothing was recorded.
    pub fn transact<T, E: From<Unusable> + From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut ledger = self.open(Access::Append)?;
        let done = ledger.append(LOCK_WAIT, self.place.clock, work).map_err(|error| match error {
            AppendError::Store(source) => source.into(),
            AppendError::Work(failed) => failed,
        })?;
        ledger.close()?;
        Ok(done)
    }

    /// Keeps an open ledger for the next use of this run.
    pub fn keep(&self, kept: Kept) {
        *self.kept.borrow_mut() = Some(kept);
    }
}
