//! What somebody wants, completed to what is asked for: the scope by default, the levels and the counts that
//! a waiver leaves open.
//!
//! Skip and override are bound to this commit in this repository, a waiver to this repository, a pause to the
//! gate. A waiver without `level` covers up to what the rule that would grant it allows; without `count` it
//! covers as many findings as the gate's newest recorded decision saw, else one.

use std::ops::ControlFlow;

use gate_checkout::facts::Facts;
use gate_checkout::git::{self, GitError};
use gate_findings::evidence::as_finding;
use gate_findings::match_syntax::Match;
use gate_findings::matching;
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::{StoreError, View};
use gate_model::action::Action;
use gate_model::context::is_change_number;
use gate_model::exit::{Ends, Exit};
use gate_model::finding::Evidence;
use gate_model::level::Level;
use gate_model::payload::{Ask, DecisionData};
use gate_model::principal::Principal;
use gate_model::request::Ttl;
use gate_model::scope::Scope;
use gate_model::text::{self, TextError};
use gate_policy::{AuthorizationRequest, Policy};

use gate_judge::records;
use gate_judge::repository::is_elsewhere;

/// How many of the newest entries are looked through for the gate's last decision.
const LOOK_BACK: usize = 2_000;

/// What somebody wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The gate.
    pub gate: String,
    /// The way past.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The ticket.
    pub ticket: Option<String>,
    /// How long, in seconds; the rule's `max_ttl` where left out.
    pub ttl: Option<u64>,
    /// Whether it is for all of this repository.
    pub repository: bool,
    /// A revision of git.
    pub commit: Option<String>,
    /// A glob over refs.
    pub git_ref: Option<String>,
    /// The change: this run's, or the one with a number.
    pub change: Option<Change>,
    /// An environment.
    pub environment: Option<String>,
    /// A pipeline run's id.
    pub run: Option<String>,
    /// How many decisions may use it.
    pub uses: Option<u64>,
    /// What a waiver accepts, as a person wrote it.
    pub matches: Vec<Match>,
    /// What a waiver accepts, exactly.
    pub evidence: Vec<Evidence>,
    /// Whether it invokes a break-glass rule.
    pub break_glass: bool,
}

/// Which pull request, merge request or change somebody means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The one that this run is for.
    This,
    /// The one with this number.
    Number(String),
}

