//! The payload of a decision, borrowed from where it was read.
//!
//! Decisions are most of a ledger. [`gate_model::payload::DecisionData`] owns every text and reads flattened
//! members through a buffer, which costs several times what judging does; the same members are read here
//! without copying. A test keeps both in step.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gate_model::context::{Context, Run};
use gate_model::decision::Verdict;
use gate_model::finding::{Counts, Evidence};
use gate_model::level::Level;
use gate_model::payload::Mode;
use gate_model::principal::Assurance;
use gate_model::score::{FailOn, Score};
use gate_model::time::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A text that is borrowed where it has no escapes. (`Option<Cow>` would always own it.)
#[derive(Debug, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn owned(text: Option<&Self>) -> Option<String> {
        text.map(|text| text.0.clone().into_owned())
    }
}

/// The members of a decision's entry that judging needs; its body was verified to be an entry's.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) at: Timestamp,
    #[serde(borrow, default)]
    pub(super) gate: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) data: Facts<'a>,
}

/// The same members as [`gate_model::payload::DecisionData`].
#[derive(Debug, Deserialize)]
pub(super) struct Facts<'a> {
    pub(super) decision: Verdict,
    pub(super) proceed: bool,
    pub(super) mode: Mode,
    #[serde(default)]
    pub(super) status: Option<u8>,
    #[serde(borrow, default)]
    pub(super) did_not_run: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) report: Option<Text<'a>>,
    #[serde(default)]
    pub(super) fail_on: Option<FailOn>,
    pub(super) blocking: u64,
    pub(super) waived: u64,
    pub(super) below_threshold: u64,
    #[serde(default)]
    pub(super) passed: u64,
    pub(super) suppressed: u64,
    pub(super) absent: u64,
    #[serde(borrow, default)]
    pub(super) findings: Vec<Group<'a>>,
    #[serde(default)]
    pub(super) omitted: u64,
    #[serde(default)]
    pub(super) grants: Vec<u64>,
    #[serde(default)]
    pub(super) spends: Option<Vec<u64>>,
    #[serde(borrow)]
    pub(super) policy: PolicyName<'a>,
    pub(super) judge: u64,
    pub(super) judged_at: Timestamp,
    #[serde(borrow)]
    pub(super) context: Place<'a>,
    #[serde(borrow, default)]
    pub(super) seen_head: Option<SeenEntry<'a>>,
    /// Read only to see whether it is there: that it waited, and was recorded later than it was judged.
    #[serde(default)]
    pub(super) waited: Option<IgnoredAny>,
    #[serde(default)]
    pub(super) begun_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) clock_jump: Option<i64>,
    /// Read only to see that they are there: sentences are not judged.
    #[serde(rename = "reasons")]
    _reasons: Vec<IgnoredAny>,
}

impl Facts<'_> {
    pub(super) const fn counts(&self) -> Counts {
        let &Self { below_threshold, passed, suppressed, absent, .. } = self;
        Counts { below_threshold, passed, suppressed, absent }
    }
}

/// A policy as verdicts name it.
#[derive(Debug, Deserialize)]
pub(super) struct PolicyName<'a> {
    #[serde(borrow)]
    pub(super) digest: Text<'a>,
    #[serde(borrow)]
    pub(super) source: Text<'a>,
}

/// An entry that was seen.
#[derive(Debug, Deserialize)]
pub(super) struct SeenEntry<'a> {
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) hash: Text<'a>,
}

/// Findings that are alike.
#[derive(Debug, Deserialize)]
pub(super) struct Group<'a> {
    #[serde(borrow)]
    pub(super) rule: Text<'a>,
    pub(super) level: Level,
    pub(super) count: u64,
    #[serde(borrow, default)]
    path: Option<Text<'a>>,
    #[serde(borrow, default)]
    package: Option<Text<'a>>,
    #[serde(borrow, default)]
    fingerprint: Option<Text<'a>>,
    #[serde(default, with = "gate_model::finding::named")]
    fingerprints: BTreeMap<String, String>,
    #[serde(borrow, default)]
    tool: Option<Text<'a>>,
    #[serde(default)]
    pub(super) security_severity: Option<Score>,
    #[serde(default)]
    fixable: bool,
    #[serde(default)]
    pub(super) grant: Option<u64>,
    #[serde(borrow, default)]
    moved_from: Option<Text<'a>>,
}

