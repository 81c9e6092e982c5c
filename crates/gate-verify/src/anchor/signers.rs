//! Whether a checkpoint's key is one that a policy trusts for requests.
//!
//! A policy entry holds the text of its `allowed_signers`, where an Ed25519 key is written as the base64 of
//! its SSH form (RFC 8709, section 4). That text is the same wherever the key stands, so it is searched for
//! in the entry's bytes; canonical JSON escapes none of its characters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate_ledger::note::VerifierKey;

/// What stands before the 32 bytes of an Ed25519 public key in SSH's form: two lengths and the type. With the
/// key it makes 51 bytes, so that the base64 has no padding and depends on nothing around it.
const SSH_ED25519: &[u8] = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20";

/// A key, and whether a policy of the ledger has it.
#[derive(Debug)]
pub(super) struct Fingerprint {
    pub(super) public: [u8; 32],
    text: String,
    pub(super) found: bool,
}

impl Fingerprint {
    pub(super) fn of(public: &[u8; 32]) -> Self {
        let text = STANDARD.encode([SSH_ED25519, public].concat());
        Self { public: *public, text, found: false }
    }

    /// Looks for the key in the body of a policy entry.
    pub(super) fn look_for_in(&mut self, body: &[u8]) {
        self.found = self.found || memchr::memmem::find(body, self.text.as_bytes()).is_some();
    }
}

/// The public bytes of a key.
pub(super) const fn public(key: &VerifierKey) -> [u8; 32] {
    *key.public()
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn a_key_is_found_in_allowed_signers() {
        // ssh-keygen's line for the public key 00 01 … 1f.
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        let key: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let mut known = Fingerprint::of(&key);
        known.look_for_in(b"{\"text\":\"someone else's\"}");
        assert!(!known.found);
        known.look_for_in(format!("{{\"text\":\"alice {line}\\n\"}}").as_bytes());
        assert!(known.found);
    }
}
