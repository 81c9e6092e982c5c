//! Which repository something in a ledger belongs to, and whether that is another one than ours.
//!
//! A ledger may be that of several repositories of one owner. Each has gates of its own there, whatever their names are:
//! what was granted, paused, counted or is owed in one of them is nothing to the others, nor is what an owner says of one
//! policy anything to another ([`crate::ownership`]).
//!
//! What lets somebody pass counts where the repository is the same for sure, as its scope says
//! ([`gate_policy::scope_holds`]). What holds somebody back (a pause, a place in a quota, a review that is owed, a policy
//! that was replaced) counts unless the repository is another one for sure: not where one of the names is unknown, so
//! that nobody gets rid of it by taking a name away.

use gate_identity::git;
use gate_model::context::Context;
use gate_model::payload::{Ask, GrantData, RequestData};

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

/// Whether `theirs` is another repository than ours for sure. Letter case and a port are no difference.
pub fn is_elsewhere(theirs: Option<&str>, here: Option<&str>) -> bool {
    matches!((theirs, here), (Some(theirs), Some(here)) if !git::same_repository(theirs, here))
}

#[cfg(test)]
mod tests {
    use super::is_elsewhere;

    #[test]
    fn only_two_names_that_are_known_and_differ_are_two_repositories() {
        let (pay, web) = (Some("github.com/acme/pay"), Some("github.com/acme/web"));
        assert!(is_elsewhere(pay, web));
        for (theirs, here) in [(pay, pay), (pay, None), (None, web), (None, None)] {
            assert!(!is_elsewhere(theirs, here), "{theirs:?} {here:?}");
        }
        assert!(!is_elsewhere(pay, Some("GitHub.com/Acme/Pay")));
    }
}
