//! What gate-remote(7) shows: the exchange is played, and the toy is the one that passes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The toy in shell.
pub(crate) fn toy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("remote/toy")
}

/// The literal block of the page whose first line begins with `start`, as a reader sees it.
fn block(start: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../man/gate-remote.7");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split(".Bd -literal").skip(1);
    let texts = blocks.map(|block| block.split("\n.Ed").next().unwrap().split_once('\n').unwrap().1);
    let plain = texts.map(|text| {
        let lines = text.lines().map(|line| line.strip_prefix("\\&").unwrap_or(line));
        lines
            .fold(String::new(), |text, line| text + line + "\n")
            .replace("\\(aq", "'")
            .replace("\\(ga", "`")
            .replace("\\(ha", "^")
            .replace("\\(ti", "~")
            .replace("\\e", "\\")
    });
    let found: Vec<String> = plain.filter(|text| text.starts_with(start)).collect();
    let [found] = found.as_slice() else { panic!("{} blocks begin with '{start}'", found.len()) };
    found.clone()
}

#[test]
fn the_toy_is_the_one_that_the_page_shows_and_is_short() {
    let script = std::fs::read_to_string(toy()).unwrap();
    assert_eq!(block("#!/bin/sh\n"), script);
    assert!(script.lines().count() <= 60);
}

#[test]
fn the_worked_exchange_goes_as_the_page_says() {
    // A line that is continued is broken before two spaces.
    let text = block("> ").replace("\n  ", "");
    let of = |mark: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(mark))
            .fold(String::new(), |text, line| text + line + "\n")
    };
    assert!(text.lines().all(|line| line.starts_with("> ") || line.starts_with("< ")), "{text}");
    let directory = tempfile::tempdir().unwrap();
    let mut toy = Command::new("sh")
        .arg(toy())
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = of("> ");
    toy.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = toy.wait_with_output().unwrap();
    assert!(output.status.success());
    let in_order = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(in_order(&String::from_utf8(output.stdout).unwrap()), in_order(&of("< ")));
    // And what is asked is what the tools would ask.
    for line in asked.lines().filter(|line| !line.starts_with("{\"actor\"")) {
        assert_eq!(gate_ledger::remote::Ask::read(line.as_bytes()).unwrap().write(), line);
    }
}
