//! The name of a remote: `ssh://[USER@]HOST[:PORT]/PATH`.

use gate_ledger::remote::{RemoteError, Why};
use gate_model::text::visible;

/// A ledger on another host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `host` or `user@host`, as ssh takes it.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// Absolute, on that host.
    pub(crate) path: String,
}

impl Address {
    pub(crate) fn parse(name: &str) -> Result<Self, RemoteError> {
        read(name).map_err(|defect| {
            let problem = format!("the remote '{}' {defect}", visible(name));
            RemoteError::failed(
                Why::Usage,
                problem,
                "write ssh://user@host/path/of/ledger.db; see gate-remote(7)",
            )
        })
    }
}

fn read(name: &str) -> Result<Address, &'static str> {
    let rest = name.strip_prefix("ssh://").ok_or("does not begin with ssh://")?;
    let at = rest.find('/').ok_or("has no path")?;
    let (authority, path) = rest.split_at(at);
    if path.len() < 2 || path.ends_with('/') || path.chars().any(char::is_control) {
        return Err("has no path of a file");
    }
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => return Err("has a password in it; use a key"),
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = split_port(host)?;
    // Nothing that ssh or a shell could take for something else than a name.
    let plain = |text: &str| {
        let harmless = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:%".contains(&byte));
        !text.is_empty() && !text.starts_with('-') && harmless
    };
    if !plain(host) || user.is_some_and(|user| !plain(user)) {
        return Err("names no host that ssh would take");
    }
    let host = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
    Ok(Address { host, port, path: path.to_owned() })
}

/// `host:22`, `[::1]:22`.
fn split_port(host: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (inside, rest) = rest.split_once(']').ok_or("has a bracket that is not closed")?;
            (inside, rest.strip_prefix(':'))
        }
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().map_err(|_| "has a port that is none")).transpose()?;
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::{Address, read};

    #[test]
    fn user_port_and_path_are_found() {
        for (name, host, port, path) in [
            ("ssh://host/srv/x.db", "host", None, "/srv/x.db"),
            ("ssh://gate@host.example:2222/a b.db", "gate@host.example", Some(2222), "/a b.db"),
            ("ssh://[::1]:22/x", "::1", Some(22), "/x"),
        ] {
            let expected = Address { host: host.into(), port, path: path.into() };
            assert_eq!(read(name), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_ssh_would_take_for_an_option_or_a_secret_is_refused() {
        for name in [
            "ssh://",
            "ssh://host",
            "ssh://host/",
            "ssh://host/x/",
            "ssh://-oProxyCommand=evil/x",
            "ssh://-x@host/x",
            "ssh://a:b@host/x",
            "ssh://ho st/x",
            "ssh://host:99999/x",
            "ssh://host:x/x",
            "ssh://[::1/x",
            "ssh://host/a\nb",
            "host:/x",
        ] {
            assert!(read(name).is_err(), "{name}");
        }
    }
}
