//! Where each fact of a run comes from, for whoever wonders.
//!
//! Nothing is told of any provider here: what was read is taken away, piece by piece, as long as a fact stays what it is.
//! What is left is enough for it, and none of it can be spared, so an answer is true whatever a provider's reader does.
//! Where several say the same, the one that is read first is named, which is the one that the reader prefers.

use std::cell::RefCell;
use std::path::Path;

use gate_identity::git::Checkout;

use super::{Facts, FactsError, find_checkout, merged};

/// How the checkout is called as a source.
const CHECKOUT: &str = "the checkout";

/// A fact and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub fact: &'static str,
    /// What it is.
    pub value: String,
    /// The names of variables, and others as words.
    pub from: Vec<String>,
}

/// The facts that are known here, each with what it rests on.
///
/// # Errors
/// A [`FactsError`], as [`super::gather`] gives it.
pub fn origins(
    env: &dyn Fn(&str) -> Option<String>,
    dir: &Path,
    aliases: &[String],
) -> Result<Vec<Origin>, FactsError> {
    let read = RefCell::new(Vec::new());
    let recording = |name: &str| {
        let value = env(name)?;
        let mut read = read.borrow_mut();
        if !read.iter().any(|(known, _)| known == name) {
            read.push((name.to_owned(), value.clone()));
        }
        Some(value)
    };
    let checkout = find_checkout(dir, &mut None)?;
    let facts = named(&merged(&recording, checkout.clone(), aliases)?);
    let world = World { variables: read.into_inner(), checkout, aliases };
    let told: Vec<Origin> = facts.into_iter().map(|fact| world.origin(fact)).collect();
    let marks = told.iter().find(|origin| origin.fact == "provider").map(|one| one.from.clone());
    Ok(told.into_iter().map(|origin| without_marks(origin, &marks.clone().unwrap_or_default())).collect())
}

/// What a provider is known by is named for the provider alone; and a name that nothing else tells is the system's.
fn without_marks(mut origin: Origin, marks: &[String]) -> Origin {
    if origin.fact != "provider" && origin.from.iter().any(|from| !marks.contains(from)) {
        origin.from.retain(|from| !marks.contains(from));
    }
    if origin.fact == "actor" && origin.from.is_empty() {
        origin.from.push("the operating system".to_owned());
    }
    origin
}

/// A fact by its name.
type Named = (&'static str, String);

/// What the facts of a run are made of.
#[derive(Clone)]
struct World<'a> {
    /// The variables that were read, in the order of reading. Those that were not have no part in any fact, and could
    /// not take the place of one that is taken away.
    variables: Vec<(String, String)>,
    checkout: Option<Checkout>,
    aliases: &'a [String],
}

impl World<'_> {
    fn tells(&self, fact: &Named) -> bool {
        let env = |name: &str| {
            self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        // A world in which no fact can be told does not tell this one.
        merged(&env, self.checkout.clone(), self.aliases).is_ok_and(|facts| named(&facts).contains(fact))
    }

    /// The fact with what cannot be spared: a variable before the checkout, and one that is read earlier before a later one.
    fn origin(&self, fact: Named) -> Origin {
        let mut left = self.clone();
        let bare = World { checkout: None, ..left.clone() };
        if bare.tells(&fact) {
            left = bare;
        }
        for at in (0..self.variables.len()).rev() {
            let mut less = left.clone();
            less.variables.remove(at);
            if less.tells(&fact) {
                left = less;
            }
        }
        let checkout = left.checkout.map(|_| CHECKOUT.to_owned());
        let from = left.variables.into_iter().map(|(name, _)| name).chain(checkout).collect();
        Origin { fact: fact.0, value: fact.1, from }
    }
}

/// The facts by their names; unknown ones are left out.
fn named(facts: &Facts) -> Vec<Named> {
    let context = &facts.context;
    let all = [
        ("actor", Some(facts.principal.id.clone())),
        ("provider", context.provider.clone()),
        ("repository", context.repository.clone()),
        ("commit", context.commit.clone()),
        ("ref", context.git_ref.clone()),
        ("change", context.change.clone()),
        ("environment", context.environment.clone()),
        ("run", context.run.as_ref().map(|run| run.id.clone())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::origins;
    use crate::git::sandbox::Sandbox;

    fn told(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Vec<String> {
        let env =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let found = origins(&env, sandbox.root(), &[]).expect("origins");
        found.iter().map(|one| format!("{} {}", one.fact, one.from.join(", "))).collect()
    }

    #[test]
    fn at_a_desk_all_is_the_checkouts_and_the_systems() {
        let sandbox = Sandbox::new();
        sandbox.git(&["remote", "add", "origin", "git@github.com:acme/pay.git"]);
        let told = told(&sandbox, &[]);
        let checkout = ["repository", "commit", "ref"].map(|fact| format!("{fact} the checkout"));
        assert_eq!(told, [vec!["actor the operating system".to_owned()], checkout.to_vec()].concat());
    }

    #[test]
    fn each_fact_of_a_pipeline_names_its_variables() {
        let sandbox = Sandbox::new();
        let head = sandbox.head();
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "carol"),
            ("GITHUB_REPOSITORY", "acme/pay"),
            ("GITHUB_REF", "refs/heads/release"),
            ("GITHUB_SHA", head.as_str()),
            ("GITHUB_RUN_ID", "77"),
            ("GATE_ENVIRONMENT", "production"),
        ];
        assert_eq!(
            told(&sandbox, &variables),
            [
                "actor GITHUB_ACTOR",
                "provider GITHUB_ACTIONS",
                "repository GITHUB_REPOSITORY",
                "commit GITHUB_SHA",
                "ref GITHUB_REF",
                "environment GATE_ENVIRONMENT",
                "run GITHUB_RUN_ID",
            ]
        );
    }

    #[test]
    fn of_what_several_say_alike_the_one_that_is_preferred_is_named() {
        let sandbox = Sandbox::new();
        let head = sandbox.head();
        sandbox
            .write("event.json", &format!(r#"{{"pull_request":{{"number":7,"head":{{"sha":"{head}"}}}}}}"#));
        let event = sandbox.root().join("event.json").display().to_string();
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "carol"),
            ("GITHUB_TRIGGERING_ACTOR", "carol"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_EVENT_PATH", event.as_str()),
            ("GITHUB_REF", "refs/pull/7/merge"),
        ];
        let told = told(&sandbox, &variables);
        for line in ["actor GITHUB_TRIGGERING_ACTOR", "ref GITHUB_REF", "change GITHUB_REF"] {
            assert!(told.iter().any(|one| one == line), "{line}: {told:?}");
        }
    }

    #[test]
    fn what_takes_several_together_names_them() {
        let sandbox = Sandbox::new();
        let variables = [
            ("GITLAB_CI", "true"),
            ("CI_SERVER_URL", "https://git.example.com"),
            ("CI_PROJECT_PATH", "acme/pay"),
        ];
        let told = told(&sandbox, &variables);
        let line = told.iter().find(|line| line.starts_with("repository ")).expect("the fact is known");
        assert!(line.contains("CI_SERVER_URL") && line.contains("CI_PROJECT_PATH"), "{line}");
    }
}
