//! Agents that lie, stall and break off.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use ring::signature::{Ed25519KeyPair, KeyPair};

use super::{Agent, AgentError, ChoiceError, KeyChoice};
use gate_identity::ssh::note_key;
use gate_identity::ssh::wire::put_string;

const PATIENCE: Duration = Duration::from_secs(20);

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

fn blob(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut blob = Vec::new();
    put_string(&mut blob, kind.as_bytes());
    for part in parts {
        put_string(&mut blob, part);
    }
    blob
}

fn key_blob() -> Vec<u8> {
    blob("ssh-ed25519", &[pair().public_key().as_ref()])
}

fn choice() -> KeyChoice {
    KeyChoice::by_fingerprint(&note_key::fingerprint(&key_blob())).unwrap()
}

fn identities(blobs: &[Vec<u8>]) -> Vec<u8> {
    let mut reply = vec![12];
    reply.extend_from_slice(&u32::try_from(blobs.len()).unwrap().to_be_bytes());
    for blob in blobs {
        put_string(&mut reply, blob);
        put_string(&mut reply, b"a comment");
    }
    reply
}

fn signature(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let mut reply = vec![14];
    put_string(&mut reply, &blob(kind, &[bytes]));
    reply
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::new();
    put_string(&mut framed, message);
    framed
}

/// An agent that gives these answers, whatever it is asked, and then hangs up.
fn agent(answers: Vec<Vec<u8>>) -> Agent {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in answers {
            read_request(&mut stream);
            stream.write_all(&answer).unwrap();
        }
    });
    Agent::connect(Some(&path), PATIENCE).unwrap()
}

fn read_request(stream: &mut UnixStream) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut request).unwrap();
    request
}

fn find(answer: Vec<u8>) -> AgentError {
    agent(vec![answer]).find(&choice()).unwrap_err()
}

fn sign(answer: Vec<u8>) -> Result<[u8; 64], AgentError> {
    let mut agent = agent(vec![framed(&identities(&[key_blob()])), answer]);
    let key = agent.find(&choice()).unwrap();
    agent.sign(&key, b"message")
}

#[test]
fn the_key_is_found_among_others_and_its_signature_is_verified() {
    let others = [blob("ssh-rsa", &[&[1, 0, 1], &[5; 9]]), vec![], key_blob()];
    let mut found = agent(vec![framed(&identities(&others))]);
    assert_eq!(found.find(&choice()).unwrap().public, pair().public_key().as_ref());
    let right = pair().sign(b"message");
    assert_eq!(sign(framed(&signature("ssh-ed25519", right.as_ref()))).unwrap(), right.as_ref());
}

#[test]
fn a_signature_over_something_else_is_refused() {
    let other = pair().sign(b"another message");
    let result = sign(framed(&signature("ssh-ed25519", other.as_ref())));
    assert!(matches!(result, Err(AgentError::Wrong(_))));
    let short = sign(framed(&signature("ssh-ed25519", &[1; 63])));
    assert!(matches!(short, Err(AgentError::Form)));
    let rsa = sign(framed(&signature("rsa-sha2-256", &[1; 64])));
    assert!(matches!(rsa, Err(AgentError::Form)));
}

#[test]
fn an_agent_that_refuses_or_answers_something_else_is_named() {
    assert!(matches!(find(framed(&[5])), AgentError::Refused("to list its keys")));
    assert!(matches!(sign(framed(&[5])), Err(AgentError::Refused("to sign"))));
    assert!(matches!(find(framed(&[6])), AgentError::Unexpected { found: 6, expected: 12 }));
    assert!(matches!(find(framed(&[14])), AgentError::Unexpected { found: 14, expected: 12 }));
}

