//! The name of a remote: `git:WHERE[#BRANCH[&prefix=TEXT][&author=NAME <EMAIL>]]`.
//!
//! WHERE is the name of a remote of the checkout, a URL, `host:path` as ssh has it, or a path. It stands in a policy
//! that everybody can read, so that it holds no password.

use gate_ledger::remote::RemoteError;
use gate_model::text::visible;

use crate::error::usage;

/// The branch where none is named.
const BRANCH: &str = "gate-ledger";
/// The transports that are used; git knows others that run programs.
const SCHEMES: [&str; 5] = ["https", "http", "ssh", "git", "file"];

/// A remote as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) place: Place,
    /// The whole name of the ref, `refs/heads/gate-ledger`.
    pub(crate) branch: String,
    /// What commit messages begin with.
    pub(crate) prefix: String,
    /// Who commits: a name and an e-mail address.
    pub(crate) author: (String, String),
}

/// Where the repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// What the checkout's configuration calls so.
    Remote(String),
    /// A URL, or a path.
    Url(String),
}

impl Address {
    pub(crate) fn parse(name: &str) -> Result<Self, RemoteError> {
        let shown = visible(name);
        let wrong = |defect: &str| {
            usage(
                format!("the remote '{shown}' {defect}"),
                "write git:origin, or git:URL#branch; see gate-remote(7)",
            )
        };
        let rest = name.strip_prefix("git:").ok_or_else(|| wrong("does not begin with git:"))?;
        let (place, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let mut parts = fragment.split('&');
        let branch = parts.next().filter(|branch| !branch.is_empty()).unwrap_or(BRANCH);
        let mut address = Self {
            place: read_place(place).map_err(&wrong)?,
            branch: whole_name(branch).ok_or_else(|| wrong("names a branch that git would not take"))?,
            prefix: String::new(),
            author: ("gate".to_owned(), "gate@localhost".to_owned()),
        };
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = decode(value).ok_or_else(|| wrong("has an escape that is none"))?;
            match key {
                "prefix" => address.prefix = value,
                "author" => {
                    address.author = author(&value).ok_or_else(|| wrong("has no NAME <EMAIL> as author"))?;
                }
                _ => return Err(wrong("has an option that is neither prefix nor author")),
            }
        }
        Ok(address)
    }
}

fn read_place(place: &str) -> Result<Place, &'static str> {
    if place.is_empty() || place.starts_with('-') || place.chars().any(char::is_control) {
        return Err("does not say where");
    }
    if let Some((scheme, rest)) = place.split_once("://") {
        if !SCHEMES.contains(&scheme) {
            return Err("has a URL that is not of https, http, ssh, git or file");
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        // Where ssh has a name, https has a token as often as one.
        let secret = user.is_some_and(|user| user.contains(':') || scheme.starts_with("http"));
        return if secret { Err("has a user or a password in it") } else { Ok(Place::Url(place.to_owned())) };
    }
    if place.contains("::") {
        return Err("names a transport of its own");
    }
    let is_name = !place.contains(['/', ':']) && place != "." && place != "..";
    Ok(if is_name { Place::Remote(place.to_owned()) } else { Place::Url(place.to_owned()) })
}

/// The whole name of a branch or ref, in characters that mean nothing to anybody (git-check-ref-format(1) allows more).
fn whole_name(branch: &str) -> Option<String> {
    let plain = |part: &str| {
        let harmless = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let placed = !part.starts_with(['.', '-']) && !part.ends_with('.');
        // Git keeps its locks beside the refs.
        let placed = placed && part.strip_suffix(".lock").is_none();
        !part.is_empty() && harmless && placed && !part.contains("..")
    };
    let whole = if branch.starts_with("refs/") { branch.to_owned() } else { format!("refs/heads/{branch}") };
    (whole.split('/').all(plain) && whole.split('/').count() > 2).then_some(whole)
}

fn author(text: &str) -> Option<(String, String)> {
    let (name, rest) = text.split_once('<')?;
    let (name, email) = (name.trim(), rest.strip_suffix('>')?);
    let plain =
        |text: &str| !text.is_empty() && !text.contains(['<', '>']) && !text.chars().any(char::is_control);
    (plain(name) && plain(email)).then(|| (name.to_owned(), email.to_owned()))
}

/// Percent-encoded text.
fn decode(text: &str) -> Option<String> {
    let bytes = gate_model::percent::decode(text.as_bytes())?;
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::{Address, Place};

    fn parsed(name: &str) -> Address {
        Address::parse(name).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[test]
    fn remotes_urls_and_paths_are_told_apart() {
        let remote = |name: &str| Place::Remote(name.to_owned());
        let url = |url: &str| Place::Url(url.to_owned());
        for (name, place, branch) in [
            ("git:origin", remote("origin"), "refs/heads/gate-ledger"),
            ("git:origin#", remote("origin"), "refs/heads/gate-ledger"),
            ("git:up-stream#records/a.b", remote("up-stream"), "refs/heads/records/a.b"),
            (
                "git:ssh://git@host/team/l.git#payments",
                url("ssh://git@host/team/l.git"),
                "refs/heads/payments",
            ),
            ("git:git@host:team/l.git#refs/gate/x", url("git@host:team/l.git"), "refs/gate/x"),
            ("git:https://host:8443/l.git", url("https://host:8443/l.git"), "refs/heads/gate-ledger"),
            ("git:/srv/ledger.git", url("/srv/ledger.git"), "refs/heads/gate-ledger"),
            ("git:../ledger.git", url("../ledger.git"), "refs/heads/gate-ledger"),
        ] {
            let address = parsed(name);
            assert_eq!((address.place, address.branch.as_str()), (place, branch), "{name}");
        }
    }

    #[test]
    fn options_are_percent_encoded() {
        let address = parsed("git:origin#x&prefix=chore:%20&author=Gate%20Bot%20<bot@example.com>");
        assert_eq!(address.prefix, "chore: ");
        assert_eq!(address.author, ("Gate Bot".to_owned(), "bot@example.com".to_owned()));
    }

    #[test]
    fn what_git_would_take_for_an_option_a_program_or_a_secret_is_refused() {
        for name in [
            "origin",
            "git:",
            "git:--upload-pack=evil",
            "git:ext::sh -c evil",
            "git:foo::bar",
            "git:ftp://host/x",
            "git:https://user:secret@host/x.git",
            "git:https://token@host/x.git",
            "git:ssh://git:secret@host/x.git",
            "git:origin#-x",
            "git:origin#a..b",
            "git:origin#a/.b",
            "git:origin#a.lock",
            "git:origin#a//b",
            "git:origin#refs/x",
            "git:origin#a b",
            "git:origin#x&color=red",
            "git:origin#x&prefix=%0a",
            "git:origin#x&prefix=%f",
            "git:origin#x&author=me",
            "git:ori\ngin",
        ] {
            let error = Address::parse(name).expect_err(name).to_string();
            assert!(error.contains("\nwrite git:origin"), "{error}");
        }
    }
}
