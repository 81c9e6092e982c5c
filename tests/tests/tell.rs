//! Telling people: the recipes of scripts/ci/tell.sh, against a server of the test's own on loopback.
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gate_tests::Sandbox;
use serde_json::{Value, json};

const POLICY: &str =
    "version = 1\n[gates.lint]\n[[gates.lint.allow]]\nactions = ['skip']\nwho = ['*']\nmax_ttl = '30d'\n";

fn recipe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scripts/ci/tell.sh")
}

/// A server that takes one request, answers 201, and gives its first line, headers and body.
fn server() -> (String, std::thread::JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        (&stream)
            .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        (head, serde_json::from_slice(&body).unwrap())
    });
    (address, taken)
}

fn tell(sandbox: &Sandbox, args: &[&str], address: &str) -> Command {
    let tools = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&inherited))).unwrap();
    let mut command = sandbox.command("bash");
    command.arg(recipe()).args(args).env("PATH", path).env("no_proxy", "127.0.0.1");
    command.env("GITHUB_API_URL", address).env("GITHUB_REPOSITORY", "acme/pay").env("GITHUB_TOKEN", "t0ken");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Whether `CommonMark` takes a line for the begin or end of a block: up to three spaces may stand before it.
fn is_fence(line: &str) -> bool {
    let text = line.trim_start_matches(' ');
    line.len() - text.len() < 4 && text.starts_with("~~~")
}

#[test]
fn what_is_due_becomes_an_issue_and_nothing_becomes_none() {
    let sandbox = Sandbox::with_policy(POLICY);
    sandbox.run("gate-skip", &["lint", "--reason", "x", "--ttl", "20d"]).expect(0);
    let none = tell(&sandbox, &["issue", "3d"], "http://127.0.0.1:9").output().unwrap();
    assert!(none.status.success(), "{}", String::from_utf8_lossy(&none.stderr));
    sandbox
        .run(
            "gate-skip",
            &["lint", "--reason", "~~~~~~ @everybody ``` [x](https://evil.example)", "--ttl", "2h"],
        )
        .expect(0);
    let (address, taken) = server();
    let told = tell(&sandbox, &["issue", "3d"], &address).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let (head, issue) = taken.join().unwrap();
    assert!(head.starts_with("POST /repos/acme/pay/issues HTTP"), "{head}");
    assert!(head.to_ascii_lowercase().contains("authorization: bearer t0ken"), "{head}");
    assert_eq!(issue["title"], "Due within 3d at the gates");
    let body = issue["body"].as_str().unwrap();
    assert!(body.starts_with("~~~~~~text\n") && body.ends_with("\n~~~~~~\n"), "{body}");
    assert_eq!(body.lines().filter(|line| is_fence(line)).count(), 2, "no text ends the block: {body}");
}

#[test]
fn a_ledger_that_cannot_be_read_is_no_empty_list() {
    let sandbox = Sandbox::with_policy(POLICY);
    std::fs::write(sandbox.path(".gate/ledger.db"), "no ledger").unwrap();
    let told = tell(&sandbox, &["issue", "3d"], "http://127.0.0.1:9").output().unwrap();
    assert_eq!(told.status.code(), Some(4));
}

#[test]
fn a_decision_becomes_a_comment_of_its_pull_request() {
    let sandbox = Sandbox::with_policy(POLICY);
    sandbox.run("gate-check", &["lint", "--decision", "d.json", "--", "false"]).expect(1);
    sandbox.write("event.json", json!({"pull_request": {"number": 7}}).to_string());
    let (address, taken) = server();
    let mut command = tell(&sandbox, &["comment", "d.json"], &address);
    let told = command.env("GITHUB_EVENT_PATH", sandbox.path("event.json")).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let (head, comment) = taken.join().unwrap();
    assert!(head.starts_with("POST /repos/acme/pay/issues/7/comments HTTP"), "{head}");
    assert!(comment["body"].as_str().unwrap().starts_with("Gate `lint`: **fail**, 0 blocking"), "{comment}");
}

#[test]
fn each_grant_goes_to_the_webhook_as_it_comes() {
    let sandbox = Sandbox::with_policy(POLICY);
    let (address, taken) = server();
    // With -n the newest entry before it is told too, so that it need not be known when the following begins.
    sandbox.run("gate-skip", &["lint", "--reason", "see `x` @here", "--ttl", "1h"]).expect(0);
    let mut following =
        tell(&sandbox, &["webhook", &address, "-n", "1"], &address).process_group(0).spawn().unwrap();
    let (_, message) = taken.join().unwrap();
    // The whole pipeline: its other programs would go on without the shell.
    sandbox.shell(&format!("kill -- -{}", following.id())).expect(0);
    following.wait().unwrap();
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("`grant 2` gate `lint` by `") && text.ends_with("`see  x  @here`"), "{text}");
}
