//! The gates at a glance: which opt-outs are live, whether they count here, and what ends next.

use gate_ledger::store::Access;
use gate_model::action::Action;
use gate_model::decision::PolicyUsed;
use gate_model::level::Severity;
use gate_model::scope::Scope;
use gate_model::score::FailOn;
use gate_model::time::Timestamp;
use serde::Serialize;

use crate::admission::TransactError;
use crate::check::CheckError;
use crate::policies::Policies;
use crate::workspace::Workspace;
use gate_judge::standing::{Live, SetAside};

use crate::standing::{self, Question};
use crate::trailers;

/// The value of `schema`.
pub const SCHEMA: &str = "gate.list/1";

/// The list document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// When it was made.
    pub at: Timestamp,
    /// The policy in force.
    pub policy: PolicyUsed,
    /// The gates, by name.
    pub gates: Vec<GateView>,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateView {
    /// Its name.
    pub gate: String,
    /// How much it matters.
    pub severity: Severity,
    /// From where on findings block.
    pub fail_on: FailOn,
    /// The ways past that some rule allows.
    pub allows: Vec<Action>,
    /// Until when it is observed and stops nobody; left out of a gate that enforces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_until: Option<Timestamp>,
    /// Whether nothing starts without its ledger.
    pub require_ledger: bool,
    /// The live opt-outs, the next to end first.
    pub opt_outs: Vec<OptOutView>,
    /// What the trailers of the commit ask for and a run would admit, and why others give nothing, as sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<String>,
}

/// One live opt-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptOutView {
    /// Its ID.
    pub id: u64,
    /// What it does; unknown where its entry cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Whether it would count here and now.
    pub counts: bool,
    /// Why it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// How many uses are left, where they are limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
}

/// Why there is no overview.
#[derive(Debug, thiserror::Error)]
pub enum OverviewError {
    /// The ledger cannot be used.
    #[error(transparent)]
    Transact(#[from] TransactError),
    /// The facts of the run cannot be gathered.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl gate_model::exit::Ends for OverviewError {
    fn exit(&self) -> gate_model::exit::Exit {
        match self {
            Self::Transact(error) => error.exit(),
            Self::Check(error) => error.exit(),
        }
    }
}

/// Reads the overview.
///
/// # Errors
/// An [`OverviewError`].
pub fn read(workspace: &Workspace<'_>) -> Result<Overview, OverviewError> {
    let ledger = workspace.open(Access::Read).map_err(TransactError::from)?;
    let view = ledger.view();
    let head = view.head().map_err(TransactError::from)?;
    let now = workspace.now().max(head.at);
    let facts = workspace.facts().map_err(CheckError::from)?;
    let mut policies = Policies::default();
    let mut gates = Vec::new();
    for (name, gate) in &workspace.loaded.policy.gates {
        let question = Question {
            gate: name.as_str(),
            today: &workspace.loaded,
            context: &facts.context,
            now,
            seen: None,
        };
        let standing = standing::read(&view, &mut policies, &question).map_err(TransactError::from)?;
        let mut opt_outs: Vec<OptOutView> = standing.live.iter().map(counting).collect();
        opt_outs.extend(standing.set_aside.iter().map(aside));
        opt_outs.sort_by_key(|opt_out| (opt_out.expires.is_none(), opt_out.expires, opt_out.id));
        gates.push(GateView {
            gate: name.to_string(),
            severity: gate.severity,
            fail_on: gate.fail_on,
            allows: Action::ALL
                .into_iter()
                .filter(|action| gate.allow.iter().any(|rule| rule.actions.contains(action)))
                .collect(),
            observed_until: gate.observed(now),
            require_ledger: gate.require_ledger,
            opt_outs,
            trailers: if gate.takes_trailers() {
                trailers::outlook(workspace, &view, name.as_str())?
            } else {
                Vec::new()
            },
        });
    }
    Ok(Overview { schema: SCHEMA, at: now, policy: workspace.loaded.used.clone(), gates })
}

fn counting(live: &Live) -> OptOutView {
    OptOutView {
        id: live.id,
        action: Some(live.action),
        counts: true,
        note: None,
        by: Some(live.by.id.clone()),
        reason: Some(live.reason.clone()),
        expires: Some(live.expires),
        scope: Some(live.scope.clone()),
        uses_left: live.uses_left,
    }
}

fn aside(aside: &SetAside) -> OptOutView {
    OptOutView {
        id: aside.id,
        action: aside.action,
        counts: false,
        note: Some(format!("it {}", aside.why)),
        by: aside.by.clone(),
        reason: aside.reason.clone(),
        expires: aside.expires,
        scope: None,
        uses_left: None,
    }
}
