//! The JSON Schema of gate.toml names what the parser reads, that of the documents what the types hold, and examples are
//! valid to them.
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and a skip is said"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn schema(name: &str) -> PathBuf {
    checkout().join("crates/gate-model/schemas").join(name)
}

/// The keys that the policy's parser asks for: the texts in calls such as `table.get("who")` and
/// `table.word(reader, "severity", …)`.
fn keys_of_the_parser() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for file in std::fs::read_dir(checkout().join("crates/gate-policy/src/parse")).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let dense: String = source.chars().filter(|c| !c.is_whitespace()).collect();
        for call in [".get(\"", "(reader,\""] {
            let found = dense.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            keys.extend(found.map(str::to_owned));
        }
    }
    keys
}

/// Every key that the schema has a place for.
fn keys_of_the_schema(schema: &Value, keys: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        keys.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(members) => members.values().for_each(|member| keys_of_the_schema(member, keys)),
        Value::Array(items) => items.iter().for_each(|item| keys_of_the_schema(item, keys)),
        _ => {}
    }
}

#[test]
fn the_schema_of_the_policy_has_the_keys_that_the_parser_reads() {
    let text = std::fs::read_to_string(schema("gate.toml.json")).unwrap();
    let mut keys = BTreeSet::new();
    keys_of_the_schema(&serde_json::from_str(&text).unwrap(), &mut keys);
    assert_eq!(
        keys,
        keys_of_the_parser(),
        "left is crates/gate-model/schemas/gate.toml.json, right the parser"
    );
}

