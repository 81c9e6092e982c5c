//! The policy around, as far as a verification needs it: where the ledger is, and which genesis it must have.
//!
//! A policy that is there and cannot be read is an error: whoever breaks it must not get a verification
//! without the pin that it held.

use std::path::PathBuf;

use gate_cli::Env;
use gate_judge::policy_text::{self, Loaded, TextError};
use gate_ledger::entry::EntryHash;
use gate_ledger::remote::working_copy;

use crate::args::{Args, Task};
use gate_cli::Stop;

/// What to verify, and against which genesis.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The ledger or export; `-` is standard input.
    pub path: PathBuf,
    /// Whether the caller wrote its name, so that it may be a pipe.
    pub is_named: bool,
    /// The hash that its first entry must have.
    pub genesis: Option<EntryHash>,
}

/// Finds ledger and pin.
///
/// # Errors
/// A [`Stop`] where no ledger is named, or the policy is broken.
pub(crate) fn find(args: &Args, task: &Task, env: &Env) -> Result<Subject, Stop> {
    let is_named = task.target.is_some();
    let named = task.target.clone().or_else(|| env.path("GATE_LEDGER"));
    if let (Some(path), Some(genesis)) = (&named, args.genesis) {
        return Ok(Subject { path: path.clone(), is_named, genesis: Some(genesis) });
    }
    let loaded = match policy_text::load(&env.cwd, args.place.policy(env).as_deref()) {
        Ok(loaded) => Some(loaded),
        Err(TextError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let path = match (named, &loaded) {
        (Some(path), _) => path,
        (None, Some(loaded)) => own(loaded, env)?,
        (None, None) => {
            return Err(Stop::usage(
                "no ledger was named, and there is no policy that names one\n\
                 name a ledger, an export of one, or - for standard input",
            ));
        }
    };
    Ok(Subject { path, is_named, genesis: args.genesis.or(loaded.as_ref().and_then(pinned)) })
}

/// The ledger of the policy; of a remote one the working copy, since a remote is not asked.
fn own(loaded: &Loaded, env: &Env) -> Result<PathBuf, Stop> {
    match (&loaded.policy.ledger.remote, pinned(loaded)) {
        (Some(remote), Some(genesis)) => Ok(working_copy(&|name| env.get(name), genesis, &remote.address)?),
        _ => Ok(loaded.ledger_path()?),
    }
}

/// The genesis that the policy pins; its form was checked when it was parsed.
fn pinned(loaded: &Loaded) -> Option<EntryHash> {
    loaded.policy.ledger.genesis.as_ref()?.parse().ok()
}
