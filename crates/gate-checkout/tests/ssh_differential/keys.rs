//! Key types, and tampering with their signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate_identity::ssh::Namespace;

use crate::forge::{Parts, SecurityKey, armor, dearmor, put_string, take_string};
use crate::workshop::Workshop;
use crate::{Check, Expect, MESSAGE};

const KINDS: [(&str, &[&str]); 5] = [
    ("ed25519", &["-t", "ed25519"]),
    ("p256", &["-t", "ecdsa", "-b", "256"]),
    ("p384", &["-t", "ecdsa", "-b", "384"]),
    ("p521", &["-t", "ecdsa", "-b", "521"]),
    ("rsa", &["-t", "rsa", "-b", "2048"]),
];

fn line(workshop: &Workshop, name: &str) -> String {
    format!("alice@example.com {}\n", workshop.public(name))
}

#[test]
fn every_kind_of_key_signs_for_its_namespace_message_and_person_only() {
    let Some(workshop) = Workshop::open() else { return };
    for (name, arguments) in KINDS {
        let key = workshop.key(name, arguments);
        for hash in ["sha256", "sha512"] {
            let option = format!("hashalg={hash}");
            let signature = workshop.sign(&key, "gate-request", MESSAGE, &["-O", &option]);
            let check = Check::new(line(&workshop, name), signature);
            check.compare(&workshop, Expect::Accept, name);
            let verified = check.ours().unwrap();
            assert!(workshop.public(name).starts_with(&verified.key_type));
            assert!(!verified.wildcard && verified.via_certificate.is_none() && verified.touched.is_none());
            for namespace in Namespace::ALL.into_iter().filter(|namespace| *namespace != Namespace::Request) {
                check.clone().namespace(namespace).compare(&workshop, Expect::Refuse, "another namespace");
            }
            check.clone().message(b"{\"gate\":\"lint\" }").compare(
                &workshop,
                Expect::Refuse,
                "another message",
            );
            check.clone().claimed("bob@example.com").compare(&workshop, Expect::Refuse, "another person");
            let other = workshop.path("other");
            if !other.exists() {
                workshop.key("other", &["-t", "ed25519"]);
            }
            let listed = line(&workshop, "other");
            Check { signers: listed, ..check }.compare(&workshop, Expect::Refuse, "another key");
        }
    }
}

/// Each position of the ed25519 envelope, and a sample of the others', with one bit turned.
#[test]
fn a_turned_bit_anywhere_is_found() {
    let Some(workshop) = Workshop::open() else { return };
    for ((name, arguments), step) in KINDS.into_iter().zip([2, 11, 13, 17, 37]) {
        let key = workshop.key(name, arguments);
        let blob = dearmor(&workshop.sign(&key, "gate-request", MESSAGE, &[]));
        let signers = line(&workshop, name);
        for position in 0..blob.len() {
            let mut turned = blob.clone();
            turned[position] ^= 1 << (position % 8);
            let check = Check::new(signers.clone(), armor(&turned));
            assert!(check.ours().is_err(), "{name}, byte {position}");
            if position % step == 0 {
                check.compare(&workshop, Expect::Refuse, &format!("{name}, byte {position}"));
            }
        }
        for length in (0..blob.len()).step_by(step * 5) {
            Check::new(signers.clone(), armor(&blob[..length])).compare(&workshop, Expect::Refuse, "cut");
        }
    }
}

#[test]
fn unsigned_additions_are_refused_even_where_ssh_keygen_takes_them() {
    let Some(workshop) = Workshop::open() else { return };
    let key = workshop.key("k", &["-t", "ed25519"]);
    let good = workshop.sign(&key, "gate-request", MESSAGE, &[]);
    let parts = Parts::of(&good);
    let compare = |armor: String, expect, row| {
        Check::new(line(&workshop, "k"), armor).compare(&workshop, expect, row);
    };
    assert_eq!(parts.armor(), good);
    compare(
        Parts { reserved: b"note".to_vec(), ..parts.clone() }.armor(),
        Expect::Stricter("ssh-keygen signs an empty reserved field, so one with content is not signed"),
        "reserved field",
    );
    compare(
        format!("{good}trailing text\n"),
        Expect::Stricter("text after the armor is not signed"),
        "text after the armor",
    );
    compare(
        good.replacen("-----\n", "-----\n \t", 1),
        Expect::Stricter("one signature has one writing; ssh-keygen skips white space in base64"),
        "white space in the armor",
    );
    compare(Parts { after: vec![0], ..parts.clone() }.armor(), Expect::Refuse, "bytes after the last field");
    compare(Parts { version: 2, ..parts.clone() }.armor(), Expect::Refuse, "another version");
    compare(Parts { hash: "sha384".into(), ..parts.clone() }.armor(), Expect::Refuse, "another hash");
    compare(Parts { hash: "sha256".into(), ..parts.clone() }.armor(), Expect::Refuse, "the other hash");
    compare(Parts { namespace: String::new(), ..parts.clone() }.armor(), Expect::Refuse, "no namespace");
    compare(format!("text before\n{good}"), Expect::Refuse, "text before the armor");
    compare(good.replace('\n', "\r\n"), Expect::Refuse, "DOS line ends");
    compare(String::new(), Expect::Refuse, "nothing");
}

