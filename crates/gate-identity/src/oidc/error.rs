//! Why a token proves nothing. No message holds the token or its signature; a value from it is cut short and
//! made inert.

use super::jwks::JwksError;
use super::token::MAX_TOKEN;
use super::{MAX_LIFETIME, MAX_SKEW};

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// Longer than [`MAX_TOKEN`].
    #[error("the token is {0} bytes long; at most {MAX_TOKEN} are read")]
    TooLong(usize),
    /// Not three parts.
    #[error(
        "the token does not have three parts with dots between; pass the whole ID token and nothing else"
    )]
    Shape,
    /// A part that is not base64url without padding.
    #[error("the token's {0} is not base64url without padding")]
    Base64(&'static str),
    /// A part that is not a JSON object without duplicates.
    #[error("the token's {part}: {reason}")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// `alg` is `none`.
    #[error("the token is not signed (its alg is 'none')")]
    Unsigned,
    /// `alg` is an HMAC.
    #[error("the token is signed with a shared secret (HMAC), which proves nothing against a public key")]
    Symmetric,
    /// Another `alg`.
    #[error("the token's algorithm '{0}' is not accepted; RS, PS and ES with 256 or more bits and EdDSA are")]
    Algorithm(String),
    /// `crit` or `b64` in the header.
    #[error("the token's header has '{0}', which cannot be honoured")]
    Critical(&'static str),
    /// A claim or header member that is absent.
    #[error("the token's {part} lacks '{name}'")]
    Missing {
        /// `header` or `claims`.
        part: &'static str,
        /// The member.
        name: String,
    },
    /// A claim or header member of another type or with control characters.
    #[error("the token's '{name}' is not {wanted}")]
    Type {
        /// The member.
        name: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A name with a character that may not stand in one.
    #[error("the token's {claim} holds U+{point:04X}, which may not stand in a name")]
    Name {
        /// Which of its names.
        claim: &'static str,
        /// The character's code point.
        point: u32,
    },
    /// No policy entry for the issuer.
    #[error("the issuer '{0}' is not one that the policy pins; [[identity.oidc]] lists those that count")]
    Issuer(String),
    /// The issuer's pinned keys.
    #[error("the pinned keys of '{issuer}' cannot be used: {source}")]
    Jwks {
        /// The issuer.
        issuer: String,
        /// What is wrong with them.
        source: JwksError,
    },
    /// A key that is not pinned.
    #[error(
        "the key '{key}' of '{issuer}' is not among the pinned ones; if the issuer changed keys, pin its new JWKS"
    )]
    UnknownKey {
        /// The key's id, made inert.
        key: String,
        /// The issuer.
        issuer: String,
    },
    /// A key for another purpose or algorithm.
    #[error("the pinned key '{key}' is not for {algorithm} signatures")]
    KeyUse {
        /// The key's id, made inert.
        key: String,
        /// The token's algorithm.
        algorithm: &'static str,
    },
    /// A key of another kind.
    #[error("the pinned key '{key}' is of a kind that makes no {algorithm} signatures")]
    KeyKind {
        /// The key's id, made inert.
        key: String,
        /// The token's algorithm.
        algorithm: &'static str,
    },
    /// The mathematics.
    #[error(
        "the token's signature does not match: it was edited, or signed by another key than the pinned one"
    )]
    Signature,
    /// For somebody else.
    #[error("the token is for another audience than '{0}'; request it for that audience")]
    Audience(String),
    /// Over.
    #[error("the token expired at {0}; request a new one in the job that uses it")]
    Expired(String),
    /// Not yet begun.
    #[error("the token's '{claim}' is {at}, more than {MAX_SKEW} s ahead of the clock")]
    Future {
        /// `nbf` or `iat`.
        claim: &'static str,
        /// The instant.
        at: String,
    },
    /// Longer than any job, or of no length.
    #[error("the token is made to live {0} s; between 1 and {MAX_LIFETIME} are accepted")]
    Lifetime(i64),
    /// A claim that the policy requires, with another value or none.
    #[error("the token's '{claim}' is {found}, and the policy requires '{wanted}'")]
    Required {
        /// The claim.
        claim: String,
        /// What the policy says.
        wanted: String,
        /// What the token says, made inert.
        found: String,
    },
    /// Claims of no system that is known.
    #[error(
        "the claims of '{0}' are neither those of GitHub Actions nor of GitLab CI; [[identity.oidc]] map says which they are"
    )]
    Provider(String),
}
