//! Principal and context of this run: CI variables, git and the operating system's user, merged.
//!
//! This is the edge: [`gather`] starts git and reads the event's payload; the decisions are
//! [`ci::detect`] and [`ci::reconcile`], which do neither. Everything here is asserted.

mod origins;

use std::path::Path;

use gate_model::context::Context;
use gate_model::principal::Principal;

use gate_identity::ci::{self, CiFacts, Event, Evidence};
use gate_identity::git::Checkout;
use gate_identity::os;

use crate::git::{self, GitError, Inspection};

pub use origins::{Origin, origins};

/// What is known of a run without any proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who acts: the person that CI names, else the operating system's user.
    pub principal: Principal,
    /// Where and on what.
    pub context: Context,
    /// The git checkout, where there is one and git is installed.
    pub checkout: Option<Checkout>,
    /// What a person should know about how these facts came about, as sentences.
    pub notes: Vec<String>,
    /// What CI's variables state and a token may confirm.
    pub stated: Stated,
}

/// What CI's variables state, before the checkout was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// The commit that they call the one built, full or abbreviated; behind a pull request CI's own merge.
    pub built: Option<String>,
    /// The branch that a merge request wants to merge.
    pub source_branch: Option<String>,
}

impl Stated {
    fn of(ci: Option<&CiFacts>) -> Self {
        ci.map_or_else(Self::default, |ci| Self {
            built: ci.built.clone(),
            source_branch: ci.source_branch.clone(),
        })
    }
}

/// Why no facts could be gathered.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// There is a repository that git cannot read.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Gathers the facts of a run in the directory `dir`: variables through `env`, git, and the user.
///
/// # Errors
/// A [`FactsError`] where there is a repository that cannot be read. Outside a work tree the variables alone are
/// used. A checkout without a git to ask is a contradiction.
pub fn gather(
    env: &dyn Fn(&str) -> Option<String>,
    dir: &Path,
    aliases: &[String],
) -> Result<Facts, FactsError> {
    let mut unasked = None;
    let checkout = find_checkout(dir, &mut unasked)?;
    let mut facts = merged(env, checkout, aliases)?;
    facts.context.conflicts.extend(unasked);
    Ok(facts)
}

/// The facts that variables, the event's payload and the checkout give together.
fn merged(
    env: &dyn Fn(&str) -> Option<String>,
    mut checkout: Option<Checkout>,
    aliases: &[String],
) -> Result<Facts, FactsError> {
    let mut notes = Vec::new();
    let (ci, own) = told(env, &mut notes);
    let mut head = own;
    if let Some(ci) = &ci {
        read_parents(ci, checkout.as_mut())?;
        if head.is_none() {
            head = fetched(ci, checkout.as_ref())?;
        }
    }
    let evidence = Evidence { checkout: checkout.as_ref(), head: head.as_deref(), aliases };
    let context = ci::reconcile(ci.as_ref(), evidence);
    let principal = principal(env, ci.as_ref(), &mut notes);
    Ok(Facts { principal, context, checkout, notes, stated: Stated::of(ci.as_ref()) })
}

/// What the variables say, with what the event's payload adds, and the change's own commit where that names it.
fn told(env: &dyn Fn(&str) -> Option<String>, notes: &mut Vec<String>) -> (Option<CiFacts>, Option<String>) {
    let Some(ci) = ci::detect(env) else { return (None, None) };
    let Some(path) = ci.event.clone().filter(|_| ci.pull_request || ci.deploys) else {
        return (Some(ci), None);
    };
    match Event::read(&path) {
        Ok(event) => {
            let head = event.head.clone().filter(|_| ci.pull_request);
            (Some(ci.informed(event)), head)
        }
        Err(error) => {
            // Not fatal: what only the event says stays unknown, and satisfies nothing.
            notes.push(format!("the event's payload '{}' was not used: {error}", path.display()));
            (Some(ci), None)
        }
    }
}

/// The checkout, or why one that is there cannot be asked: nothing then speaks for what the variables say, and
/// whoever can take git away must not profit.
fn find_checkout(dir: &Path, unasked: &mut Option<String>) -> Result<Option<Checkout>, GitError> {
    let looked = match git::look(dir) {
        // A container job often runs as another user than the one who checked out.
        Err(owned @ GitError::Ownership { .. }) => {
            *unasked = Some(untrusted(&owned));
            return Ok(None);
        }
        looked => looked?,
    };
    match looked {
        Inspection::Checkout(checkout) => Ok(Some(*checkout)),
        Inspection::NoRepository => Ok(None),
        Inspection::NoGit { root } => {
            let root = root.display();
            *unasked = Some(format!(
                "there is a checkout at '{root}', and no git on PATH to say which commit it is at"
            ));
            Ok(None)
        }
    }
}

/// The words of git about a checkout of another owner, on one line.
fn untrusted(error: &GitError) -> String {
    error.to_string().replace('\n', "; ")
}

