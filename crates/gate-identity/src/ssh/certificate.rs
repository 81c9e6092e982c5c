//! OpenSSH certificates (`PROTOCOL.certkeys`), read and checked in full.
//!
//! A certificate is believed where a `cert-authority` line of `allowed_signers` lists its authority, the
//! authority's signature covers all of it, it is for users, it names the principal, it is valid in the whole
//! interval, and every critical option is one that is understood. (`ssh-keygen -Y verify` ignores critical
//! options, and takes an authority's signature with SHA-1.)

use gate_model::time::Timestamp;

use super::crypto::{self, CryptoError, Presence, SignatureBlob};
use super::key::{KeyError, KeyType, PublicKey, read_fields, shown};
use super::wire::{Wire, WireError, put_string};

/// How many principals a certificate may name; OpenSSH's own limit (`SSHKEY_CERT_MAX_PRINCIPALS`).
const MAX_PRINCIPALS: usize = 256;

/// The one critical option that means something for a signature: the security key checked its user.
const VERIFY_REQUIRED: &str = "verify-required";

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The encoding.
    #[error("the certificate is malformed: {0}")]
    Wire(#[from] WireError),
    /// The key that it certifies, or its authority's.
    #[error("the certificate's key: {0}")]
    Key(#[from] KeyError),
    /// The authority's signature.
    #[error("the authority's signature on the certificate does not hold: {0}")]
    Authority(CryptoError),
    /// A host certificate.
    #[error("the certificate is not for a user; issue it without -h")]
    NotUser,
    /// It names nobody.
    #[error(
        "the certificate names no principal and would stand for everybody; issue it with `ssh-keygen -n NAME`"
    )]
    NoPrincipal,
    /// It names somebody else.
    #[error("the certificate does not name '{0}' among its principals")]
    OtherPrincipal(String),
    /// More principals than OpenSSH allows.
    #[error("the certificate names more than {MAX_PRINCIPALS} principals")]
    ManyPrincipals,
    /// Not valid at the start of the interval.
    #[error("the certificate is valid from {0}, later than the signature may have been made")]
    NotYet(String),
    /// Not valid at the end of the interval.
    #[error("the certificate is valid until {0}, and the signature may have been made later")]
    Expired(String),
    /// A critical option that is not understood.
    #[error("cannot verify a certificate with the critical option '{0}'; issue one without it")]
    CriticalOption(String),
    /// Options out of order or named twice.
    #[error("the certificate's {0} are not in order, or one is named twice")]
    Order(&'static str),
    /// `verify-required`, and the security key did not check its user.
    #[error("the certificate demands that the security key checks a PIN or fingerprint, and it did not")]
    NotVerified,
    /// The authority is a security key that nobody touched.
    #[error("nobody touched the authority's security key when the certificate was made")]
    AuthorityPresence,
}

/// A certificate whose authority's signature holds; whether to believe the authority is the caller's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The key that is certified.
    pub(super) key: PublicKey,
    /// The authority's key.
    pub(super) authority: PublicKey,
    /// The number that the authority gave it.
    pub(super) serial: u64,
    /// The label that the authority gave it.
    pub(super) key_id: String,
    /// Whom it names.
    pub(super) principals: Vec<String>,
    /// Seconds since 1970: valid from then on.
    valid_after: u64,
    /// Seconds since 1970: valid until just before then; `u64::MAX` is for ever.
    valid_before: u64,
    verify_required: bool,
    authority_presence: Option<Presence>,
}

/// The fields between the certified key and the authority's, as they stand on the wire.
struct Body<'a> {
    serial: u64,
    kind: u32,
    key_id: &'a str,
    principals: &'a [u8],
    valid_after: u64,
    valid_before: u64,
    critical: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Body<'a> {
    fn read(wire: &mut Wire<'a>) -> Result<Self, WireError> {
        let body = Self {
            serial: wire.u64("serial number")?,
            kind: wire.u32("type")?,
            key_id: wire.text("key id")?,
            principals: wire.string("principals")?,
            valid_after: wire.u64("valid after")?,
            valid_before: wire.u64("valid before")?,
            critical: wire.string("critical options")?,
            extensions: wire.string("extensions")?,
        };
        wire.string("reserved field")?;
        Ok(body)
    }
}

impl Certificate {
    /// Reads a certificate and checks its authority's signature, its type and its options.
    pub(super) fn from_blob(blob: &[u8]) -> Result<Self, CertificateError> {
        let mut wire = Wire::new(blob);
        let name = wire.text("type name")?;
        let kind = KeyType::of_certificate(name).ok_or_else(|| KeyError::Type(shown(name)))?;
        wire.string("nonce")?;
        let key = certified_key(kind, &mut wire)?;
        let body = Body::read(&mut wire)?;
        let authority = PublicKey::from_blob(wire.string("authority's key")?)?;
        let signed = &blob[..blob.len() - wire.remaining()];
        let signature = SignatureBlob::from_blob(wire.string("authority's signature")?)?;
        wire.finish()?;
        let presence = crypto::verify(&authority, signed, &signature).map_err(CertificateError::Authority)?;
        Self::from_parts(key, authority, &body, presence)
    }

