//! What is taken over from the checkout's and the user's configuration of git.
//!
//! Git's own rules say what applies in this checkout: includes, conditions on its place, what CI put into its
//! `.git/config` or into variables. Of that only settings that lead to a server are taken, by name; a setting that is
//! not on the list has no effect here, whoever wrote it. Values go to git in its environment, where no list of
//! processes shows them.
//!
//! The user's own configuration is read by git in our repository too. What is in force there already is not passed
//! again: an `http.extraheader` that is sent twice is refused by servers.

use gate_ledger::remote::RemoteError;

use crate::address::{Address, Place};
use crate::error::usage;
use crate::git::Git;

/// Settings of `http` and `http.<url>` that are taken over: how to reach a server and what to show it. Not
/// `saveCookies`, which writes a file.
const HTTP: [&str; 27] = [
    "cookiefile",
    "curloptresolve",
    "delegation",
    "emptyauth",
    "extraheader",
    "followredirects",
    "lowspeedlimit",
    "lowspeedtime",
    "pinnedpubkey",
    "postbuffer",
    "proactiveauth",
    "proxy",
    "proxyauthmethod",
    "proxysslcainfo",
    "proxysslcert",
    "proxysslcertpasswordprotected",
    "proxysslkey",
    "schannelcheckrevoke",
    "schannelusesslcainfo",
    "sslbackend",
    "sslcainfo",
    "sslcapath",
    "sslcert",
    "sslkey",
    "sslverify",
    "sslversion",
    "useragent",
];

/// Settings in force, in their order: later ones outrank earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(Vec<(String, String)>);

/// The two URLs of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) fetch: String,
    pub(crate) push: String,
}

