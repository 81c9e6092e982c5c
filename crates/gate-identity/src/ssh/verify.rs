//! Who signed: signature, then key, then the conditions under which the key is trusted.
//!
//! Invariants: pure; no clock is read. The caller gives the interval in which, as far as the ledger can prove,
//! the signature was made, and a key or certificate must be valid in all of it: the time that a document
//! claims for itself proves nothing. The principal is one whom a trusted line gives to the key; the name in
//! the document is only compared with it.

use gate_model::text;
use gate_model::time::Timestamp;

use super::Namespace;
use super::allowed_signers::{AllowedSigners, SignerLine};
use super::certificate::Certificate;
use super::crypto::Presence;
use super::error::SshError;
use super::key::shown;
use super::pattern::Match;
use super::sshsig::{Envelope, Signer};

/// A signature that holds, by a key that stands for the principal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// Who signed.
    pub principal: String,
    /// The signing key's fingerprint, `SHA256:…`.
    pub key: String,
    /// The signing key's type, such as `ssh-ed25519`.
    pub key_type: String,
    /// The certificate that ties the key to the principal, where no line lists the key itself.
    pub via_certificate: Option<ViaCertificate>,
    /// Whether the line names the principal by nothing but patterns with wildcards.
    pub wildcard: bool,
    /// The instants between which the line trusts the key: the first inclusive, the second exclusive.
    pub valid: (Option<Timestamp>, Option<Timestamp>),
    /// The line of `allowed_signers` that was used, from 1.
    pub line: usize,
    /// Whether a security key made the signature, and somebody touched it. `None` for other keys.
    pub touched: Option<bool>,
}

/// A certificate that was checked in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViaCertificate {
    /// The fingerprint of the authority's key.
    pub authority: String,
    /// The number that the authority gave it.
    pub serial: u64,
    /// The label that the authority gave it, made inert.
    pub key_id: String,
    /// Everybody whom it names, made inert.
    pub principals: Vec<String>,
    /// The instants between which it is valid.
    pub valid: (Option<Timestamp>, Option<Timestamp>),
}

/// For whom a signature could stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The principals whom lines or the certificate name literally, each verified in full.
    pub verified: Vec<Verified>,
    /// The patterns with wildcards of lines that list the key; whom they mean, the signer must say.
    pub wildcards: Vec<String>,
}

/// Verifies an armored SSHSIG over `message` for the principal whom the document names.
///
/// `claimed` is that name; `interval` holds the earliest and the latest instant at which the signature can
/// have been made. A line that names the principal literally is preferred to one with wildcards.
///
/// # Errors
/// The first thing that is wrong, in the order form, namespace, signature, certificate, key, principal,
/// conditions; where several lines list the key for the principal, the first one's.
pub fn verify(
    message: &[u8],
    signature_pem: &str,
    namespace: Namespace,
    claimed: &str,
    signers: &AllowedSigners,
    interval: (Timestamp, Timestamp),
) -> Result<Verified, SshError> {
    Evidence::gather(message, signature_pem, namespace, interval)?.judge(claimed, signers)
}

