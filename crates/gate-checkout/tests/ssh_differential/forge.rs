//! Envelopes written by hand: signatures that no `ssh-keygen` would make, and security keys in software.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, SHA512, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

/// The parts of an envelope, each of which a test may change.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) version: u32,
    pub(crate) key: Vec<u8>,
    pub(crate) namespace: String,
    pub(crate) reserved: Vec<u8>,
    pub(crate) hash: String,
    pub(crate) signature: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

impl Parts {
    /// Takes an armored signature apart.
    pub(crate) fn of(armor: &str) -> Self {
        let blob = dearmor(armor);
        let mut rest = &blob[6..];
        let version = u32::from_be_bytes(*take(&mut rest, 4).first_chunk().unwrap());
        let mut string = || take_string(&mut rest).to_vec();
        let (key, namespace, reserved, hash, signature) = (string(), string(), string(), string(), string());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            version,
            key,
            namespace: text(namespace),
            reserved,
            hash: text(hash),
            signature,
            after: Vec::new(),
        }
    }

    pub(crate) fn armor(&self) -> String {
        let mut blob = b"SSHSIG".to_vec();
        blob.extend(self.version.to_be_bytes());
        let fields =
            [&self.key[..], self.namespace.as_bytes(), &self.reserved, self.hash.as_bytes(), &self.signature];
        for field in fields {
            put_string(&mut blob, field);
        }
        blob.extend(&self.after);
        armor(&blob)
    }
}

/// What a signature over `message` covers.
pub(crate) fn signed_bytes(namespace: &str, message: &[u8]) -> Vec<u8> {
    let mut out = b"SSHSIG".to_vec();
    for field in [namespace.as_bytes(), b"", b"sha512", digest(&SHA512, message).as_ref()] {
        put_string(&mut out, field);
    }
    out
}

/// A security key (`PROTOCOL.u2f`) whose touch sensor is a parameter.
pub(crate) enum SecurityKey {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
}

impl SecurityKey {
    pub(crate) fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(crate) fn ecdsa() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self::Ecdsa(
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap(),
        )
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "sk-ssh-ed25519@openssh.com",
            Self::Ecdsa(_) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put_string(&mut blob, self.name().as_bytes());
        match self {
            Self::Ed25519(pair) => put_string(&mut blob, pair.public_key().as_ref()),
            Self::Ecdsa(pair) => {
                put_string(&mut blob, b"nistp256");
                put_string(&mut blob, pair.public_key().as_ref());
            }
        }
        put_string(&mut blob, b"ssh:");
        blob
    }

    /// The key as `allowed_signers` lists it.
    pub(crate) fn public(&self) -> String {
        format!("{} {}", self.name(), STANDARD.encode(self.blob()))
    }

    /// Signs with the given flags: 0x01 touched, 0x04 user verified.
    pub(crate) fn sign(&self, namespace: &str, message: &[u8], flags: u8) -> Parts {
        let trailer = [flags, 0, 0, 0, 9];
        let mut wrapped = digest(&SHA256, b"ssh:").as_ref().to_vec();
        wrapped.extend(trailer);
        wrapped.extend(digest(&SHA256, &signed_bytes(namespace, message)).as_ref());
        let mut signature = Vec::new();
        put_string(&mut signature, self.name().as_bytes());
        put_string(&mut signature, &self.raw(&wrapped));
        signature.extend(trailer);
        Parts {
            version: 1,
            key: self.blob(),
            namespace: namespace.into(),
            reserved: Vec::new(),
            hash: "sha512".into(),
            signature,
            after: Vec::new(),
        }
    }

    fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.sign(bytes).as_ref().to_vec(),
            Self::Ecdsa(pair) => {
                let fixed = pair.sign(&SystemRandom::new(), bytes).unwrap();
                let (r, s) = fixed.as_ref().split_at(32);
                let mut both = Vec::new();
                put_integer(&mut both, r);
                put_integer(&mut both, s);
                both
            }
        }
    }
}

pub(crate) fn armor(blob: &[u8]) -> String {
    let text = STANDARD.encode(blob);
    let lines: Vec<&str> =
        text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}

pub(crate) fn dearmor(armor: &str) -> Vec<u8> {
    let base64: String = armor.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(base64).unwrap()
}

pub(crate) fn put_string(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
    out.extend(value);
}

fn put_integer(out: &mut Vec<u8>, digits: &[u8]) {
    let zeros = digits.iter().take_while(|byte| **byte == 0).count();
    let mut value = digits[zeros..].to_vec();
    if value[0] >= 0x80 {
        value.insert(0, 0);
    }
    put_string(out, &value);
}

pub(crate) fn take_string<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = u32::from_be_bytes(*take(rest, 4).first_chunk().unwrap());
    take(rest, usize::try_from(length).unwrap())
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    head
}
