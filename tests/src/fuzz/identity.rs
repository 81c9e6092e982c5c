//! Who: keys, signatures, tokens, and what a run says of itself.
//!
//! The keys in `material/` were made for these tests and their private halves thrown away, so that nothing can
//! verify but what stands in the corpus.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate_identity::ci;
use gate_identity::oidc::{self, Issuer};
use gate_identity::ssh::{self, Namespace, allowed_signers as signers};
use gate_model::principal::Assurance;
use gate_model::repository;
use gate_model::time::Timestamp;

use super::{assert_message, instant, text};

/// The keys that count: of alice in the namespaces of gate, and of an authority.
const SIGNERS: &str = include_str!("material/allowed_signers");
/// What alice signed in the namespace of requests.
const MESSAGE: &[u8] = include_bytes!("material/message");
/// The pinned keys of an issuer.
const JWKS: &str = include_str!("material/jwks.json");
/// A token of that issuer.
const TOKEN: &str = include_str!("material/token");

const ALICE: &str = "alice@example.com";

/// A file that is read stands for as many keys as it lists; one that is not
/// says in which line and column.
pub fn allowed_signers(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match signers::parse(text) {
        Ok(read) => {
            assert_eq!(read.fingerprints().count(), read.len());
            let dos = text.replace("\r\n", "\n").replace('\n', "\r\n");
            // A ledger cannot hold a carriage return: where one counts the file is refused, never read as another.
            assert!(
                signers::parse(&dos).is_ok_and(|other| other == read) || signers::parse(&dos).is_err(),
                "{dos:?}"
            );
            let twice = signers::parse(&format!("{text}\n{text}")).map(|twice| twice.len());
            assert!(text.len() > signers::MAX_FILE / 3 || twice == Ok(2 * read.len()));
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without an error");
            for error in errors {
                assert_message(&error);
                let line = text.split('\n').nth(error.line - 1).expect("a line of the file");
                assert!((1..=line.chars().count() + 1).contains(&error.column), "{error}");
            }
        }
    }
}

fn verify(message: &[u8], armor: &str, namespace: Namespace, claimed: &str, lines: &str) -> bool {
    let lines = signers::parse(lines).expect("the file of the tests");
    let at = instant("2026-06-01T00:00:00Z");
    match ssh::verify(message, armor, namespace, claimed, &lines, (at, at)) {
        Ok(verified) => verified.principal == claimed,
        Err(error) => {
            assert_message(&error);
            false
        }
    }
}

/// A signature holds for one message, one namespace and one person, or for nothing.
pub fn ssh_signature(data: &[u8]) {
    let Some(armor) = text(data) else { return };
    let holds = |message: &[u8], who: &str, namespace| verify(message, armor, namespace, who, SIGNERS);
    let purposes: Vec<Namespace> =
        Namespace::ALL.into_iter().filter(|namespace| holds(MESSAGE, ALICE, *namespace)).collect();
    assert!(purposes.len() <= 1, "signed for more than one purpose: {purposes:?}");
    for namespace in purposes {
        let (last, rest) = MESSAGE.split_last().expect("a message");
        let changed = [rest, &[last ^ 1]].concat();
        assert!(!holds(&changed, ALICE, namespace), "another message");
        assert!(!holds(rest, ALICE, namespace), "a shorter message");
        assert!(!holds(MESSAGE, "mallory@example.com", namespace), "another person");
    }
}

/// A public key or certificate in the SSH wire format, first as a line's key and then as the signer of a signature
/// that nobody made: no key makes that hold, not one of small order either.
pub fn ssh_key(data: &[u8]) {
    let Some(kind) = wire_text(data) else { return };
    let key = STANDARD.encode(data);
    for options in ["", "cert-authority "] {
        let line = format!("{ALICE} {options}{kind} {key}\n");
        if let Err(errors) = signers::parse(&line) {
            errors.iter().for_each(assert_message);
            continue;
        }
        for scheme in [kind, "ssh-ed25519", "rsa-sha2-512"] {
            let armor = unmade(data, scheme);
            assert!(!verify(MESSAGE, &armor, Namespace::Request, ALICE, &line), "{line}{armor}");
            assert!(!verify(MESSAGE, &armor, Namespace::Request, ALICE, SIGNERS), "{line}{armor}");
        }
    }
}

/// The first field of a wire format, its type.
fn wire_text(data: &[u8]) -> Option<&str> {
    let (length, rest) = data.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    text(rest.get(..length)?).filter(|kind| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_graphic()))
}

