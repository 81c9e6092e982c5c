//! The JSON Schema of gate.toml names what the parser reads, and examples are valid to it.
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
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
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
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
