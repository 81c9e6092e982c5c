//! Runs the `[[test]]` cases of a policy: each is a request that is judged like any other.

use gate_model::action::Action;
use gate_model::context::{Context, Run};
use gate_model::finding::Evidence;
use gate_model::payload::Ask;
use gate_model::principal::{Assurance, Principal};
use gate_model::request::{SeenHead, Ttl};
use gate_model::scope::Scope;
use gate_model::text::MAX_TEXT;
use gate_model::time::Timestamp;

use crate::admission::{Admission, AuthorizationRequest, Past, admit};
use crate::person::source;
use crate::policy::Policy;
use crate::renewal::Renewable;
use crate::rule::{Rule, ScopeKind};
use crate::test_case::{Expect, TestCase, TestRequest, TestResult};

/// The instant of every test. No verdict depends on it: what a quota has used, the test says itself.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Runs every test of the policy, in order.
pub fn run_tests(policy: &Policy) -> Vec<TestResult> {
    policy.tests.iter().map(|test| run(policy, test)).collect()
}

fn run(policy: &Policy, test: &TestCase) -> TestResult {
    let (ended, got) = match Timestamp::parse(NOW) {
        Ok(now) => judge(policy, &test.request, now),
        Err(error) => (None, error.to_string()),
    };
    let passed = ended == Some(test.expect);
    TestResult { name: test.name.clone(), passed, expected: test.expect, got, line: test.line }
}

/// How a request ends, and the same in words.
fn judge(policy: &Policy, request: &TestRequest, now: Timestamp) -> (Option<Expect>, String) {
    let (by, context, ask) = (principal(request), context(request), ask(policy, request));
    let authorization =
        AuthorizationRequest { gate: &request.gate, ask: &ask, by: &by, context: &context, in_commit: false };
    let (ended, got) = match admit(policy, &authorization, &Told { request, now }) {
        Admission::Grant(terms) => (Expect::Granted, format!("granted by rule {}", terms.rule)),
        Admission::Pending(terms, needed) => {
            (Expect::Pending, format!("pending under rule {}: {needed}", terms.rule))
        }
        Admission::Denied(trials) => {
            let trials: Vec<String> = trials.iter().map(ToString::to_string).collect();
            (Expect::Denied, format!("denied: {}", trials.join("; ")))
        }
    };
    (Some(ended), got)
}

/// A past that holds what the test says.
struct Told<'a> {
    request: &'a TestRequest,
    now: Timestamp,
}

impl Past for Told<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn genesis(&self) -> Option<String> {
        None
    }

    fn seen(&self, _head: &SeenHead) -> Option<Timestamp> {
        None
    }

    fn took(&self, _nonce: &str) -> bool {
        false
    }

    fn used(&self, _rule: &Rule, _by: &Principal, _since: Timestamp) -> u64 {
        self.request.used
    }

    fn granted(&self, _id: u64) -> Option<Renewable> {
        None
    }

    fn overdue_review(&self, _by: &Principal) -> Option<u64> {
        self.request.overdue_review.then_some(0)
    }
}

fn principal(request: &TestRequest) -> Principal {
    let via = match request.assurance {
        Assurance::Signed => "ssh",
        Assurance::Oidc => "oidc",
        Assurance::Asserted => source(&request.by).unwrap_or("os"),
    };
    Principal {
        id: request.by.clone(),
        assurance: request.assurance,
        via: via.to_owned(),
        key: None,
        issuer: None,
    }
}

fn context(request: &TestRequest) -> Context {
    Context {
        repository: Some(request.repository.clone()),
        git_ref: request.git_ref.clone(),
        commit: Some(request.commit.clone()),
        environment: request.environment.clone(),
        change: request.change.clone(),
        run: request.run.clone().map(|id| Run { id, attempt: None, url: None }),
        assurance: request.facts,
        ..Context::default()
    }
}

fn ask(policy: &Policy, request: &TestRequest) -> Ask {
    Ask {
        action: request.action,
        reason: request.reason.clone().unwrap_or_else(|| "x".repeat(MAX_TEXT)),
        ticket: request.ticket.clone(),
        scope: scope(request),
        findings: if request.action == Action::Waive { vec![evidence(policy, request)] } else { Vec::new() },
        ttl: Ttl::of(request.ttl),
        max_uses: request.max_uses,
        break_glass: request.break_glass,
        renews: None,
    }
}

/// What the tools would ask for: a skip or an override of the commit, unless the test says otherwise.
fn scope(request: &TestRequest) -> Scope {
    let passes = matches!(request.action, Action::Skip | Action::Override);
    let kind = request.scope.or(passes.then_some(ScopeKind::Commit));
    let wanted =
        |wanted: ScopeKind, value: &Option<String>| if kind == Some(wanted) { value.clone() } else { None };
    Scope {
        repository: wanted(ScopeKind::Repository, &Some(request.repository.clone())),
        commit: wanted(ScopeKind::Commit, &Some(request.commit.clone())),
        git_ref: wanted(ScopeKind::Ref, &request.git_ref),
        change: wanted(ScopeKind::Change, &request.change),
        environment: wanted(ScopeKind::Environment, &request.environment),
        run: wanted(ScopeKind::Run, &request.run),
    }
}

fn evidence(policy: &Policy, request: &TestRequest) -> Evidence {
    let threshold = policy.gate(&request.gate).map(|gate| gate.fail_on.level());
    Evidence {
        rule: "RULE".to_owned(),
        level: request.level.or(threshold.ok()).unwrap_or(gate_model::level::Level::Error),
        count: 1,
        path: Some("src/file".to_owned()),
        package: None,
        fingerprint: None,
        fingerprints: std::collections::BTreeMap::new(),
        lines: Vec::new(),
        around: Vec::new(),
        tool: None,
        security_severity: None,
        fixable: false,
    }
}
