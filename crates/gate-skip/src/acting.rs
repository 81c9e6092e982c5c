//! Acts on what is in the ledger: approve, reject, revoke, review, resume.

use gate_checkout::git;
use gate_cli::Io;
use gate_judge::statement::Statement;
use gate_ledger::entry::Entry;
use gate_ledger::store::{Access, View};
use gate_model::grant::Grant;
use gate_model::payload::{ReviewVerdict, Verb};
use gate_workflow::admission::TransactError;
use gate_workflow::approval::{self, Act};
use gate_workflow::ids;
use gate_workflow::{ending, ledger_access, review, sealing};

use crate::args::{ActArgs, SigningArgs};
use crate::asking::{Asked, is_file};
use crate::error::SkipError;
use crate::run::Session;
use crate::stating;

/// What is done to an opt-out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'g> {
    /// Approve a request.
    Approve,
    /// Reject it.
    Reject,
    /// End it.
    Revoke,
    /// End the pauses of this gate.
    Resume(&'g str),
    /// Review it.
    Review(ReviewVerdict),
}

impl<'g> Deed<'g> {
    /// What `statement` does, which is about something of `gate`; nothing for a review without a verdict.
    pub(crate) fn of(statement: &Statement, gate: &'g str) -> Option<Self> {
        Some(match statement.act {
            Verb::Approve => Self::Approve,
            Verb::Reject => Self::Reject,
            Verb::Revoke => Self::Revoke,
            Verb::Resume => Self::Resume(gate),
            Verb::Review => Self::Review(statement.verdict?),
        })
    }

    const fn verb(self) -> Verb {
        match self {
            Self::Approve => Verb::Approve,
            Self::Reject => Verb::Reject,
            Self::Revoke => Verb::Revoke,
            Self::Resume(_) => Verb::Resume,
            Self::Review(_) => Verb::Review,
        }
    }