/// Why a wish cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum WishError {
    /// A text that the ledger would not take.
    #[error("the {what} cannot be recorded: {source}\nwrite it as plain text, on one line or several")]
    Text {
        /// Which.
        what: &'static str,
        /// Why.
        source: TextError,
    },
    /// A ticket that a suggested command left to be written.
    #[error("--ticket names no ticket\nwrite the one that it belongs to, as in --ticket SEC-12")]
    Ticketless,
    /// A commit that git does not know.
    #[error(transparent)]
    Commit(#[from] GitError),
    /// `--commit` outside a repository.
    #[error("--commit needs a git repository, and this is none\ngive --run or --environment instead")]
    NoRepository,
    /// Nothing to bind it to.
    #[error("there is no commit to bind it to: {0}\n{1}")]
    NoPlace(String, &'static str),
    /// `--repository` where the repository has no name.
    #[error(
        "this repository has no name to bind it to\nadd a remote that says where it lives, or set GATE_REPOSITORY"
    )]
    Nameless,
    /// `--run` where no run is ever known.
    #[error(
        "no CI run is known here, so an opt-out for run '{0}' would never count\n\
         ask in that run, or say with GATE_RUN_ID which run this is; a request for elsewhere is made with --detached"
    )]
    UnknownRun(String),
    /// `--change` in a run of no change.
    #[error("this run is for no pull request, merge request or change\ngive its number: --change=NUMBER")]
    NoChange,
    /// A number that is none.
    #[error("'{0}' is not the number of a change\ngive it as --change=17")]
    Number(String),
    /// A glob over refs that is not one.
    #[error("'{0}' is not a full ref name or a glob over such names\nwrite it as refs/heads/release/*")]
    Ref(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ends for WishError {
    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}

/// Whether what is wished for can ever count where it is asked for: what the opt-out would be bound to elsewhere, as a
/// sentence. In a ledger that is `shared` by other machines it counts on those.
///
/// # Errors
/// [`WishError::UnknownRun`]: it can never count.
pub fn reach(facts: &Facts, wish: &Wish, shared: bool) -> Result<Option<String>, WishError> {
    let (asked, here) = match (&wish.run, &facts.context.run) {
        (None, _) => return Ok(None),
        (Some(_), None) if shared => return Ok(None),
        (Some(asked), None) => return Err(WishError::UnknownRun(text::visible(asked))),
        (Some(asked), Some(here)) => (asked, here),
    };
    let other = *asked != here.id && !here.is_attempt(asked);
    let (asked, here) = (text::visible(asked), text::visible(&here.id));
    Ok(other.then(|| format!("this is run {here}, and an opt-out for run {asked} counts in that one alone")))
}

/// Completes a wish for `by` with the facts of the run, the policy, and the ledger where there is one.
///
/// # Errors
/// A [`WishError`]; then nothing is asked for.
pub fn resolve(
    policy: &Policy,
    facts: &Facts,
    by: &Principal,
    view: Option<&View<'_>>,
    wish: &Wish,
) -> Result<Ask, WishError> {
    check_texts(wish)?;
    let mut ask = Ask {
        action: wish.action,
        reason: wish.reason.clone(),
        ticket: wish.ticket.clone(),
        scope: scope(facts, wish)?,
        findings: wish.evidence.clone(),
        ttl: Ttl::of(wish.ttl.unwrap_or(0)),
        max_uses: wish.uses,
        break_glass: wish.break_glass,
        renews: None,
    };
    let leaves_open = |wanted: &Match| wanted.count.is_none() || wanted.severity.is_none();
    let counts = match view {
        Some(view) if wish.matches.iter().any(leaves_open) => {
            last_seen(view, &wish.gate, facts.context.repository.as_deref())?
        }
        _ => Vec::new(),
    };
    let open = |level: Level| wish.matches.iter().map(move |wanted| evidence(wanted, level, &[]));
    let probe =
        Ask { findings: wish.evidence.iter().cloned().chain(open(Level::Note)).collect(), ..ask.clone() };
    let authorization =
        AuthorizationRequest { gate: &wish.gate, ask: &probe, by, context: &facts.context, in_commit: false };
    let derived = gate_policy::derive(policy, &authorization, None).ok();
    let level = derived.as_ref().and_then(|(rule, _)| rule.max_level).unwrap_or(Level::Error);
    ask.findings.extend(wish.matches.iter().map(|wanted| evidence(wanted, level, &counts)));
    if let (None, Some((_, terms))) = (wish.ttl, derived) {
        ask.ttl = Ttl::of(terms.ttl);
    }
    Ok(ask)
}

fn evidence(wanted: &Match, level: Level, seen: &[Evidence]) -> Evidence {
    let level = wanted.level.unwrap_or(level);
    let mut evidence = wanted.evidence(level, wanted.count.unwrap_or(1));
    let covered = |found: &&Evidence| matching::covers(&evidence, &as_finding(found));
    let covered: Vec<&Evidence> = seen.iter().filter(covered).collect();
    if wanted.count.is_none() {
        evidence.count = covered.iter().map(|found| found.count).sum::<u64>().max(1);
    }
    let highest = covered.iter().filter_map(|found| found.security_severity).max();
    evidence.security_severity = wanted.severity.or(highest);
    evidence
}

/// The findings of the gate's newest recorded decision that judged a report.
fn last_seen(view: &View<'_>, gate: &str, here: Option<&str>) -> Result<Vec<Evidence>, StoreError> {
    let found = last_judged(view, gate, here)?.map(|data| data.findings).unwrap_or_default();
    Ok(found.into_iter().map(|judged| judged.finding).collect())
}

/// The newest recorded decision of the gate of this repository that judged a report, if there is one among the newest
/// entries.
///
/// # Errors
/// A failure of the store.
pub fn last_judged(
    view: &View<'_>,
    gate: &str,
    here: Option<&str>,
) -> Result<Option<DecisionData>, StoreError> {
    let mut found = None;
    let mut left = LOOK_BACK;
    view.scan(0, None, true, &mut |entry: Entry| {
        left = left.saturating_sub(1);
        let is_decision = entry.kind == Kind::Decision && entry.gate.as_deref() == Some(gate);
        let data = is_decision.then(|| records::data::<DecisionData>(&entry).ok()).flatten();
        if let Some(data) = data
            .filter(|data| data.report.is_some() && !is_elsewhere(data.context.repository.as_deref(), here))
        {
            found = Some(data);
            return ControlFlow::Break(());
        }
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

fn check_texts(wish: &Wish) -> Result<(), WishError> {
    if wish.ticket.as_ref().is_some_and(|ticket| ticket.trim().is_empty()) {
        return Err(WishError::Ticketless);
    }
    let texts = [
        ("reason", Some(&wish.reason)),
        ("ticket", wish.ticket.as_ref()),
        ("environment", wish.environment.as_ref()),
        ("run", wish.run.as_ref()),
        ("ref", wish.git_ref.as_ref()),
    ];
    for (what, value) in texts {
        if let Some(value) = value {
            text::check(value).map_err(|source| WishError::Text { what, source })?;
        }
    }
    Ok(())
}

fn scope(facts: &Facts, wish: &Wish) -> Result<Scope, WishError> {
    let commit = match &wish.commit {
        // A shallow checkout of a merge does not hold the commit that it is about.
        Some(revision) if facts.context.commit.as_ref() == Some(revision) => Some(revision.clone()),
        Some(revision) => {
            let checkout = facts.checkout.as_ref().ok_or(WishError::NoRepository)?;
            Some(git::resolve(&checkout.root, revision)?)
        }
        None => None,
    };
    if let Some(pattern) = &wish.git_ref
        && !pattern.starts_with("refs/")
    {
        return Err(WishError::Ref(text::visible(pattern)));
    }
    let mut scope = Scope {
        repository: facts.context.repository.clone(),
        commit,
        git_ref: wish.git_ref.clone(),
        change: wish.change.as_ref().map(|change| number_of(facts, change)).transpose()?,
        environment: wish.environment.clone(),
        run: wish.run.clone(),
    };
    if wish.repository && scope.repository.is_none() {
        return Err(WishError::Nameless);
    }
    match wish.action {
        _ if wish.repository => {}
        Action::Pause => scope.repository = None,
        Action::Skip | Action::Override if !scope.is_narrow() => scope.commit = Some(this_commit(facts)?),
        Action::Waive | Action::Skip | Action::Override => {}
    }
    Ok(scope)
}

fn number_of(facts: &Facts, change: &Change) -> Result<String, WishError> {
    match change {
        Change::This => facts.context.change.clone().ok_or(WishError::NoChange),
        Change::Number(number) if is_change_number(number) => Ok(number.clone()),
        Change::Number(text) => Err(WishError::Number(text::visible(text))),
    }
}

fn this_commit(facts: &Facts) -> Result<String, WishError> {
    let elsewhere = "give --run or --environment";
    let none = || match (&facts.checkout, facts.context.conflicts.first()) {
        (None, Some(conflict)) => WishError::NoPlace(conflict.clone(), elsewhere),
        (None, None) => WishError::NoPlace("this is not a git repository".to_owned(), elsewhere),
        (Some(_), _) => WishError::NoPlace("the branch has no commit yet".to_owned(), "commit first"),
    };
    facts.context.commit.clone().ok_or_else(none)
}
