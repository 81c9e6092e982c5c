//! Certificates: authority, principals on both sides, dates, type, options, tampering.

use crate::forge::{Parts, SecurityKey, armor, dearmor, put_string};
use crate::workshop::Workshop;
use crate::{Check, Expect, MESSAGE, names_and_wildcards_of};

const VALID: [&str; 2] = ["-V", "20260101000000Z:20270101000000Z"];

/// An authority, a key, and a certificate between them.
fn certified(workshop: &Workshop, id: &str, arguments: &[&str]) -> String {
    if !workshop.path("ca").exists() {
        workshop.key("ca", &["-t", "ed25519"]);
        workshop.key("user", &["-t", "ed25519"]);
    }
    let mut all = arguments.to_vec();
    if !arguments.contains(&"-V") {
        all.extend(VALID);
    }
    let certificate = workshop.certify("ca", "user", id, &all);
    workshop.sign(&certificate, "gate-request", MESSAGE, &[])
}

fn authority(workshop: &Workshop, principals: &str, options: &str) -> String {
    format!("{principals} cert-authority{options} {}\n", workshop.public("ca"))
}

#[test]
fn the_authority_and_the_certificate_must_both_name_the_principal() {
    let Some(workshop) = Workshop::open() else { return };
    let signature = certified(&workshop, "two", &["-n", "alice@example.com,bob@example.com"]);
    for principals in ["*@example.com", "alice@example.com", "*,!alice@example.com", "carol@example.com"] {
        for claimed in ["alice@example.com", "bob@example.com", "carol@example.com", "two"] {
            let check = Check::new(authority(&workshop, principals, ""), signature.clone()).claimed(claimed);
            check.compare(&workshop, Expect::Same, &format!("{principals} for {claimed}"));
        }
    }
    let verified = Check::new(authority(&workshop, "*@example.com", ""), signature.clone()).ours().unwrap();
    assert!(verified.wildcard && verified.is_named());
    let via = verified.via_certificate.unwrap();
    assert_eq!((via.serial, via.key_id.as_str()), (7, "two"));
    assert_eq!(via.principals, ["alice@example.com", "bob@example.com"]);
    let (names, wildcards) =
        names_and_wildcards_of(&authority(&workshop, "*@example.com,!bob@*", ""), &signature);
    assert_eq!((names, wildcards), (vec!["alice@example.com".to_owned()], vec![]));
}

#[test]
fn a_certificate_counts_only_through_an_authority_line() {
    let Some(workshop) = Workshop::open() else { return };
    let signature = certified(&workshop, "one", &["-n", "alice@example.com"]);
    workshop.key("other", &["-t", "ed25519"]);
    let line = |options: &str, key: &str| format!("alice@example.com {options}{}\n", workshop.public(key));
    let rows = [
        (line("cert-authority ", "ca"), Expect::Accept),
        (line("", "ca"), Expect::Refuse),
        (line("", "user"), Expect::Refuse),
        (line("cert-authority ", "user"), Expect::Refuse),
        (line("cert-authority ", "other"), Expect::Refuse),
        (line("cert-authority,namespaces=\"git\" ", "ca"), Expect::Refuse),
        (line("cert-authority,namespaces=\"gate-*\" ", "ca"), Expect::Accept),
        (line("cert-authority,valid-before=\"20260101Z\" ", "ca"), Expect::Refuse),
    ];
    for (signers, expect) in rows {
        Check::new(signers.clone(), signature.clone()).compare(&workshop, expect, &signers);
    }
}

