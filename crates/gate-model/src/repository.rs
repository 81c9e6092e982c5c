//! Which repository is meant: its name, `host/path`, from the url of a remote, and whether two names mean one.
//!
//! Two names can surely mean one repository ([`is_same`]), surely two ([`is_another`]), or nobody can tell: servers differ
//! in whether letter case counts, and one of them serves SSH and HTTPS on different ports. What lets somebody pass counts
//! where the repository is surely the same; what holds somebody back counts unless it is surely another. Everything that
//! compares repositories asks here, so that no way of writing a name is a way around one rule and not around another.
//!
//! Invariants: user names, passwords, tokens and query strings of HTTP never appear in a name; a place on this
//! machine has none. Shapes: git-fetch(1), "GIT URLS".

use crate::percent;

/// Schemes with a host, and the port that goes without saying.
const SCHEMES: [(&str, Option<&str>); 10] = [
    ("ssh", Some("22")),
    ("git+ssh", Some("22")),
    ("ssh+git", Some("22")),
    ("https", Some("443")),
    ("http", Some("80")),
    ("git", Some("9418")),
    ("ftp", Some("21")),
    ("ftps", Some("990")),
    ("git+https", Some("443")),
    ("git+http", Some("80")),
];

/// Hosts that say themselves that letter case is no difference between their repositories, and that are `www.` as well.
const CASELESS: [&str; 5] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com"];

/// Hosts that serve SSH for another host, on port 443, for those behind a firewall.
const ALIASES: [(&str, &str); 3] = [
    ("ssh.github.com:443", "github.com"),
    ("altssh.gitlab.com:443", "gitlab.com"),
    ("altssh.bitbucket.org:443", "bitbucket.org"),
];

/// The repository behind `url` as `host/path`: host in lower case, no scheme, user, password, default port, `.git` or
/// slash at the end, and no `%XX` in place of a letter, digit, `-`, `.`, `_` or `~`. `None` for paths on this machine,
/// transport helpers, and whatever does not read as a url with a host.
///
/// ```
/// use gate_model::repository::remote_name;
/// assert_eq!(remote_name("git@GitHub.com:acme/pay.git").as_deref(), Some("github.com/acme/pay"));
/// assert_eq!(remote_name("https://user:token@host:8443/acme/pay/").as_deref(), Some("host:8443/acme/pay"));
/// assert_eq!(remote_name("/srv/git/pay.git"), None);
/// ```
pub fn remote_name(url: &str) -> Option<String> {
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        let (authority, path, port) = scp_like(url)?;
        // Git takes this path as it stands: a `%` is one.
        return name(authority, &literal(&path.replace('%', "%25")), port);
    };
    let scheme = scheme.to_ascii_lowercase();
    let (_, port) = SCHEMES.iter().find(|(name, _)| *name == scheme)?;
    let (authority, path) = rest.split_once('/')?;
    let path = if scheme.contains("http") { path.split(['?', '#']).next()? } else { path };
    name(authority, &literal(&plain(path)), *port)
}

/// What only a URL of HTTP has another meaning for, written so that none is read into it.
fn literal(path: &str) -> String {
    path.replace('?', "%3F").replace('#', "%23")
}

/// The name of `path` at `authority`, of which `port` goes without saying.
fn name(authority: &str, path: &str, port: Option<&str>) -> Option<String> {
    let host = host(authority, port)?;
    let path = path_of(path)?;
    Some(match azure(&host, &path) {
        Some(name) => name,
        None => format!("{host}/{path}"),
    })
}

/// `[user@]host:path`, where no slash comes before the colon. `helper::address` is another thing.
fn scp_like(url: &str) -> Option<(&str, &str, Option<&'static str>)> {
    let start = url.rfind(']').filter(|end| url.find('/').is_none_or(|slash| *end < slash)).unwrap_or(0);
    let colon = start + url.get(start..)?.find(':')?;
    let (authority, path) = (url.get(..colon)?, url.get(colon + 1..)?);
    // One letter is a drive. A second `@` is a password that would end up in the path.
    let local =
        authority.contains('/') || authority.len() < 2 || path.starts_with(':') || authority.contains('\\');
    let odd = path.contains('@') && !authority.contains('@');
    (!local && !odd).then_some((authority, path, Some("22")))
}

/// The host, with the port unless it is the scheme's own.
fn host(authority: &str, default_port: Option<&str>) -> Option<String> {
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address).to_ascii_lowercase();
    let (name, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (inner, rest) = rest.split_once(']')?;
            // Git also takes `[host:port]:path`.
            match inner.split_once(':') {
                Some((name, port)) if !port.contains(':') => (name.to_owned(), Some(port.to_owned())),
                _ => (format!("[{inner}]"), rest.strip_prefix(':').map(str::to_owned)),
            }
        }
        None => match address.split_once(':') {
            Some((name, port)) => (name.to_owned(), Some(port.to_owned())),
            None => (address, None),
        },
    };
    let name = name.strip_suffix('.').unwrap_or(&name);
    let port = port.filter(|port| !port.is_empty() && Some(port.as_str()) != default_port);
    if !is_host(name) || port.as_deref().is_some_and(|port| port.parse::<u16>().is_err()) {
        return None;
    }
    let full = port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    let alias = ALIASES.iter().find(|(alias, _)| *alias == full);
    Some(alias.map_or(full, |(_, host)| (*host).to_owned()))
}

