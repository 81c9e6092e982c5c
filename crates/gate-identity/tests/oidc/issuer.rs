//! An issuer made at test time: its key, its key set, its tokens, and the claims that real ones write.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

use crate::{GITHUB, GITLAB, NOW};

/// An issuer's private key.
pub(crate) enum Signer {
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Signer {
    pub(crate) fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap(), curve)
    }

    pub(crate) fn p256() -> Self {
        Self::ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")
    }

    pub(crate) fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    /// An RSA key of the openssl program; `ring` makes none.
    pub(crate) fn rsa() -> Option<Self> {
        let arguments =
            ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"];
        let Ok(output) = Command::new("openssl").args(arguments).output() else {
            eprintln!("skipped: openssl is not installed");
            return None;
        };
        // Versions differ in whether DER means PKCS #1 or PKCS #8.
        let pair = RsaKeyPair::from_der(&output.stdout).or_else(|_| RsaKeyPair::from_pkcs8(&output.stdout));
        Some(Self::Rsa(Box::new(pair.unwrap())))
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let encode = |bytes: &[u8]| BASE64.encode(bytes);
        match self {
            Self::Ecdsa(pair, curve) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({"kty":"EC","crv":curve,"x":encode(x),"y":encode(y),"kid":kid,"use":"sig"})
            }
            Self::Ed25519(pair) => {
                json!({"kty":"OKP","crv":"Ed25519","x":encode(pair.public_key().as_ref()),"kid":kid})
            }
            Self::Rsa(pair) => {
                let public: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({"kty":"RSA","n":encode(&public.n),"e":encode(&public.e),"kid":kid,"use":"sig"})
            }
        }
    }

    pub(crate) fn sign(&self, message: &[u8], encoding: &'static dyn RsaEncoding) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    pub(crate) fn token(&self, header: &str, claims: &str) -> String {
        self.token_with(header, claims, &RSA_PKCS1_SHA256)
    }

    pub(crate) fn token_with(
        &self,
        header: &str,
        claims: &str,
        encoding: &'static dyn RsaEncoding,
    ) -> String {
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = BASE64.encode(self.sign(signed.as_bytes(), encoding));
        format!("{signed}.{signature}")
    }
}

pub(crate) fn github() -> Value {
    json!({
        "jti": "1f5d9a3e", "sub": "repo:example/payments:environment:production", "aud": "gate", "iss": GITHUB,
        "repository": "example/payments", "repository_id": "1234", "ref": "refs/heads/main", "ref_type": "branch",
        "sha": "0123456789012345678901234567890123456789", "environment": "production", "actor": "carol",
        "actor_id": "77", "run_id": "987654", "run_number": "10", "run_attempt": "2", "event_name": "push",
        "job_workflow_ref": "example/payments/.github/workflows/ci.yml@refs/heads/main",
        "nbf": NOW - 300, "iat": NOW - 10, "exp": NOW + 290,
    })
}

pub(crate) fn gitlab() -> Value {
    json!({
        "jti": "c9", "sub": "project_path:group/sub/app:ref_type:tag:ref:v1", "aud": ["gate", "vault"], "iss": GITLAB,
        "project_path": "group/sub/app", "project_id": "20", "user_login": "dave", "user_id": "1",
        "pipeline_id": "574", "pipeline_source": "web", "job_id": "302", "ref": "v1", "ref_type": "tag",
        "sha": "abcdefabcdefabcdefabcdefabcdefabcdefabcd", "environment": null,
        "nbf": NOW - 15, "iat": NOW - 10, "exp": NOW + 3590,
    })
}

/// The claims with some members set, or removed where the value is null.
pub(crate) fn with(mut claims: Value, changes: &Value) -> String {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims.to_string()
}

pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
