//! Digests, each with a BLAKE3 key-derivation context of its own, so that bytes hashed for one purpose can
//! never pass for another. Written `b3:` + 64 hexadecimal digits. The ledger's own context
//! (`gate-ledger v1 entry`) belongs to gate-ledger.

/// The context of a policy's text.
pub const POLICY: &str = "gate v1 policy";
/// The context of a request's canonical bytes.
pub const REQUEST: &str = "gate v1 request";
/// The context of a report's bytes.
pub const REPORT: &str = "gate v1 report";
/// The context of a commitment to personal text.
pub const COMMITMENT: &str = "gate v1 commitment";

/// The digest of `bytes` under `context`, as written in documents.
///
/// ```
/// use gate_model::digest;
/// let text = digest::of(digest::POLICY, b"version = 1\n");
/// // the same as: printf 'version = 1\n' | b3sum --derive-key 'gate v1 policy'
/// assert_eq!(text, "b3:222463478174cc422f7f79087534949ba8bd11f36b41456a206dd35277f96872");
/// ```
pub fn of(context: &str, bytes: &[u8]) -> String {
    written(&blake3::derive_key(context, bytes))
}

/// A digest's 32 bytes as documents write them.
pub fn written(hash: &[u8; 32]) -> String {
    format!("b3:{}", blake3::Hash::from_bytes(*hash).to_hex())
}

/// The 32 bytes of a written digest, if `text` is one (lower-case digits only).
pub fn read(text: &str) -> Option<[u8; 32]> {
    let hex = text.strip_prefix("b3:")?;
    if hex.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    blake3::Hash::from_hex(hex).ok().map(|hash| *hash.as_bytes())
}
