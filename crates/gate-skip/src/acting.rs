//! Acts on what is in the ledger: approve, reject, revoke, review, resume.

use gate_checkout::git;
use gate_cli::Io;
use gate_judge::statement::Statement;
use gate_ledger::store::Access;
use gate_model::payload::{ReviewVerdict, Verb};
use gate_model::text;
use gate_workflow::approval::{self, Act};
use gate_workflow::ids;
use gate_workflow::{ending, ledger_access, review, sealing};

use crate::args::{ActArgs, SigningArgs};
use crate::asking::Asked;
use crate::error::SkipError;
use crate::run::Desk;
use crate::stating;

/// What is done to an opt-out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// Approve a request.
    Approve,
    /// Reject it.
    Reject,
    /// End it.
    Revoke,
    /// Review it.
    Review(ReviewVerdict),
}

impl Deed {
    const fn verb(self) -> Verb {
        match self {
            Self::Approve => Verb::Approve,
            Self::Reject => Verb::Reject,
            Self::Revoke => Verb::Revoke,
            Self::Review(_) => Verb::Review,
        }
    }
}

/// What somebody says with an act.
pub(crate) struct Words {
    /// Why.
    pub reason: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// A review's verdict.
    pub verdict: Option<ReviewVerdict>,
}

/// Does `deed` to the opt-out that `args` name.
///
/// # Errors
/// A [`SkipError`]; then nothing was recorded.
pub(crate) fn act(
    desk: &Desk<'_>,
    deed: Deed,
    args: &ActArgs,
    ticket: Option<&str>,
    io: &mut Io<'_>,
) -> Result<Asked, SkipError> {
    check_reason(args.reason.as_deref(), !matches!(deed, Deed::Approve))?;
    let verdict = if let Deed::Review(verdict) = deed { Some(verdict) } else { None };
    let words = Words { reason: args.reason.clone(), ticket: ticket.map(str::to_owned), verdict };
    if args.signing.detached {
        let statement = stating::state(desk, deed.verb(), &args.id, &words, &args.signing, io)?;
        return Ok(Asked::Stated(Box::new(statement)));
    }
    let act = compose(desk, &args.id, deed.verb(), &words, &args.signing)?;
    Ok(Asked::answer(match deed {
        Deed::Approve => approval::approve(desk.setting, &act)?,
        Deed::Reject => approval::reject(desk.setting, &act)?,
        Deed::Revoke => ending::revoke(desk.setting, &act)?,
        Deed::Review(verdict) => review::review(desk.setting, &act, verdict)?,
    }))
}

/// Resumes a paused gate.
///
/// # Errors
/// A [`SkipError`]; then nothing was recorded.
pub(crate) fn resume(
    desk: &Desk<'_>,
    gate: &str,
    words: &Words,
    signing: &SigningArgs,
    io: &mut Io<'_>,
) -> Result<Asked, SkipError> {
    check_reason(words.reason.as_deref(), true)?;
    if signing.detached {
        let statement = stating::state(desk, Verb::Resume, gate, words, signing, io)?;
        return Ok(Asked::Stated(Box::new(statement)));
    }
    desk.setting.loaded.policy.gate(gate)?;
    let pause = {
        let ledger = desk.setting.open(Access::Read)?;
        let now = desk.setting.now().max(ledger.view().head()?.at);
        ending::live_pauses(&ledger.view(), &desk.setting.loaded, gate, now)?
            .last()
            .map(|entry| entry.seq.to_string())
    };
    let act = match pause {
        Some(id) if signing.sign.is_some() => compose(desk, &id, Verb::Resume, words, signing)?,
        _ => plain(desk, gate, words)?,
    };
    Ok(Asked::answer(ending::resume(desk.setting, gate, &act)?))
}

/// Whether the reason of an act can be recorded, and is there where it is needed.
///
/// # Errors
/// [`SkipError::Usage`].
pub(crate) fn check_reason(reason: Option<&str>, needed: bool) -> Result<(), SkipError> {
    match reason {
        None if needed => Err(SkipError::Usage("--reason is missing\nsay why, in a sentence".to_owned())),
        None => Ok(()),
        Some(reason) => text::check(reason).map_err(|error| {
            SkipError::Usage(format!("the reason cannot be recorded: {error}\nwrite it as plain text"))
        }),
    }
}

/// An act that nobody signed, by the facts of the run.
///
/// # Errors
/// A [`SkipError`] where these cannot be used.
pub(crate) fn plain(desk: &Desk<'_>, id: &str, words: &Words) -> Result<Act, SkipError> {
    let facts = desk.setting.facts()?;
    Ok(Act {
        id: id.to_owned(),
        by: facts.principal.clone(),
        context: facts.context.clone(),
        reason: words.reason.clone(),
        ticket: words.ticket.clone(),
        statement: None,
        author: None,
    })
}

fn compose(
    desk: &Desk<'_>,
    id: &str,
    verb: Verb,
    words: &Words,
    signing: &SigningArgs,
) -> Result<Act, SkipError> {
    let mut act = plain(desk, id, words)?;
    let subject = {
        let ledger = desk.setting.open(Access::Read)?;
        ids::find(&ledger.view(), id).map_err(gate_workflow::admission::TransactError::from)?
    };
    act.author = author(desk, &subject)?;
    if signing.sign.is_none() {
        return Ok(act);
    }
    let signer = desk.signer(signing);
    let mut statement = Statement {
        ledger: Some(subject.ledger),
        reason: act.reason.clone(),
        ticket: act.ticket.clone(),
        verdict: words.verdict,
        ..Statement::of(verb, subject.hash.to_string())
    };
    statement.by = signer.claimed(statement.namespace())?;
    {
        let ledger = desk.setting.open(Access::Read)?;
        let privacy = ledger_access::privacy(&desk.setting.loaded);
        sealing::statement(&mut statement, privacy, Some(&ledger.view()))?;
    }
    let (statement, principal) = signer.statement(statement)?;
    act.by = principal;
    act.statement = Some(statement);
    Ok(act)
}

/// The author of the commit that a request is bound to, where this checkout knows it.
///
/// # Errors
/// A [`SkipError`] where the facts of the run cannot be used.
pub(crate) fn author(
    desk: &Desk<'_>,
    subject: &gate_ledger::entry::Entry,
) -> Result<Option<String>, SkipError> {
    let commit = subject.data.pointer("/scope/commit").or_else(|| subject.data.pointer("/context/commit"));
    let Some(commit) = commit.and_then(serde_json::Value::as_str) else { return Ok(None) };
    let Some(checkout) = &desk.setting.facts()?.checkout else { return Ok(None) };
    // A clone that does not have the commit cannot say; the rule that needs the author then denies.
    Ok(git::author(&checkout.root, commit).ok().flatten())
}
