//! Asking for an opt-out: from the command line, or from a decision.

use std::path::Path;

use gate_cli::{Failure, Io, render};
use gate_findings::evidence;
use gate_identity::ssh::Namespace;
use gate_judge::ownership::Endorsement;
use gate_judge::statement::Statement;
use gate_ledger::store::{Access, Ledger, View};
use gate_model::action::Action;
use gate_model::exit::Exit;
use gate_model::grant::{Grant, Status};
use gate_model::payload::Ask;
use gate_model::principal::Principal;
use gate_model::request::Request;
use gate_workflow::admission::{self, Asking};
use gate_workflow::signing;
use gate_workflow::wish::{self, Change, Wish};
use gate_workflow::{ledger_access, sealing};

use crate::args::{Args, SigningArgs, WishArgs};
use crate::documents;
use crate::import::Imported;
use crate::run::{Skip, TOOL};
use crate::trailer;
use gate_cli::Stop;

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
    /// The line for a commit's message.
    Trailer(String),
    /// What comes of an ignore file.
    Imported(Imported),
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
/// A [`Stop`]; then nothing was decided.
pub(crate) fn ask(skip: &Skip<'_>, args: &Args, target: &str, io: &mut Io<'_>) -> Result<Asked, Stop> {
    let (mut wish, findings) = if is_file(target) {
        match from_decision(skip, Path::new(target), &args.wish, io)? {
            Ok(found) => found,
            Err(nothing) => return Ok(Asked::Answer(Box::new(nothing))),
        }
    } else {
        let wish = from_arguments(target, &args.wish);
        let named: Vec<String> = wish.matches.iter().map(ToString::to_string).collect();
        (wish, named.join("\n"))
    };
    let gate = skip.workspace.loaded.policy.gate(&wish.gate)?;
    let about = || Ok(format!("{}: {}\n{findings}", wish.gate, wish.action));
    wish.reason = skip.pen.reason(args.wish.reason.as_deref(), about)?;
    if args.wish.trailer {
        return trailer::line(gate, wish).map(Asked::Trailer);
    }
    if !args.signing.detached
        && let Some(elsewhere) =
            wish::reach(skip.workspace.facts()?, &wish, skip.workspace.remote().is_some())?
    {
        io.tell(&Failure::from_error(TOOL, Exit::Proceed, &elsewhere).as_warning().render());
    }
    put(skip, &wish, &args.signing, args.wish.dry_run)
}

/// Something that can be asked for.
pub(crate) trait Wanted {
    /// The gate and what is asked of it, for `by`; `view` is of the ledger, where there is one.
    ///
    /// # Errors
    /// A [`Stop`]; then nothing is asked for.
    fn ask(&self, skip: &Skip<'_>, by: &Principal, view: Option<&View<'_>>) -> Result<(String, Ask), Stop>;
}

impl Wanted for Wish {
    fn ask(&self, skip: &Skip<'_>, by: &Principal, view: Option<&View<'_>>) -> Result<(String, Ask), Stop> {
        let facts = skip.workspace.facts()?;
        let ask = wish::resolve(&skip.workspace.loaded.policy, facts, by, view, self)?;
        Ok((self.gate.clone(), ask))
    }
}

/// Asks for what is wanted, or for what would come of it; or signs it, to be asked for elsewhere.
///
/// # Errors
/// A [`Stop`]; then nothing was decided.
pub(crate) fn put(
    skip: &Skip<'_>,
    wanted: &dyn Wanted,
    signing: &SigningArgs,
    dry_run: bool,
) -> Result<Asked, Stop> {
    if signing.detached {
        return Ok(Asked::Detached(Box::new(sign(skip, wanted, signing)?.1)));
    }
    let asking = asking(skip, wanted, signing)?;
    let put = if dry_run { admission::rehearse } else { admission::request };
    Ok(Asked::answer(put(skip.workspace, &asking)?))
}

/// What is wanted, as it is asked for here, signed where the arguments say so.
///
/// # Errors
/// A [`Stop`]; then nothing was decided.
pub(crate) fn asking(skip: &Skip<'_>, wanted: &dyn Wanted, signing: &SigningArgs) -> Result<Asking, Stop> {
    let facts = skip.workspace.facts()?;
    let ((gate, ask), request, by) = if signing.sign.is_some() {
        let (ask, request, by) = sign(skip, wanted, signing)?;
        ((request.gate.clone(), ask), Some(request), by)
    } else {
        let by = facts.principal.clone();
        let ledger = skip.workspace.open(Access::Read)?;
        (wanted.ask(skip, &by, Some(&ledger.view()))?, None, by)
    };
    Ok(Asking { gate, ask, by, context: facts.context.clone(), request })
}

