//! The conditions of one rule, each a small function that says in words what would have satisfied it.
//!
//! Every condition is looked at, so that a denial names all that is missing at once. A condition that this build
//! cannot check denies and says so.

use std::cell::RefCell;
use std::collections::HashMap;

use gate_model::action::Action;
use gate_model::context::Context;
use gate_model::payload::Ask;
use gate_model::principal::{Assurance, Principal};
use gate_model::scope::{OutOfScope, Scope};
use gate_model::text;
use gate_model::time::{format_duration, parse_duration};

use crate::admission::{AuthorizationRequest, Terms};
use crate::denial::{Failed, Kind};
use crate::evidence;
use crate::pattern::glob_matches;
use crate::person::{listed, names, shown};
use crate::policy::{Gate, Policy};
use crate::reach;
use crate::rule::Rule;

type Condition = Result<(), String>;

/// The terms on which `rule` grants the authorization.
///
/// # Errors
/// Each condition that failed.
pub(crate) fn terms(
    policy: &Policy,
    gate: &Gate,
    rule: &Rule,
    authorization: &AuthorizationRequest<'_>,
) -> Result<Terms, Vec<Failed>> {
    let AuthorizationRequest { ask, by, context, in_commit, .. } = authorization;
    action(rule, ask.action).map_err(|why| vec![Failed::new(Kind::Action, why)])?;
    let checks = [
        (Kind::Who, who(policy, rule, by)),
        (Kind::Trailer, in_commits(rule, *in_commit)),
        (Kind::Assurance, known_well(rule.assurance, by)),
        (Kind::BreakGlass, break_glass(rule, ask)),
        (Kind::Time, time(rule, ask)),
        (Kind::Uses, uses(rule, ask)),
        (Kind::Renewals, renewals(rule, ask)),
        (Kind::Reason, reason(rule, ask)),
        (Kind::Ticket, ticket(rule, ask)),
        (Kind::Conflict, no_conflict(ask.action, context)),
        (Kind::Repository, of_here(ask, context)),
    ];
    let checked = checks.into_iter().filter_map(|(kind, checked)| Some(Failed::new(kind, checked.err()?)));
    let mut failed: Vec<Failed> = checked.collect();
    failed.extend(Failed::each(Kind::Findings, evidence::failures(gate, rule, ask)));
    let narrow = reach::narrow(rule, ask, context);
    let known = facts(rule.facts, narrow.as_ref().unwrap_or(&ask.scope), context);
    failed.extend(known.err().map(|why| Failed::new(Kind::Facts, why)));
    match narrow {
        Ok(scope) if failed.is_empty() => Ok(granted(rule, ask, scope)),
        Ok(_) => Err(failed),
        Err(more) => Err(failed.into_iter().chain(Failed::each(Kind::Scope, more)).collect()),
    }
}

fn granted(rule: &Rule, ask: &Ask, scope: Scope) -> Terms {
    Terms {
        rule: rule.number,
        ttl: if ask.ttl.seconds == 0 { rule.max_ttl } else { ask.ttl.seconds },
        // A pause ends by its time; it is not used up.
        max_uses: if ask.action == Action::Pause { None } else { ask.max_uses.or(rule.max_uses) },
        scope,
        findings: ask.findings.clone(),
        break_glass: rule.break_glass,
        review_within: rule.review_within,
        i_accept: rule.i_accept.clone(),
    }
}

fn action(rule: &Rule, asked: Action) -> Condition {
    if rule.actions.contains(&asked) {
        return Ok(());
    }
    let allowed = rule.actions.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
    Err(format!("does not allow {asked} (it allows {allowed})"))
}

/// Whether the rule names this principal.
pub(crate) fn who(policy: &Policy, rule: &Rule, by: &Principal) -> Condition {
    if names(policy, &rule.who, by) {
        return Ok(());
    }
    Err(format!("is for {} (you are {})", listed(&rule.who), shown(by)))
}

/// Whether a principal is known well enough.
pub(crate) fn known_well(least: Assurance, by: &Principal) -> Condition {
    if by.assurance >= least {
        return Ok(());
    }
    let remedy = match least {
        Assurance::Signed => "a signature: --sign",
        _ => "a signature (--sign) or a verified CI token",
    };
    Err(format!("needs {remedy} ({} is only {})", text::visible(&by.id), by.assurance))
}

