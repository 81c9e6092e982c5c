//! What a grant is bound to.

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::repository::is_same;

/// The places in which a grant counts. Each member that is present must hold; an empty scope is only ever a
/// pause's, which reaches the gate itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// The repository as `host/path`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// A full commit id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// A glob over full ref names (`refs/heads/release/*`); `*` does not cross `/`, `**` does.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// The number of one pull request (merge request, change).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// A deployment environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The id of one pipeline run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// The first member of a scope that does not hold, as a sentence's end: `is for commit 1234…, not 5678…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfScope(pub String);

/// Whether what a scope wants is what was found.
type Matches<'a> = &'a dyn Fn(&str, &str) -> bool;

/// The first twelve digits of a commit, as git shows it; any other text as it is.
pub fn short_commit(commit: &str) -> &str {
    let is_id = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    commit.get(..12).filter(|_| is_id).unwrap_or(commit)
}

impl Scope {
    /// Whether the scope names something narrower than the repository.
    pub const fn is_narrow(&self) -> bool {
        self.commit.is_some()
            || self.git_ref.is_some()
            || self.change.is_some()
            || self.environment.is_some()
            || self.run.is_some()
    }

    /// Whether this scope holds in `context`. A fact that is unknown satisfies nothing, and the repository is the same for
    /// sure.
    ///
    /// `glob` decides whether a ref matches a pattern; it is passed in so that this crate needs no matcher.
    ///
    /// # Errors
    /// The first member that does not hold.
    pub fn covers(&self, context: &Context, glob: impl Fn(&str, &str) -> bool) -> Result<(), OutOfScope> {
        let unknown = |name, wanted: &str| {
            let wanted = short_commit(wanted);
            Err(OutOfScope(format!("is for {name} {wanted}, and this {name} is unknown")))
        };
        let same = |wanted: &str, found: &str| is_same(wanted, found);
        self.compared(context, (&glob, &same), unknown)
    }

    /// Whether this scope can hold in `context`: a fact that is unknown may be the one that is meant, and so may a
    /// repository that is not another one for sure.
    ///
    /// # Errors
    /// The first member that does not hold.
    pub fn may_cover(&self, context: &Context, glob: impl Fn(&str, &str) -> bool) -> Result<(), OutOfScope> {
        let may_be = |wanted: &str, _: &str| !context.is_elsewhere(Some(wanted));
        self.compared(context, (&glob, &may_be), |_, _| Ok(()))
    }

    fn compared(
        &self,
        context: &Context,
        (glob, repository): (Matches<'_>, Matches<'_>),
        unknown: impl Fn(&'static str, &str) -> Result<(), OutOfScope>,
    ) -> Result<(), OutOfScope> {
        let run = context.run.as_ref().map(|run| run.id.as_str());
        let members = [
            ("repository", &self.repository, context.repository.as_deref()),
            ("commit", &self.commit, context.commit.as_deref()),
            ("ref", &self.git_ref, context.git_ref.as_deref()),
            ("change", &self.change, context.change.as_deref()),
            ("environment", &self.environment, context.environment.as_deref()),
            ("run", &self.run, run),
        ];
        for (name, wanted, found) in members {
            let Some(wanted) = wanted else { continue };
            let holds = |found: &str| match name {
                "repository" => repository(wanted, found),
                "ref" => glob(wanted, found),
                "run" => wanted == found || context.run.as_ref().is_some_and(|run| run.is_attempt(wanted)),
                _ => wanted == found,
            };
            match found {
                Some(found) if holds(found) => {}
                Some(found) => {
                    let (wanted, found) = (short_commit(wanted), short_commit(found));
                    return Err(OutOfScope(format!("is for {name} {wanted}, not {found}")));
                }
                None => unknown(name, wanted)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Scope};

    fn covers(scope: &Scope, context: &Context) -> bool {
        scope.covers(context, |pattern, text| pattern == text).is_ok()
    }

    #[test]
    fn an_unknown_fact_satisfies_nothing() {
        let scope = Scope { commit: Some("a".into()), ..Scope::default() };
        assert!(!covers(&scope, &Context::default()));
        assert!(covers(&scope, &Context { commit: Some("a".into()), ..Context::default() }));
        let another = Context { commit: Some("b".into()), ..Context::default() };
        assert!(!covers(&scope, &another));
        let may = |context: &Context| scope.may_cover(context, |pattern, text| pattern == text).is_ok();
        assert!(may(&Context::default()) && !may(&another));
    }

    #[test]
    fn a_repository_is_surely_the_same_or_may_be() {
        let scope = Scope { repository: Some("host/o/r".into()), ..Scope::default() };
        let context = |name: &str| Context { repository: Some(name.into()), ..Context::default() };
        let may = |context: &Context| scope.may_cover(context, |pattern, text| pattern == text).is_ok();
        for (name, sure, maybe) in [
            ("HOST/o/r.git", true, true),
            ("https://me@host:443/o/%72/", true, true),
            ("host:2222/o/r", false, true),
            ("host/O/R.GIT", false, true),
            ("www.host/o/r", false, true),
            ("host/o/x", false, false),
        ] {
            let context = context(name);
            assert_eq!((covers(&scope, &context), may(&context)), (sure, maybe), "{name}");
        }
        // What the policy calls it is no way around what CI and the checkout call it.
        let aliased = Context { names: vec!["host/o/r".into()], ..context("host/o/x") };
        assert!(may(&aliased) && !covers(&scope, &aliased));
    }

    #[test]
    fn every_member_must_hold() {
        let scope =
            Scope { repository: Some("r".into()), environment: Some("prod".into()), ..Scope::default() };
        let mut context = Context { repository: Some("r".into()), ..Context::default() };
        assert!(!covers(&scope, &context));
        context.environment = Some("prod".into());
        assert!(covers(&scope, &context));
    }
}