/// The words that a text marks: those of its lines of macros in a manual, those between backticks in a comment.
fn marked(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(checkout().join(file)).unwrap();
    let marked: Vec<&str> = if file.starts_with("man/") {
        text.lines().filter(|line| line.starts_with('.')).collect()
    } else {
        let comments = text.lines().filter(|line| line.starts_with("//!"));
        comments.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    marked.iter().flat_map(|part| part.split(|c| !is_part(c))).map(str::to_owned).collect()
}

#[test]
fn each_key_of_the_policy_is_in_its_manual_and_in_the_table() {
    for file in ["man/gate-policy.5", "crates/gate-policy/src/lib.rs"] {
        let told = marked(file);
        let untold: Vec<String> =
            keys_of_the_parser().into_iter().filter(|key| !told.contains(key)).collect();
        assert!(untold.is_empty(), "{file} does not tell of {untold:?}");
    }
}

#[test]
fn each_format_is_in_the_manual_of_gate_check() {
    let source = std::fs::read_to_string(checkout().join("crates/gate-cli/src/options.rs")).unwrap();
    let words = source.split("Self::").filter_map(|rest| rest.split_once(" => \"")?.1.split('"').next());
    let page = std::fs::read_to_string(checkout().join("man/gate-check.1")).unwrap();
    let told: BTreeSet<&str> =
        page.lines().filter(|line| line.starts_with('.')).flat_map(str::split_whitespace).collect();
    let untold: Vec<&str> = words.filter(|word| !told.contains(word)).collect();
    assert!(
        untold.is_empty() && source.contains("=> \"sarif\""),
        "man/gate-check.1 does not tell of {untold:?}"
    );
}

/// Whether `files` are valid to the schema `name`, and what was said; nothing where the tool is not installed.
fn valid(name: &str, files: &[PathBuf]) -> Option<(bool, String)> {
    let check = checkout().join(".partners/venv/bin/check-jsonschema");
    if !check.is_file() {
        eprintln!("skipped: check-jsonschema is not in .partners (scripts/partners installs it)");
        return None;
    }
    let output = Command::new(check).arg("--schemafile").arg(schema(name)).args(files).output().unwrap();
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[test]
fn policies_are_valid_to_their_schema_and_slips_are_not() {
    let room = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = room.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let readme = std::fs::read_to_string(checkout().join("README.md")).unwrap();
    let mut tables = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let example = tables.find(|table| table.starts_with("version")).unwrap();
    let good = [checkout().join("crates/gate-policy/src/starter.toml"), write("readme.toml", example)];
    let Some((valid_all, said)) = valid("gate.toml.json", &good) else { return };
    assert!(valid_all, "{said}");
    for (name, slip) in [
        ("key.toml", "version = 1\n[gates.lint]\nfail_onn = 'error'\n"),
        ("word.toml", "version = 1\n[gates.lint]\nfail_on = 'fatal'\n"),
        (
            "claim.toml",
            "version = 1\n[[identity.oidc]]\nissuer = 'https://i.example'\naudience = 'gate'\njwks = 'k.json'\n\
             claims = { sub = 'x' }\nmap = { subject = 'sub', change = 'c' }\n",
        ),
        ("name.toml", "version = 1\n[gates.Lint]\n"),
        ("rule.toml", "version = 1\n[gates.lint]\n[[gates.lint.allow]]\nactions = ['skip']\nwho = ['*']\n"),
    ] {
        let (valid, said) = valid("gate.toml.json", &[write(name, slip)]).unwrap();
        assert!(!valid, "{name}: {said}");
    }
}

/// The types that the documents are made of: where each is, and what the schema calls it. A flattened member stands for
/// the type behind the `+`.
const TYPES: &[(&str, &str, &str)] = &[
    ("gate-model/src/decision.rs", "Decision", "gate.decision/1"),
    ("gate-model/src/decision.rs", "Waived+gate-model/src/finding.rs:Finding", "waived"),
    ("gate-model/src/decision.rs", "OptOut", "opt_out"),
    ("gate-model/src/decision.rs", "Suggestion", "suggestion"),
    ("gate-model/src/decision.rs", "PolicyUsed", "policy_used"),
    ("gate-model/src/decision.rs", "ReportPart", "report_part"),
    ("gate-model/src/finding.rs", "Finding", "finding"),
    ("gate-model/src/finding.rs", "Evidence", "evidence"),
    ("gate-model/src/context.rs", "Context", "context"),
    ("gate-model/src/context.rs", "Run", "run"),
    ("gate-model/src/principal.rs", "Principal", "principal"),
    ("gate-model/src/scope.rs", "Scope", "scope"),
    ("gate-model/src/grant.rs", "Grant", "gate.grant/1"),
    ("gate-model/src/grant.rs", "Approvals", "approvals"),
    ("gate-model/src/grant.rs", "Owes", "owes"),
    ("gate-model/src/request.rs", "Request", "gate.request/1"),
    ("gate-model/src/request.rs", "Ttl", "ttl"),
    ("gate-model/src/request.rs", "Renews", "renews"),
    ("gate-model/src/request.rs", "SeenHead", "head"),
    ("gate-model/src/opening.rs", "WrittenOpening", "opening"),
    ("gate-model/src/verification.rs", "Verification", "gate.verification/1"),
    ("gate-model/src/verification.rs", "Archived", "archive_seen"),
    ("gate-model/src/verification.rs", "Anchored", "covering"),
    ("gate-model/src/verification.rs", "Warning", "warning"),
    ("gate-model/src/verification.rs", "Replay", "replay"),
    ("gate-judge/src/statement.rs", "Statement", "gate.statement/1"),
    ("gate-judge/src/ownership.rs", "Endorsement", "gate.policy/1"),
    ("gate-workflow/src/overview.rs", "Overview", "gate.list/1"),
    ("gate-workflow/src/overview.rs", "GateView", "gate"),
    ("gate-workflow/src/overview.rs", "OptOutView", "live"),
    ("gate-workflow/src/reading/stats.rs", "Stats", "gate.stats/1"),
    ("gate-workflow/src/reading/stats.rs", "Counts", "counts"),
    ("gate-workflow/src/reading/due/mod.rs", "Due", "gate.due/1"),
    ("gate-workflow/src/reading/due/mod.rs", "Waiting+gate-workflow/src/remedy.rs:Remedy", "waiting"),
    ("gate-workflow/src/reading/due/mod.rs", "Owed+gate-workflow/src/remedy.rs:Remedy", "owed"),
    ("gate-workflow/src/reading/due/mod.rs", "Ending+gate-workflow/src/remedy.rs:Remedy", "ending"),
    ("gate-workflow/src/reading/report/document.rs", "Report", "gate.report/1"),
    ("gate-workflow/src/reading/report/document.rs", "LedgerPart", "ledger_part"),
    ("gate-workflow/src/reading/report/document.rs", "Figures", "figures"),
    ("gate-workflow/src/remote/state.rs", "State", "gate.remote-state/1"),
    ("gate-log/src/init.rs", "Made", "gate.init/1"),
    ("gate-log/src/append.rs", "Appended", "gate.append/1"),
    ("gate-log/src/erase.rs", "Erased", "gate.erasure/1"),
    ("gate-verify/src/policy.rs", "PolicyReport", "gate.policy-report/1"),
    ("gate-verify/src/policy.rs", "Problem", "problem"),
    ("gate-verify/src/policy.rs", "Test", "test"),
    ("gate-verify/src/proof.rs", "ProofReport+gate-verify/src/proof.rs:Proven", "gate.proof/1"),
];

/// The members that a type is written with, as serde's attributes say; flattened ones are left out.
fn members(file: &str, name: &str) -> BTreeSet<String> {
    let source = std::fs::read_to_string(checkout().join("crates").join(file)).unwrap();
    let start = source.find(&format!("struct {name} {{")).unwrap_or_else(|| panic!("{file} has no {name}"));
    let body = &source[start..start + source[start..].find("\n}").unwrap()];
    let (mut found, mut attributes) = (BTreeSet::new(), String::new());
    for line in body.lines().skip(1).map(str::trim).filter(|line| !line.starts_with("//")) {
        match line.split_once(": ").filter(|_| !line.starts_with('#')) {
            Some((field, _)) => {
                let renamed = attributes.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next());
                let field = renamed.unwrap_or(field.rsplit(' ').next().unwrap_or(field));
                let written = !attributes.contains("flatten") && !attributes.contains("serde(skip)");
                found.extend(written.then(|| field.to_owned()));
                attributes.clear();
            }
            None => attributes.push_str(line),
        }
    }
    found
}

#[test]
fn the_schema_of_the_documents_has_the_members_that_the_types_have() {
    let text = std::fs::read_to_string(schema("documents.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    for (file, names, called) in TYPES {
        let (name, more) = names.split_once('+').map_or((*names, None), |(name, more)| (name, Some(more)));
        let mut of_type = members(file, name);
        if let Some((file, name)) = more.and_then(|more| more.split_once(':')) {
            of_type.extend(members(file, name));
        }
        let known = schema["$defs"][*called]["properties"].as_object().unwrap();
        let known: BTreeSet<String> = known.keys().cloned().collect();
        assert_eq!(known, of_type, "left is {called} in documents.json, right {names} in {file}");
    }
}

#[test]
fn documents_are_valid_to_their_schema_and_slips_are_not() {
    let room = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = room.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let finding = r#"{"schema":"gate.finding/1","rule":"R1","level":"note"}"#;
    let Some((good, said)) = valid("documents.json", &[write("finding.json", finding)]) else { return };
    assert!(good, "{said}");
    for (name, slip) in [
        ("level.json", r#"{"schema":"gate.finding/1","rule":"R1","level":"fatal"}"#),
        ("member.json", r#"{"schema":"gate.finding/1","rule":"R1","levle":"note"}"#),
        ("schema.json", r#"{"schema":"gate.findings/1","rule":"R1"}"#),
        ("count.json", r#"{"schema":"gate.end/1"}"#),
    ] {
        let (is_valid, said) = valid("documents.json", &[write(name, slip)]).unwrap();
        assert!(!is_valid, "{name}: {said}");
    }
}

/// The examples for CI systems, and the schema of each as check-jsonschema brings it.
const PLATFORMS: [(&str, &str, &str); 3] = [
    ("github/action.yml", "vendor.github-actions", "runs:"),
    ("gitlab.yml", "vendor.gitlab-ci", "script:"),
    ("azure.yml", "vendor.azure-pipelines", "steps:"),
];

#[test]
fn the_examples_for_ci_systems_are_valid_to_their_platforms_and_slips_are_not() {
    let check = checkout().join(".partners/venv/bin/check-jsonschema");
    if !check.is_file() {
        eprintln!("skipped: check-jsonschema is not in .partners (scripts/partners installs it)");
        return;
    }
    let room = tempfile::tempdir().unwrap();
    for (name, schema, word) in PLATFORMS {
        let text = std::fs::read_to_string(checkout().join("scripts/ci").join(name)).unwrap();
        // A component of GitLab has a head of its own.
        let body = text.split_once("\n---\n").map_or(text.as_str(), |(_, body)| body);
        let valid = |text: &str| {
            let path = room.path().join("example.yml");
            std::fs::write(&path, text).unwrap();
            Command::new(&check).args(["--builtin-schema", schema]).arg(&path).output().unwrap()
        };
        let good = valid(body);
        assert!(good.status.success(), "{name}: {}", String::from_utf8_lossy(&good.stdout));
        assert!(!valid(&body.replace(word, "nonsense:")).status.success(), "{name}: {schema} finds nothing");
    }
}
