//! A commit that `git commit -S` made, with a key that was thrown away.

use gate_model::action::Action;
use gate_model::payload::TrustedFile;
use gate_model::request::{InCommit, Request};
use gate_model::time::Timestamp;
use gate_policy::Policy;

use super::{Commit, Judging, request, signer};
use crate::signatures::Unproven;

const OBJECT: &str = include_str!("testdata/signed.commit");
const ID: &str = "8dd6340b7d0080b590482487455fc668b8562848";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOOupti6X+gKTXfmBMPkpWxGKkBnYtmUGuWSK3dqn+zc";

struct Keys {
    policy: Policy,
    files: Vec<TrustedFile>,
}

/// A policy that trusts the lines of `signers`.
fn keys(signers: &str) -> Keys {
    let policy = gate_policy::parse("version = 1\n[identity]\nallowed_signers = \"signers\"\n").unwrap();
    Keys { policy, files: vec![TrustedFile { path: "signers".into(), text: signers.to_owned() }] }
}

impl Keys {
    fn judging(&self) -> Judging<'_> {
        let at = Timestamp::parse("2026-11-22T11:00:00Z").unwrap();
        Judging { trust: (&self.policy, &self.files), digest: "b3:00", interval: (at, at) }
    }

    fn request(&self, number: u64) -> Result<Request, String> {
        request(OBJECT, number, self.judging()).map(|made| made.0).map_err(|error| error.to_string())
    }

    fn signer(&self, request: &Request) -> Result<String, Unproven> {
        let standing = request.commit.as_ref().unwrap();
        signer(request, standing, self.judging()).map(|by| by.id)
    }
}

#[test]
fn each_trailer_is_a_request_for_its_commit() {
    assert_eq!(Commit::parse(OBJECT).unwrap().id, ID);
    let keys = keys(&format!("alice@example.com {KEY}\n"));
    let skip = keys.request(1).unwrap();
    assert_eq!((skip.gate.as_str(), skip.action, skip.ttl.seconds), ("lint", Action::Skip, 7200));
    assert_eq!(skip.scope.commit.as_deref(), Some(ID));
    let unsigned = Commit::parse(OBJECT).unwrap().unsigned_id;
    assert_eq!(skip.nonce, format!("commit:{unsigned}:1"));
    assert_eq!(skip.requested_at.to_string(), "2026-11-22T10:00:00.000000Z");
    assert_eq!(skip.submit_by.to_string(), "2026-11-29T10:00:00.000000Z");
    let waive = keys.request(2).unwrap();
    assert_eq!((waive.gate.as_str(), waive.findings.len()), ("scan", 1));
    assert_eq!(keys.request(3), Err("the commit that it stands in has no trailer 3".to_owned()));
    for made in [skip, waive] {
        assert_eq!(keys.signer(&made).unwrap(), "alice@example.com");
    }
}

#[test]
fn a_document_that_says_anything_else_than_its_commit_is_nobodys() {
    let keys = keys(&format!("alice@example.com {KEY}\n"));
    let honest = keys.request(1).unwrap();
    let written = serde_json::to_value(&honest).unwrap();
    let others = serde_json::to_value(keys.request(2).unwrap()).unwrap();
    let mut changed = 0;
    for (member, value) in others.as_object().unwrap() {
        if written.get(member) == Some(value) {
            continue;
        }
        changed += 1;
        let mut forged = written.clone();
        forged[member] = value.clone();
        let forged: Request = serde_json::from_value(forged).unwrap();
        assert!(matches!(keys.signer(&forged), Err(Unproven::Commit(_))), "{member}");
    }
    assert!(changed >= 5, "{changed}");
    for (member, value) in [("signature", "S"), ("by", "bob@example.com"), ("ledger", "00")] {
        let mut forged = written.clone();
        forged[member] = value.into();
        let forged: Request = serde_json::from_value(forged).unwrap();
        assert!(keys.signer(&forged).is_err(), "{member}");
    }
    // What the policy was is said beside it, and compared by whoever admits it.
    let other = Request { policy: "b3:11".to_owned(), ..honest };
    assert!(keys.signer(&other).is_err());
}

#[test]
fn any_changed_byte_of_the_commit_is_found() {
    let keys = keys(&format!("alice@example.com {KEY}\n"));
    let honest = keys.request(1).unwrap();
    for at in 0..OBJECT.len() {
        let mut bytes = OBJECT.as_bytes().to_vec();
        bytes[at] ^= 1;
        let Ok(object) = String::from_utf8(bytes) else { continue };
        let forged = Request { commit: Some(InCommit { object, trailer: 1 }), ..honest.clone() };
        assert!(keys.signer(&forged).is_err(), "byte {at}");
    }
}

#[test]
fn the_key_says_who_asks() {
    let by = |signers: &str| keys(signers).request(1).map(|request| request.by);
    assert_eq!(by(&format!("alice@example.com {KEY}")).as_deref(), Ok("alice@example.com"));
    assert_eq!(by(&format!("bob@example.com {KEY}")).as_deref(), Ok("bob@example.com"), "its only name");
    assert_eq!(by(&format!("bob@x,alice@example.com {KEY}")).as_deref(), Ok("alice@example.com"));
    assert_eq!(by(&format!("*@example.com {KEY}")).as_deref(), Ok("alice@example.com"));
    let pattern = keys(&format!("*@example.com {KEY}"));
    let (_, principal) = request(OBJECT, 1, pattern.judging()).unwrap();
    assert_eq!(principal.via, gate_policy::WILDCARD_VIA, "whoever holds the key chose the name");
    for none in [
        format!("bob@x,carol@x {KEY}"),
        format!("*@x {KEY}"),
        format!("alice@example.com namespaces=\"gate-request\" {KEY}"),
        format!("alice@example.com valid-before=\"20261101Z\" {KEY}"),
        format!("alice@example.com cert-authority {KEY}"),
        "alice@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
            .into(),
    ] {
        assert!(by(&none).is_err(), "{none}");
    }
    assert!(by(&format!("alice@example.com namespaces=\"git,gate-*\" {KEY}")).is_ok());
}
