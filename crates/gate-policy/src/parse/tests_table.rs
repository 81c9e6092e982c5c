//! `[[test]]`.

use std::collections::BTreeMap;

use gate_model::action::Action;
use gate_model::gate::GateName;
use gate_model::principal::Assurance;

use super::gates::levels;
use super::line_of;
use super::people::id_fault;
use super::reader::{Reader, Value};
use super::table::Table;
use crate::pattern::literal;
use crate::person::source;
use crate::policy::Gate;
use crate::rule::ScopeKind;
use crate::test_case::{Expect, TestCase, TestRequest};

/// Stands for the commit of a test that names none.
const SOME_COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Stands for the repository of a test that names none.
const SOME_REPOSITORY: &str = "example.com/repository";

type Gates = BTreeMap<GateName, Gate>;

pub(super) fn tests(reader: &mut Reader<'_>, tables: Vec<Table<'_>>, gates: &Gates) -> Vec<TestCase> {
    let mut tests: Vec<TestCase> = Vec::new();
    for mut table in tables {
        let named = table.get("name");
        let Some(test) = test(reader, table, gates) else { continue };
        let twice = tests.iter().any(|earlier| earlier.name == test.name);
        if let (true, Some(name)) = (twice, named) {
            let message = format!("there is another test '{}'", test.name);
            reader.error(name.span(), "duplicate-test", message).remedy("give each test a name of its own");
        }
        tests.push(test);
    }
    tests
}

fn test(reader: &mut Reader<'_>, mut table: Table<'_>, gates: &Gates) -> Option<TestCase> {
    let name = table.string(reader, "name");
    let request = table.table(reader, "request").map(|request| self::request(reader, request, gates));
    let expect = table.word(reader, "expect", &Expect::ALL.map(|expect| (expect.as_str(), expect)));
    for (key, remedy) in [
        ("name", "say what it shows, as in name = \"a developer cannot skip the secret scan\""),
        ("request", "write request = { gate = \"lint\", action = \"skip\", by = \"github:dave\" }"),
        ("expect", "write expect = \"granted\", \"pending\" or \"denied\""),
    ] {
        if table.get(key).is_none() {
            table.missing(reader, key, "missing-key", remedy);
        }
    }
    table.finish(reader);
    let line = line_of(reader.text, &table.span);
    Some(TestCase { name: name?, request: request??, expect: expect?, line })
}

fn request(reader: &mut Reader<'_>, mut table: Table<'_>, gates: &Gates) -> Option<TestRequest> {
    let gate = table.get("gate").map(|value| gate_of(reader, &value, gates));
    let action = table.word(reader, "action", &Action::ALL.map(|action| (action.as_str(), action)));
    let by = table.checked(reader, "by", |id| id_fault(id).map_or(Ok(()), Err));
    for (key, remedy) in [
        ("gate", "name one of the policy's gates"),
        ("action", "write action = \"skip\", \"override\", \"waive\" or \"pause\""),
        ("by", "say who asks, as in by = \"github:dave\""),
    ] {
        if table.get(key).is_none() {
            table.missing(reader, key, "missing-key", remedy);
        }
    }
    let request = details(reader, &mut table, by.clone().unwrap_or_default());
    table.finish(reader);
    Some(TestRequest { gate: gate??, action: action?, by: by?, ..request })
}

fn gate_of(reader: &mut Reader<'_>, value: &Value<'_>, gates: &Gates) -> Option<String> {
    let name = reader.string(value)?;
    if gates.contains_key(name.as_str()) {
        return Some(name);
    }
    let message = format!(
        "'{}' names the gate '{}', which the policy does not have",
        value.place,
        gate_model::text::visible(&name)
    );
    let known = gates.keys().map(GateName::as_str);
    reader.error(value.span(), "undefined-gate", message).suggest(&name, known, "add it as [gates.NAME]");
    None
}

/// Everything but gate, action and requester.
fn details(reader: &mut Reader<'_>, table: &mut Table<'_>, by: String) -> TestRequest {
    let assurances = Assurance::ALL.map(|assurance| (assurance.as_str(), assurance));
    let kinds = ScopeKind::ALL.map(|kind| (kind.as_str(), kind));
    let default = if source(&by).is_some() { Assurance::Asserted } else { Assurance::Signed };
    let request = TestRequest {
        gate: String::new(),
        action: Action::Skip,
        by,
        assurance: table.word(reader, "assurance", &assurances).unwrap_or(default),
        environment: table.string(reader, "environment"),
        change: table.string(reader, "change"),
        git_ref: table.checked(reader, "ref", is_full_ref),
        commit: table.string(reader, "commit").unwrap_or_else(|| SOME_COMMIT.to_owned()),
        run: table.string(reader, "run"),
        repository: table.string(reader, "repository").unwrap_or_else(|| SOME_REPOSITORY.to_owned()),
        scope: table.word(reader, "scope", &kinds),
        facts: table.word(reader, "facts", &[("asserted", Assurance::Asserted), ("oidc", Assurance::Oidc)]),
        level: table.word(reader, "level", &levels()),
        ttl: table.duration(reader, "ttl").unwrap_or(0),
        ticket: table.string(reader, "ticket"),
        reason: table.string(reader, "reason"),
        max_uses: table.integer(reader, "max_uses", 1..=1_000_000),
        break_glass: table.boolean(reader, "break_glass").unwrap_or(false),
        used: table.integer(reader, "used", 0..=1_000_000).unwrap_or(0),
        overdue_review: table.boolean(reader, "overdue_review").unwrap_or(false),
    };
    scope_has_its_value(reader, table, &request);
    request
}

fn is_full_ref(name: &str) -> Result<(), (&'static str, &'static str)> {
    if name.starts_with("refs/") && literal(name).is_some() {
        return Ok(());
    }
    Err(("is not one ref by its full name", "write it as refs/heads/main or refs/tags/v1"))
}

/// A request that is bound by its ref, change, environment or run needs one.
fn scope_has_its_value(reader: &mut Reader<'_>, table: &mut Table<'_>, request: &TestRequest) {
    let (key, missing) = match request.scope {
        Some(ScopeKind::Ref) => ("ref", request.git_ref.is_none()),
        Some(ScopeKind::Change) => ("change", request.change.is_none()),
        Some(ScopeKind::Environment) => ("environment", request.environment.is_none()),
        Some(ScopeKind::Run) => ("run", request.run.is_none()),
        Some(ScopeKind::Repository | ScopeKind::Commit) | None => return,
    };
    if missing {
        table.missing(reader, key, "missing-key", format!("scope = \"{key}\" needs {key} = \"…\""));
    }
}