    fn from_parts(
        key: PublicKey,
        authority: PublicKey,
        body: &Body<'_>,
        authority_presence: Option<Presence>,
    ) -> Result<Self, CertificateError> {
        const USER: u32 = 1;
        if body.kind != USER {
            return Err(CertificateError::NotUser);
        }
        options(body.extensions, "extensions")?;
        Ok(Self {
            key,
            authority,
            serial: body.serial,
            key_id: shown(body.key_id),
            principals: principals(body.principals)?,
            valid_after: body.valid_after,
            valid_before: body.valid_before,
            verify_required: verify_required(&options(body.critical, "critical options")?)?,
            authority_presence,
        })
    }

    /// Whether the certificate names `principal` and is valid in all of `interval`.
    pub(super) fn check(
        &self,
        principal: &str,
        interval: (Timestamp, Timestamp),
        presence: Option<Presence>,
    ) -> Result<(), CertificateError> {
        if self.principals.is_empty() {
            return Err(CertificateError::NoPrincipal);
        }
        if !self.principals.iter().any(|name| name == principal) {
            return Err(CertificateError::OtherPrincipal(shown(principal)));
        }
        if self.verify_required && !presence.is_some_and(|presence| presence.verified) {
            return Err(CertificateError::NotVerified);
        }
        self.check_dates(interval)
    }

    /// Whether somebody touched the authority's security key, if it is one.
    pub(super) fn check_authority_presence(&self) -> Result<(), CertificateError> {
        match self.authority_presence {
            Some(Presence { present: false, .. }) => Err(CertificateError::AuthorityPresence),
            _ => Ok(()),
        }
    }

    /// `valid after <= time < valid before` (`PROTOCOL.certkeys`), at both ends of the interval.
    fn check_dates(&self, (start, end): (Timestamp, Timestamp)) -> Result<(), CertificateError> {
        let micros = |seconds: u64| i128::from(seconds) * 1_000_000;
        if i128::from(start.micros()) < micros(self.valid_after) {
            return Err(CertificateError::NotYet(written(self.valid_after)));
        }
        if self.valid_before != u64::MAX && i128::from(end.micros()) >= micros(self.valid_before) {
            return Err(CertificateError::Expired(written(self.valid_before)));
        }
        Ok(())
    }

    /// The instants between which it is valid; nothing where an end is open.
    pub(super) fn validity(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let after = if self.valid_after == 0 { None } else { instant(self.valid_after) };
        (after, instant(self.valid_before))
    }
}

/// The certified key, rebuilt as the plain key's own blob.
fn certified_key(kind: KeyType, wire: &mut Wire<'_>) -> Result<PublicKey, CertificateError> {
    let mut blob = Vec::new();
    put_string(&mut blob, kind.name().as_bytes());
    let before = wire.clone();
    read_fields(kind, wire)?;
    let length = before.remaining() - wire.remaining();
    blob.extend_from_slice(before.clone().bytes(length, "public key")?);
    Ok(PublicKey::from_blob(&blob)?)
}

fn principals(bytes: &[u8]) -> Result<Vec<String>, CertificateError> {
    let mut wire = Wire::new(bytes);
    let mut names = Vec::new();
    while !wire.is_empty() {
        if names.len() == MAX_PRINCIPALS {
            return Err(CertificateError::ManyPrincipals);
        }
        names.push(wire.text("principal")?.to_owned());
    }
    Ok(names)
}

/// Names and data of options, which must stand in order and once each.
fn options<'a>(bytes: &'a [u8], what: &'static str) -> Result<Vec<(&'a str, &'a [u8])>, CertificateError> {
    let mut wire = Wire::new(bytes);
    let mut options: Vec<(&str, &[u8])> = Vec::new();
    while !wire.is_empty() {
        let name = wire.text(what)?;
        if options.last().is_some_and(|(last, _)| *last >= name) {
            return Err(CertificateError::Order(what));
        }
        options.push((name, wire.string(what)?));
    }
    Ok(options)
}

fn verify_required(critical: &[(&str, &[u8])]) -> Result<bool, CertificateError> {
    let understood = |(name, data): &&(&str, &[u8])| *name == VERIFY_REQUIRED && data.is_empty();
    match critical.iter().find(|option| !understood(option)) {
        Some((name, _)) => Err(CertificateError::CriticalOption(shown(name))),
        None => Ok(!critical.is_empty()),
    }
}

fn instant(seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds).ok()?;
    chrono::DateTime::from_timestamp(seconds, 0).and_then(Timestamp::new)
}

fn written(seconds: u64) -> String {
    instant(seconds).map_or_else(|| format!("second {seconds} after 1970"), |time| time.to_string())
}