fn break_glass(rule: &Rule, ask: &Ask) -> Condition {
    if !rule.break_glass || ask.break_glass {
        return Ok(());
    }
    Err("is for emergencies and needs --break-glass; a review must follow".to_owned())
}

fn time(rule: &Rule, ask: &Ask) -> Condition {
    let asked = ask.ttl.seconds;
    // The text is what a person read before signing, the number is what counts: they must be one time.
    if asked != 0 && parse_duration(&ask.ttl.text) != Ok(asked) {
        let shown = text::visible(&ask.ttl.text);
        return Err(format!("needs one time to live, and '{shown}' is not {asked} seconds"));
    }
    if asked <= rule.max_ttl {
        return Ok(());
    }
    let (longest, asked) = (format_duration(rule.max_ttl), format_duration(asked));
    Err(format!("allows at most --ttl {longest} ({asked} was asked for)"))
}

fn uses(rule: &Rule, ask: &Ask) -> Condition {
    match (ask.max_uses, rule.max_uses) {
        (Some(0), _) => Err("needs at least one use (--uses 0 was asked for)".to_owned()),
        (Some(_), _) if ask.action == Action::Pause => {
            Err("cannot limit the uses of a pause: leave out --uses".to_owned())
        }
        (Some(asked), Some(most)) if asked > most => {
            Err(format!("allows at most --uses {most} ({asked} were asked for)"))
        }
        _ => Ok(()),
    }
}

/// Whether the rule lets an opt-out be renewed once more. Whether it is as many renewals as the request says is
/// [`crate::renewal`]'s to find out.
fn renewals(rule: &Rule, ask: &Ask) -> Condition {
    let Some(renews) = &ask.renews else { return Ok(()) };
    let anew = "ask anew instead";
    match rule.max_renewals {
        _ if ask.action == Action::Pause => Err("cannot renew a pause: pause the gate again".to_owned()),
        None => Err(format!("has no max_renewals, so that nothing is renewed by it: {anew}")),
        Some(most) if renews.number > most => {
            let most = text::count(most, "renewal");
            Err(format!("allows {most} in a row (this would be number {}): {anew}", renews.number))
        }
        Some(_) => Ok(()),
    }
}

fn reason(rule: &Rule, ask: &Ask) -> Condition {
    text::check(&ask.reason).map_err(|error| format!("needs another reason: {error}"))?;
    let length = ask.reason.trim().chars().count();
    if u64::try_from(length).is_ok_and(|length| length >= rule.min_reason) {
        return Ok(());
    }
    Err(format!("needs a reason of at least {} characters (it has {length})", rule.min_reason))
}

fn ticket(rule: &Rule, ask: &Ask) -> Condition {
    if let Some(ticket) = &ask.ticket {
        text::check(ticket).map_err(|error| format!("needs another ticket: {error}"))?;
    }
    let Some(pattern) = &rule.ticket else { return Ok(()) };
    match &ask.ticket {
        Some(ticket) if pattern.is_match(ticket) => Ok(()),
        Some(ticket) => Err(format!("needs a ticket like {pattern} ('{}' was given)", text::visible(ticket))),
        None => Err(format!("needs a ticket like {pattern} (none was given)")),
    }
}

/// Whether a commit may ask.
fn in_commits(rule: &Rule, asked: bool) -> Condition {
    if !asked || rule.trailers {
        return Ok(());
    }
    Err("takes no request from a commit's trailer: trailers = true would let it".to_owned())
}

/// Whether the facts of a run are known well enough: all of them, and those that the scope names by the token itself.
pub(crate) fn facts(least: Option<Assurance>, scope: &Scope, context: &Context) -> Condition {
    let known = context.assurance.unwrap_or(Assurance::Asserted);
    let Some(least) = least.filter(|least| *least > Assurance::Asserted) else { return Ok(()) };
    if known < least {
        return Err(format!(
            "needs the facts of the run (environment, ref, repository) from a CI token (they are {known})"
        ));
    }
    let named = [
        ("repository", scope.repository.is_some()),
        ("commit", scope.commit.is_some()),
        ("ref", scope.git_ref.is_some()),
        ("change", scope.change.is_some()),
        ("environment", scope.environment.is_some()),
        ("run", scope.run.is_some()),
    ];
    let unproven = |name: &str| context.unproven.iter().any(|fact| fact == name);
    match named.into_iter().find(|(name, is_named)| *is_named && unproven(name)) {
        Some((name, _)) => Err(format!("needs the {name} from the CI token, which does not state it")),
        None => Ok(()),
    }
}

