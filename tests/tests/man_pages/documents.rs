//! The JSON examples of gate-json(5): each is read as the type that it shows, and names no member that the type does
//! not know.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use gate_judge::ownership::Endorsement;
use gate_judge::statement::Statement;
use gate_model::decision::Decision;
use gate_model::grant::Grant;
use gate_model::request::Request;
use gate_model::verification::Verification;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::page::Page;
use crate::transcript::Sandbox;

/// Commands that make the documents which are only ever written, and the names of these.
const WRITTEN: &str = include_str!("written.sh");

/// Checks every example of `page`.
pub(crate) fn check(page: &Page) {
    let mut written = None;
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for block in page.blocks(None) {
        let document: Value = serde_json::from_str(&block).unwrap_or_else(|error| panic!("{error}: {block}"));
        all.push(document.clone());
        let schema = document["schema"].as_str().unwrap_or_default().to_owned();
        match schema.as_str() {
            "gate.decision/1" => round_trip::<Decision>(&document),
            "gate.grant/1" => round_trip::<Grant>(&document),
            "gate.request/1" => round_trip::<Request>(&document),
            "gate.statement/1" => round_trip::<Statement>(&document),
            "gate.policy/1" => round_trip::<Endorsement>(&document),
            "gate.verification/1" => round_trip::<Verification>(&document),
            "gate.finding/1" | "gate.end/1" => judge(&block, &document),
            other => {
                let real = written.get_or_insert_with(run_the_tools);
                let real = real.get(other).unwrap_or_else(|| panic!("no tool wrote '{other}'"));
                is_known(&document, real, other);
            }
        }
        seen.push(schema);
    }
    assert!(seen.len() >= 12, "{seen:?}");
    all.extend(written.into_iter().flat_map(BTreeMap::into_values));
    are_valid(&all);
}

/// Whether documents are valid to their schema; said where the tool that tells is not installed.
fn are_valid(documents: &[Value]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let check = root.join(".partners/venv/bin/check-jsonschema");
    if !check.is_file() {
        eprintln!("skipped: check-jsonschema is not in .partners (scripts/partners installs it)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> =
        (0..documents.len()).map(|number| folder.path().join(format!("{number}.json"))).collect();
    for (file, document) in files.iter().zip(documents) {
        std::fs::write(file, document.to_string()).unwrap();
    }
    let schema = root.join("crates/gate-model/schemas/documents.json");
    let output = Command::new(check).arg("--schemafile").arg(schema).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Reading drops what the type does not know, so what is written again must be all that was there.
fn round_trip<T: Serialize + DeserializeOwned>(document: &Value) {
    let read: T =
        serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"));
    assert_eq!(serde_json::to_value(read).unwrap(), *document);
}

/// gate-check refuses a member of a finding that it does not know.
fn judge(block: &str, document: &Value) {
    let sandbox = Sandbox::new();
    let path = sandbox.path();
    std::fs::write(path.join("gate.toml"), "version = 1\n[gates.scan]\n").unwrap();
    let count = u64::from(document["schema"] == "gate.finding/1");
    let report = if count == 1 {
        format!("{block}{{\"schema\":\"gate.end/1\",\"count\":1}}\n")
    } else {
        format!("{{\"rule\":\"R1\"}}\n{block}")
    };
    std::fs::write(path.join("report.jsonl"), report).unwrap();
    let (exit, output) = sandbox.shell("gate-check scan report.jsonl");
    assert_eq!(exit, 1, "{output}");
}

/// The documents that the tools really write, by schema.
fn run_the_tools() -> BTreeMap<String, Value> {
    let sandbox = Sandbox::new();
    let (exit, output) = sandbox.shell(WRITTEN);
    assert_eq!(exit, 0, "{output}");
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let documents = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    documents.map(|document| (document["schema"].as_str().unwrap_or_default().to_owned(), document)).collect()
}

/// Whether each member of `shown`, at every depth, is one that the tool writes too.
fn is_known(shown: &Value, real: &Value, place: &str) {
    match (shown, real) {
        (Value::Object(shown), Value::Object(real)) => {
            for (name, value) in shown {
                let known = real.get(name).unwrap_or_else(|| panic!("{place}.{name}: no tool writes it"));
                is_known(value, known, &format!("{place}.{name}"));
            }
        }
        (Value::Array(shown), Value::Array(real)) => {
            for value in shown.iter().filter(|value| value.is_object()) {
                assert!(!real.is_empty(), "{place}: the tool wrote an empty list");
                let merged = real.iter().filter_map(Value::as_object).flatten();
                let merged =
                    Value::Object(merged.map(|(name, value)| (name.clone(), value.clone())).collect());
                is_known(value, &merged, place);
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(shown),
            std::mem::discriminant(real),
            "{place}: {shown} and {real}"
        ),
    }
}
