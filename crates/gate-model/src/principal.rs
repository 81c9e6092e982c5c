//! Who acts, and how well that is known.

use serde::{Deserialize, Serialize};

/// How an identity is known. Ordered from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// From CI variables or the operating system: proves no more than write access.
    Asserted,
    /// From a CI token whose signature was verified.
    Oidc,
    /// From an SSH signature.
    Signed,
}

impl Assurance {
    /// Every assurance, weakest first.
    pub const ALL: [Self; 3] = [Self::Asserted, Self::Oidc, Self::Signed];

    /// The word used in documents and in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asserted => "asserted",
            Self::Oidc => "oidc",
            Self::Signed => "signed",
        }
    }

    /// The assurance that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assurance| assurance.as_str() == word)
    }
}

impl std::fmt::Display for Assurance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The person or workload who acts.
///
/// ```
/// let json = r#"{"id":"github:carol","assurance":"asserted","via":"github"}"#;
/// let principal: gate_model::principal::Principal = serde_json::from_str(json).unwrap();
/// assert_eq!(serde_json::to_string(&principal).unwrap(), json);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// `alice@example.com`, or with its source where only asserted: `github:carol`, `os:alice`.
    pub id: String,
    /// How the identity is known.
    pub assurance: Assurance,
    /// Where it comes from: `ssh`, `github`, `gitlab`, `os`, …
    pub via: String,
    /// The key's fingerprint (`SHA256:…`) behind a signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The issuer of the token behind an `oidc` identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

impl Principal {
    /// An identity that is merely asserted; `id` becomes `via:name`.
    pub fn asserted(via: &str, name: &str) -> Self {
        Self {
            id: format!("{via}:{name}"),
            assurance: Assurance::Asserted,
            via: via.to_owned(),
            key: None,
            issuer: None,
        }
    }

    /// Whoever says to be `name` and cannot show it.
    pub fn claimed(name: &str) -> Self {
        Self::asserted("claimed", name)
    }

    /// Whoever started a run of which the CI system `via` names nobody: a schedule, a hook, a shared account. It is no
    /// person, so it is nobody's request, approval or place in a quota; a rule for everybody (`*`) takes it.
    pub fn nobody(via: &str) -> Self {
        Self::asserted(via, "nobody")
    }

    /// Whether this is no person, see [`Principal::nobody`].
    pub fn is_nobody(&self) -> bool {
        self.assurance == Assurance::Asserted
            && self.id.split_once(':').is_some_and(|(_, name)| name == "nobody")
    }

    /// Whether the name was erased: then the id is the commitment to it, a pseudonym that stays the same within a
    /// ledger.
    pub fn is_erased(&self) -> bool {
        crate::digest::read(&self.id).is_some()
    }
}

/// How people are shown the id of a principal: one that was erased is called so.
pub fn shown(id: &str) -> &str {
    if crate::digest::read(id).is_some() { crate::text::ERASED } else { id }
}
