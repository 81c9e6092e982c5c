//! The drawn house: who imports whom, and what the verifier cannot do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each crate may import of the others. An arrow up, or one that nobody drew, is a mistake.
const IMPORTS: [(&str, &str); 16] = [
    ("gate-model", ""),
    ("gate-ledger", "model"),
    ("gate-findings", "model"),
    ("gate-identity", "model"),
    ("gate-policy", "model"),
    ("gate-judge", "model ledger findings identity policy"),
    ("gate-checkout", "model identity"),
    ("gate-workflow", "model ledger findings identity policy judge checkout"),
    ("gate-cli", "model ledger policy"),
    ("gate-check", "model ledger findings identity policy judge checkout workflow cli"),
    ("gate-skip", "model ledger findings identity policy judge checkout workflow cli"),
    ("gate-log", "model ledger findings identity policy judge checkout workflow cli"),
    ("gate-verify", "model ledger policy judge cli"),
    ("gate-remote-git", "model ledger cli"),
    ("gate-remote-postgres", "model ledger cli"),
    ("gate-remote-ssh", "model ledger cli"),
];

fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    let ran =
        cargo.args(arguments).arg("--offline").current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn imports_are_those_that_are_drawn() {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let drawn: BTreeMap<&str, Vec<String>> = IMPORTS
        .iter()
        .map(|(name, below)| (*name, below.split_whitespace().map(|word| format!("gate-{word}")).collect()))
        .collect();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if name == "gate-tests" {
            continue;
        }
        let allowed = drawn.get(name).unwrap_or_else(|| panic!("{name} is not drawn"));
        let imports = package["dependencies"].as_array().unwrap().iter();
        let imports = imports.map(|import| import["name"].as_str().unwrap());
        let undrawn: Vec<&str> = imports
            .filter(|import| drawn.contains_key(import) && !allowed.iter().any(|below| below == import))
            .collect();
        assert!(undrawn.is_empty(), "{name} imports {undrawn:?}");
    }
}

/// Its verdicts rest on its arguments: nothing else may find its way in. Only the text of a policy is read from files.
#[test]
fn the_judge_has_no_store_no_process_and_no_clock() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/gate-judge/src");
    let mut folders = vec![folder];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let mut foreign =
                vec!["ledger::store", "std::process", "std::env", "std::net", "std::time", "SystemTime"];
            if !path.components().any(|part| part.as_os_str() == "policy_text") {
                foreign.extend(["std::fs", "folder::"]);
            }
            let found: Vec<&str> = foreign.into_iter().filter(|word| product.contains(word)).collect();
            assert!(found.is_empty(), "{} has {found:?}", path.display());
            read += 1;
        }
    }
    assert!(read > 20, "the judge was found");
}

/// What drives git, runs commands or speaks to a server is no part of what an auditor trusts.
#[test]
fn the_verifier_is_built_of_little() {
    let tree = cargo(&["tree", "--edges", "normal", "--prefix", "none", "--package", "gate-verify"]);
    let has = |name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    assert!(has("gate-judge") && has("rusqlite"));
    for name in
        ["gate-workflow", "gate-checkout", "signal-hook", "rustls", "postgres", "tokio", "hyper", "ureq"]
    {
        assert!(!has(name), "gate-verify is built with {name}");
    }
}

/// Asked of the built program. What of the standard library starts programs or opens connections is linked only where
/// something calls it, so a program in which nothing does asks the C library for none of these, optimised or not. A
/// system call that goes past the C library takes unsafe code, which a lint forbids here.
#[test]
#[cfg(target_os = "linux")]
fn the_verifier_can_start_no_program_and_open_no_connection() {
    let imports = |tool: &str| -> Vec<String> {
        let listed =
            Command::new("nm").args(["-D", "--undefined-only"]).arg(gate_tests::program(tool)).output();
        let listed = listed.unwrap();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let text = String::from_utf8(listed.stdout).unwrap();
        let name = |line: &str| line.split_whitespace().last()?.split('@').next().map(str::to_owned);
        text.lines().filter_map(name).collect()
    };
    let launches = |name: &String| {
        let launcher = ["fork", "vfork", "clone", "system", "popen"].contains(&name.as_str());
        launcher || name.starts_with("exec") || name.starts_with("fexec") || name.starts_with("posix_spawn")
    };
    let connects = |name: &String| ["socket", "connect", "getaddrinfo"].contains(&name.as_str());
    // What must not be found in one is there in another: the question is one that can be answered with no.
    assert!(imports("gate-check").iter().any(launches));
    let found: Vec<String> =
        imports("gate-verify").into_iter().filter(|name| launches(name) || connects(name)).collect();
    assert!(found.is_empty(), "gate-verify imports {found:?}");
}
