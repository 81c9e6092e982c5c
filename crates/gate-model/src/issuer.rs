//! What binds a token of a CI system to a place.
//!
//! Purpose: an issuer such as GitHub's signs tokens for everybody's repositories, so that a token which is merely
//! genuine says nothing about ours. Whoever pins an issuer must say whose tokens count, by a claim that the issuer
//! itself fills in with the repository, its owner, or the project.
//!
//! Invariant: a claim that whoever runs a job can choose (the branch, the event, the actor, an environment's
//! name) binds nothing, whatever value is demanded of it.

/// A claim that names a repository, an owner or a project.
struct Binding {
    claim: &'static str,
    /// The claim that holds the same as a number or UUID, where this one is a name, which may be given up and
    /// taken by somebody else.
    lasting: Option<&'static str>,
}

const fn id(claim: &'static str) -> Binding {
    Binding { claim, lasting: None }
}

const fn name(claim: &'static str, lasting: &'static str) -> Binding {
    Binding { claim, lasting: Some(lasting) }
}

/// GitHub, GitLab, Azure Pipelines, Buildkite, CircleCI, Bitbucket, Google, AWS, Kubernetes; a name that begins
/// with `/` is a JSON pointer into the claims.
const BINDING: &[Binding] = &[
    id("repository_id"),
    id("repository_owner_id"),
    name("repository", "repository_id"),
    name("repository_owner", "repository_owner_id"),
    id("project_id"),
    id("namespace_id"),
    name("project_path", "project_id"),
    name("namespace_path", "namespace_id"),
    id("rpo_id"),
    id("prj_id"),
    id("def_id"),
    id("org_id"),
    id("organization_id"),
    name("organization_slug", "organization_id"),
    id("oidc.circleci.com/project-id"),
    id("repositoryUuid"),
    id("workspaceUuid"),
    id("email"),
    id("/google/compute_engine/project_id"),
    id("/google/compute_engine/project_number"),
    id("/https:~1~1sts.amazonaws.com~1/aws_account"),
    id("/https:~1~1sts.amazonaws.com~1/org_id"),
    id("/kubernetes.io/namespace"),
];

/// How a `sub` begins that names a repository, an owner or a project: GitHub and GitLab, Buildkite, CircleCI, Azure
/// (pipeline and service connection), Bitbucket, AWS, Jenkins (the job's page) and Kubernetes.
const SUBJECTS: &[&str] = &[
    "repo:",
    "repository",
    "project_",
    "organization:",
    "org/",
    "p://",
    "sc://",
    "{",
    "arn:",
    "https://",
    "system:serviceaccount:",
];

/// Whether the claim `claim` with the value `value` binds a token to a repository, an owner or a project.
///
/// `sub` is the issuer's sentence about the whole job. Owners of repositories on GitHub choose which of its parts
/// they want, so that it counts only where it begins with the place. Google's is a number of an account.
///
/// ```
/// use gate_model::issuer::binds;
/// assert!(binds("repository_owner_id", "1234"));
/// assert!(binds("sub", "repo:acme/pay:ref:refs/heads/main"));
/// assert!(!binds("sub", "environment:production"));
/// assert!(!binds("ref", "refs/heads/main"));
/// ```
pub fn binds(claim: &str, value: &str) -> bool {
    if claim == "sub" {
        let account = value.len() >= 10 && value.bytes().all(|b| b.is_ascii_digit());
        return account || SUBJECTS.iter().any(|start| value.starts_with(start));
    }
    BINDING.iter().any(|binding| binding.claim == claim)
}

/// The claim that says by a lasting id what `claim` says by a name.
pub fn lasting(claim: &str) -> Option<&'static str> {
    BINDING.iter().find(|binding| binding.claim == claim)?.lasting
}