/// GATE comes first; a first word with `.` or `/`, or `-`, is a file.
pub(crate) fn is_file(target: &str) -> bool {
    target == "-" || target.contains(['.', '/'])
}

fn from_arguments(gate: &str, args: &WishArgs) -> Wish {
    let action = if args.waive.is_empty() { args.action.unwrap_or(Action::Skip) } else { Action::Waive };
    wish(gate, action, args)
}

/// A wish for `action` past `gate`, without any condition.
pub(crate) fn bare_wish(gate: &str, action: Action, reason: &str) -> Wish {
    Wish {
        gate: gate.to_owned(),
        action,
        reason: reason.to_owned(),
        ticket: None,
        ttl: None,
        repository: false,
        commit: None,
        git_ref: None,
        change: None,
        environment: None,
        run: None,
        uses: None,
        matches: Vec::new(),
        evidence: Vec::new(),
        break_glass: false,
    }
}

fn wish(gate: &str, action: Action, args: &WishArgs) -> Wish {
    Wish {
        gate: gate.to_owned(),
        action,
        reason: args.reason.clone().unwrap_or_default(),
        ticket: args.ticket.clone(),
        ttl: args.ttl,
        repository: args.repository,
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

/// A wish to waive just what blocked, and that in words; the inner `Err` is the answer where nothing did.
fn from_decision(
    skip: &Skip<'_>,
    path: &Path,
    args: &WishArgs,
    io: &mut Io<'_>,
) -> Result<Result<(Wish, String), Grant>, Stop> {
    if args.action.is_some() || !args.waive.is_empty() {
        let text = "a decision names what to waive; --action and --waive go with a gate's name";
        return Err(Stop::usage(text));
    }
    let decision = documents::decision(path, skip.cwd, io)?;
    if decision.blocking.is_empty() {
        if let Some(why) = documents::nothing_to_waive(&decision) {
            return Err(Stop::usage(why));
        }
        let reasons =
            vec![format!("nothing blocks gate '{}': nothing was asked for or recorded", decision.gate)];
        return Ok(Err(admission::answer(Status::Nothing, Some(&decision.gate), None, reasons)));
    }
    let mut wish = wish(&decision.gate, Action::Waive, args);
    wish.evidence = evidence::of(&decision.blocking);
    Ok(Ok((wish, render::what_blocks(&decision, None, false))))
}

/// What is asked for, the request signed, and who signed it.
fn sign(
    skip: &Skip<'_>,
    wanted: &dyn Wanted,
    signing: &SigningArgs,
) -> Result<(Ask, Request, Principal), Stop> {
    let detached = signing.detached;
    let signer = skip.signer(signing);
    let name = signer.claimed(Namespace::Request)?;
    let by = Principal { key: None, ..signer_principal(&name) };
    // On a laptop there may be no ledger; the policy's genesis pin then says which one is meant.
    let ledger = if detached { skip.at_hand()? } else { Some(skip.workspace.open(Access::Read)?) };
    let view = ledger.as_ref().map(Ledger::view);
    let (gate, ask) = wanted.ask(skip, &by, view.as_ref())?;
    let which = ledger.as_ref().map(|ledger| ledger.id().to_owned());
    let which = which.or_else(|| skip.workspace.loaded.policy.ledger.genesis.clone());
    if which.is_none() {
        let text =
            "a request must name its ledger, and there is none here\npin [ledger] genesis in the policy";
        return Err(Stop::usage(text));
    }
    let seen = match &view {
        Some(view) => Some(view.head()?.into()),
        None => None,
    };
    let now = skip.workspace.now();
    let mut draft = signing::draft(&gate, &ask, &name, &skip.workspace.loaded, which, seen, now)?;
    sealing::request(&mut draft, ledger_access::privacy(&skip.workspace.loaded), view.as_ref())?;
    let (request, principal) = signer.request(draft)?;
    Ok((ask, request, principal))
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
