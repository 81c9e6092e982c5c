//! Which repository something in a ledger belongs to, and whether that is another one than ours.
//!
//! A ledger may be that of several repositories of one owner. Each has gates of its own there, whatever their names are:
//! what was granted, paused, counted or is owed in one of them is nothing to the others, nor is what an owner says of one
//! policy anything to another ([`crate::ownership`]).
//!
//! What lets somebody pass counts where the repository is the same for sure, as its scope says
//! ([`gate_policy::scope_holds`]). What holds somebody back (a pause, a place in a quota, a review that is owed, a policy
//! that was replaced) counts unless the repository is another one for sure: not where one of the names is unknown, so
//! that nobody gets rid of it by taking a name away. Which names mean one repository says [`gate_model::repository`].

use gate_model::context::Context;
use gate_model::payload::{Ask, GrantData, RequestData};
use gate_model::repository::is_another;
pub use gate_model::repository::is_elsewhere;

/// The repository that something asked for is for: the one in its scope, else the one where it was asked.
pub fn of<'a>(ask: &'a Ask, context: &'a Context) -> Option<&'a str> {
    ask.scope.repository.as_deref().or(context.repository.as_deref())
}

/// The repository of a grant.
pub fn of_grant(data: &GrantData) -> Option<&str> {
    of(&data.ask, &data.context)
}

/// The repository of a request.
pub fn of_request(data: &RequestData) -> Option<&str> {
    of(&data.ask, &data.context)
}

/// Whose gate something is of: the repository that it is for, and what else CI and the checkout called that. The first
/// name is one that the policy's aliases choose; who edits them changes no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whose<'a> {
    /// The repository that it is for.
    pub repository: Option<&'a str>,
    names: &'a [String],
}

impl<'a> Whose<'a> {
    /// Of nobody knows which: everybody's.
    pub const UNKNOWN: Self = Self { repository: None, names: &[] };

    /// Of what is asked for in `context`.
    pub fn of(ask: &'a Ask, context: &'a Context) -> Self {
        Self { repository: of(ask, context), names: &context.names }
    }

    /// Of a grant.
    pub fn of_grant(data: &'a GrantData) -> Self {
        Self::of(&data.ask, &data.context)
    }

    /// Of a request.
    pub fn of_request(data: &'a RequestData) -> Self {
        Self::of(&data.ask, &data.context)
    }

    /// Of a run in `context`.
    pub fn here(context: &'a Context) -> Self {
        Self { repository: context.repository.as_deref(), names: &context.names }
    }

    /// Whether the two are of two repositories for sure: each name of the one is another than each of the other, and
    /// neither is unknown.
    pub fn is_apart(self, other: Self) -> bool {
        let all = |one: Self| one.repository.into_iter().chain(one.names.iter().map(String::as_str));
        all(self).next().is_some()
            && all(other).next().is_some()
            && all(self).all(|name| all(other).all(|theirs| is_another(name, theirs)))
    }
}

/// A [`Whose`] that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    repository: Option<String>,
    names: Vec<String>,
}

impl Named {
    /// As it was.
    pub fn whose(&self) -> Whose<'_> {
        Whose { repository: self.repository.as_deref(), names: &self.names }
    }
}

impl From<Whose<'_>> for Named {
    fn from(whose: Whose<'_>) -> Self {
        Self { repository: whose.repository.map(str::to_owned), names: whose.names.to_vec() }
    }
}

/// Whether a pause is one of the repository of the run in `context`, unless that is another one for sure. Where the facts
/// of the run contradict each other nothing is sure. Whoever holds a gate, and whoever resumes it, asks this.
pub fn pauses_here(pause: &GrantData, context: &Context) -> bool {
    !context.conflicts.is_empty() || !Whose::of_grant(pause).is_apart(Whose::here(context))
}

#[cfg(test)]
mod tests {
    use gate_model::context::Context;
    use gate_model::payload::GrantData;

    use super::pauses_here;

    fn pause() -> GrantData {
        let policy = serde_json::json!({"digest": "b3:0", "source": "worktree"});
        serde_json::from_value(serde_json::json!({
            "action": "pause", "reason": "a freeze", "scope": {}, "ttl": {"text": "1h", "seconds": 3600},
            "not_before": "2026-11-22T10:00:00Z", "expires": "2026-11-22T11:00:00Z", "rule": 1, "policy": policy,
            "judge": 1, "context": {"repository": "host/acme/pay"},
        }))
        .unwrap()
    }

    #[test]
    fn a_pause_is_of_every_repository_that_is_not_surely_another() {
        let named = |name: &str| Context { repository: Some(name.to_owned()), ..Context::default() };
        for here in
            ["host/acme/pay", "host/acme/PAY.GIT", "host:8443/acme/pay", "https://www.host/acme/p%61y/"]
        {
            assert!(pauses_here(&pause(), &named(here)), "{here}");
        }
        assert!(pauses_here(&pause(), &Context::default()));
        let web = named("host/acme/web");
        assert!(!pauses_here(&pause(), &web));
        // Neither an alias nor a contradiction leads past it.
        assert!(pauses_here(&pause(), &Context { names: vec!["host/acme/pay".to_owned()], ..web.clone() }));
        assert!(pauses_here(&pause(), &Context { conflicts: vec!["CI says".to_owned()], ..web }));
    }
}
