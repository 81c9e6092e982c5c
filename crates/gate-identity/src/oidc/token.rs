//! The compact serialisation of a token (RFC 7515 section 7.1), taken apart and not yet believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::error::OidcError;
use super::json::{self, Object};
use super::members::Members;

/// The longest token that is read, in bytes. Those of GitHub and GitLab have about 2 KiB.
pub const MAX_TOKEN: usize = 16 * 1024;

/// A token whose parts can be read.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
    pub(super) claims: Object,
    /// `header.claims` as they stand in the token: what is signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Reads header and claims. White space around the token is no part of it (a file ends in a newline).
    pub(super) fn parse(text: &'a str) -> Result<Self, OidcError> {
        if text.len() > MAX_TOKEN {
            return Err(OidcError::TooLong(text.len()));
        }
        let text = text.trim_ascii();
        let (signed, signature) = text.rsplit_once('.').ok_or(OidcError::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(OidcError::Shape)?;
        if claims.contains('.') {
            return Err(OidcError::Shape);
        }
        let header = object("header", header)?;
        let (algorithm, kid) = read_header(&header)?;
        Ok(Self {
            algorithm,
            kid,
            claims: object("claims", claims)?,
            signed: signed.as_bytes(),
            signature: decode("signature", signature)?,
        })
    }
}

fn read_header(header: &Object) -> Result<(Algorithm, String), OidcError> {
    // RFC 7515 section 4.1.11: what `crit` lists must be understood. Nothing of it is; `b64` (RFC 7797) would
    // change what is signed.
    if let Some(name) = ["crit", "b64"].into_iter().find(|name| header.contains_key(*name)) {
        return Err(OidcError::Critical(name));
    }
    let members = Members { part: "header", object: header };
    let algorithm = Algorithm::named(members.required_text("alg")?)?;
    Ok((algorithm, members.required_text("kid")?.to_owned()))
}

fn object(part: &'static str, encoded: &str) -> Result<Object, OidcError> {
    let bytes = decode(part, encoded)?;
    json::object(&bytes).map_err(|error| OidcError::Json { part, reason: error.to_string() })
}

fn decode(part: &'static str, encoded: &str) -> Result<Vec<u8>, OidcError> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| OidcError::Base64(part))
}