/// Where facts contradict each other no opt-out counts. A pause only adds a block, so it is not refused.
fn no_conflict(action: Action, context: &Context) -> Condition {
    if context.conflicts.is_empty() || action == Action::Pause {
        return Ok(());
    }
    let conflicts =
        context.conflicts.iter().map(|conflict| text::visible(conflict)).collect::<Vec<_>>().join(", ");
    Err(format!("cannot apply: the facts of this run contradict each other: {conflicts}"))
}

/// Whether what is asked for is for the repository where it is asked: the rules of one say nothing of another's gates. A
/// checkout without a name is none that is named: whoever takes the name away must not ask by other rules and quotas. A
/// pause only adds a block, so there it is not refused.
fn of_here(ask: &Ask, context: &Context) -> Condition {
    let Some(meant) = ask.scope.repository.as_ref().filter(|meant| !context.is_surely(meant)) else {
        return Ok(());
    };
    let here = match &context.repository {
        Some(here) => format!("this is {}", text::visible(here)),
        None if ask.action == Action::Pause => return Ok(()),
        None => "this is one without a name".to_owned(),
    };
    Err(format!("is for repository {} ({here}): ask from a checkout of that one", text::visible(meant)))
}

/// Whether what a rule demands of the place holds where its grant is used.
///
/// # Errors
/// Each condition that failed.
pub(crate) fn hold_here(
    rule: &Rule,
    action: Action,
    scope: &Scope,
    here: &Context,
) -> Result<(), Vec<String>> {
    // A pause needs no proof of where it holds: a run without its token would not be held.
    let proven = if action == Action::Pause { Ok(()) } else { facts(rule.facts, scope, here) };
    let checks = [
        proven,
        no_conflict(action, here),
        scope_holds(action, scope, here).map_err(|OutOfScope(why)| why),
        reach::repository_holds(action, scope, here),
    ];
    let failed: Vec<String> = checks.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

/// Whether an opt-out with this scope reaches the run in `context`: each member that is present, refs as globs. A pause
/// holds where the run's facts contradict each other or do not say: whoever keeps a fact from us must not pass by it.
///
/// # Errors
/// The first member that does not hold.
pub fn scope_holds(action: Action, scope: &Scope, context: &Context) -> Result<(), OutOfScope> {
    match action {
        Action::Pause if !context.conflicts.is_empty() => Ok(()),
        Action::Pause => scope.may_cover(context, known_match),
        Action::Skip | Action::Override | Action::Waive => scope.covers(context, known_match),
    }
}

/// How many answers are remembered.
const REMEMBERED: usize = 4096;

thread_local! {
    /// Which globs match which refs. Whoever asks for an opt-out chose its glob, and with it how long matching takes; what
    /// was matched before the ledger's lock was taken is not matched again while everybody waits for it.
    static MATCHED: RefCell<HashMap<(String, String), bool>> = RefCell::default();
}

fn known_match(glob: &str, name: &str) -> bool {
    let key = (glob.to_owned(), name.to_owned());
    if let Some(known) = MATCHED.with_borrow(|matched| matched.get(&key).copied()) {
        return known;
    }
    let found = glob_matches(glob, name);
    MATCHED.with_borrow_mut(|matched| {
        if matched.len() < REMEMBERED {
            matched.insert(key, found);
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::{MATCHED, known_match};

    #[test]
    fn a_glob_is_matched_with_a_ref_once() {
        let count = || MATCHED.with_borrow(std::collections::HashMap::len);
        for _ in 0..3 {
            assert!(known_match("refs/heads/{a,b}*", "refs/heads/b1"));
            assert!(!known_match("refs/heads/{a,b}*", "refs/heads/c"));
            assert_eq!(count(), 2);
        }
    }
}
