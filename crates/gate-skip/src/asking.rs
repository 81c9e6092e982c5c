//! Asking for an opt-out: from the command line, or from a decision.

use std::path::Path;

use gate_cli::{Failure, Io};
use gate_findings::evidence;
use gate_identity::ssh::Namespace;
use gate_judge::ownership::Endorsement;
use gate_judge::statement::Statement;
use gate_ledger::store::{Access, Ledger};
use gate_model::action::Action;
use gate_model::exit::Exit;
use gate_model::grant::{Grant, Status};
use gate_model::principal::Principal;
use gate_model::request::{Request, SeenHead};
use gate_workflow::admission::{self, Asking, TransactError};
use gate_workflow::setting::Setting;
use gate_workflow::signing;
use gate_workflow::wish::{self, Change, Wish};
use gate_workflow::{ledger_access, sealing};

use crate::args::{Args, SigningArgs, WishArgs};
use crate::documents;
use crate::error::SkipError;
use crate::run::{Desk, TOOL};

/// What comes of asking.
pub(crate) enum Asked {
    /// An answer.
    Answer(Box<Grant>),
    /// A signed request, not submitted.
    Detached(Box<Request>),
    /// A signed act, not submitted.
    Stated(Box<Statement>),
    /// An owner's word on a policy.
    Endorsed(Endorsement),
}

impl Asked {
    /// An answer.
    pub(crate) fn answer(grant: Grant) -> Self {
        Self::Answer(Box::new(grant))
    }
}

/// Asks for what the arguments wish.
///
/// # Errors
/// A [`SkipError`]; then nothing was decided.
pub(crate) fn ask(desk: &Desk<'_>, args: &Args, target: &str, io: &mut Io<'_>) -> Result<Asked, SkipError> {
    let wish = if is_file(target) {
        match from_decision(desk, Path::new(target), &args.wish, io)? {
            Ok(wish) => wish,
            Err(nothing) => return Ok(Asked::Answer(Box::new(nothing))),
        }
    } else {
        from_arguments(target, &args.wish)
    };
    desk.setting.loaded.policy.gate(&wish.gate)?;
    if !args.signing.detached
        && let Some(elsewhere) = wish::reach(desk.setting.facts()?, &wish, desk.setting.remote().is_some())?
    {
        io.tell(&Failure::from_error(TOOL, Exit::Proceed, &elsewhere).as_warning().render());
    }
    let signing = args.signing.sign.is_some().then_some(&args.signing);
    let put: Put = if args.wish.dry_run { admission::rehearse } else { admission::request };
    match signing {
        None => unsigned(desk, &wish, put),
        Some(signing) => signed(desk, &wish, signing, put),
    }
}

/// GATE comes first; a first word with `.` or `/`, or `-`, is a file.
pub(crate) fn is_file(target: &str) -> bool {
    target == "-" || target.contains(['.', '/'])
}

fn from_arguments(gate: &str, args: &WishArgs) -> Wish {
    let action = if args.waive.is_empty() { args.action.unwrap_or(Action::Skip) } else { Action::Waive };
    wish(gate, action, args)
}

fn wish(gate: &str, action: Action, args: &WishArgs) -> Wish {
    Wish {
        gate: gate.to_owned(),
        action,
        reason: args.reason.clone().unwrap_or_default(),
        ticket: args.ticket.clone(),
        ttl: args.ttl,
        commit: args.commit.clone(),
        git_ref: args.git_ref.clone(),
        change: args.change.clone().map(|number| number.map_or(Change::This, Change::Number)),
        environment: args.environment.clone(),
        run: args.run_id.clone(),
        uses: args.uses,
        matches: args.waive.clone(),
        evidence: Vec::new(),
        break_glass: args.break_glass,
    }
}