#[test]
fn dates_are_judged_at_the_second() {
    let Some(workshop) = Workshop::open() else { return };
    let dates = ["-V", "20260601115900Z:20260601120100Z", "-n", "alice@example.com"];
    let signature = certified(&workshop, "short", &dates);
    let times =
        ["20260601115859Z", "20260601115900Z", "20260601120059Z", "20260601120100Z", "20260601120101Z"];
    for time in times {
        let check = Check::new(authority(&workshop, "*", ""), signature.clone()).at(time);
        check.compare(&workshop, Expect::Same, time);
    }
    let forever = certified(&workshop, "forever", &["-V", "always:forever", "-n", "alice@example.com"]);
    let check = Check::new(authority(&workshop, "*", ""), forever);
    check.compare(&workshop, Expect::Accept, "for ever");
    assert_eq!(check.ours().unwrap().via_certificate.unwrap().valid, (None, None));
}

#[test]
fn certificates_that_mean_something_else_are_refused() {
    let Some(workshop) = Workshop::open() else { return };
    let host = certified(&workshop, "host", &["-h", "-n", "alice@example.com"]);
    let nobody = certified(&workshop, "nobody", &[]);
    let forced =
        certified(&workshop, "forced", &["-n", "alice@example.com", "-O", "force-command=/bin/true"]);
    let source =
        certified(&workshop, "source", &["-n", "alice@example.com", "-O", "source-address=192.0.2.0/24"]);
    let unknown =
        certified(&workshop, "unknown", &["-n", "alice@example.com", "-O", "critical:x@example.com=1"]);
    let careful = certified(&workshop, "careful", &["-n", "alice@example.com", "-O", "verify-required"]);
    let extended =
        certified(&workshop, "extended", &["-n", "alice@example.com", "-O", "extension:x@example.com=1"]);
    let critical =
        Expect::Stricter("a critical option that is not understood must refuse (PROTOCOL.certkeys)");
    let rows = [
        (host, Expect::Refuse, "not for a user"),
        (nobody, Expect::Refuse, "names no principal"),
        (forced, critical, "critical option 'force-command'"),
        (source, critical, "critical option 'source-address'"),
        (unknown, critical, "critical option 'x@example.com'"),
        (careful, critical, "checks a PIN or fingerprint"),
    ];
    for (signature, expect, message) in rows {
        let check = Check::new(authority(&workshop, "*", ""), signature);
        check.compare(&workshop, expect, message);
        let error = check.ours().unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    Check::new(authority(&workshop, "*", ""), extended).compare(
        &workshop,
        Expect::Accept,
        "unknown extension",
    );
}

#[test]
fn every_kind_of_authority_and_key_works() {
    let Some(workshop) = Workshop::open() else { return };
    let kinds: [(&str, &[&str]); 4] = [
        ("ed", &["-t", "ed25519"]),
        ("ec", &["-t", "ecdsa", "-b", "256"]),
        ("big", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ];
    for (name, arguments) in kinds {
        workshop.key(name, arguments);
    }
    for (place, (key, _)) in kinds.into_iter().enumerate() {
        let (authority, _) = kinds[(place + 1) % kinds.len()];
        let id = format!("{key}-by-{authority}");
        let certificate =
            workshop.certify(authority, key, &id, &["-n", "alice@example.com", VALID[0], VALID[1]]);
        let signature = workshop.sign(&certificate, "gate-request", MESSAGE, &[]);
        let signers = format!("* cert-authority {}", workshop.public(authority));
        Check::new(signers, signature).compare(&workshop, Expect::Accept, &id);
    }
    let certificate = workshop.certify(
        "rsa",
        "ed",
        "sha1",
        &["-t", "ssh-rsa", "-n", "alice@example.com", VALID[0], VALID[1]],
    );
    let signature = workshop.sign(&certificate, "gate-request", MESSAGE, &[]);
    let check = Check::new(format!("* cert-authority {}", workshop.public("rsa")), signature);
    check.compare(&workshop, Expect::Stricter("a certificate signed with SHA-1 can be forged"), "SHA-1");
    assert!(check.ours().unwrap_err().contains("SHA-1"));
}

#[test]
fn a_turned_bit_anywhere_in_a_certificate_is_found() {
    let Some(workshop) = Workshop::open() else { return };
    let blob = dearmor(&certified(&workshop, "one", &["-n", "alice@example.com"]));
    for position in 0..blob.len() {
        let mut turned = blob.clone();
        turned[position] ^= 1 << (position % 8);
        let check = Check::new(authority(&workshop, "*", ""), armor(&turned));
        assert!(check.ours().is_err(), "byte {position}");
        if position % 7 == 0 {
            check.compare(&workshop, Expect::Refuse, &format!("byte {position}"));
        }
    }
}

/// A certificate whose authority is a certificate whose authority is … must not exhaust the stack.
/// OpenSSH takes the name; a person would read it as another one.
#[test]
fn a_certificate_for_a_name_that_cannot_be_seen_in_full_stands_for_nobody() {
    let Some(workshop) = Workshop::open() else { return };
    for name in ["al\u{200b}ice@example.com", "\u{202e}ecila@example.com"] {
        let signature = certified(&workshop, "odd", &["-n", name]);
        let refused =
            Check::new(authority(&workshop, "*@example.com", ""), signature.clone()).claimed(name).ours();
        assert!(refused.unwrap_err().contains("which may not stand in a name"), "{name:?}");
        let (names, _) = names_and_wildcards_of(&authority(&workshop, "*@example.com", ""), &signature);
        assert_eq!(names, Vec::<String>::new());
    }
}

#[test]
fn nested_certificates_are_refused_at_once() {
    let mut key = Vec::new();
    put_string(&mut key, b"ssh-ed25519");
    put_string(&mut key, &[7; 32]);
    let base = SecurityKey::ed25519().sign("gate-request", MESSAGE, 1);
    for _ in 0..300 {
        let mut outer = Vec::new();
        put_string(&mut outer, b"ssh-ed25519-cert-v01@openssh.com");
        put_string(&mut outer, b"");
        put_string(&mut outer, &[7; 32]);
        outer.extend([0; 8]);
        outer.extend([0, 0, 0, 1]);
        put_string(&mut outer, b"id");
        put_string(&mut outer, b"");
        outer.extend([0; 16]);
        for _ in 0..3 {
            put_string(&mut outer, b"");
        }
        put_string(&mut outer, &key);
        put_string(&mut outer, b"");
        key = outer;
    }
    let check = Check::new("", Parts { key, ..base }.armor());
    let error = check.ours().unwrap_err();
    assert!(error.contains("a certificate stands where a plain key belongs"), "{error}");
}

/// A security key's certificate that demands a PIN: flag 0x04 decides.
#[test]
fn verify_required_is_honoured_for_security_keys() {
    let Some(workshop) = Workshop::open() else { return };
    workshop.key("ca", &["-t", "ed25519"]);
    for key in [SecurityKey::ed25519(), SecurityKey::ecdsa()] {
        std::fs::write(workshop.path("sk.pub"), format!("{} sk\n", key.public())).unwrap();
        std::fs::write(workshop.path("sk"), "").unwrap();
        let arguments = ["-n", "alice@example.com", "-O", "verify-required", VALID[0], VALID[1]];
        let certificate = workshop.certify("ca", "sk", "pin", &arguments);
        let blob = certificate_blob(&certificate);
        let check = |flags| {
            let parts = Parts { key: blob.clone(), ..key.sign("gate-request", MESSAGE, flags) };
            Check::new(authority(&workshop, "*", ""), parts.armor())
        };
        check(0x05).compare(&workshop, Expect::Accept, "touched and verified");
        check(0x01).compare(&workshop, Expect::Stricter("the certificate demands a PIN"), "touched only");
    }
}

fn certificate_blob(path: &std::path::Path) -> Vec<u8> {
    use base64::Engine as _;
    let text = std::fs::read_to_string(path).unwrap();
    base64::engine::general_purpose::STANDARD.decode(text.split(' ').nth(1).unwrap()).unwrap()
}
