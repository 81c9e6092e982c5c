//! Signing requests and statements: the one place where this crate lets a person's key be used.
//!
//! Signing goes through `ssh-keygen`, as git's does. What was signed is verified at once, against the keys
//! that the policy in force trusts; so the principal of a signature comes from the key, and somebody whose
//! key is not listed learns it before anything is sent.

use std::path::Path;

use gate_checkout::git::GitError;
use gate_checkout::signing::{self, GitSigning};
use gate_identity::ssh::{self, Namespace};
use gate_model::exit::{Ends, Exit};
use gate_model::payload::TrustedFile;
use gate_model::principal::Principal;
use gate_model::request::{Request, SCHEMA, SeenHead};
use gate_model::time::Timestamp;
use gate_policy::Policy;

use gate_judge::ownership::Endorsement;
use gate_judge::policy_text::Loaded;
use gate_judge::signatures::{self, Unproven};
use gate_judge::statement::Statement;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// Git's configuration cannot be read.
    #[error(transparent)]
    Config(#[from] GitError),
    /// `ssh-keygen` did not sign.
    #[error(transparent)]
    Sign(#[from] signing::SignError),
    /// The signature does not stand for anybody whom the policy knows.
    #[error(
        "the signature does not count: {0}\nadd the key to the policy's allowed_signers, or sign with one that it lists"
    )]
    Unproven(#[from] Unproven),
    /// The key stands for nobody, or for several.
    #[error("the key stands for {0}\nsay who you are with --as NAME")]
    Who(String),
    /// No randomness for a nonce.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
    /// A time beyond the calendar.
    #[error("the clock is too close to the year 9999")]
    Time,
}

impl Ends for SigningError {
    fn exit(&self) -> Exit {
        match self {
            Self::Random(_) => Exit::Failure,
            _ => Exit::Usage,
        }
    }
}

/// With which key, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// The working directory, for git's configuration.
    pub cwd: &'a Path,
    /// The key; git's `user.signingKey` where left out.
    pub key: Option<&'a Path>,
    /// The name to sign as, where the key stands for several.
    pub name: Option<&'a str>,
    /// The policy whose keys count, with the files that it trusts.
    pub trust: (&'a Policy, &'a [TrustedFile]),
    /// Now.
    pub now: Timestamp,
}

impl Signer<'_> {
    /// Who this key is, found by signing an empty probe of the same namespace.
    ///
    /// A key on a security token asks for a touch at each signature, so this is only done where the name was
    /// not given.
    ///
    /// # Errors
    /// A [`SigningError`].
    fn name(&self, namespace: Namespace) -> Result<String, SigningError> {
        if let Some(name) = self.name {
            return Ok(name.to_owned());
        }
        let signature = self.sign_bytes(b"gate: who is this key?", namespace)?;
        let signers = signatures::trusted_signers(self.trust.0, self.trust.1)?;
        let interval = (self.now, self.now);
        let standing =
            ssh::principals_of(b"gate: who is this key?", &signature, namespace, &signers, interval)
                .map_err(|error| Unproven::Signature(error.to_string()))?;
        let mut names: Vec<&str> = standing.verified.iter().map(|one| one.principal.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        match names.as_slice() {
            [name] => Ok((*name).to_owned()),
            [] if standing.wildcards.is_empty() => {
                Err(SigningError::Who("nobody whom the policy knows".to_owned()))
            }
            [] => Err(SigningError::Who(format!("whoever fits {}", standing.wildcards.join(", ")))),
            several => Err(SigningError::Who(several.join(", "))),
        }
    }

    fn sign_bytes(&self, message: &[u8], namespace: Namespace) -> Result<String, SigningError> {
        let config = GitSigning::read(self.cwd)?;
        Ok(signing::sign(message, namespace, self.key, &config)?)
    }

    /// Signs a request as its `by`, after filling that in.
    ///
    /// # Errors
    /// A [`SigningError`].
    pub fn request(&self, mut request: Request) -> Result<(Request, Principal), SigningError> {
        let message = signatures::signed_bytes(&request)?;
        let signature = self.sign_bytes(&message, Namespace::Request)?;
        let principal = self.check(&message, &signature, Namespace::Request, &request.by)?;
        request.signature = Some(signature);
        Ok((request, principal))
    }

    /// Signs a statement as its `by`.
    ///
    /// # Errors
    /// A [`SigningError`].
    pub fn statement(&self, mut statement: Statement) -> Result<(Statement, Principal), SigningError> {
        let namespace = statement.namespace();
        let message = signatures::signed_bytes(&statement)?;
        let signature = self.sign_bytes(&message, namespace)?;
        let principal = self.check(&message, &signature, namespace, &statement.by)?;
        statement.signature = Some(signature);
        Ok((statement, principal))
    }

    /// Signs an owner's word on a policy as its `by`.
    ///
    /// # Errors
    /// A [`SigningError`].
    pub fn endorsement(&self, mut endorsement: Endorsement) -> Result<Endorsement, SigningError> {
        let message = signatures::signed_bytes(&endorsement)?;
        let signature = self.sign_bytes(&message, Namespace::Policy)?;
        let owner = self.check(&message, &signature, Namespace::Policy, &endorsement.by)?;
        if owner.via == gate_policy::WILDCARD_VIA {
            return Err(Unproven::Chosen.into());
        }
        endorsement.signature = Some(signature);
        Ok(endorsement)
    }

    fn check(
        &self,
        message: &[u8],
        signature: &str,
        namespace: Namespace,
        by: &str,
    ) -> Result<Principal, SigningError> {
        let interval = (self.now, self.now);
        Ok(signatures::signer(message, Some(signature), namespace, by, self.trust, interval)?)
    }

    /// The name that requests and statements of this key bear.
    ///
    /// # Errors
    /// A [`SigningError`].
    pub fn claimed(&self, namespace: Namespace) -> Result<String, SigningError> {
        self.name(namespace)
    }
}

/// A request document for `ask`, not signed yet.
///
/// # Errors
/// [`SigningError::Random`] or [`SigningError::Time`].
pub fn draft(
    gate: &str,
    ask: &gate_model::payload::Ask,
    by: &str,
    loaded: &Loaded,
    ledger: Option<String>,
    seen_head: Option<SeenHead>,
    now: Timestamp,
) -> Result<Request, SigningError> {
    Ok(Request {
        schema: SCHEMA.to_owned(),
        gate: gate.to_owned(),
        action: ask.action,
        reason: ask.reason.clone(),
        reason_c: None,
        ticket: ask.ticket.clone(),
        by: by.to_owned(),
        by_c: None,
        scope: ask.scope.clone(),
        findings: ask.findings.clone(),
        ttl: ask.ttl.clone(),
        max_uses: ask.max_uses,
        break_glass: ask.break_glass,
        renews: ask.renews.clone(),
        ledger,
        policy: loaded.used.digest.clone(),
        seen_head,
        requested_at: now,
        submit_by: now.plus(signatures::MAX_WAIT).ok_or(SigningError::Time)?,
        nonce: nonce()?,
        signature: None,
        commit: None,
        openings: Vec::new(),
    })
}

/// 128 random bits in hexadecimal.
fn nonce() -> Result<String, SigningError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| SigningError::Random(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