#[test]
fn weak_rsa_is_refused() {
    let Some(workshop) = Workshop::open() else { return };
    let short = workshop.key("short", &["-t", "rsa", "-b", "1024"]);
    let signature = workshop.sign(&short, "gate-request", MESSAGE, &[]);
    let check = Check::new(line(&workshop, "short"), signature);
    check.compare(&workshop, Expect::Stricter("1024 bits can be factored"), "short");
    assert!(check.ours().unwrap_err().contains("1024 bits"));
    let key = workshop.key("rsa", &["-t", "rsa", "-b", "2048"]);
    let parts = Parts::of(&workshop.sign(&key, "gate-request", MESSAGE, &[]));
    for (format, expect) in
        [("rsa-sha2-512", Expect::Accept), ("rsa-sha2-256", Expect::Refuse), ("ssh-rsa", Expect::Refuse)]
    {
        let check = Check::new(
            line(&workshop, "rsa"),
            Parts { signature: relabelled(&parts.signature, format), ..parts.clone() }.armor(),
        );
        check.compare(&workshop, expect, format);
        assert_eq!(check.ours().is_err_and(|error| error.contains("SHA-1")), format == "ssh-rsa");
    }
}

/// The same signature under another format's name.
fn relabelled(signature: &[u8], format: &str) -> Vec<u8> {
    let mut rest = signature;
    take_string(&mut rest);
    let mut out = Vec::new();
    put_string(&mut out, format.as_bytes());
    out.extend(rest);
    out
}

#[test]
fn security_keys_must_have_been_touched() {
    let Some(workshop) = Workshop::open() else { return };
    for key in [SecurityKey::ed25519(), SecurityKey::ecdsa()] {
        let listed = format!("alice@example.com {}", key.public());
        let check = |flags| Check::new(listed.clone(), key.sign("gate-request", MESSAGE, flags).armor());
        check(0x01).compare(&workshop, Expect::Accept, "touched");
        check(0x05).compare(&workshop, Expect::Accept, "touched and verified");
        assert_eq!(check(0x01).ours().unwrap().touched, Some(true));
        let untouched = Expect::Stricter("nobody was at the key, so malware may have asked it");
        check(0x00).compare(&workshop, untouched, "untouched");
        check(0x04).compare(&workshop, untouched, "verified but untouched");
        assert!(check(0x00).ours().unwrap_err().contains("no-touch-required"));
        let excused = format!("alice@example.com no-touch-required {}", key.public());
        let check = Check::new(excused, key.sign("gate-request", MESSAGE, 0).armor());
        check.compare(&workshop, Expect::Ours("the option is ours; ssh-keygen does not know it"), "excused");
        assert_eq!(check.ours().unwrap().touched, Some(false));
    }
}

#[test]
fn the_flags_and_counter_of_a_security_key_are_signed() {
    let Some(workshop) = Workshop::open() else { return };
    for key in [SecurityKey::ed25519(), SecurityKey::ecdsa()] {
        let parts = key.sign("gate-request", MESSAGE, 0);
        for position in 1..=5 {
            let mut forged = parts.clone();
            let at = forged.signature.len() - position;
            forged.signature[at] ^= 1;
            let check = Check::new(format!("alice@example.com {}", key.public()), forged.armor());
            check.compare(&workshop, Expect::Refuse, "forged flags or counter");
        }
        let mut longer = parts.clone();
        longer.signature.push(0);
        Check::new(format!("alice@example.com {}", key.public()), longer.armor()).compare(
            &workshop,
            Expect::Refuse,
            "bytes after the counter",
        );
    }
}

/// The neutral element as a key: with `S = 0` the plain equation holds for every message.
#[test]
fn a_key_of_small_order_signs_nothing() {
    let mut point = [0_u8; 32];
    point[0] = 1;
    let (mut key, mut signature) = (Vec::new(), Vec::new());
    put_string(&mut key, b"ssh-ed25519");
    put_string(&mut key, &point);
    let mut raw = point.to_vec();
    raw.extend([0; 32]);
    put_string(&mut signature, b"ssh-ed25519");
    put_string(&mut signature, &raw);
    let namespace = "gate-request".to_owned();
    let parts = Parts {
        version: 1,
        namespace,
        reserved: vec![],
        hash: "sha512".into(),
        after: vec![],
        signature,
        key,
    };
    let signers = format!("alice@example.com ssh-ed25519 {}", STANDARD.encode(&parts.key));
    let check = Check::new(signers, parts.armor());
    assert!(check.ours().unwrap_err().contains("does not match"));
    if let Some(workshop) = Workshop::open() {
        let reason = Expect::Stricter("anybody can sign anything with a key of small order");
        check.compare(&workshop, reason, "neutral element");
    }
}

/// `S + L` in place of `S` (RFC 8032 section 5.1.7): a second signature without the private key.
#[test]
fn an_ed25519_signature_has_no_second_form() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let Some(workshop) = Workshop::open() else { return };
    let key = workshop.key("k", &["-t", "ed25519"]);
    let mut parts = Parts::of(&workshop.sign(&key, "gate-request", MESSAGE, &[]));
    let start = parts.signature.len() - 32;
    let mut carry = 0_u16;
    for (byte, add) in parts.signature[start..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    Check::new(line(&workshop, "k"), parts.armor()).compare(
        &workshop,
        Expect::Stricter("RFC 8032 demands S < L; whoever sees a signature could write another one"),
        "S + L",
    );
}
