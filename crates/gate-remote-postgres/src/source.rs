//! Where settings are written: a name, a service file, variables.
//!
//! As libpq has it (PostgreSQL's manual, "Connection Strings", "The Connection Service File", "Environment Variables"):
//! what the name says outranks the service file, that the variables, and these the defaults. A name stands in a policy
//! that everybody can read, so that it holds no password.

use std::collections::BTreeMap;

use gate_cli::Env;

/// Settings by libpq's keyword.
pub(crate) type Keywords = BTreeMap<String, String>;

/// The keywords that are known, each with its variable.
pub(crate) const KNOWN: [(&str, &str); 18] = [
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("clock", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("ledger", ""),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("service", "PGSERVICE"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("user", "PGUSER"),
];

fn is_known(keyword: &str) -> bool {
    KNOWN.iter().any(|(known, _)| *known == keyword)
}

/// The settings in the variables of libpq. An empty one counts as not set, as it does there.
pub(crate) fn variables(env: &Env) -> Keywords {
    let named = KNOWN.iter().filter(|(_, variable)| !variable.is_empty());
    let set = named.filter_map(|(keyword, variable)| {
        let value = env.get(variable).filter(|value| !value.is_empty())?;
        Some(((*keyword).to_owned(), value))
    });
    set.collect()
}

/// The settings in the name of a remote: `postgres://…`, or `postgres:` and `keyword=value` pairs.
pub(crate) fn name(name: &str) -> Result<Keywords, String> {
    let url = ["postgres://", "postgresql://"].iter().find_map(|scheme| name.strip_prefix(scheme));
    let keywords = match (url, name.strip_prefix("postgres:")) {
        (Some(rest), _) => self::url(rest)?,
        (None, Some(rest)) => pairs(rest)?,
        (None, None) => return Err("it begins with neither postgres:// nor postgres:".to_owned()),
    };
    if keywords.contains_key("password") {
        return Err("it holds a password; leave that to PGPASSWORD or to a password file".to_owned());
    }
    if let Some(unknown) = keywords.keys().find(|keyword| !is_known(keyword)) {
        return Err(format!("the setting '{}' is not known", gate_model::text::visible(unknown)));
    }
    Ok(keywords)
}

/// `[user@][host[:port],…][/dbname][?keyword=value&…]`
fn url(rest: &str) -> Result<Keywords, String> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, dbname) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) =
        authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
    let mut keywords = Keywords::new();
    let mut put = |keyword: &str, value: &str| -> Result<(), String> {
        if !value.is_empty() {
            keywords.insert(keyword.to_owned(), decode(value)?);
        }
        Ok(())
    };
    if let Some((user, password)) = user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        put("user", user)?;
        put("password", password)?;
    }
    put("dbname", dbname)?;
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = split_port(host)?;
        names.push(name);
        ports.push(port);
    }
    put("host", &names.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        put("port", &ports.join(","))?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (keyword, value) = pair.split_once('=').ok_or_else(|| format!("'{pair}' has no value"))?;
        put(keyword, value)?;
    }
    Ok(keywords)
}

/// `host:5432`, `[::1]:5432`.
fn split_port(host: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = host.strip_prefix('[') {
        let (inside, rest) = rest.split_once(']').ok_or("a bracket is not closed")?;
        return Ok((inside, rest.strip_prefix(':').unwrap_or_default()));
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

fn decode(text: &str) -> Result<String, String> {
    let wrong = || format!("'{}' has an escape that is none", gate_model::text::visible(text));
    let bytes = gate_model::percent::decode(text.as_bytes()).ok_or_else(wrong)?;
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// `keyword = 'value'` pairs between white space; `\` escapes.
fn pairs(text: &str) -> Result<Keywords, String> {
    let mut keywords = Keywords::new();
    let mut chars = text.trim().chars().peekable();
    while chars.peek().is_some() {
        let keyword: String =
            std::iter::from_fn(|| chars.next_if(|c| *c != '=' && !c.is_whitespace())).collect();
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next() != Some('=') || keyword.is_empty() {
            return Err(format!("'{}' has no value", gate_model::text::visible(&keyword)));
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\'') if quoted => break,
                Some('\\') => value.extend(chars.next()),
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => value.push(c),
                None if quoted => return Err("a quote is not closed".to_owned()),
                None => break,
            }
        }
        keywords.insert(keyword, value);
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
    }
    Ok(keywords)
}

/// The settings of `service` in the text of a service file, if it is there.
pub(crate) fn service(text: &str, service: &str) -> Result<Option<Keywords>, String> {
    let mut found: Option<Keywords> = None;
    let mut inside = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            if found.is_some() {
                break;
            }
            inside = name == service;
            found = inside.then(Keywords::new);
        } else if let (true, Some(keywords)) = (inside, &mut found) {
            let (keyword, value) =
                line.split_once('=').ok_or_else(|| format!("line '{line}' has no value"))?;
            keywords.insert(keyword.trim().to_owned(), value.trim().to_owned());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Keywords, name, service};

    fn keywords(pairs: &[(&str, &str)]) -> Keywords {
        pairs.iter().map(|(keyword, value)| ((*keyword).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn urls_and_pairs_say_the_same() {
        let expected = keywords(&[
            ("host", "db.example.com"),
            ("port", "6432"),
            ("dbname", "gate records"),
            ("user", "runner"),
            ("ledger", "payments"),
            ("sslmode", "verify-full"),
        ]);
        let url = "postgres://runner@db.example.com:6432/gate%20records?ledger=payments&sslmode=verify-full";
        assert_eq!(name(url), Ok(expected.clone()));
        let pairs = "postgres:host=db.example.com port = 6432 dbname='gate records' user=runner ledger=payments sslmode=verify-full";
        assert_eq!(name(pairs), Ok(expected));
    }

    #[test]
    fn hosts_can_be_several_sockets_or_left_out() {
        assert_eq!(
            name("postgres://a,b:2/x"),
            Ok(keywords(&[("host", "a,b"), ("port", ",2"), ("dbname", "x")]))
        );
        assert_eq!(name("postgresql://[::1]:5/"), Ok(keywords(&[("host", "::1"), ("port", "5")])));
        assert_eq!(
            name("postgres:///x?host=%2Frun%2Fpg"),
            Ok(keywords(&[("dbname", "x"), ("host", "/run/pg")]))
        );
        assert_eq!(name("postgres:service=gate"), Ok(keywords(&[("service", "gate")])));
        assert_eq!(
            name("postgres:host='it\\'s' user=a\\ b"),
            Ok(keywords(&[("host", "it's"), ("user", "a b")]))
        );
    }

    #[test]
    fn a_password_in_a_name_is_refused_without_showing_it() {
        for text in
            ["postgres://u:s3cret@h/x", "postgres://h/x?password=s3cret", "postgres:host=h password='s3cret'"]
        {
            let error = name(text).unwrap_err();
            assert!(error.contains("password") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_refused() {
        for text in [
            "mysql://h",
            "postgres://h/x?sslmod=disable",
            "postgres://h/x?ledger",
            "postgres://h/%zz",
            "postgres://[::1/x",
            "postgres:host",
            "postgres:host='h",
            "postgres:=h",
        ] {
            assert!(name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_service_is_found_in_its_file() {
        let text = "# ours\n[other]\nhost=x\n\n[gate]\nhost = db\n port=1\n[later]\nport=2\n";
        assert_eq!(service(text, "gate"), Ok(Some(keywords(&[("host", "db"), ("port", "1")]))));
        assert_eq!(service(text, "none"), Ok(None));
        assert!(service("[gate]\nhost\n", "gate").is_err());
    }
}