/// A wish to waive just what blocked; the inner `Err` is the answer where nothing did.
fn from_decision(
    desk: &Desk<'_>,
    path: &Path,
    args: &WishArgs,
    io: &mut Io<'_>,
) -> Result<Result<Wish, Grant>, SkipError> {
    if args.action.is_some() || !args.waive.is_empty() {
        let text = "a decision names what to waive; --action and --waive go with a gate's name";
        return Err(SkipError::Usage(text.to_owned()));
    }
    let decision = documents::decision(path, desk.cwd, io)?;
    if decision.blocking.is_empty() {
        if let Some(why) = documents::nothing_to_waive(&decision) {
            return Err(SkipError::Usage(why));
        }
        let reasons =
            vec![format!("nothing blocks gate '{}': nothing was asked for or recorded", decision.gate)];
        return Ok(Err(admission::answer(Status::Nothing, Some(&decision.gate), None, reasons)));
    }
    let mut wish = wish(&decision.gate, Action::Waive, args);
    wish.evidence = evidence::of(&decision.blocking);
    Ok(Ok(wish))
}

/// How a request is put: for good, or as a rehearsal.
type Put = fn(&Setting<'_>, &Asking) -> Result<Grant, TransactError>;

fn unsigned(desk: &Desk<'_>, wish: &Wish, put: Put) -> Result<Asked, SkipError> {
    let facts = desk.setting.facts()?;
    let ask = {
        let ledger = desk.setting.open(Access::Read)?;
        wish::resolve(&desk.setting.loaded.policy, facts, &facts.principal, Some(&ledger.view()), wish)?
    };
    let asking = Asking {
        gate: wish.gate.clone(),
        ask,
        by: facts.principal.clone(),
        context: facts.context.clone(),
        request: None,
    };
    Ok(Asked::Answer(Box::new(put(desk.setting, &asking)?)))
}

fn signed(desk: &Desk<'_>, wish: &Wish, signing: &SigningArgs, put: Put) -> Result<Asked, SkipError> {
    let detached = signing.detached;
    let facts = desk.setting.facts()?;
    let signer = desk.signer(signing);
    let name = signer.claimed(Namespace::Request)?;
    let by = Principal { key: None, ..signer_principal(&name) };
    // On a laptop there may be no ledger; the policy's genesis pin then says which one is meant.
    let ledger = if detached { desk.at_hand()? } else { Some(desk.setting.open(Access::Read)?) };
    let view = ledger.as_ref().map(Ledger::view);
    let ask = wish::resolve(&desk.setting.loaded.policy, facts, &by, view.as_ref(), wish)?;
    let which = ledger.as_ref().map(|ledger| ledger.id().to_owned());
    let which = which.or_else(|| desk.setting.loaded.policy.ledger.genesis.clone());
    if which.is_none() {
        let text =
            "a request must name its ledger, and there is none here\npin [ledger] genesis in the policy";
        return Err(SkipError::Usage(text.to_owned()));
    }
    let head = match &view {
        Some(view) => Some(view.head()?),
        None => None,
    };
    let seen = head.map(|head| SeenHead { seq: head.seq, hash: head.hash.to_string() });
    let now = desk.setting.now();
    let mut draft = signing::draft(&wish.gate, &ask, &name, &desk.setting.loaded, which, seen, now)?;
    sealing::request(&mut draft, ledger_access::privacy(&desk.setting.loaded), view.as_ref())?;
    let (request, principal) = signer.request(draft)?;
    if detached {
        return Ok(Asked::Detached(Box::new(request)));
    }
    drop(ledger);
    let asking = Asking {
        gate: wish.gate.clone(),
        ask,
        by: principal,
        context: facts.context.clone(),
        request: Some(request),
    };
    Ok(Asked::Answer(Box::new(put(desk.setting, &asking)?)))
}

/// The principal as the policy will see it once the signature is there.
fn signer_principal(name: &str) -> Principal {
    Principal {
        id: name.to_owned(),
        assurance: gate_model::principal::Assurance::Signed,
        via: "ssh".to_owned(),
        key: None,
        issuer: None,
    }
}