/// A well-formed signature by `key` whose number is all zeros.
fn unmade(key: &[u8], scheme: &str) -> String {
    let field = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes(), bytes].concat()
    };
    let signature = [field(scheme.as_bytes()), field(&[0; 64])].concat();
    let fields = [key, b"gate-request", b"", b"sha512", &signature].map(field).concat();
    let blob = STANDARD.encode([b"SSHSIG\0\0\0\x01".as_slice(), &fields].concat());
    format!("-----BEGIN SSH SIGNATURE-----\n{blob}\n-----END SSH SIGNATURE-----\n")
}

fn issuer<'a>(jwks_text: &'a str, claims: &'a BTreeMap<String, Vec<String>>) -> Issuer<'a> {
    Issuer {
        issuer: "https://token.actions.githubusercontent.com",
        audience: "gate",
        jwks_text,
        claims,
        map: None,
    }
}

/// When the token of the tests is valid.
fn valid() -> Timestamp {
    instant("2026-06-01T00:00:00Z")
}

/// A token that verifies says who, never shows itself, and does not hold once changed, later, or for others.
pub fn oidc_token(data: &[u8]) {
    // White space around a token is no part of it: a file ends in a newline.
    let Some(token) = text(data).map(str::trim_ascii) else { return };
    let none = BTreeMap::new();
    let claims = match oidc::verify(token, &[issuer(JWKS, &none)], valid()) {
        Ok(claims) => claims,
        Err(error) => return assert_message(&error),
    };
    assert_eq!(claims.principal.assurance, Assurance::Oidc);
    let signature = token.rsplit('.').next().expect("a part");
    assert!(!format!("{claims:?}").contains(signature), "the token is shown");
    for step in 0..16 {
        let mut changed = token.as_bytes().to_vec();
        let at = step * changed.len() / 16;
        changed[at] ^= 1;
        let changed = String::from_utf8(changed).expect("ASCII");
        assert!(oidc::verify(&changed, &[issuer(JWKS, &none)], valid()).is_err(), "byte {at} was changed");
    }
    let other = Issuer { audience: "another", ..issuer(JWKS, &none) };
    assert!(oidc::verify(token, &[other], valid()).is_err(), "for another audience");
    let late = valid().plus(2 * 86_400).expect("a time");
    assert!(oidc::verify(token, &[issuer(JWKS, &none)], late).is_err(), "after its end");
}

/// A key set makes a good token hold only if it has the key that made it.
pub fn oidc_keys(data: &[u8]) {
    let Some(keys) = text(data) else { return };
    let none = BTreeMap::new();
    match oidc::verify(TOKEN.trim_end(), &[issuer(keys, &none)], valid()) {
        Ok(_) => {
            let has = |text: &str| -> Vec<String> {
                let set: serde_json::Value = serde_json::from_str(text).expect("JSON");
                let keys = set["keys"].as_array().cloned().unwrap_or_default();
                keys.iter().filter_map(|key| key["n"].as_str().map(str::to_owned)).collect()
            };
            assert!(has(JWKS).iter().any(|modulus| has(keys).contains(modulus)), "verified without its key");
        }
        Err(error) => assert_message(&error),
    }
}

/// Lines of NAME=VALUE as a CI system sets them, and addresses of remotes: asserted, inert, without secrets.
pub fn run_facts(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let variables: BTreeMap<&str, &str> = text.split('\n').filter_map(|line| line.split_once('=')).collect();
    if let Some(facts) = ci::detect(&|name| variables.get(name).map(|value| (*value).to_owned())) {
        let context = &facts.context;
        let run = context.run.as_ref();
        let texts = [&context.repository, &context.git_ref, &context.commit, &context.environment];
        let more = run.map(|run| &run.id).into_iter().chain(run.and_then(|run| run.url.as_ref()));
        for text in texts.into_iter().flatten().chain(more).chain(&context.conflicts) {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        let actor = facts.actor.as_ref();
        assert!(actor.is_none_or(|actor| actor.assurance == Assurance::Asserted && actor.id.contains(':')));
    }
    for url in text.split('\n') {
        let Some(name) = repository::remote_name(url) else { continue };
        assert!(!name.contains(char::is_whitespace) && !name.contains("://"), "{name}");
        assert!(repository::is_same(&name, &name) && !repository::is_another(&name, &name));
        let host = name.split('/').next().unwrap_or_default();
        assert!(!host.contains('@'), "somebody's name or password in {name}");
    }
}