impl Group<'_> {
    /// The file that they moved from.
    pub(super) fn moved_from(&self) -> Option<String> {
        Text::owned(self.moved_from.as_ref())
    }

    /// The evidence that it is.
    pub(super) fn evidence(&self) -> Evidence {
        Evidence {
            rule: self.rule.as_str().to_owned(),
            level: self.level,
            count: self.count,
            path: Text::owned(self.path.as_ref()),
            package: Text::owned(self.package.as_ref()),
            fingerprint: Text::owned(self.fingerprint.as_ref()),
            fingerprints: self.fingerprints.clone(),
            tool: Text::owned(self.tool.as_ref()),
            security_severity: self.security_severity,
            fixable: self.fixable,
            lines: Vec::new(),
            around: Vec::new(),
        }
    }
}

/// A context.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place<'a> {
    #[serde(borrow)]
    provider: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) repository: Option<Text<'a>>,
    #[serde(borrow)]
    names: Vec<Text<'a>>,
    #[serde(rename = "ref", borrow)]
    git_ref: Option<Text<'a>>,
    #[serde(borrow)]
    commit: Option<Text<'a>>,
    #[serde(borrow)]
    merge: Option<Text<'a>>,
    #[serde(borrow)]
    change: Option<Text<'a>>,
    #[serde(borrow)]
    environment: Option<Text<'a>>,
    #[serde(borrow)]
    run: Option<RunOf<'a>>,
    dirty: Option<bool>,
    #[serde(borrow)]
    conflicts: Vec<Text<'a>>,
    assurance: Option<Assurance>,
    #[serde(borrow)]
    unproven: Vec<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct RunOf<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(default)]
    attempt: Option<u64>,
    #[serde(borrow, default)]
    url: Option<Text<'a>>,
}

