//! An owner's word on a changed policy.

use gate_identity::ssh::Namespace;
use gate_judge::ownership::{Endorsement, SCHEMA, SPENT, Word};
use gate_ledger::store::{Access, Ledger};
use gate_workflow::ledger_access;
use gate_workflow::ownership::{self, Unowned};
use gate_workflow::signing::Signer;
use gate_workflow::workspace::{Place, Workspace};

use crate::args::ActArgs;
use gate_cli::Stop;

/// Signs the policy at `act.id`. The keys of the policy in force count where the ledger holds one that has
/// owners, else the policy's own.
///
/// # Errors
/// A [`Stop`]; then nothing was signed.
pub(crate) fn endorse(act: &ActArgs, place: Place<'_>) -> Result<Endorsement, Stop> {
    if act.signing.sign.is_none() {
        let text =
            format!("an owner approves a policy with a signature\nrun: gate-skip approve {} --sign", act.id);
        return Err(Stop::usage(text));
    }
    let (cwd, now) = (place.cwd, (place.clock)());
    let workspace =
        Workspace::unguarded(Place { policy: Some(act.id.clone().into()), policy_ref: None, ..place })?;
    let loaded = &workspace.loaded;
    // Before there is a ledger there is no policy in force; one that is there must be usable.
    let is_absent = workspace.remote().is_none() && ledger_access::is_absent(&workspace.ledger_path()?)?;
    let ledger = if is_absent { None } else { Some(workspace.open(Access::Read)?) };
    let view = ledger.as_ref().map(Ledger::view);
    let guard = view.as_ref().map(ownership::guard).transpose()?.unwrap_or_default();
    let here = workspace.named_by(&guard)?;
    let guardian = guard.guardian(here).map_err(Unowned::from)?;
    let replaces = guardian.as_ref().map(|guardian| guardian.data.digest.as_str());
    let word = Word {
        digest: loaded.used.digest.clone(),
        replaces: replaces.map(str::to_owned),
        repository: here.map(str::to_owned),
    };
    if replaces != Some(&loaded.used.digest) && guard.is_spent(&word) {
        let text = format!("a signature of '{}' would not count: {}", act.id, SPENT);
        return Err(Stop::usage(text));
    }
    let trust = match &guardian {
        Some(guardian) => (&guardian.policy, guardian.data.files.as_slice()),
        None => (&loaded.policy, loaded.files.as_slice()),
    };
    let signer = Signer {
        cwd,
        key: act.signing.sign.as_ref().and_then(|key| key.as_deref()),
        name: act.signing.name.as_deref(),
        trust,
        now,
    };
    let draft = Endorsement {
        schema: SCHEMA.to_owned(),
        digest: loaded.used.digest.clone(),
        replaces: replaces.map(str::to_owned),
        repository: here.map(str::to_owned),
        by: signer.claimed(Namespace::Policy)?,
        signature: None,
    };
    Ok(signer.endorsement(draft)?)
}
