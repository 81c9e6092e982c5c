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
use crate::run::Skip;
use crate::stating;
use gate_cli::Stop;

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
    /// A [`Stop`]; then nothing was recorded.
    pub(crate) fn record(self, skip: &Skip<'_>, act: &Act) -> Result<Grant, Stop> {
        Ok(match self {
            Self::Approve => approval::approve(skip.workspace, act)?,
            Self::Reject => approval::reject(skip.workspace, act)?,
            Self::Revoke => ending::revoke(skip.workspace, act)?,
            Self::Resume(gate) => ending::resume(skip.workspace, gate, act)?,
            Self::Review(verdict) => review::review(skip.workspace, act, verdict)?,
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
/// A [`Stop`]; then nothing was recorded.
pub(crate) fn act(
    skip: &Skip<'_>,
    deed: Deed<'_>,
    args: &ActArgs,
    ticket: Option<&str>,
    io: &mut Io<'_>,
) -> Result<Asked, Stop> {
    let reason = match (deed, &args.reason) {
        (Deed::Approve, None) => None,
        (_, given) => Some(skip.pen.reason(given.as_deref(), || told(skip, &args.id))?),
    };
    let verdict = if let Deed::Review(verdict) = deed { Some(verdict) } else { None };
    let words = Words { reason, ticket: ticket.map(str::to_owned), verdict };
    if args.signing.detached {
        let statement = stating::state(skip, deed.verb(), &args.id, &words, &args.signing, io)?;
        return Ok(Asked::Stated(Box::new(statement)));
    }
    let act = match args.signing.sign {
        None => about(skip, &args.id, &subject(skip, &args.id)?, &words)?,
        Some(_) => signed(skip, &args.id, deed.verb(), &words, &args.signing)?,
    };
    deed.record(skip, &act).map(Asked::answer)
}

/// Resumes a paused gate.
///
/// # Errors
/// A [`Stop`]; then nothing was recorded.
pub(crate) fn resume(
    skip: &Skip<'_>,
    gate: &str,
    words: &Words,
    signing: &SigningArgs,
    io: &mut Io<'_>,
) -> Result<Asked, Stop> {
    if signing.detached {
        let statement = stating::state(skip, Verb::Resume, gate, words, signing, io)?;
        return Ok(Asked::Stated(Box::new(statement)));
    }
    skip.workspace.loaded.policy.gate(gate)?;
    let pause = {
        let ledger = skip.workspace.open(Access::Read)?;
        newest_pause(skip, &ledger.view(), gate)?.map(|entry| entry.seq.to_string())
    };
    let act = match pause {
        Some(id) if signing.sign.is_some() => signed(skip, &id, Verb::Resume, words, signing)?,
        _ => plain(skip, gate, words)?,
    };
    Deed::Resume(gate).record(skip, &act).map(Asked::answer)
}

/// The newest pause of a gate: whoever resumes it means all that are there.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn newest_pause(skip: &Skip<'_>, view: &View<'_>, gate: &str) -> Result<Option<Entry>, Stop> {
    let now = skip.workspace.now().max(view.head()?.at);
    let here = &skip.workspace.facts()?.context;
    Ok(ending::live_pauses(view, &skip.workspace.loaded, (gate, here), now)?.pop())
}

/// What somebody acts on, as they read it: the entry that `id` names, or no more than that where it is not at hand.
///
/// # Errors
/// A [`Stop`] where the ledger cannot be used, or has no such entry.
pub(crate) fn told(skip: &Skip<'_>, id: &str) -> Result<String, Stop> {
    match skip.at_hand()? {
        Some(ledger) if !is_file(id) => stating::text(skip, &find(&ledger.view(), id)?),
        _ => Ok(id.to_owned()),
    }
}

/// An act by whoever the facts of the run name.
fn plain(skip: &Skip<'_>, id: &str, words: &Words) -> Result<Act, Stop> {
    let facts = skip.workspace.facts()?;
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
/// A [`Stop`] where the facts of the run cannot be used.
pub(crate) fn about(skip: &Skip<'_>, id: &str, subject: &Entry, words: &Words) -> Result<Act, Stop> {
    let author = author(skip, subject)?;
    Ok(Act { author, ..plain(skip, id, words)? })
}

/// The entry that `id` names.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn subject(skip: &Skip<'_>, id: &str) -> Result<Entry, Stop> {
    let ledger = skip.workspace.open(Access::Read)?;
    find(&ledger.view(), id)
}

/// The entry that `id` names in `view`.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn find(view: &View<'_>, id: &str) -> Result<Entry, Stop> {
    Ok(ids::find(view, id).map_err(TransactError::from)?)
}

/// An act that is signed here.
fn signed(skip: &Skip<'_>, id: &str, verb: Verb, words: &Words, signing: &SigningArgs) -> Result<Act, Stop> {
    let signer = skip.signer(signing);
    let mut statement = words.statement(verb);
    statement.by = signer.claimed(statement.namespace())?;
    let subject = {
        let ledger = skip.workspace.open(Access::Read)?;
        let subject = find(&ledger.view(), id)?;
        statement.ledger = Some(subject.ledger.clone());
        statement.subject = subject.hash.to_string();
        let privacy = ledger_access::privacy(&skip.workspace.loaded);
        sealing::statement(&mut statement, privacy, Some(&ledger.view()))?;
        subject
    };
    let act = about(skip, id, &subject, words)?;
    let (statement, by) = signer.statement(statement)?;
    Ok(Act { by, statement: Some(statement), ..act })
}

/// The author of the commit that a request is bound to, where this checkout knows it.
fn author(skip: &Skip<'_>, subject: &Entry) -> Result<Option<String>, Stop> {
    let commit = subject.data.pointer("/scope/commit").or_else(|| subject.data.pointer("/context/commit"));
    let Some(commit) = commit.and_then(serde_json::Value::as_str) else { return Ok(None) };
    let Some(checkout) = &skip.workspace.facts()?.checkout else { return Ok(None) };
    // A clone that does not have the commit cannot say; the rule that needs the author then denies.
    Ok(git::author(&checkout.root, commit).ok().flatten())
}
