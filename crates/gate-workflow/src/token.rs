//! A CI token beside CI's variables: what the token states is known, and what the variables state otherwise
//! is a contradiction, which no opt-out survives.

use gate_checkout::facts::{Facts, Origin};
use gate_identity::oidc::{self, Claims, Issuer, OidcError};
use gate_model::context::{Context, change_of};
use gate_model::principal::Assurance;
use gate_model::repository::{canonical, is_another, is_same};
use gate_model::time::Timestamp;

use crate::workspace::TOKEN_VARIABLE;
use gate_judge::policy_text::Loaded;

/// Why a token does not count.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It does not hold.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// The policy trusts no issuer.
    #[error("the policy names no issuer ([[identity.oidc]])")]
    NoIssuer,
}

/// The facts with what `token` proves. One that does not hold proves nothing: the facts stay what they would be
/// without it, asserted, and [`Facts::notes`] says why. So it can neither open a gate nor stop a command that passes,
/// and a key that an issuer retired breaks no pipeline that needs no proof.
pub fn prove(facts: Facts, token: &str, loaded: &Loaded, now: Timestamp) -> Facts {
    match claims(token, loaded, now) {
        Ok(claims) => {
            let context = Settlement::default().of(&facts, &claims, &loaded.policy.aliases);
            Facts { principal: claims.principal, context, ..facts }
        }
        Err(error) => {
            let mut notes = facts.notes;
            notes.push(format!(
                "the token in {TOKEN_VARIABLE} does not count, so this run is only asserted: {error}"
            ));
            Facts { notes, ..facts }
        }
    }
}

/// Where each fact of `known` comes from, as sentences; `asserted` is what it would be without the token.
pub fn origins(known: &Facts, asserted: &[Origin]) -> Vec<String> {
    let Facts { principal, context, .. } = known;
    let facts = [
        ("actor", Some(principal.id.as_str()), principal.assurance == Assurance::Oidc),
        ("provider", context.provider.as_deref(), false),
        ("repository", context.repository.as_deref(), true),
        ("commit", context.commit.as_deref(), true),
        ("ref", context.git_ref.as_deref(), true),
        ("change", context.change.as_deref(), true),
        ("environment", context.environment.as_deref(), true),
        ("run", context.run.as_ref().map(|run| run.id.as_str()), true),
    ];
    let is_proven = |name: &str, can: bool| {
        can && (name == "actor" || context.assurance == Some(Assurance::Oidc))
            && !context.unproven.iter().any(|fact| fact == name)
    };
    let told = facts.into_iter().map(|(name, value, can)| {
        let Some(value) = value else { return format!("{name} is unknown") };
        let stated = asserted.iter().find(|origin| origin.fact == name && origin.value == value);
        let from = match stated {
            _ if is_proven(name, can) => format!("the token in {TOKEN_VARIABLE}"),
            Some(origin) => origin.from.join(" and "),
            None => format!("the run and the token in {TOKEN_VARIABLE}, which does not prove it"),
        };
        format!("{name} is {value}, from {from}")
    });
    told.collect()
}

fn claims(token: &str, loaded: &Loaded, now: Timestamp) -> Result<Claims, TokenError> {
    let mut issuers = Vec::new();
    for issuer in &loaded.policy.identity.oidc {
        let keys = loaded.files.iter().find(|file| file.path == issuer.jwks);
        issuers.push(Issuer {
            issuer: &issuer.issuer,
            audience: &issuer.audience,
            jwks_text: keys.map_or("", |keys| &keys.text),
            claims: &issuer.claims,
            map: issuer.map.as_ref(),
        });
    }
    if issuers.is_empty() {
        return Err(TokenError::NoIssuer);
    }
    Ok(oidc::verify(token, &issuers, now)?)
}

/// All that CI, the checkout and the token call the repository, where that is more than the one name that it comes to: the
/// text that names the issuers, and the aliases, has no say in whose it is.
fn names(said: &Context, claimed: Option<&str>, settled: Option<&str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in said.stated_names().into_iter().chain(claimed) {
        if !names.iter().any(|known| is_same(known, name)) {
            names.push(name.to_owned());
        }
    }
    let is_plain = matches!((names.as_slice(), settled), ([one], Some(settled)) if is_same(one, settled));
    if is_plain { Vec::new() } else { names }
}

/// What comes of comparing the token with the variables.
#[derive(Default)]
struct Settlement {
    conflicts: Vec<String>,
    /// The facts that only a variable states.
    unproven: Vec<String>,
}