impl Place<'_> {
    /// The context that it is.
    pub(super) fn context(&self) -> Context {
        let run = |run: &RunOf<'_>| Run {
            id: run.id.as_str().to_owned(),
            attempt: run.attempt,
            url: Text::owned(run.url.as_ref()),
        };
        Context {
            provider: Text::owned(self.provider.as_ref()),
            repository: Text::owned(self.repository.as_ref()),
            names: self.names.iter().map(|text| text.as_str().to_owned()).collect(),
            git_ref: Text::owned(self.git_ref.as_ref()),
            commit: Text::owned(self.commit.as_ref()),
            merge: Text::owned(self.merge.as_ref()),
            change: Text::owned(self.change.as_ref()),
            environment: Text::owned(self.environment.as_ref()),
            run: self.run.as_ref().map(run),
            dirty: self.dirty,
            conflicts: self.conflicts.iter().map(|text| text.as_str().to_owned()).collect(),
            assurance: self.assurance,
            unproven: self.unproven.iter().map(|text| text.as_str().to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use gate_model::context::Context;
    use gate_model::payload::{DecisionData, Judged};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Facts, Place};

    fn full() -> Value {
        json!({
            "decision": "override", "proceed": true, "mode": "findings", "program": "trivy", "status": 1,
            "did_not_run": "it\tdid", "report": "b3:aa", "fail_on": "error", "blocking": 2, "waived": 1,
            "below_threshold": 3, "passed": 2, "suppressed": 4, "absent": 5,
            "findings": [{"rule": "A\"", "level": "error", "count": 2, "path": "a/b", "package": "p",
                "fingerprint": "f", "tool": "t", "security_severity": "7.5", "fixable": true}, {"rule": "B", "level": "error", "count": 1, "grant": 7, "moved_from": "old\\"}],
            "omitted": 0, "grants": [7, 8], "spends": [8], "reasons": ["x"],
            "policy": {"digest": "b3:bb", "source": "worktree"}, "judge": 1, "judged_at": "2026-11-22T10:00:00.000000Z",
            "context": {"provider": "github", "repository": "h/r", "names": ["a/r", "b/r"], "ref": "refs/heads/m", "commit": "c",
                "merge": "m", "change": "7", "environment": "e", "run": {"id": "1", "attempt": 2, "url": "u"},
                "dirty": true, "conflicts": ["k"], "assurance": "oidc", "unproven": ["ref"]},
            "seen_head": {"seq": 4, "hash": "b3:cc"}, "begun_at": "2026-11-22T09:00:00.000000Z", "clock_jump": 400, "unknown": [1],
        })
    }

    fn agree(value: &Value) {
        let data = DecisionData::deserialize(value).unwrap();
        let bytes = value.to_string();
        let from_bytes: Facts<'_> = serde_json::from_str(&bytes).unwrap();
        for facts in [from_bytes, Facts::deserialize(value).unwrap()] {
            assert_eq!((facts.decision, facts.proceed, facts.mode), (data.decision, data.proceed, data.mode));
            assert_eq!((facts.status, facts.fail_on), (data.status, data.fail_on));
            assert_eq!(facts.did_not_run.as_ref().map(super::Text::as_str), data.did_not_run.as_deref());
            assert_eq!(facts.report.as_ref().map(super::Text::as_str), data.report.as_deref());
            assert_eq!(
                (facts.blocking, facts.waived, facts.omitted),
                (data.blocking, data.waived, data.omitted)
            );
            assert_eq!(facts.counts(), data.counts);
            assert_eq!((&facts.grants, &facts.spends), (&data.grants, &data.spends));
            assert_eq!(facts.policy.digest.as_str(), data.policy.digest);
            assert_eq!(facts.policy.source.as_str(), data.policy.source);
            assert_eq!(facts.judge, u64::from(data.judge));
            assert_eq!((facts.judged_at, facts.begun_at), (data.judged_at, data.begun_at));
            assert_eq!((facts.context.context(), facts.clock_jump), (data.context.clone(), data.clock_jump));
            let seen = facts.seen_head.as_ref().map(|seen| (seen.seq, seen.hash.as_str()));
            assert_eq!(seen, data.seen_head.as_ref().map(|seen| (seen.seq, seen.hash.as_str())));
            let groups: Vec<Judged> = facts
                .findings
                .iter()
                .map(|group| Judged {
                    finding: group.evidence(),
                    grant: group.grant,
                    moved_from: group.moved_from(),
                })
                .collect();
            assert_eq!(groups, data.findings);
        }
    }

    #[test]
    fn the_borrowed_reading_says_what_the_owned_one_says() {
        agree(&full());
        let optional = [
            "status",
            "did_not_run",
            "report",
            "fail_on",
            "findings",
            "omitted",
            "grants",
            "spends",
            "seen_head",
            "begun_at",
            "clock_jump",
        ];
        for name in optional {
            let mut value = full();
            value.as_object_mut().unwrap().remove(name);
            agree(&value);
        }
    }

    #[test]
    fn what_the_owned_reading_refuses_the_borrowed_one_refuses_too() {
        for (name, _) in full().as_object().unwrap() {
            for wrong in [None, Some(json!({"no": []})), Some(json!(-1)), Some(json!([{}]))] {
                let mut value = full();
                match wrong {
                    Some(wrong) => value[name] = wrong,
                    None => drop(value.as_object_mut().unwrap().remove(name)),
                }
                if DecisionData::deserialize(&value).is_err()
                    && !["program", "reasons"].contains(&name.as_str())
                {
                    assert!(Facts::deserialize(&value).is_err(), "{name}: {}", value[name]);
                }
            }
        }
    }

    #[test]
    fn an_empty_context_is_one() {
        assert_eq!(Place::default().context(), Context::default());
    }
}
