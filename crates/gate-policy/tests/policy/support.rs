//! Short ways to write policies, principals and requests.

use gate_model::action::Action;
use gate_model::context::{Context, Run};
use gate_model::finding::Evidence;
use gate_model::level::Level;
use gate_model::payload::Ask;
use gate_model::principal::{Assurance, Principal};
use gate_model::request::{SeenHead, Ttl};
use gate_model::scope::Scope;
use gate_model::time::Timestamp;
use gate_policy::{Admission, AuthorizationRequest, Past, Policy, Renewable, Rule, admit, parse};

/// A policy of the version line, `text`, and signers so that signatures count.
pub(crate) fn policy(text: &str) -> Policy {
    let text = format!("version = 1\nidentity.allowed_signers = \"signers\"\n{text}");
    parse(&text).unwrap_or_else(|errors| panic!("{}", shown(&errors)))
}

pub(crate) fn shown(diagnostics: &[gate_policy::Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("[{}] {d}", d.code)).collect::<Vec<_>>().join("\n")
}

pub(crate) fn known(id: &str, assurance: Assurance, via: &str) -> Principal {
    Principal { id: id.into(), assurance, via: via.into(), key: None, issuer: None }
}

/// Somebody who signed with a key of their own.
pub(crate) fn signed(id: &str) -> Principal {
    Principal { key: Some(format!("SHA256:{id}")), ..known(id, Assurance::Signed, "ssh") }
}

pub(crate) fn asserted(id: &str) -> Principal {
    let (via, name) = id.split_once(':').unwrap();
    Principal::asserted(via, name)
}

pub(crate) fn here() -> Context {
    Context {
        repository: Some("example.com/app".into()),
        git_ref: Some("refs/heads/main".into()),
        commit: Some("c0ffee".into()),
        run: Some(Run { id: "7".into(), attempt: Some(1), url: None }),
        ..Context::default()
    }
}

/// A skip of the commit at hand for what the rule allows.
pub(crate) fn ask(action: Action) -> Ask {
    let passes = matches!(action, Action::Skip | Action::Override);
    let finding = Evidence {
        rule: "R1".into(),
        level: Level::Warning,
        count: 1,
        path: Some("src/a.py".into()),
        package: None,
        fingerprint: None,
        fingerprints: std::collections::BTreeMap::new(),
        lines: Vec::new(),
        around: Vec::new(),
        tool: None,
        security_severity: None,
        fixable: false,
    };
    Ask {
        action,
        reason: "the build must go out".into(),
        ticket: None,
        scope: Scope { commit: passes.then(|| "c0ffee".into()), ..Scope::default() },
        findings: if action == Action::Waive { vec![finding] } else { Vec::new() },
        ttl: Ttl::of(0),
        max_uses: None,
        break_glass: false,
        renews: None,
    }
}

#[derive(Default)]
pub(crate) struct Before {
    pub(crate) used: u64,
    pub(crate) overdue: Option<u64>,
    /// The opt-out 42.
    pub(crate) granted: Option<Renewable>,
}

impl Past for Before {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }
    fn genesis(&self) -> Option<String> {
        None
    }
    fn seen(&self, _: &SeenHead) -> Option<Timestamp> {
        None
    }
    fn took(&self, _nonce: &str) -> bool {
        false
    }
    fn used(&self, rule: &Rule, _: &Principal, since: Timestamp) -> u64 {
        let quota = rule.quota.as_ref().expect("asked only where there is a quota");
        assert_eq!(since, self.now().minus(quota.per));
        self.used
    }
    fn granted(&self, id: u64) -> Option<Renewable> {
        self.granted.clone().filter(|_| id == 42)
    }
    fn overdue_review(&self, _: &Principal) -> Option<u64> {
        self.overdue
    }
}

pub(crate) fn authorization<'a>(
    ask: &'a Ask,
    by: &'a Principal,
    context: &'a Context,
) -> AuthorizationRequest<'a> {
    AuthorizationRequest { gate: "g", ask, by, context, in_commit: false }
}

/// The verdict on gate `g` with an empty past.
pub(crate) fn judge(policy: &Policy, ask: &Ask, by: &Principal, context: &Context) -> Admission {
    admit(policy, &authorization(ask, by, context), &Before::default())
}

/// A verdict in one line: `granted 1`, `pending 2`, or the trials.
pub(crate) fn words(admission: &Admission) -> String {
    match admission {
        Admission::Grant(terms) => format!("granted {}", terms.rule),
        Admission::Pending(terms, _) => format!("pending {}", terms.rule),
        Admission::Denied(trials) => trials.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
    }
}
