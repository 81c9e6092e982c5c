//! Where each fact of a run comes from, for whoever wonders.
//!
//! Nothing is told of any provider here: each variable that was read is taken away in turn, and the checkout, too, and what
//! comes out otherwise rests on it. So an answer is true whatever a provider's reader does.

use std::cell::RefCell;
use std::collections::BTreeSet;
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
    let read = RefCell::new(BTreeSet::new());
    let recording = |name: &str| {
        let value = env(name)?;
        read.borrow_mut().insert(name.to_owned());
        Some(value)
    };
    let checkout = find_checkout(dir, &mut None)?;
    let all = named(&merged(&recording, checkout.clone(), aliases)?);
    let variables = read.into_inner();
    let mut found: Vec<Origin> =
        all.iter().map(|(fact, value)| Origin { fact, value: value.clone(), from: Vec::new() }).collect();
    for with in [checkout.clone(), None] {
        let world = named(&merged(env, with.clone(), aliases)?);
        for name in &variables {
            let less = |asked: &str| (asked != name).then(|| env(asked)).flatten();
            let rest = named(&merged(&less, with.clone(), aliases)?);
            note(&mut found, &world, &rest, name);
        }
    }
    from_either(&mut found, env, &variables, checkout.as_ref(), aliases)?;
    from_checkout(&mut found, env, checkout, aliases)?;
    for origin in found.iter_mut().filter(|origin| origin.fact == "actor" && origin.from.is_empty()) {
        origin.from.push("the operating system".to_owned());
    }
    Ok(found)
}

/// A fact by its name.
type Named = (&'static str, String);

fn value<'a>(facts: &'a [Named], fact: &str) -> Option<&'a String> {
    facts.iter().find(|(name, _)| *name == fact).map(|(_, value)| value)
}

/// Names `source` for each fact that is `rest` without it and is what it is in the `world` with it. What a provider is
/// known by is named for the provider alone.
fn note(found: &mut [Origin], world: &[Named], rest: &[Named], source: &str) {
    let marks = value(world, "provider") != value(rest, "provider");
    for origin in found.iter_mut().filter(|origin| !marks || origin.fact == "provider") {
        let (there, without) = (value(world, origin.fact), value(rest, origin.fact));
        let is_new = !origin.from.iter().any(|from| from == source);
        if there == Some(&origin.value) && there != without && is_new {
            origin.from.push(source.to_owned());
        }
    }
}

/// Names two variables for each fact that either of them tells alone: it is the same without one, and not without both.
fn from_either(
    found: &mut [Origin],
    env: &dyn Fn(&str) -> Option<String>,
    variables: &BTreeSet<String>,
    checkout: Option<&Checkout>,
    aliases: &[String],
) -> Result<(), FactsError> {
    let mut without: Vec<Origin> = found.iter().filter(|origin| origin.from.is_empty()).cloned().collect();
    if without.is_empty() {
        return Ok(());
    }
    let world = named(&merged(env, checkout.cloned(), aliases)?);
    for (at, one) in variables.iter().enumerate() {
        for other in variables.iter().skip(at + 1) {
            let less = |asked: &str| (asked != one && asked != other).then(|| env(asked)).flatten();
            let rest = named(&merged(&less, checkout.cloned(), aliases)?);
            note(&mut without, &world, &rest, one);
            note(&mut without, &world, &rest, other);
        }
    }
    for origin in found.iter_mut().filter(|origin| origin.from.is_empty()) {
        let told = without.iter().find(|told| told.fact == origin.fact);
        origin.from.extend(told.into_iter().flat_map(|told| told.from.iter().cloned()));
    }
    Ok(())
}

/// Names the checkout for what is otherwise without it, and for what it says alone.
fn from_checkout(
    found: &mut [Origin],
    env: &dyn Fn(&str) -> Option<String>,
    checkout: Option<Checkout>,
    aliases: &[String],
) -> Result<(), FactsError> {
    if checkout.is_none() {
        return Ok(());
    }
    let (alone, less) = (merged(&|_| None, checkout, aliases)?, merged(env, None, aliases)?);
    let (alone, less) = (named(&alone), named(&less));
    for origin in found.iter_mut().filter(|origin| origin.fact != "actor") {
        if value(&alone, origin.fact) == Some(&origin.value)
            || value(&less, origin.fact) != Some(&origin.value)
        {
            origin.from.push(CHECKOUT.to_owned());
        }
    }
    Ok(())
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
                "commit GITHUB_SHA, the checkout",
                "ref GITHUB_REF",
                "environment GATE_ENVIRONMENT",
                "run GITHUB_RUN_ID",
            ]
        );
    }

    #[test]
    fn what_two_variables_say_alike_names_both() {
        let sandbox = Sandbox::new();
        let head = sandbox.head();
        sandbox
            .write("event.json", &format!(r#"{{"pull_request":{{"number":7,"head":{{"sha":"{head}"}}}}}}"#));
        let event = sandbox.root().join("event.json").display().to_string();
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_EVENT_PATH", event.as_str()),
            ("GITHUB_REF", "refs/pull/7/merge"),
        ];
        let told = told(&sandbox, &variables);
        for fact in ["ref ", "change "] {
            let line = told.iter().find(|line| line.starts_with(fact)).expect("the fact is known");
            assert!(line.contains("GITHUB_REF") && line.contains("GITHUB_EVENT_PATH"), "{line}");
        }
    }
}
