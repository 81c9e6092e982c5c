//! A grant as it is written, all members side by side.
//!
//! serde reads what is flattened through a buffer of its own, which costs more than all that is asked of a grant; each use
//! of an opt-out reads every live one of its gate. So it is read as one list of members, and put together afterwards.

use serde::Deserialize;

use super::{Ask, GrantData, PolicyUsed, QuotaUsed};
use crate::action::Action;
use crate::context::Context;
use crate::finding::Evidence;
use crate::grant::Owes;
use crate::request::{Renews, Request, Ttl};
use crate::scope::Scope;
use crate::time::Timestamp;

#[derive(Deserialize)]
pub(super) struct Grant {
    action: Action,
    reason: String,
    #[serde(default)]
    ticket: Option<String>,
    scope: Scope,
    #[serde(default)]
    findings: Vec<Evidence>,
    ttl: Ttl,
    #[serde(default)]
    max_uses: Option<u64>,
    #[serde(default)]
    break_glass: bool,
    #[serde(default)]
    renews: Option<Renews>,
    not_before: Timestamp,
    expires: Timestamp,
    rule: u64,
    policy: PolicyUsed,
    judge: u32,
    #[serde(default)]
    approvals: Vec<u64>,
    #[serde(default)]
    owes: Option<Owes>,
    #[serde(default)]
    quota: Option<QuotaUsed>,
    context: Context,
    #[serde(default)]
    request: Option<Request>,
}

impl From<Grant> for GrantData {
    fn from(flat: Grant) -> Self {
        let Grant { action, reason, ticket, scope, findings, ttl, max_uses, break_glass, renews, .. } = flat;
        let Grant {
            not_before, expires, rule, policy, judge, approvals, owes, quota, context, request, ..
        } = flat;
        let ask = Ask { action, reason, ticket, scope, findings, ttl, max_uses, break_glass, renews };
        Self { ask, not_before, expires, rule, policy, judge, approvals, owes, quota, context, request }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::GrantData;

    /// Every member that a grant can have; `request` and its parts are read by their own types.
    fn whole() -> Value {
        json!({
            "action": "waive", "reason": "r", "ticket": "T-1", "scope": {"commit": "c"},
            "findings": [{"rule": "R", "level": "error", "count": 1, "path": "a"}],
            "ttl": {"text": "1h", "seconds": 3600}, "max_uses": 3, "break_glass": true,
            "renews": {"id": 1, "grant": "b3:1", "number": 1},
            "not_before": "2026-12-01T10:00:00.000000Z", "expires": "2026-12-01T11:00:00.000000Z", "rule": 2,
            "policy": {"digest": "b3:2", "source": "worktree"}, "judge": 1, "approvals": [4],
            "owes": {"what": "review", "by": "2026-12-02T10:00:00.000000Z"},
            "quota": {"used": 1, "since": "2026-11-30T10:00:00.000000Z"}, "context": {"ref": "refs/heads/main"},
        })
    }

    #[test]
    fn what_is_written_is_read_member_by_member() {
        let read: GrantData = serde_json::from_value(whole()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), whole());
    }

    #[test]
    fn a_member_that_has_to_be_there_is_missed_and_the_others_are_not() {
        let optional =
            ["ticket", "findings", "max_uses", "break_glass", "renews", "approvals", "owes", "quota"];
        let members = whole().as_object().unwrap().clone();
        for name in members.keys() {
            let mut members = members.clone();
            members.remove(name);
            let read = serde_json::from_value::<GrantData>(Value::Object(members.clone()));
            assert_eq!(read.is_ok(), optional.contains(&name.as_str()), "{name}");
            if let Ok(read) = read {
                assert_eq!(serde_json::to_value(&read).unwrap(), Value::Object(members), "{name}");
            }
        }
    }
}
