//! What every verb starts from: the streams' properties, the environment, the clock, and the ledger.
//!
//! With a policy the ledger is the policy's, and must have the genesis that it pins. Reading needs no policy
//! where the ledger is named: an auditor has nothing but the file.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use gate_checkout::facts;
use gate_cli::options::Shared;
use gate_cli::session::{Session, Stop};
use gate_judge::lifting::Trust;
use gate_judge::policy_text::TextError;
use gate_ledger::store::{Access, Ledger, is_reserved};
use gate_model::principal::Principal;
use gate_policy::Policy;
use gate_workflow::policy_source::PolicyError;
use gate_workflow::reading::due::Today;
use gate_workflow::workspace::{Place, Workspace, WorkspaceError};

/// The session, with what the verbs find the ledger by.
pub(crate) struct Log<'a> {
    /// Environment, clock, output.
    pub session: Session<'a>,
    /// One variable of the environment.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// The options of all tools.
    pub shared: &'a Shared,
    /// What a person should know of how the ledger was found.
    pub notes: RefCell<Vec<String>>,
}

/// Where the ledger is.
pub(crate) enum Found<'a> {
    /// Where the policy, or the caller beside it, says.
    Policy(Box<Workspace<'a>>),
    /// At a path that was named, with no policy around.
    Alone(PathBuf),
}

impl<'a> Log<'a> {
    /// The policy in force, and what belongs to it.
    ///
    /// # Errors
    /// A [`PolicyError`].
    pub(crate) fn workspace(&self) -> Result<Workspace<'a>, PolicyError> {
        Workspace::read(self.place())
    }

    /// What the caller chose.
    pub(crate) fn place(&self) -> Place<'a> {
        let store = &self.shared.store;
        Place {
            cwd: &self.session.env.cwd,
            env: self.lookup,
            clock: self.session.clock,
            policy: store.policy(self.session.env),
            policy_ref: store.policy_ref(self.session.env),
            ledger: store.ledger(self.session.env),
            connect: gate_workflow::remote::through_helper(),
        }
    }

    /// Where the ledger is.
    ///
    /// # Errors
    /// A [`PolicyError`]; that there is none is an error only where no ledger was named.
    pub(crate) fn find(&self) -> Result<Found<'a>, PolicyError> {
        match (self.workspace(), self.shared.store.ledger(self.session.env)) {
            (Ok(workspace), _) => Ok(self.found(workspace)),
            (Err(PolicyError::Text(TextError::NotFound(_))), Some(path)) => {
                Ok(Found::Alone(self.session.env.cwd.join(path)))
            }
            // Opening it says why it cannot be used, and salvage reads it all the same.
            (Err(PolicyError::Unguarded { .. }), _) => {
                Ok(Found::Policy(Box::new(Workspace::unguarded(self.place())?)))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn found(&self, workspace: Workspace<'a>) -> Found<'a> {
        // Why it cannot be opened is told by whoever opens it.
        if let Ok(Some(stale)) = workspace.stale() {
            self.notes.borrow_mut().push(stale);
        }
        Found::Policy(Box::new(workspace))
    }

    /// Opens the ledger for reading.
    ///
    /// # Errors
    /// A [`Stop`].
    pub(crate) fn ledger(&self) -> Result<Ledger, Stop> {
        self.find()?.open(Access::Read)
    }
}

impl Found<'_> {
    /// Opens the ledger.
    ///
    /// # Errors
    /// A [`Stop`].
    pub(crate) fn open(&self, access: Access) -> Result<Ledger, Stop> {
        match self {
            Self::Policy(workspace) => Ok(workspace.open(access)?),
            Self::Alone(path) => Ok(Ledger::open(path, access)?),
        }
    }

    /// The ledger's path.
    ///
    /// # Errors
    /// A [`Stop`].
    pub(crate) fn path(&self) -> Result<PathBuf, Stop> {
        match self {
            Self::Policy(workspace) => Ok(workspace.ledger_path()?),
            Self::Alone(path) => Ok(path.clone()),
        }
    }

    /// Refuses to write to `target`, which a person wrote as `shown`, where that is the name of a file that
    /// belongs to the ledger. Where no ledger is, no file does.
    ///
    /// # Errors
    /// A [`Stop`].
    pub(crate) fn refuse_reserved(&self, target: &Path, shown: &Path) -> Result<(), Stop> {
        match self.path() {
            Ok(ledger) if is_reserved(&ledger, target) => Err(Stop::usage(format_args!(
                "'{}' is a name for files that belong to the ledger, and SQLite deletes what it finds there\n\
                     name another place",
                shown.display()
            ))),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The policy and its place, where the ledger is kept at a remote.
    pub(crate) fn remote(&self) -> Option<&Workspace<'_>> {
        match self {
            Self::Policy(workspace) if workspace.remote().is_some() => Some(workspace),
            Self::Policy(_) | Self::Alone(_) => None,
        }
    }

    /// Who acts.
    pub(crate) fn principal(&self, log: &Log<'_>) -> Principal {
        match self {
            Self::Policy(workspace) => workspace.quick_facts().principal,
            Self::Alone(_) => facts::without_git(log.lookup, &log.session.env.cwd, &[]).principal,
        }
    }

    /// Today's rules and the keys that they trust, where there are any.
    pub(crate) fn trust(&self) -> Option<Trust<'_>> {
        match self {
            Self::Policy(workspace) => Some(workspace.loaded.trust()),
            Self::Alone(_) => None,
        }
    }

    /// The policy in force, where there is one, with the repository that it is in force in.
    ///
    /// # Errors
    /// The facts of the run are not known.
    pub(crate) fn today(&self) -> Result<Option<Today<'_>>, WorkspaceError> {
        match self {
            Self::Policy(workspace) => {
                Ok(Some(Today { policy: &workspace.loaded, repository: workspace.repository()? }))
            }
            Self::Alone(_) => Ok(None),
        }
    }

    /// Today's rules, where there are any.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.trust().map(|(policy, _)| policy)
    }
}
