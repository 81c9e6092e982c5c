//! The four ways past a gate.

use serde::{Deserialize, Serialize};

/// What an opt-out does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The gate's command is not run.
    Skip,
    /// The gate ran and failed; the pipeline proceeds all the same.
    Override,
    /// The named findings are accepted; every other finding still blocks.
    Waive,
    /// Nothing passes the gate until it is resumed or its time is over.
    Pause,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Skip, Self::Override, Self::Waive, Self::Pause];

    /// The word used in documents, options and the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Override => "override",
            Self::Waive => "waive",
            Self::Pause => "pause",
        }
    }

    /// The action that `word` names, if it names one.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
