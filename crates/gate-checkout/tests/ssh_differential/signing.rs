//! Signing through the real `ssh-keygen`, and through programs that stand in for it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use gate_checkout::signing::{GitSigning, SignError, sign};
use gate_identity::ssh::Namespace;

use crate::workshop::Workshop;
use crate::{Check, Expect, MESSAGE};

fn program(workshop: &Workshop, name: &str, script: &str) -> GitSigning {
    use std::os::unix::fs::PermissionsExt as _;
    let path = workshop.path(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    GitSigning { program: Some(path.to_str().unwrap().into()), ..GitSigning::default() }
}

#[test]
fn what_is_signed_verifies_for_every_namespace() {
    let Some(workshop) = Workshop::open() else { return };
    let key = workshop.key("k", &["-t", "ed25519"]);
    let signers = format!("alice@example.com {}", workshop.public("k"));
    for namespace in Namespace::ALL {
        let armor = sign(MESSAGE, namespace, Some(&key), &GitSigning::default()).unwrap();
        Check::new(signers.clone(), armor).namespace(namespace).compare(
            &workshop,
            Expect::Accept,
            namespace.as_str(),
        );
    }
    let configured = GitSigning { signing_key: Some(key.to_str().unwrap().into()), ..GitSigning::default() };
    assert!(sign(&vec![b'x'; 900_000], Namespace::Review, None, &configured).is_ok());
}

#[test]
fn a_certificate_signs_as_itself() {
    let Some(workshop) = Workshop::open() else { return };
    workshop.key("ca", &["-t", "ed25519"]);
    workshop.key("user", &["-t", "ed25519"]);
    let certificate = workshop.certify("ca", "user", "user-id", &["-n", "alice@example.com"]);
    let armor = sign(MESSAGE, Namespace::Request, Some(&certificate), &GitSigning::default()).unwrap();
    let check = Check::new(format!("* cert-authority {}", workshop.public("ca")), armor);
    check.at("20991231000000Z").compare(&workshop, Expect::Accept, "certificate");
}

#[test]
fn a_literal_key_signs_through_the_agent() {
    let Some(workshop) = Workshop::open() else { return };
    let key = workshop.key("k", &["-t", "ed25519"]);
    let Some(_agent) = Agent::start(&workshop, &key) else { return };
    let public = workshop.public("k");
    std::fs::remove_file(&key).unwrap();
    let socket = workshop.path("agent");
    let script = format!("SSH_AUTH_SOCK='{}' exec ssh-keygen \"$@\"", socket.display());
    let literal =
        GitSigning { signing_key: Some(format!("key::{public}")), ..program(&workshop, "wrapper", &script) };
    let armor = sign(MESSAGE, Namespace::Request, None, &literal).unwrap();
    Check::new(format!("alice@example.com {public}"), armor).compare(&workshop, Expect::Accept, "literal");
    let by_pub_file = program(&workshop, "wrapper", &script);
    let armor = sign(MESSAGE, Namespace::Request, Some(&workshop.path("k.pub")), &by_pub_file).unwrap();
    Check::new(format!("alice@example.com {public}"), armor).compare(&workshop, Expect::Accept, ".pub file");
}

/// An agent that holds one key, ended when it goes out of scope.
struct Agent(Child);

impl Agent {
    fn start(workshop: &Workshop, key: &Path) -> Option<Self> {
        let socket = workshop.path("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            eprintln!("skipped: ssh-agent is not installed");
            return None;
        };
        let agent = Self(child);
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let add = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &socket).status().unwrap();
        assert!(add.success());
        Some(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn another_program_is_called_as_git_calls_it() {
    let Some(workshop) = Workshop::open() else { return };
    let key = workshop.key("k", &["-t", "ed25519"]);
    let log = workshop.path("log");
    let script = format!("echo \"$@\" > '{}'; echo noise; exec ssh-keygen \"$@\"", log.display());
    let git = program(&workshop, "op-ssh-sign", &script);
    let armor = sign(MESSAGE, Namespace::Policy, Some(&key), &git).unwrap();
    let check = Check::new(format!("alice@example.com {}", workshop.public("k")), armor);
    check.namespace(Namespace::Policy).compare(&workshop, Expect::Accept, "stand-in");
    let called = std::fs::read_to_string(log).unwrap();
    let words: Vec<&str> = called.split_whitespace().collect();
    assert_eq!(words[..5], ["-Y", "sign", "-n", "gate-policy", "-f"]);
    assert!(!Path::new(words[6]).exists(), "the message's file is left behind");
}

#[test]
fn a_program_that_fails_or_lies_signs_nothing() {
    let Some(workshop) = Workshop::open() else { return };
    let key = workshop.key("k", &["-t", "ed25519"]);
    let attempt = |git: &GitSigning| sign(MESSAGE, Namespace::Request, Some(&key), git).unwrap_err();
    assert!(matches!(attempt(&program(&workshop, "fails", "exit 3")), SignError::Failed { .. }));
    assert!(matches!(attempt(&program(&workshop, "silent", "exit 0")), SignError::Files(_)));
    let other = "shift 4; exec ssh-keygen -Y sign -n git \"$@\"";
    assert!(matches!(attempt(&program(&workshop, "other-namespace", other)), SignError::Unusable { .. }));
    let edited = "for f; do :; done; echo edited > \"$f\"; exec ssh-keygen \"$@\"";
    assert!(matches!(attempt(&program(&workshop, "other-message", edited)), SignError::Unusable { .. }));
    let missing = GitSigning { program: Some("/no/such/program".into()), ..GitSigning::default() };
    assert!(matches!(attempt(&missing), SignError::Start { .. }));
    // ssh-keygen itself, with something that is no key.
    let no_key = sign(MESSAGE, Namespace::Request, Some(Path::new("/dev/null")), &GitSigning::default());
    assert!(matches!(no_key, Err(SignError::Failed { .. })));
}

#[test]
fn git_settings_are_read_from_the_repository() {
    let workshop = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        Command::new("git")
            .current_dir(workshop.path())
            .args(arguments)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "-q"]) {
        eprintln!("skipped: git is not installed");
        return;
    }
    assert!(git(&["config", "user.signingKey", "key::ssh-ed25519 AAAA"]));
    assert!(git(&["config", "gpg.ssh.program", "/opt/sign"]) && git(&["config", "gpg.format", "ssh"]));
    let read = GitSigning::read(workshop.path()).unwrap();
    assert_eq!(read.signing_key.as_deref(), Some("key::ssh-ed25519 AAAA"));
    assert_eq!(read.format.as_deref(), Some("ssh"));
    assert_eq!(read.program, None, "a repository does not choose the program that is run");
    std::fs::write(workshop.path().join(".git/config"), "[user\n").unwrap();
    assert!(GitSigning::read(workshop.path()).is_err());
}