impl Settings {
    /// What git says is in force where it runs.
    pub(crate) fn read(git: &Git) -> Result<Self, RemoteError> {
        let output = git.run(&["config", "--null", "--list", "--includes"], b"")?;
        if !output.success {
            return Err(output.failure("git cannot read its configuration"));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        // A key without `=` is written without a value, and means true.
        let pairs = text
            .split('\0')
            .filter(|item| !item.is_empty())
            .map(|item| item.split_once('\n').unwrap_or((item, "true")));
        Ok(Self(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()))
    }

    /// Those that lead to a server.
    pub(crate) fn leading(mut self) -> Self {
        self.0.retain(|pair| leads_to_a_server(&pair.0));
        self
    }

    /// Those that are not among `known`.
    pub(crate) fn beyond(mut self, known: &Self) -> Self {
        let mut known = known.0.clone();
        self.0.retain(|pair| {
            let at = known.iter().position(|known| known == pair);
            at.map(|at| known.swap_remove(at)).is_none()
        });
        self
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Where the repository of `address` is. Rewriting (`insteadOf`) is left to git.
    pub(crate) fn places(&self, address: &Address) -> Result<Places, RemoteError> {
        let name = match &address.place {
            Place::Url(url) => return Ok(Places { fetch: url.clone(), push: url.clone() }),
            Place::Remote(name) => name,
        };
        let first = |what: &str| self.first(&format!("remote.{name}.{what}"));
        let Some(fetch) = first("url") else {
            let name = gate_model::text::visible(name);
            let remedy = "run in a checkout that has it (git remote -v); where git finds the owner dubious, see safe.directory; or name a URL";
            return Err(usage(format!("this checkout has no remote '{name}'"), remedy));
        };
        let push = first("pushurl").unwrap_or(fetch);
        for url in [fetch, push] {
            if url.starts_with('-') || url.contains("::") || url.chars().any(char::is_control) {
                let name = gate_model::text::visible(name);
                let problem = format!("the URL of the remote '{name}' is not one that is used");
                return Err(usage(problem, "give it a URL of https, ssh or file, or a path"));
            }
        }
        Ok(Places { fetch: fetch.to_owned(), push: push.to_owned() })
    }

    fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// Whether a setting is about how to reach a server. Git writes section and variable in lower case.
fn leads_to_a_server(key: &str) -> bool {
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    let variable = rest.rsplit('.').next().unwrap_or_default();
    match section {
        "http" => HTTP.contains(&variable),
        "credential" => true,
        "url" => matches!(variable, "insteadof" | "pushinsteadof"),
        "core" => matches!(rest, "sshcommand" | "askpass"),
        "ssh" => rest == "variant",
        _ => false,
    }
}

/// The user and password of a URL of https or http, or the password of another one: what nobody may be shown.
fn secret(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let (user, _) = rest.split('/').next()?.rsplit_once('@')?;
    let secret = if scheme.starts_with("http") { user } else { user.split_once(':')?.1 };
    Some(secret).filter(|secret| !secret.is_empty())
}

/// `text` without what nobody may be shown of the URLs, as they are or as the password alone.
pub(crate) fn redacted(text: &str, places: &Places) -> String {
    let secrets = [&places.fetch, &places.push].into_iter().filter_map(|url| secret(url));
    secrets.fold(text.to_owned(), |text, secret| {
        let password = secret.split_once(':').map_or(secret, |(_, password)| password);
        let text = text.replace(secret, "***");
        if password.is_empty() { text } else { text.replace(password, "***") }
    })
}

#[cfg(test)]
mod tests {
    use super::{Places, Settings, leads_to_a_server, redacted};
    use crate::address::Address;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn only_what_leads_to_a_server_is_taken_over() {
        for key in [
            "http.extraheader",
            "http.https://github.com/.extraheader",
            "http.https://a.b.c/d.e/.sslcainfo",
            "credential.helper",
            "credential.https://host.username",
            "url.git@github.com:.insteadof",
            "url.https://x.pushinsteadof",
            "core.sshcommand",
            "ssh.variant",
        ] {
            assert!(leads_to_a_server(key), "{key}");
        }
        for key in [
            "core.hookspath",
            "core.fsmonitor",
            "core.gitproxy",
            "core.alternaterefscommand",
            "core.worktree",
            "filter.lfs.process",
            "remote.origin.uploadpack",
            "remote.origin.receivepack",
            "http.savecookies",
            "push.gpgsign",
            "safe.directory",
            "protocol.ext.allow",
            "include.path",
            "alias.push",
            "receive.denycurrentbranch",
        ] {
            assert!(!leads_to_a_server(key), "{key}");
        }
    }

    #[test]
    fn what_is_in_force_already_is_not_passed_again() {
        let here = settings(&[("http.extraheader", "A"), ("http.extraheader", "B"), ("user.name", "x")]);
        let known = settings(&[("http.extraheader", "A")]);
        assert_eq!(here.leading().beyond(&known), settings(&[("http.extraheader", "B")]));
    }

    #[test]
    fn a_remote_has_its_first_url_and_its_own_one_for_pushes() {
        let origin = Address::parse("git:origin").unwrap();
        let here = settings(&[("remote.origin.url", "/a"), ("remote.origin.url", "/b")]);
        assert_eq!(here.places(&origin).unwrap(), Places { fetch: "/a".into(), push: "/a".into() });
        let here = settings(&[("remote.origin.url", "/a"), ("remote.origin.pushurl", "/c")]);
        assert_eq!(here.places(&origin).unwrap(), Places { fetch: "/a".into(), push: "/c".into() });
        assert!(settings(&[]).places(&origin).unwrap_err().to_string().contains("no remote 'origin'"));
        for url in ["--upload-pack=x", "ext::sh -c x"] {
            assert!(settings(&[("remote.origin.url", url)]).places(&origin).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        let shown = |url: &str| {
            let places = Places { fetch: url.to_owned(), push: url.to_owned() };
            redacted(&format!("cannot reach {url}: s3cret"), &places)
        };
        assert_eq!(
            shown("https://gitlab-ci-token:s3cret@host/x.git"),
            "cannot reach https://***@host/x.git: ***"
        );
        assert_eq!(shown("https://ghp_01@host/x"), "cannot reach https://***@host/x: s3cret");
        assert_eq!(shown("ssh://git:s3cret@host/x"), "cannot reach ssh://git:***@host/x: ***");
        assert_eq!(shown("git@host:x.git"), "cannot reach git@host:x.git: s3cret");
    }
}
