//! Whether a checkpoint's key is one that a policy trusts for requests.
//!
//! A policy entry holds the text of its `allowed_signers`, where an Ed25519 key is written as the base64 of
//! its SSH form (RFC 8709, section 4). That text is the same wherever the key stands, so it is searched for
//! in the entry's bytes; canonical JSON escapes none of its characters.

use gate_ledger::note::VerifierKey;

/// A key, and whether a policy of the ledger has it.
#[derive(Debug)]
pub(super) struct Fingerprint {
    pub(super) key: VerifierKey,
    text: String,
    pub(super) found: bool,
}

impl Fingerprint {
    pub(super) fn of(key: &VerifierKey) -> Self {
        Self { key: key.clone(), text: key.to_ssh_base64(), found: false }
    }

    /// Looks for the key in the body of a policy entry.
    pub(super) fn look_for_in(&mut self, body: &[u8]) {
        self.found = self.found || memchr::memmem::find(body, self.text.as_bytes()).is_some();
    }
}

#[cfg(test)]
mod tests {
    use gate_ledger::note::{KeyKind, VerifierKey};

    use super::Fingerprint;

    #[test]
    fn a_key_is_found_in_allowed_signers() {
        // ssh-keygen's line for the public key 00 01 … 1f.
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        let key: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let key = VerifierKey::new("example.org/log", KeyKind::Note, key).unwrap();
        let mut known = Fingerprint::of(&key);
        known.look_for_in(b"{\"text\":\"someone else's\"}");
        assert!(!known.found);
        known.look_for_in(format!("{{\"text\":\"alice {line}\\n\"}}").as_bytes());
        assert!(known.found);
    }
}
