//! Tokens as an issuer makes them: signed with Ed25519 keys of the test's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

/// The key that is made from this one byte.
pub fn key(byte: u8) -> SigningKey {
    SigningKey::from_bytes(&[byte; 32])
}

/// The issuer's keys: `key` alone, called `kid`.
pub fn jwks(kid: &str, key: &SigningKey) -> String {
    let x = BASE64.encode(key.verifying_key().as_bytes());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}]}).to_string()
}

/// A token with this header and these claims, signed with `key`.
pub fn signed(header: &str, claims: &Value, key: &SigningKey) -> String {
    let body = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims.to_string()));
    let signature = BASE64.encode(key.sign(body.as_bytes()).to_bytes());
    format!("{body}.{signature}")
}