/// Finds for whom the signature stands, as `ssh-keygen -Y find-principals` does, but verified in full.
///
/// # Errors
/// What is wrong with the signature itself, or [`SshError::UnknownKey`]. Lines that list the key but do not
/// trust it here and now give no principal and no error.
pub fn principals_of(
    message: &[u8],
    signature_pem: &str,
    namespace: Namespace,
    signers: &AllowedSigners,
    interval: (Timestamp, Timestamp),
) -> Result<Standing, SshError> {
    let evidence = Evidence::gather(message, signature_pem, namespace, interval)?;
    let mut names: Vec<&str> = Vec::new();
    let mut wildcards: Vec<String> = Vec::new();
    for line in evidence.lines(signers)? {
        match &evidence.envelope.signer {
            Signer::Key(_) => {
                names.extend(line.principals.names());
                wildcards.extend(line.principals.wildcards().map(str::to_owned));
            }
            Signer::Certificate(certificate) => {
                names.extend(certificate.principals.iter().map(String::as_str));
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    let verified = names.into_iter().filter_map(|name| evidence.judge(name, signers).ok()).collect();
    Ok(Standing { verified, wildcards })
}

/// A signature whose mathematics hold; nobody has been asked about its key yet.
struct Evidence {
    envelope: Envelope,
    presence: Option<Presence>,
    namespace: Namespace,
    interval: (Timestamp, Timestamp),
}

impl Evidence {
    fn gather(
        message: &[u8],
        armor: &str,
        namespace: Namespace,
        interval: (Timestamp, Timestamp),
    ) -> Result<Self, SshError> {
        let (start, end) = interval;
        if start > end {
            return Err(SshError::Interval { start: start.to_string(), end: end.to_string() });
        }
        let envelope = Envelope::from_armor(armor)?;
        let presence = envelope.check(message, namespace)?;
        Ok(Self { envelope, presence, namespace, interval })
    }

    /// The lines that list the key or the certificate's authority.
    fn lines<'a>(&self, signers: &'a AllowedSigners) -> Result<Vec<&'a SignerLine>, SshError> {
        let (listed, authority) = match &self.envelope.signer {
            Signer::Key(key) => (key, false),
            Signer::Certificate(certificate) => (&certificate.authority, true),
        };
        let lists = |line: &&SignerLine| line.options.cert_authority == authority && line.key == *listed;
        let lines: Vec<&SignerLine> = signers.lines.iter().filter(lists).collect();
        if lines.is_empty() { Err(SshError::UnknownKey { key: listed.fingerprint() }) } else { Ok(lines) }
    }

    fn judge(&self, claimed: &str, signers: &AllowedSigners) -> Result<Verified, SshError> {
        if let Some(c) = text::unfit_in_name(claimed) {
            return Err(SshError::Name(u32::from(c)));
        }
        let mut refusal = None;
        let mut by_wildcard = None;
        for line in self.lines(signers)? {
            let Some(how) = line.principals.matches(claimed) else { continue };
            match (self.check(line, claimed), how) {
                (Ok(()), Match::Exact) => return Ok(self.verified(line, claimed, how)),
                (Ok(()), Match::Wildcard) => by_wildcard = by_wildcard.or(Some(line)),
                (Err(error), _) => refusal = refusal.or(Some(error)),
            }
        }
        if let Some(line) = by_wildcard {
            return Ok(self.verified(line, claimed, Match::Wildcard));
        }
        Err(refusal.unwrap_or_else(|| SshError::OtherPrincipal {
            key: self.envelope.signer.key().fingerprint(),
            principal: shown(claimed),
        }))
    }

    /// Whether the line's conditions, and the certificate's, hold for `claimed`.
    fn check(&self, line: &SignerLine, claimed: &str) -> Result<(), SshError> {
        let number = line.number;
        let (start, end) = self.interval;
        let options = &line.options;
        if let Signer::Certificate(certificate) = &self.envelope.signer {
            certificate.check(claimed, self.interval, self.presence)?;
            if !options.no_touch_required {
                certificate.check_authority_presence()?;
            }
        }
        let namespace = self.namespace.as_str();
        if options.namespaces.as_ref().is_some_and(|list| list.matches(namespace).is_none()) {
            return Err(SshError::KeyNamespace { line: number, namespace });
        }
        if let Some(after) = options.valid_after.filter(|after| start < *after) {
            return Err(SshError::NotYet { line: number, valid_after: after.to_string() });
        }
        if let Some(before) = options.valid_before.filter(|before| end >= *before) {
            return Err(SshError::Expired { line: number, valid_before: before.to_string() });
        }
        let untouched = self.presence.is_some_and(|presence| !presence.present);
        if untouched && !options.no_touch_required {
            Err(SshError::Presence { line: number })
        } else {
            Ok(())
        }
    }

    fn verified(&self, line: &SignerLine, claimed: &str, how: Match) -> Verified {
        let key = self.envelope.signer.key();
        Verified {
            principal: claimed.to_owned(),
            key: key.fingerprint(),
            key_type: key.type_name().to_owned(),
            via_certificate: match &self.envelope.signer {
                Signer::Key(_) => None,
                Signer::Certificate(certificate) => Some(ViaCertificate::of(certificate)),
            },
            wildcard: how == Match::Wildcard,
            valid: (line.options.valid_after, line.options.valid_before),
            line: line.number,
            touched: self.presence.map(|presence| presence.present),
        }
    }
}

impl ViaCertificate {
    fn of(certificate: &Certificate) -> Self {
        Self {
            authority: certificate.authority.fingerprint(),
            serial: certificate.serial,
            key_id: certificate.key_id.clone(),
            principals: certificate.principals.iter().map(|name| text::clean(name).into_owned()).collect(),
            valid: certificate.validity(),
        }
    }
}

impl Verified {
    /// Whether somebody who is trusted named the principal literally: a line of the file, or an authority in a
    /// certificate that it signed. Otherwise whoever holds the key chose the name within a pattern.
    pub fn is_named(&self) -> bool {
        // A certificate was checked for exactly this principal, see `Certificate::check`.
        !self.wildcard || self.via_certificate.is_some()
    }
}
