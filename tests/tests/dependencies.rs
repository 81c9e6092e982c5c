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

#[test]
fn no_driver_of_a_remote_is_linked_into_a_tool() {
    let tree = |package: &str| {
        #[allow(clippy::disallowed_methods, reason = "a test may start programs")]
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package]);
        let ran = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let drivers = ["postgres ", "tokio ", "rustls ", "gate-remote-"];
    assert!(drivers[..3].iter().all(|driver| tree("gate-remote-postgres").contains(driver)));
    for tool in ["gate-check", "gate-log", "gate-skip", "gate-verify"] {
        let found: Vec<&str> = drivers.into_iter().filter(|driver| tree(tool).contains(driver)).collect();
        assert!(found.is_empty(), "{tool}: {found:?}");
    }
}
