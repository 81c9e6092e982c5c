//! SSH signatures: verified here, offline and without starting a process.
//!
//! Purpose: answer "who signed these bytes" from an SSHSIG signature and an `allowed_signers` file.
//!
//! Invariants: the answer is a person only where every check was made and held; what cannot be checked is an
//! error that says so. [`verify()`] is at least as strict as `ssh-keygen -Y verify`; where it is stricter,
//! `tests/ssh_differential` of gate-checkout says why.
//!
//! Non-goals: whether the person may do something (the policy), signing (gate-checkout), and storing keys.

pub mod allowed_signers;
mod certificate;
mod crypto;
mod error;
mod key;
pub mod note_key;
mod pattern;
mod sshsig;
mod verify;
pub mod wire;

pub use certificate::CertificateError;
pub use crypto::CryptoError;
pub use error::SshError;
pub use key::KeyError;
pub use sshsig::{MAX_ARMOR, holds};
pub use verify::{Standing, Verified, ViaCertificate, principals_of, verify};
pub use wire::WireError;

/// What a signature is for. A signature made for one purpose never holds for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// A request, pauses included.
    Request,
    /// An approval or a rejection.
    Approval,
    /// A revocation, resumes included.
    Revocation,
    /// A review.
    Review,
    /// A policy's text.
    Policy,
    /// A commit, as git has it signed.
    Git,
}

impl Namespace {
    /// Every namespace.
    pub const ALL: [Self; 6] =
        [Self::Request, Self::Approval, Self::Revocation, Self::Review, Self::Policy, Self::Git];

    /// The name that is signed, as for `ssh-keygen -Y sign -n`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "gate-request",
            Self::Approval => "gate-approval",
            Self::Revocation => "gate-revocation",
            Self::Review => "gate-review",
            Self::Policy => "gate-policy",
            Self::Git => "git",
        }
    }
}

impl std::fmt::Display for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
