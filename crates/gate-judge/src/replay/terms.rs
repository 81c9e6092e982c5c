//! The terms of a grant: what its rule gives, no more and no less.

use gate_model::payload::{Ask, GrantData};
use gate_model::principal::Principal;
use gate_model::scope::Scope;
use gate_policy::{Past, Rule, Terms};

use super::policy_log::Used;
use super::report::{Doubt, Judged};

/// The rule of `gate` with this number.
pub(super) fn numbered<'a>(used: &'a Used, gate: &str, number: u64) -> Result<&'a Rule, Doubt> {
    let found = used.policy().gate(gate).map_err(|error| Doubt::Wrong(error.to_string()))?;
    found
        .rule(number)
        .ok_or_else(|| Doubt::Wrong(format!("rests on rule {number}, which gate '{gate}' does not have")))
}

/// Whether what was recorded is what the terms give.
pub(super) fn fits(terms: &Terms, rule: u64, ask: &Ask) -> Result<(), String> {
    if terms.rule != rule {
        return Err(format!("names rule {rule}, and rule {} is the one that allows it", terms.rule));
    }
    let members = [
        ("time to live", terms.ttl == ask.ttl.seconds),
        ("number of uses", terms.max_uses == ask.max_uses),
        ("scope", terms.scope == ask.scope),
        ("findings", terms.findings == ask.findings),
    ];
    match members.iter().find(|(_, equal)| !equal) {
        Some((name, _)) => Err(format!("has another {name} than rule {rule} gives")),
        None => Ok(()),
    }
}

/// Whether what the grant says of its rule's quota is what `past` holds.
pub(super) fn counted(data: &GrantData, rule: &Rule, by: &Principal, past: &dyn Past) -> Judged {
    let (said, quota) = match (data.quota, &rule.quota) {
        (Some(said), Some(quota)) => (said, quota),
        (None, None) => return Ok(()),
        (Some(_), None) => return Err(Doubt::wrong("says how far a quota was used, and its rule has none")),
        (None, Some(_)) => return Err(Doubt::wrong("does not say how far its rule's quota was used")),
    };
    let (since, used) = (data.not_before.minus(quota.per), past.used(rule, by, said.since));
    if said.since != since || said.used != used {
        let (said, from) = (said.used, said.since);
        return Err(Doubt::Wrong(format!(
            "says that {said} places of its quota were taken since {from}, and {used} were since {since}"
        )));
    }
    Ok(())
}

/// The scopes that a rule may have narrowed to `scope`: those with fewer members.
pub(super) fn wider(scope: &Scope) -> impl Iterator<Item = Scope> {
    (1..16_u8).filter_map(move |mask| {
        let mut wider = scope.clone();
        let members = [&mut wider.repository, &mut wider.commit, &mut wider.git_ref, &mut wider.environment];
        for (bit, member) in members.into_iter().enumerate() {
            if mask & (1 << bit) != 0 {
                member.take()?;
            }
        }
        Some(wider)
    })
}

#[cfg(test)]
mod tests {
    use gate_model::scope::Scope;

    use super::wider;

    #[test]
    fn each_scope_that_can_have_been_asked_for_is_tried_once() {
        let scope = Scope {
            repository: Some("r".into()),
            commit: Some("c".into()),
            run: Some("1".into()),
            ..Scope::default()
        };
        let tried: Vec<Scope> = wider(&scope).collect();
        assert_eq!(tried.len(), 3);
        assert!(tried.iter().all(|scope| scope.run.is_some()));
        assert_eq!(wider(&Scope::default()).count(), 0);
    }
}
