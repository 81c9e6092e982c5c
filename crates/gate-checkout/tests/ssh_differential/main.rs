//! Our verdict on SSH signatures equals that of `ssh-keygen -Y verify`, over a generated matrix of keys,
//! patterns, namespaces, times, certificates and tampering. Where we are stricter on purpose, the row says
//! [`Expect::Stricter`] and why; the one thing that we alone accept is an option that is ours.
//!
//! The rows run the real `ssh-keygen`; without it they are skipped, and say so.

#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failing test explains itself by panicking")]

mod certificates;
mod forge;
mod keys;
mod lines;
mod signing;
mod workshop;

use gate_identity::ssh::{Namespace, SshError, Verified, allowed_signers, verify};
use gate_model::time::Timestamp;
use workshop::Workshop;

/// What both sides are asked.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) signers: String,
    pub(crate) signature: String,
    pub(crate) message: Vec<u8>,
    pub(crate) namespace: Namespace,
    pub(crate) claimed: String,
    /// `YYYYMMDDHHMMSSZ`.
    pub(crate) time: String,
}

/// How the two verdicts relate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expect {
    /// Both accept.
    Accept,
    /// Both refuse.
    Refuse,
    /// Whatever it is, it is the same.
    Same,
    /// We refuse, for this reason; ssh-keygen 9.2 accepts. A later one that refuses too is only reported.
    Stricter(&'static str),
    /// We accept and ssh-keygen refuses, for this reason.
    Ours(&'static str),
}

pub(crate) const MESSAGE: &[u8] = b"{\"gate\":\"lint\"}";
pub(crate) const NOON: &str = "20260601120000Z";

impl Check {
    /// A check that should be accepted where the line lists the key for `alice`.
    pub(crate) fn new(signers: impl Into<String>, signature: impl Into<String>) -> Self {
        Self {
            signers: signers.into(),
            signature: signature.into(),
            message: MESSAGE.to_vec(),
            namespace: Namespace::Request,
            claimed: "alice@example.com".into(),
            time: NOON.into(),
        }
    }

    pub(crate) fn claimed(mut self, claimed: &str) -> Self {
        claimed.clone_into(&mut self.claimed);
        self
    }

    pub(crate) fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    pub(crate) fn at(mut self, time: &str) -> Self {
        time.clone_into(&mut self.time);
        self
    }

    pub(crate) fn message(mut self, message: &[u8]) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    /// Our verdict; an unreadable file of signers is a refusal with the lines' errors.
    pub(crate) fn ours(&self) -> Result<Verified, String> {
        let at = instant(&self.time);
        let signers = allowed_signers::parse(&self.signers)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        verify(&self.message, &self.signature, self.namespace, &self.claimed, &signers, (at, at))
            .map_err(|error: SshError| error.to_string())
    }

    /// Compares the two verdicts.
    pub(crate) fn compare(&self, workshop: &Workshop, expect: Expect, row: &str) {
        let ours = self.ours();
        let theirs = workshop.accepts(self);
        let fits = match expect {
            Expect::Accept => ours.is_ok() && theirs,
            Expect::Refuse => ours.is_err() && !theirs,
            Expect::Same => ours.is_ok() == theirs,
            Expect::Stricter(reason) => {
                if !theirs {
                    eprintln!("{row}: this ssh-keygen refuses it too ({reason})");
                }
                ours.is_err()
            }
            Expect::Ours(_) => ours.is_ok() && !theirs,
        };
        assert!(
            fits,
            "{row}: expected {expect:?}\n ours: {ours:?}\n ssh-keygen accepts: {theirs}\n{}",
            self.signers
        );
    }
}

/// An instant from `YYYYMMDDHHMMSSZ`.
pub(crate) fn instant(text: &str) -> Timestamp {
    let part = |from: usize, to: usize| &text[from..to];
    let date = format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8));
    Timestamp::parse(&format!("{date}T{}:{}:{}Z", part(8, 10), part(10, 12), part(12, 14))).unwrap()
}

pub(crate) fn names_and_wildcards_of(line: &str, signature: &str) -> (Vec<String>, Vec<String>) {
    let signers = allowed_signers::parse(line).unwrap();
    let at = instant(NOON);
    let found = gate_identity::ssh::principals_of(MESSAGE, signature, Namespace::Request, &signers, (at, at))
        .unwrap();
    (found.verified.into_iter().map(|verified| verified.principal).collect(), found.wildcards)
}
