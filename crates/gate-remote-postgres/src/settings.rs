//! Settings for a connection, from all their sources, as one.

use std::path::PathBuf;
use std::time::Duration;

use gate_cli::Env;
use gate_ledger::remote::{RemoteError, Why};
use gate_model::text::visible;
use postgres::Config;
use postgres::config::{ChannelBinding, SslMode};

use crate::passfile::{self, Wanted};
use crate::source::{self, Keywords};
use crate::tls::{Roots, Tls, Verify};

/// How long a connection may take to be made, unless the settings say otherwise.
const TIMEOUT: Duration = Duration::from_secs(15);

/// All that is needed to connect, and which ledger is meant.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) tls: Option<Tls>,
    pub(crate) ledger: String,
    /// Whether times are compared with the server's clock.
    pub(crate) clock: bool,
    /// Where it is, for people.
    pub(crate) place: String,
}

fn usage(problem: String) -> RemoteError {
    RemoteError::failed(Why::Usage, problem, "write postgres://HOST/DATABASE?ledger=NAME; see gate-remote(7)")
}

impl Settings {
    /// The settings of the remote `name`.
    pub(crate) fn read(name: &str, env: &Env) -> Result<Self, RemoteError> {
        let keywords = gather(name, env).map_err(|defect| {
            // Whatever is wrong with it, a name may hold a secret by mistake.
            usage(format!("the remote cannot be used: {defect}"))
        })?;
        Self::from_keywords(&keywords, env).map_err(usage)
    }

    fn from_keywords(keywords: &Keywords, env: &Env) -> Result<Self, String> {
        let get = |keyword: &str| keywords.get(keyword).map(String::as_str);
        let user = get("user").map(str::to_owned).or_else(|| env.get("USER")).ok_or("it names no user")?;
        let dbname = get("dbname").unwrap_or(&user).to_owned();
        let hosts: Vec<&str> = get("host").unwrap_or("localhost").split(',').collect();
        let ports: Vec<&str> = get("port").unwrap_or("5432").split(',').collect();
        if ports.len() != 1 && ports.len() != hosts.len() {
            return Err("it has not as many ports as hosts".to_owned());
        }
        let mut config = Config::new();
        config.user(&user).dbname(&dbname).application_name(get("application_name").unwrap_or("gate"));
        for (index, host) in hosts.iter().enumerate() {
            let port =
                ports.get(index).or(ports.first()).copied().filter(|port| !port.is_empty()).unwrap_or("5432");
            let port: u16 = port.parse().map_err(|_| format!("'{}' is no port", visible(port)))?;
            let host = if host.is_empty() { "localhost" } else { host };
            config.host(host).port(port);
        }
        if let Some(addresses) = get("hostaddr") {
            for address in addresses.split(',') {
                config
                    .hostaddr(address.parse().map_err(|_| format!("'{}' is no address", visible(address)))?);
            }
        }
        if let Some(options) = get("options") {
            config.options(options);
        }
        config.connect_timeout(timeout(get("connect_timeout"))?);
        let wanted = Wanted { host: hosts[0], port: ports[0], dbname: &dbname, user: &user };
        if let Some(password) = password(keywords, env, wanted)? {
            config.password(password);
        }
        let tls = tls(keywords, env, &hosts)?;
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        config.channel_binding(channel_binding(get("channel_binding"), tls.is_some())?);
        let ledger = get("ledger").unwrap_or("gate").to_owned();
        let clock = match get("clock") {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => return Err("its 'clock' is neither on nor off".to_owned()),
        };
        let place = format!("ledger {ledger} in database {dbname} on {}", hosts.join(","));
        Ok(Self { config, tls, ledger, clock, place })
    }
}

/// Name, service file and variables, those first that count most.
fn gather(name: &str, env: &Env) -> Result<Keywords, String> {
    let mut keywords = source::name(name)?;
    let variables = source::variables(env);
    let service = keywords.get("service").or_else(|| variables.get("service")).cloned();
    if let Some(service) = service {
        let found = service_file(&service, env)?;
        for (keyword, value) in found {
            keywords.entry(keyword).or_insert(value);
        }
    }
    for (keyword, value) in variables {
        keywords.entry(keyword).or_insert(value);
    }
    Ok(keywords)
}

/// The settings of a service: from the user's own file, else the system's.
fn service_file(service: &str, env: &Env) -> Result<Keywords, String> {
    let own =
        env.path("PGSERVICEFILE").or_else(|| env.path("HOME").map(|home| home.join(".pg_service.conf")));
    let system = env.path("PGSYSCONFDIR").unwrap_or_else(|| PathBuf::from("/etc/postgresql-common"));
    for path in own.into_iter().chain([system.join("pg_service.conf")]) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let found =
            source::service(&text, service).map_err(|defect| format!("'{}': {defect}", path.display()))?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(format!("there is no service '{}' in a service file", visible(service)))
}

fn timeout(seconds: Option<&str>) -> Result<Duration, String> {
    match seconds.map(str::parse::<u64>) {
        None => Ok(TIMEOUT),
        // As in libpq: no limit of ours, which whoever waits for us has anyway.
        Some(Ok(0)) => Ok(Duration::from_hours(1)),
        Some(Ok(seconds)) => Ok(Duration::from_secs(seconds)),
        Some(Err(_)) => Err("its 'connect_timeout' is no number of seconds".to_owned()),
    }
}