impl Settlement {
    /// The context in which what the token states is proven. Where both speak they are compared by what they mean
    /// (`refs/pull/7/merge` and `refs/pull/7/head` are one change); where they differ, that is a conflict. What only
    /// a variable states stays asserted, and is told apart in [`Context::unproven`].
    fn of(mut self, facts: &Facts, claims: &Claims, aliases: &[String]) -> Context {
        let said = facts.context.clone();
        let proven = claims.repository.as_deref().map(|name| canonical(name, aliases));
        let of_branch = said.git_ref.as_deref().is_some_and(|name| change_of(name).is_none());
        if claims.of_change && claims.git_ref.is_none() && of_branch {
            let name = said.git_ref.as_deref().unwrap_or_default();
            self.conflicts
                .push(format!("the variables say that the ref is {name}, and the token is for a change"));
        }
        let same_ref = |one: &str, other: &str| {
            one == other || (change_of(one).is_some() && change_of(one) == change_of(other))
        };
        let equal = |one: &str, other: &str| one == other;
        self.compare("source branch", facts.stated.source_branch.as_deref(), claims.source_branch.as_deref());
        let runs = [said.run.as_ref(), claims.run.as_ref()].map(|run| run.map(|run| run.id.as_str()));
        self.compare("run", runs[0], runs[1]);
        let commit = self.commit(facts, claims);
        let is_one = |one: &str, other: &str| !is_another(one, other);
        let settled = self.settle("repository", said.repository.clone(), proven.clone(), is_one);
        // What is not surely the same is not proven by the other.
        let is_proven = |name: &String| settled.as_deref().is_none_or(|said| is_same(said, name));
        let repository = if proven.as_ref().is_none_or(is_proven) { settled } else { proven };
        let names = names(&said, claims.repository.as_deref(), repository.as_deref());
        let git_ref = self.settle("ref", said.git_ref, claims.git_ref.clone(), same_ref);
        let change = self.settle("change", said.change, claims.change.clone(), equal);
        let environment = self.settle("environment", said.environment, claims.environment.clone(), equal);
        if said.run.is_some() && claims.run.is_none() {
            self.unproven.push("run".to_owned());
        }
        let run = said.run.filter(|run| claims.run.as_ref().is_none_or(|proven| proven.id == run.id));
        Context {
            provider: said.provider.or_else(|| Some(claims.principal.via.clone())),
            repository,
            names,
            git_ref,
            commit,
            merge: said.merge,
            change,
            environment,
            run: run.or_else(|| claims.run.clone()),
            dirty: said.dirty,
            assurance: Some(Assurance::Oidc),
            unproven: self.unproven,
            conflicts: [said.conflicts, self.conflicts].concat(),
        }
    }

    fn compare(&mut self, what: &str, said: Option<&str>, proven: Option<&str>) {
        if let (Some(said), Some(proven)) = (said, proven)
            && said != proven
        {
            self.conflict(what, said, proven);
        }
    }

    fn conflict(&mut self, what: &str, said: &str, proven: &str) {
        let sentence = format!("the variables say that the {what} is {said}, and the token says {proven}");
        self.conflicts.push(sentence);
    }

    fn settle(
        &mut self,
        what: &str,
        said: Option<String>,
        proven: Option<String>,
        same: impl Fn(&str, &str) -> bool,
    ) -> Option<String> {
        match (said, proven) {
            (Some(said), Some(proven)) if same(&said, &proven) => Some(said),
            (Some(said), Some(proven)) => {
                self.conflict(what, &said, &proven);
                Some(proven)
            }
            (Some(said), None) => {
                self.unproven.push(what.to_owned());
                Some(said)
            }
            (None, proven) => proven,
        }
    }

    /// The commit under test. A token names the one that CI built: behind a change's merge, or beside a change, the
    /// change's own counts, which the checkout showed or the event named.
    fn commit(&mut self, facts: &Facts, claims: &Claims) -> Option<String> {
        let said = &facts.context;
        let built = facts.stated.built.as_ref().or(said.merge.as_ref()).or(said.commit.as_ref());
        let Some(proven) = &claims.commit else {
            // A checkout shows which commit it is at, whatever the variables say.
            if said.commit.is_some() && facts.checkout.is_none() {
                self.unproven.push("commit".to_owned());
            }
            return said.commit.clone();
        };
        if let Some(built) = built
            && !proven.starts_with(built.as_str())
        {
            self.conflict("commit", built, proven);
        }
        said.commit.clone().or_else(|| Some(proven.clone()).filter(|_| !claims.of_change))
    }
}