#[test]
fn lengths_that_an_agent_only_claims_are_refused() {
    assert!(matches!(find(0_u32.to_be_bytes().to_vec()), AgentError::Length(0)));
    assert!(matches!(find(vec![0xff; 4]), AgentError::Length(u32::MAX)));
    assert!(matches!(find(vec![0, 0, 1, 0, 12]), AgentError::Io(_)), "it hangs up early");
    assert!(matches!(find(vec![0, 0]), AgentError::Io(_)), "it hangs up within the length");
    assert!(matches!(find(framed(&[12, 0, 0, 8, 1])), AgentError::TooManyKeys(2049)));
    assert!(matches!(find(framed(&[12, 0, 0, 0, 2])), AgentError::Malformed(_)));
    assert!(matches!(find(framed(&[12, 0, 0, 0, 0, 9])), AgentError::Malformed(_)), "bytes follow the list");
}

#[test]
fn an_agent_that_sends_nothing_does_not_hold_us_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent");
    let _listener = UnixListener::bind(&path).unwrap();
    let mut silent = Agent::connect(Some(&path), Duration::from_millis(20)).unwrap();
    assert!(matches!(silent.find(&choice()), Err(AgentError::Timeout(_))));
}

#[test]
fn no_agent_and_no_key_are_told_apart() {
    assert!(matches!(Agent::connect(None, PATIENCE), Err(AgentError::NoAgent)));
    assert!(matches!(Agent::connect(Some(Path::new("")), PATIENCE), Err(AgentError::NoAgent)));
    let nowhere = Agent::connect(Some(Path::new("/nonexistent/agent")), PATIENCE);
    assert!(matches!(nowhere, Err(AgentError::Connect { .. })));
    let empty = find(framed(&identities(&[])));
    assert!(matches!(&empty, AgentError::NotHeld { held, .. } if held == "none"), "{empty}");
}

#[test]
fn keys_that_cannot_sign_a_note_are_refused_with_the_reason() {
    let sk = blob("sk-ssh-ed25519@openssh.com", &[&[1; 32], b"ssh:"]);
    let rsa = blob("ssh-rsa", &[&[1, 0, 1], &[5; 9]]);
    let certificate = blob("ssh-ed25519-cert-v01@openssh.com", &[&[1; 32]]);
    let refused = |blob: &Vec<u8>| {
        let choice = KeyChoice::by_fingerprint(&note_key::fingerprint(blob)).unwrap();
        agent(vec![framed(&identities(std::slice::from_ref(blob)))]).find(&choice).unwrap_err()
    };
    assert!(matches!(refused(&sk), AgentError::Choice(ChoiceError::SecurityKey(_))));
    assert!(matches!(refused(&rsa), AgentError::Choice(ChoiceError::NotEd25519(_))));
    assert!(matches!(refused(&certificate), AgentError::Choice(ChoiceError::Key(_))));
}

#[test]
fn a_key_is_named_by_its_public_line_or_its_fingerprint() {
    // The public key 00 01 … 1f, and what ssh-keygen -lf says of it.
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice";
    let choice = KeyChoice::by_public_key(&format!("{line}\n")).unwrap();
    assert_eq!(KeyChoice::by_fingerprint(choice.fingerprint()), Ok(choice));
    let wrong = |text: &str| KeyChoice::by_public_key(text).unwrap_err();
    assert_eq!(wrong("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"), ChoiceError::Private);
    assert_eq!(wrong(""), ChoiceError::Shape);
    assert_eq!(wrong("ssh-ed25519"), ChoiceError::Shape);
    assert_eq!(wrong("ssh-ed25519 AA!A"), ChoiceError::Shape);
    assert_eq!(wrong(&format!("{line}\n{line}\n")), ChoiceError::Shape);
    assert_eq!(wrong(&line.replacen("ssh-ed25519", "ssh-rsa", 1)), ChoiceError::Shape, "the types differ");
    for text in ["SHA256:", "MD5:00", "SHA256:AAAA", "SHA256:!"] {
        assert_eq!(KeyChoice::by_fingerprint(text), Err(ChoiceError::Fingerprint), "{text}");
    }
}
