//! Each direct dependency has a reason, and no reason is left of one that is gone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn each_dependency_has_a_reason_in_the_table() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let cargo = std::fs::read_to_string(checkout.join("Cargo.toml")).unwrap();
    let section = cargo.split("[workspace.dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let named = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let named: BTreeSet<&str> =
        named.filter(|name| !name.starts_with("gate-") && !name.starts_with('#')).collect();
    let table = std::fs::read_to_string(checkout.join("crates/DEPENDENCIES.md")).unwrap();
    let row = |line: &str| -> Option<(String, usize)> {
        let (name, reasons) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name.to_owned(), reasons.len()))
    };
    let rows: Vec<(String, usize)> = table.lines().filter_map(row).collect();
    assert!(rows.iter().all(|(_, length)| *length > 20), "a reason is a reason");
    let rows: BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(rows, named, "left is crates/DEPENDENCIES.md, right Cargo.toml");
}