fn is_host(name: &str) -> bool {
    let v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match v6 {
        Some(inner) => {
            inner.contains(':')
                && inner.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'%'))
        }
        None => {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    }
}

/// `path` with the characters that may always be written plainly written so (RFC 3986, section 6.2.2).
fn plain(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('%') {
        plain.push_str(before);
        let byte = behind.get(..2).and_then(|digits| percent::decode(format!("%{digits}").as_bytes()));
        match byte.as_deref() {
            Some([byte]) if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => {
                plain.push(char::from(*byte));
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                plain.push('%');
                rest = behind;
            }
        }
    }
    plain + rest
}

/// The path without empty parts, `.git`, and the `~` of whoever logs in. Of two `.git` none is taken away: what is left
/// would be the name of another repository.
fn path_of(path: &str) -> Option<String> {
    let path = path.strip_prefix("~/").unwrap_or(path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return None;
    }
    let joined = parts.join("/");
    let name = joined.strip_suffix(".git").unwrap_or(&joined).trim_end_matches('/');
    let name = name.strip_suffix(".git").map_or(name, |_| &joined);
    (!name.is_empty()).then(|| name.to_owned())
}

/// Azure Repos writes one repository in two ways: `ssh.dev.azure.com/v3/org/project/repo` over SSH.
fn azure(host: &str, path: &str) -> Option<String> {
    let rest = path.strip_prefix("v3/").filter(|_| host == "ssh.dev.azure.com")?;
    match rest.split('/').collect::<Vec<_>>()[..] {
        [organisation, project, repository] => {
            Some(format!("dev.azure.com/{organisation}/{project}/_git/{repository}"))
        }
        _ => None,
    }
}

/// Whether two names mean one repository for sure: they differ in nothing but how an address can be written.
///
/// ```
/// use gate_model::repository::is_same;
/// assert!(is_same("github.com/acme/pay", "GitHub.com/Acme/Pay.git"));
/// assert!(is_same("host/acme/pay", "https://me@HOST:443/acme/p%61y/"));
/// assert!(!is_same("host/acme/pay", "host/acme/Pay"));
/// ```
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || spelled(one) == spelled(other)
}

/// Whether two names mean two repositories for sure: they differ in more than letter case, a port, `www.`, and what
/// an address can be written with.
///
/// ```
/// use gate_model::repository::is_another;
/// assert!(is_another("github.com/acme/pay", "github.com/acme/web"));
/// assert!(!is_another("host:2222/acme/pay", "host/acme/PAY.GIT"));
/// ```
pub fn is_another(one: &str, other: &str) -> bool {
    !is_same(one, other) && loose(one) != loose(other)
}

/// Whether `theirs` is another repository than `here` for sure: not where one of them is unknown.
pub fn is_elsewhere(theirs: Option<&str>, here: Option<&str>) -> bool {
    matches!((theirs, here), (Some(theirs), Some(here)) if is_another(theirs, here))
}

/// The name that stands for `name`, where `aliases` lists it among the names of one repository: the first of them.
pub fn canonical(name: &str, aliases: &[String]) -> String {
    let listed = aliases.iter().any(|alias| is_same(alias, name));
    aliases.first().filter(|_| listed).map_or_else(|| name.to_owned(), Clone::clone)
}

/// A name, or an address, in the one way in which names are written; whatever reads as neither stays as it is.
fn spelled(name: &str) -> String {
    let is_address = name.contains("://") || name.split('/').next().is_some_and(|host| host.contains('@'));
    let of_name = || {
        let (authority, path) = name.split_once('/')?;
        // Nobody knows of which scheme a port in a name is the own one.
        self::name(authority, &literal(&plain(path)), None)
    };
    let of_name = if is_address { None } else { of_name() };
    let name = of_name.or_else(|| remote_name(name)).unwrap_or_else(|| name.to_owned());
    let (host, path) = name.split_once('/').unwrap_or((&name, ""));
    let host = host.strip_prefix("www.").filter(|host| CASELESS.contains(host)).unwrap_or(host);
    if CASELESS.contains(&host) {
        format!("{host}/{path}").to_ascii_lowercase()
    } else {
        format!("{host}/{path}")
    }
}

/// A name without all that may be no difference.
fn loose(name: &str) -> String {
    let decoded = |name: String| {
        percent::decode(name.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(name)
    };
    // A `%` may have been written for one that somebody else takes for the sign of an escape.
    let name = decoded(decoded(spelled(name))).to_lowercase();
    let (host, path) = name.split_once('/').unwrap_or((&name, ""));
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    let mut path = path.trim_end_matches('/');
    while let Some(bare) = path.strip_suffix(".git") {
        path = bare.trim_end_matches('/');
    }
    format!("{}/{path}", host.strip_prefix("www.").unwrap_or(host))
}

#[cfg(test)]
mod tests;