fn password(keywords: &Keywords, env: &Env, wanted: Wanted<'_>) -> Result<Option<String>, String> {
    if let Some(password) = keywords.get("password") {
        return Ok(Some(password.clone()));
    }
    let named = keywords.get("passfile").map(PathBuf::from);
    match named.or_else(|| env.path("HOME").map(|home| home.join(".pgpass"))) {
        Some(path) => passfile::read(&path, wanted),
        None => Ok(None),
    }
}

fn channel_binding(word: Option<&str>, with_tls: bool) -> Result<ChannelBinding, String> {
    match word {
        None if with_tls => Ok(ChannelBinding::Prefer),
        None | Some("disable") => Ok(ChannelBinding::Disable),
        Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("require") => Ok(ChannelBinding::Require),
        Some(_) => Err("its 'channel_binding' is none of disable, prefer, require".to_owned()),
    }
}

/// Whether a host is this machine: a socket, or a name or address of the loopback interface.
fn is_here(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What is verified of the server. Off this machine everything is, unless somebody says otherwise.
fn tls(keywords: &Keywords, env: &Env, hosts: &[&str]) -> Result<Option<Tls>, String> {
    let get = |keyword: &str| keywords.get(keyword).map(String::as_str);
    let here = hosts.iter().all(|host| is_here(host));
    let verify =
        match get("sslmode").unwrap_or(if here { "disable" } else { "verify-full" }) {
            "disable" => return Ok(None),
            "require" => Verify::Nothing,
            "verify-ca" => Verify::Authority,
            "verify-full" => Verify::Full,
            "allow" | "prefer" => return Err(
                "sslmode allow and prefer promise nothing; say disable, require, verify-ca or verify-full"
                    .to_owned(),
            ),
            other => return Err(format!("sslmode '{}' is not known", visible(other))),
        };
    let own = |name: &str| {
        env.path("HOME").map(|home| home.join(".postgresql").join(name)).filter(|path| path.is_file())
    };
    let roots = match get("sslrootcert") {
        Some("system") if verify == Verify::Full => Roots::System,
        Some("system") => return Err("sslrootcert=system goes with sslmode=verify-full only".to_owned()),
        Some(path) => Roots::File(path.into()),
        None => own("root.crt").map_or(Roots::System, Roots::File),
    };
    let certificate = get("sslcert").map(PathBuf::from).or_else(|| own("postgresql.crt"));
    let key = get("sslkey").map(PathBuf::from).or_else(|| own("postgresql.key"));
    Ok(Some(Tls { verify, roots, client: certificate.zip(key) }))
}

#[cfg(test)]
mod tests {
    use gate_cli::Env;

    use super::{Settings, is_here};
    use crate::tls::{Roots, Verify};

    fn read(name: &str, variables: &[(&str, &str)]) -> Settings {
        Settings::read(name, &Env::of(variables.iter().copied(), "/"))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[test]
    fn off_this_machine_the_server_is_verified_unless_somebody_says_otherwise() {
        let tls = |name: &str| read(name, &[("USER", "u")]).tls;
        assert!(tls("postgres://localhost/x").is_none() && tls("postgres:host=/run/pg").is_none());
        let far = tls("postgres://db.example.com/x").unwrap();
        assert_eq!((far.verify, far.roots), (Verify::Full, Roots::System));
        assert_eq!(
            tls("postgres://127.0.0.1/x?sslmode=verify-ca&sslrootcert=/ca").unwrap().verify,
            Verify::Authority
        );
        assert!(tls("postgres://db/x?sslmode=disable").is_none());
        for name in [
            "postgres://db/x?sslmode=prefer",
            "postgres://db/x?sslmode=x",
            "postgres://db/x?sslmode=verify-ca&sslrootcert=system",
        ] {
            assert!(Settings::read(name, &Env::of([("USER", "u")], "/")).is_err(), "{name}");
        }
    }

    #[test]
    fn one_of_several_hosts_elsewhere_is_enough_to_verify() {
        assert!(is_here("localhost") && is_here("::1") && is_here("127.3.2.1") && is_here("/run"));
        assert!(!is_here("localhost.example.com") && !is_here("10.0.0.1"));
        assert!(read("postgres://localhost,db/x", &[("USER", "u")]).tls.is_some());
    }

    #[test]
    fn the_name_outranks_the_service_file_and_that_the_variables() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("services");
        std::fs::write(&file, "[gate]\nhost=service\ndbname=service\nuser=service\n").unwrap();
        let variables = [
            ("PGSERVICEFILE", file.to_str().unwrap()),
            ("PGSERVICE", "gate"),
            ("PGUSER", "variable"),
            ("PGHOST", "variable"),
            ("PGPASSWORD", "s3cret"),
        ];
        let settings = read("postgres://name/?ledger=x", &variables);
        assert_eq!(settings.place, "ledger x in database service on name");
        assert_eq!(settings.config.get_user(), Some("service"));
        assert_eq!(settings.config.get_password(), Some(&b"s3cret"[..]));
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
