//! What the claims of a CI system's tokens mean, and which of them bind a token to a place.
//!
//! Purpose: each system has names of its own for who acts, where, and on what; [`Mapping`] is how they are read. And an issuer such as GitHub's signs tokens for everybody's repositories, so that a token which is merely
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

/// A system whose tokens are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// GitHub Actions: github.com, GitHub Enterprise.
    Github,
    /// GitLab CI: gitlab.com, or a server of one's own.
    Gitlab,
    /// Azure Pipelines.
    Azure,
    /// Buildkite.
    Buildkite,
    /// `CircleCI`.
    Circleci,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// The `OpenID` Connect Provider plugin of Jenkins.
    Jenkins,
    /// Service accounts of Google Cloud.
    Google,
    /// Roles of AWS.
    Aws,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 9] = [
        Self::Github,
        Self::Gitlab,
        Self::Azure,
        Self::Buildkite,
        Self::Circleci,
        Self::Bitbucket,
        Self::Jenkins,
        Self::Google,
        Self::Aws,
    ];

    /// The word used in the policy, and in front of the ids of its principals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Azure => "azure",
            Self::Buildkite => "buildkite",
            Self::Circleci => "circleci",
            Self::Bitbucket => "bitbucket",
            Self::Jenkins => "jenkins",
            Self::Google => "google",
            Self::Aws => "aws",
        }
    }

    /// The system whose issuer this is, where its address tells.
    ///
    /// ```
    /// use gate_model::issuer::Preset;
    /// assert_eq!(Preset::of("https://oidc.circleci.com/org/8e4…"), Some(Preset::Circleci));
    /// assert_eq!(Preset::of("https://ci.example.com"), None);
    /// ```
    pub fn of(issuer: &str) -> Option<Self> {
        let (host, path) = split(issuer);
        Some(match host {
            // GitHub Enterprise Cloud with data residency issues from token.actions.SUBDOMAIN.ghe.com.
            "token.actions.githubusercontent.com" => Self::Github,
            _ if host.starts_with("token.actions.") && host.ends_with(".ghe.com") => Self::Github,
            _ if path == "_services/token" => Self::Github,
            "gitlab.com" => Self::Gitlab,
            "vstoken.dev.azure.com" => Self::Azure,
            "agent.buildkite.com" => Self::Buildkite,
            "oidc.circleci.com" => Self::Circleci,
            "api.bitbucket.org" => Self::Bitbucket,
            "accounts.google.com" => Self::Google,
            _ if host.ends_with(".tokens.sts.global.api.aws") => Self::Aws,
            _ => return None,
        })
    }

    /// Which claims say what. GitHub's and GitLab's say more than a map can, and are read by rules of their own.
    ///
    /// A system's name for a branch is left out where a fork's branch has the same one.
    pub fn map(self) -> ClaimMap {
        let claim = |name: &str| Some(name.to_owned());
        let map = |subject: &[&str]| ClaimMap {
            via: self.as_str().to_owned(),
            subject: subject.iter().map(|name| (*name).to_owned()).collect(),
            ..ClaimMap::default()
        };
        match self {
            Self::Github => map(&["actor"]),
            Self::Gitlab => map(&["user_login"]),
            Self::Azure => ClaimMap {
                repository: claim("rpo_uri"),
                git_ref: claim("rpo_ref"),
                commit: claim("rpo_ver"),
                run: claim("run_id"),
                ..map(&["sub"])
            },
            Self::Buildkite => {
                ClaimMap { commit: claim("build_commit"), ..map(&["organization_slug", "pipeline_slug"]) }
            }
            Self::Circleci => ClaimMap {
                repository: claim("oidc.circleci.com/vcs-origin"),
                git_ref: claim("oidc.circleci.com/vcs-ref"),
                ..map(&["sub"])
            },
            Self::Bitbucket => map(&["repositoryUuid"]),
            Self::Google => map(&["email"]),
            Self::Jenkins | Self::Aws => map(&["sub"]),
        }
    }
}

/// Host (with port) and path of an issuer's address.
pub fn split(issuer: &str) -> (&str, &str) {
    let after = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    after.split_once('/').map_or((after, ""), |(host, path)| (host, path.trim_end_matches('/')))
}

/// Which claims say what. Each is a name, or a JSON pointer (a name that begins with `/`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimMap {
    /// What stands in front of the principals' ids: `azure` in `azure:p://acme/pay/build`.
    pub via: String,
    /// Who acts; the values of several claims are joined by `/`.
    pub subject: Vec<String>,
    /// The repository: an address, or `host/path`.
    pub repository: Option<String>,
    /// The ref's full name. Another value says nothing, since a fork may call its branch `main`.
    pub git_ref: Option<String>,
    /// The commit's object id.
    pub commit: Option<String>,
    /// The deployment environment.
    pub environment: Option<String>,
    /// The run's id.
    pub run: Option<String>,
}

/// How the claims of an issuer are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapping {
    /// As those of a known system.
    Preset(Preset),
    /// As the policy says.
    Claims(ClaimMap),
}
