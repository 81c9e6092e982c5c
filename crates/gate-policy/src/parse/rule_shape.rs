//! What the keys of a rule must be to each other. A key that would have no effect is refused: whoever wrote it
//! believed in an effect.

use gate_model::action::Action;

use super::reader::Reader;
use super::table::Table;
use crate::policy::Who;
use crate::rule::{Rule, ScopeKind};

/// Checks a rule and fills in its `scopes`; nothing where a key that every rule needs is missing.
pub(super) fn complete(reader: &mut Reader<'_>, table: &mut Table<'_>, mut rule: Rule) -> Option<Rule> {
    let complete = required(reader, table);
    waivers(reader, table, &rule);
    passes(reader, table, &rule);
    break_glass(reader, table, &rule);
    add_scopes(&mut rule);
    complete.then_some(rule)
}

fn required(reader: &mut Reader<'_>, table: &mut Table<'_>) -> bool {
    let mut complete = true;
    for (key, code, remedy) in [
        ("actions", "missing-actions", "say what it allows, as in actions = [\"skip\"]"),
        ("who", "missing-who", "say to whom, as in who = [\"group:security\"]; \"*\" is everybody"),
        (
            "max_ttl",
            "missing-max-ttl",
            "say how long it may last, as in max_ttl = \"24h\": nothing is granted for ever",
        ),
    ] {
        if table.get(key).is_none() {
            table.missing(reader, key, code, remedy);
            complete = false;
        }
    }
    complete
}

/// Refuses `key`, if it is given.
fn refuse(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str, why: &str, remedy: &str) {
    if let Some(value) = table.get(key) {
        reader.error(value.span(), "no-effect", format!("'{}' {why}", value.place)).remedy(remedy);
    }
}

/// Keys about findings bind waivers alone: a skip by the same rule would go past them.
fn waivers(reader: &mut Reader<'_>, table: &mut Table<'_>, rule: &Rule) {
    if !rule.actions.is_empty() && !rule.actions.contains(&Action::Waive) {
        refuse(reader, table, "follow_moves", "is for waivers", "take it out, or allow waive");
    }
    let others = rule.actions.iter().find(|action| **action != Action::Waive);
    let Some(other) = others else { return };
    for key in ["max_level", "lapse_when"] {
        let why = format!("limits waivers, and this rule allows {other} as well, which it would not limit");
        refuse(reader, table, key, &why, "put waive into a rule of its own");
    }
}

/// Keys about the reach of a skip or an override, and about uses.
fn passes(reader: &mut Reader<'_>, table: &mut Table<'_>, rule: &Rule) {
    let passes = rule.actions.iter().any(|action| matches!(action, Action::Skip | Action::Override));
    if !rule.actions.is_empty() && !passes {
        let remedy = "take it out; a waiver is bound to its repository, a pause to its gate";
        refuse(reader, table, "scopes", "is for skip and override", remedy);
    }
    if rule.actions == [Action::Pause] {
        refuse(reader, table, "max_uses", "limits uses, and a pause ends by its time", "take it out");
        let remedy = "take it out; whoever wants a longer pause pauses the gate again";
        refuse(reader, table, "max_renewals", "is for opt-outs, and a pause is not renewed", remedy);
    }
}

fn break_glass(reader: &mut Reader<'_>, table: &mut Table<'_>, rule: &Rule) {
    if !rule.break_glass {
        for key in ["review_within", "reviewers"] {
            let remedy = "add break_glass = true, or take it out";
            refuse(reader, table, key, "is for break-glass rules", remedy);
        }
        return;
    }
    let why = "makes a break-glass rule wait, and it grants at once";
    refuse(reader, table, "approvals", why, "take it out, or take break_glass out");
    if table.get("review_within").is_none() {
        let remedy = "say by when the review must follow, as in review_within = \"24h\"";
        table.missing(reader, "review_within", "missing-review-within", remedy);
    }
    if rule.who.contains(&Who::Anyone) && rule.reviewers.is_empty() {
        let remedy = "say who reviews, as in reviewers = [\"group:security\"]";
        table.missing(reader, "reviewers", "missing-reviewers", remedy);
    }
}

/// The effective `scopes`: what is written, or a commit and what the rule confines itself to; always a run, the
/// narrowest there is.
fn add_scopes(rule: &mut Rule) {
    if rule.scopes.is_empty() {
        rule.scopes.push(ScopeKind::Commit);
        if !rule.refs.is_empty() {
            rule.scopes.push(ScopeKind::Ref);
        }
        if !rule.environments.is_empty() {
            rule.scopes.push(ScopeKind::Environment);
        }
    }
    if !rule.scopes.contains(&ScopeKind::Run) {
        rule.scopes.push(ScopeKind::Run);
    }
}
