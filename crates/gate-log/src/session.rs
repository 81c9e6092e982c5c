//! What every verb starts from: the streams' properties, the environment, the clock, and the ledger.
//!
//! With a policy the ledger is the policy's, and must have the genesis that it pins. Reading needs no policy
//! where the ledger is named: an auditor has nothing but the file.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use gate_checkout::facts;
use gate_cli::clock::Clock;
use gate_cli::options::{Format, Shared};
use gate_cli::render::{self, View};
use gate_cli::{Env, Io, terminal};
use gate_judge::lifting::Trust;
use gate_judge::policy_text::TextError;
use gate_ledger::store::{Access, Ledger, is_reserved};
use gate_model::principal::Principal;
use gate_model::time::Timestamp;
use gate_policy::Policy;
use gate_workflow::policy_source::PolicyError;
use gate_workflow::reading::due::Today;
use gate_workflow::workspace::{Place, Workspace, WorkspaceError};
use serde::Serialize;

use crate::error::LogError;

/// Environment, clock and shared options.
pub(crate) struct Session<'a> {
    /// The environment.
    pub env: &'a Env,
    /// One variable of it.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// The clock.
    pub clock: Clock<'a>,
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

impl<'a> Session<'a> {
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
            cwd: &self.env.cwd,
            env: self.lookup,
            clock: self.clock,
            policy: store.policy(self.env),
            policy_ref: store.policy_ref(self.env),
            ledger: store.ledger(self.env),
            connect: gate_workflow::remote::through_helper(),
        }
    }

    /// Where the ledger is.
    ///
    /// # Errors
    /// A [`PolicyError`]; that there is none is an error only where no ledger was named.
    pub(crate) fn find(&self) -> Result<Found<'a>, PolicyError> {
        match (self.workspace(), self.shared.store.ledger(self.env)) {
            (Ok(workspace), _) => Ok(self.found(workspace)),
            (Err(PolicyError::Text(TextError::NotFound(_))), Some(path)) => {
                Ok(Found::Alone(self.env.cwd.join(path)))
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
    /// A [`LogError`].
    pub(crate) fn ledger(&self) -> Result<Ledger, LogError> {
        self.find()?.open(Access::Read)
    }

    /// The clock's instant.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The format to write.
    pub(crate) fn format(&self, io: &Io<'_>) -> Format {
        self.shared.output.format(io.stdout_terminal)
    }

    /// How somebody looks at it.
    pub(crate) fn view(&self, io: &Io<'_>) -> View {
        View {
            width: terminal::width().filter(|_| io.stdout_terminal),
            colour: terminal::colour(self.shared.output.color, self.env, io.stdout_terminal),
            now: self.now(),
        }
    }

    /// Shows `document` where a program reads, and tells `summary` on stderr.
    pub(crate) fn report(&self, document: &impl Serialize, summary: &str, io: &mut Io<'_>) {
        self.document(document, io);
        self.summary(io, summary);
    }

    /// Shows `document` where a program reads.
    pub(crate) fn document(&self, document: &impl Serialize, io: &mut Io<'_>) {
        if self.format(io) != Format::Text {
            io.show(&(render::json(document) + "\n"));
        }
    }

    /// Tells `text` on stderr, unless that is not wanted.
    pub(crate) fn summary(&self, io: &mut Io<'_>, text: &str) {
        if !self.shared.output.quiet {
            io.tell(&gate_cli::message::line(crate::run::TOOL, text));
        }
    }
}

impl Found<'_> {
    /// Opens the ledger.
    ///
    /// # Errors
    /// A [`LogError`].
    pub(crate) fn open(&self, access: Access) -> Result<Ledger, LogError> {
        match self {
            Self::Policy(workspace) => Ok(workspace.open(access)?),
            Self::Alone(path) => Ok(Ledger::open(path, access)?),
        }
    }

    /// The ledger's path.
    ///
    /// # Errors
    /// A [`LogError`].
    pub(crate) fn path(&self) -> Result<PathBuf, LogError> {
        match self {
            Self::Policy(workspace) => Ok(workspace.ledger_path()?),
            Self::Alone(path) => Ok(path.clone()),
        }
    }

    /// Refuses to write to `target`, which a person wrote as `shown`, where that is the name of a file that
    /// belongs to the ledger. Where no ledger is, no file does.
    ///
    /// # Errors
    /// [`LogError::Reserved`].
    pub(crate) fn refuse_reserved(&self, target: &Path, shown: &Path) -> Result<(), LogError> {
        match self.path() {
            Ok(ledger) if is_reserved(&ledger, target) => {
                Err(LogError::Reserved(shown.display().to_string()))
            }
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
    pub(crate) fn principal(&self, session: &Session<'_>) -> Principal {
        match self {
            Self::Policy(workspace) => workspace.quick_facts().principal,
            Self::Alone(_) => facts::without_git(session.lookup, &session.env.cwd, &[]).principal,
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