    /// Has `act` judged, and recorded.
    ///
    /// # Errors
    /// A [`SkipError`]; then nothing was recorded.
    pub(crate) fn record(self, session: &Session<'_>, act: &Act) -> Result<Grant, SkipError> {
        Ok(match self {
            Self::Approve => approval::approve(session.workspace, act)?,
            Self::Reject => approval::reject(session.workspace, act)?,
            Self::Revoke => ending::revoke(session.workspace, act)?,
            Self::Resume(gate) => ending::resume(session.workspace, gate, act)?,
            Self::Review(verdict) => review::review(session.workspace, act, verdict)?,
        })
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

impl Words {
    /// A statement with these words, of nothing and by nobody yet.
    pub(crate) fn statement(&self, verb: Verb) -> Statement {
        Statement {
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            verdict: self.verdict,
            ..Statement::of(verb, String::new())
        }
    }
}

/// Does `deed` to the opt-out that `args` name.
///
/// # Errors
/// A [`SkipError`]; then nothing was recorded.
pub(crate) fn act(
    session: &Session<'_>,
    deed: Deed<'_>,
    args: &ActArgs,
    ticket: Option<&str>,
    io: &mut Io<'_>,
) -> Result<Asked, SkipError> {
    let reason = match (deed, &args.reason) {
        (Deed::Approve, None) => None,
        (_, given) => Some(session.pen.reason(given.as_deref(), || told(session, &args.id))?),
    };
    let verdict = if let Deed::Review(verdict) = deed { Some(verdict) } else { None };
    let words = Words { reason, ticket: ticket.map(str::to_owned), verdict };
    if args.signing.detached {
        let statement = stating::state(session, deed.verb(), &args.id, &words, &args.signing, io)?;
        return Ok(Asked::Stated(Box::new(statement)));
    }
    let act = match args.signing.sign {
        None => about(session, &args.id, &subject(session, &args.id)?, &words)?,
        Some(_) => signed(session, &args.id, deed.verb(), &words, &args.signing)?,
    };
    deed.record(session, &act).map(Asked::answer)
}

/// Resumes a paused gate.
///
/// # Errors
/// A [`SkipError`]; then nothing was recorded.
pub(crate) fn resume(
    session: &Session<'_>,
    gate: &str,
    words: &Words,
    signing: &SigningArgs,
    io: &mut Io<'_>,
) -> Result<Asked, SkipError> {
    if signing.detached {
        let statement = stating::state(session, Verb::Resume, gate, words, signing, io)?;
        return Ok(Asked::Stated(Box::new(statement)));
    }
    session.workspace.loaded.policy.gate(gate)?;
    let pause = {
        let ledger = session.workspace.open(Access::Read)?;
        newest_pause(session, &ledger.view(), gate)?.map(|entry| entry.seq.to_string())
    };
    let act = match pause {
        Some(id) if signing.sign.is_some() => signed(session, &id, Verb::Resume, words, signing)?,
        _ => plain(session, gate, words)?,
    };
    Deed::Resume(gate).record(session, &act).map(Asked::answer)
}

/// The newest pause of a gate: whoever resumes it means all that are there.
///
/// # Errors
/// A [`SkipError`].
pub(crate) fn newest_pause(
    session: &Session<'_>,
    view: &View<'_>,
    gate: &str,
) -> Result<Option<Entry>, SkipError> {
    let now = session.workspace.now().max(view.head()?.at);
    let here = &session.workspace.facts()?.context;
    Ok(ending::live_pauses(view, &session.workspace.loaded, (gate, here), now)?.pop())
}

/// What somebody acts on, as they read it: the entry that `id` names, or no more than that where it is not at hand.
///
/// # Errors
/// A [`SkipError`] where the ledger cannot be used, or has no such entry.
pub(crate) fn told(session: &Session<'_>, id: &str) -> Result<String, SkipError> {
    match session.at_hand()? {
        Some(ledger) if !is_file(id) => stating::text(session, &find(&ledger.view(), id)?),
        _ => Ok(id.to_owned()),
    }
}

/// An act by whoever the facts of the run name.
fn plain(session: &Session<'_>, id: &str, words: &Words) -> Result<Act, SkipError> {
    let facts = session.workspace.facts()?;
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

/// The same on `subject`, which `id` names.
///
/// # Errors
/// A [`SkipError`] where the facts of the run cannot be used.
pub(crate) fn about(
    session: &Session<'_>,
    id: &str,
    subject: &Entry,
    words: &Words,
) -> Result<Act, SkipError> {
    let author = author(session, subject)?;
    Ok(Act { author, ..plain(session, id, words)? })
}

/// The entry that `id` names.
///
/// # Errors
/// A [`SkipError`].
pub(crate) fn subject(session: &Session<'_>, id: &str) -> Result<Entry, SkipError> {
    let ledger = session.workspace.open(Access::Read)?;
    find(&ledger.view(), id)
}

/// The entry that `id` names in `view`.
///
/// # Errors
/// A [`SkipError`].
pub(crate) fn find(view: &View<'_>, id: &str) -> Result<Entry, SkipError> {
    Ok(ids::find(view, id).map_err(TransactError::from)?)
}

/// An act that is signed here.
fn signed(
    session: &Session<'_>,
    id: &str,
    verb: Verb,
    words: &Words,
    signing: &SigningArgs,
) -> Result<Act, SkipError> {
    let signer = session.signer(signing);
    let mut statement = words.statement(verb);
    statement.by = signer.claimed(statement.namespace())?;
    let subject = {
        let ledger = session.workspace.open(Access::Read)?;
        let subject = find(&ledger.view(), id)?;
        statement.ledger = Some(subject.ledger.clone());
        statement.subject = subject.hash.to_string();
        let privacy = ledger_access::privacy(&session.workspace.loaded);
        sealing::statement(&mut statement, privacy, Some(&ledger.view()))?;
        subject
    };
    let act = about(session, id, &subject, words)?;
    let (statement, by) = signer.statement(statement)?;
    Ok(Act { by, statement: Some(statement), ..act })
}

/// The author of the commit that a request is bound to, where this checkout knows it.
fn author(session: &Session<'_>, subject: &Entry) -> Result<Option<String>, SkipError> {
    let commit = subject.data.pointer("/scope/commit").or_else(|| subject.data.pointer("/context/commit"));
    let Some(commit) = commit.and_then(serde_json::Value::as_str) else { return Ok(None) };
    let Some(checkout) = &session.workspace.facts()?.checkout else { return Ok(None) };
    // A clone that does not have the commit cannot say; the rule that needs the author then denies.
    Ok(git::author(&checkout.root, commit).ok().flatten())
}