/// Reads the parents of an attached HEAD too, where the provider merges on a branch.
fn read_parents(ci: &CiFacts, checkout: Option<&mut Checkout>) -> Result<(), GitError> {
    let Some(checkout) = checkout.filter(|_| ci.merge.is_some_and(|merge| merge.attached)) else {
        return Ok(());
    };
    if let (Some(head), true) = (&checkout.head, checkout.parents.is_empty()) {
        checkout.parents = git::parents(&checkout.root, head)?;
    }
    Ok(())
}

/// The facts that need neither git nor a file: variables and the user. A pull request's commit may be
/// unknown here although [`gather`] would know it.
///
/// The directory is where [`gather`] would look; nothing is looked up in it, so that this stays cheap.
pub fn without_git(env: &dyn Fn(&str) -> Option<String>, _dir: &Path, aliases: &[String]) -> Facts {
    let ci = ci::detect(env);
    let mut notes = Vec::new();
    let context = ci::reconcile(ci.as_ref(), Evidence { aliases, ..Evidence::default() });
    let principal = principal(env, ci.as_ref(), &mut notes);
    Facts { principal, context, checkout: None, notes, stated: Stated::of(ci.as_ref()) }
}

/// Facts of a run whose remote is still being read, see [`begin`].
pub struct Begun {
    ci: Option<CiFacts>,
    principal: Principal,
    notes: Vec<String>,
    glance: git::Glance,
}

/// Begins to gather the facts of a plain run: HEAD is read now, from files, and git reads the remote beside
/// whatever comes next. `None` where only [`gather`] can tell: a pull request, a deployment, no checkout.
///
/// The context will not say whether the tree is dirty.
pub fn begin(env: &dyn Fn(&str) -> Option<String>, dir: &Path) -> Option<Begun> {
    let ci = ci::detect(env);
    if ci.as_ref().is_some_and(|ci| ci.pull_request || ci.deploys || ci.merge.is_some()) {
        return None;
    }
    let glance = git::glance(dir, &env("PATH")?)?;
    let mut notes = Vec::new();
    let principal = principal(env, ci.as_ref(), &mut notes);
    Some(Begun { ci, principal, notes, glance })
}

impl Begun {
    /// Waits for git and merges what was found. No checkout is given out: nobody looked into it.
    ///
    /// # Errors
    /// A [`FactsError`] where git cannot read the repository's configuration.
    pub fn finish(self, aliases: &[String]) -> Result<Facts, FactsError> {
        let mut unasked = None;
        let checkout = match self.glance.finish() {
            Ok(seen) => Some(Checkout {
                root: std::path::PathBuf::new(),
                git_dir: std::path::PathBuf::new(),
                head: Some(seen.head),
                branch: seen.branch,
                parents: Vec::new(),
                remote: seen.remote,
                dirty: None,
            }),
            Err(owned @ GitError::Ownership { .. }) => {
                unasked = Some(untrusted(&owned));
                None
            }
            Err(other) => return Err(other.into()),
        };
        let evidence = Evidence { checkout: checkout.as_ref(), head: None, aliases };
        let mut context = ci::reconcile(self.ci.as_ref(), evidence);
        context.conflicts.extend(unasked);
        let stated = Stated::of(self.ci.as_ref());
        Ok(Facts { principal: self.principal, context, checkout: None, notes: self.notes, stated })
    }
}

/// The variables that tell who and where on a CI system that is not known.
const VARIABLES: &str =
    "GATE_ACTOR, GATE_REPOSITORY, GATE_REF, GATE_COMMIT, GATE_ENVIRONMENT, GATE_RUN_ID, GATE_RUN_URL";

fn principal(
    env: &dyn Fn(&str) -> Option<String>,
    ci: Option<&CiFacts>,
    notes: &mut Vec<String>,
) -> Principal {
    let provider = ci.and_then(|ci| ci.context.provider.as_deref());
    match (ci.and_then(|ci| ci.actor.clone()), provider) {
        (Some(actor), _) => actor,
        (None, Some(provider)) => {
            notes.push(format!(
                "{provider} names nobody who started this run, so it counts as nobody's request or approval; \
                 GATE_ACTOR, a token or a signature tells who it is"
            ));
            Principal::nobody(provider)
        }
        (None, None) if ci::is_unknown(env) => {
            notes.push(format!(
                "CI is set, and this CI system is not known, so who started this run is not known either; \
                 set {VARIABLES}"
            ));
            Principal::nobody("ci")
        }
        (None, None) => os::user(),
    }
}

/// The pull request's own commit, from the ref that the checkout fetched.
fn fetched(ci: &CiFacts, checkout: Option<&Checkout>) -> Result<Option<String>, GitError> {
    match (&ci.head_ref, checkout) {
        (Some(name), Some(checkout)) if ci.pull_request && checkout.parents.len() == 2 => {
            match git::exact_ref(&checkout.root, name) {
                // A variable that is no ref name is no evidence, and no failure.
                Err(GitError::Revision { .. }) => Ok(None),
                other => other,
            }
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
