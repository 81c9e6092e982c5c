//! Digests, each with a BLAKE3 key-derivation context of its own, so that bytes hashed for one purpose can
//! never pass for another. Written `b3:` + 64 hexadecimal digits. The ledger's own context
//! (`gate-ledger v1 entry`) belongs to gate-ledger.

/// The context of a policy's text.
pub const POLICY: &str = "gate v1 policy";
/// The context of a request's canonical bytes.
pub const REQUEST: &str = "gate v1 request";
/// The context of a report's bytes.
pub const REPORT: &str = "gate v1 report";
/// The context of the digests of several reports.
pub const REPORTS: &str = "gate v1 reports";
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

/// The digest of several reports that are judged together, from the written digest of each: that of these lines, sorted,
/// each with its line feed, so that it does not depend on the order in which they were named.
///
/// ```
/// use gate_model::digest;
/// let each = [b"two".as_slice(), b"one"].map(|bytes| digest::of(digest::REPORT, bytes));
/// // the same as: b3sum --no-names --derive-key 'gate v1 report' FILE... | sed 's/^/b3:/' | sort |
/// //              b3sum --derive-key 'gate v1 reports'
/// assert_eq!(digest::of_reports(&each), "b3:e93f41017220c33e142a048faa06c0c6d2935894251dd7cf4a784a4556a06300");
/// ```
pub fn of_reports(each: &[impl AsRef<str>]) -> String {
    let mut lines: Vec<String> = each.iter().map(|digest| format!("{}\n", digest.as_ref())).collect();
    lines.sort_unstable();
    of(REPORTS, lines.concat().as_bytes())
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
