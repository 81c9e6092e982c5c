//! A throw-away PostgreSQL on loopback, run by an ordinary user.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use gate_ledger::remote::Remote;
use gate_tests::remote::{Helper, Site, Speaking};

/// A server with the tables, and one login for each role; passwords are the names.
pub(crate) struct Cluster {
    /// Ended in this order: the pooler, the server, its files.
    pooler: Option<Child>,
    server: Option<Child>,
    dir: tempfile::TempDir,
    pub(crate) port: u16,
    /// Where clients connect: the server, or a pooler before it.
    pub(crate) door: u16,
}

/// Where the programs of the server are: on the `PATH`, or where Debian keeps them.
fn binary(name: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// `program` as a user that PostgreSQL agrees to: it refuses root.
fn ordinary(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|found| found.uid() == 0)
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[track_caller]
pub(crate) fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn wait_for(port: u16) -> bool {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > Duration::from_secs(30) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

impl Cluster {
    /// Makes and starts one; none where PostgreSQL cannot be had.
    pub(crate) fn start() -> Option<Self> {
        Self::with("")
    }

    /// The same with more lines in its configuration.
    pub(crate) fn with(lines: &str) -> Option<Self> {
        let (initdb, psql) = (binary("initdb")?, binary("psql")?);
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = dir.path().join("data");
        let mut command = ordinary(&initdb);
        command.args([
            "-A",
            "scram-sha-256",
            "-U",
            "owner",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
            "--pwfile",
        ]);
        std::fs::write(dir.path().join("password"), "owner\n").unwrap();
        command.arg(dir.path().join("password")).arg("-D").arg(&data);
        succeeds(&command.env("LC_ALL", "C").stdin(Stdio::null()).output().unwrap());
        let port = free_port();
        let mut cluster = Self { pooler: None, server: None, dir, port, door: port };
        let text = format!(
            "port={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\nmax_connections=60\n{lines}\n"
        );
        let config = data.join("postgresql.conf");
        let before = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, before + &text).unwrap();
        cluster.serve()?;
        let tables =
            Command::new(gate_tests::program("gate-remote-postgres")).arg("--tables").output().unwrap();
        let logins = "CREATE USER reader PASSWORD 'reader' IN ROLE gate_reader; CREATE USER writer PASSWORD 'writer' IN ROLE \
                      gate_writer; CREATE USER keeper PASSWORD 'keeper' IN ROLE gate_keeper; CREATE USER nobody PASSWORD 'nobody';";
        cluster.sql(&psql, &(succeeds(&tables) + logins));
        Some(cluster)
    }

    /// Starts the server, again too.
    pub(crate) fn serve(&mut self) -> Option<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = ordinary(&binary("postgres")?);
        command
            .arg("-D")
            .arg(self.path("data"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.server = Some(command.spawn().ok()?);
        let ready = wait_for(self.port)
            && (0..200).any(|_| {
                std::thread::sleep(Duration::from_millis(20));
                std::fs::read_to_string(self.path("data/postmaster.pid"))
                    .is_ok_and(|text| text.contains("ready"))
            });
        assert!(ready, "{}", std::fs::read_to_string(self.path("log")).unwrap_or_default());
        Some(())
    }

    /// Kills the server as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.kill());
            drop(server.wait());
        }
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Puts pgbouncer before it, in transaction mode; none where that cannot be had.
    pub(crate) fn pooled(mut self) -> Option<Self> {
        let pgbouncer = binary("pgbouncer")?;
        let door = free_port();
        let line = |user: &str| format!("\"{user}\" \"{user}\"\n");
        let users = ["reader", "writer", "keeper"].map(line).concat();
        std::fs::write(self.path("users"), users).unwrap();
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {door}\n\
             auth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 4\n\
             max_client_conn = 100\nunix_socket_dir =\nlogfile = {}\n",
            self.port,
            self.path("users").display(),
            self.path("pooler.log").display()
        );
        std::fs::write(self.path("pooler.ini"), text).unwrap();
        let mut command = ordinary(&pgbouncer);
        command
            .arg("-q")
            .arg(self.path("pooler.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.pooler = Some(command.spawn().ok()?);
        self.door = door;
        wait_for(door).then_some(self)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn sql(&self, psql: &Path, text: &str) -> String {
        let mut command = Command::new(psql);
        command.env_clear().env("PGPASSWORD", "owner").args([
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "owner",
        ]);
        command.args(["-p", &self.port.to_string(), "-d", "postgres", "-c", text]);
        succeeds(&command.output().unwrap()).trim().to_owned()
    }

    /// What the owner of the database gets for `text`.
    pub(crate) fn owner(&self, text: &str) -> String {
        self.sql(&binary("psql").unwrap(), text)
    }

    /// The helper as `user`, with more settings in its name.
    pub(crate) fn helper(&self, user: &str, settings: &str) -> Helper {
        let name = format!("postgres://{user}@127.0.0.1:{}/postgres?ledger=payments{settings}", self.door);
        Helper::new(gate_tests::program("gate-remote-postgres"), [name], self.dir.path())
            .with("PGPASSWORD", user)
    }

    /// The keeper, whose entries may have any time.
    pub(crate) fn keeper(&self) -> Speaking {
        self.helper("keeper", "&clock=off").start()
    }
}

impl Site for Cluster {
    fn connect(&self) -> Box<dyn Remote> {
        Box::new(self.keeper())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut pooler) = self.pooler.take() {
            drop(pooler.kill());
            drop(pooler.wait());
        }
        self.kill();
    }
}
