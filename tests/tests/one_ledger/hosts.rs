//! Servers that keep the ledger of a town: sshd and PostgreSQL on loopback.

use crate::cluster::Cluster;
use crate::servers::Sshd;
use crate::support::{House, bin};
use crate::town::Town;

/// Who answers.
pub(crate) enum Server {
    None,
    Ssh(Sshd, String),
    Postgres(Cluster),
}

impl Server {
    /// The variables by which a machine reaches it as `role`.
    pub(crate) fn reached_by(&self, role: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::None => Vec::new(),
            Self::Ssh(_, command) => vec![("GATE_SSH_COMMAND", command.clone())],
            Self::Postgres(_) => vec![("PGUSER", role.to_owned()), ("PGPASSWORD", role.to_owned())],
        }
    }
}

/// What the towns of a test are built of: `[ledger]` says `more`.
type Build = fn(&'static str) -> Option<Town>;

/// Every server, each with its name.
pub(crate) const SERVERS: [(&str, Build); 2] = [("ssh", ssh), ("postgres", postgres)];

/// Over sshd on loopback; none where that cannot be had.
pub(crate) fn ssh(more: &'static str) -> Option<Town> {
    let house = House::without_ledger("version = 1\n");
    let folder = house.outside("sshd");
    std::fs::create_dir_all(&folder).unwrap();
    let server = Sshd::start(&folder, &forced(&house, "", "keeper"), "/usr/bin:/bin")?;
    let command = server.command();
    let address = "ssh://127.0.0.1/any/path".to_owned();
    Some(Town::served(house, address, more, Server::Ssh(server, command)))
}

/// What stands before the key in `authorized_keys`: whoever has it does no more than `role` may, in a shell that did
/// `first`.
fn forced(house: &House, first: &str, role: &str) -> String {
    let helper = bin("gate-remote-ssh");
    let ledger = house.outside("sshd/ledger.db");
    format!("restrict,command=\"{first}{} --serve {} --as {role}\"", helper.display(), ledger.display())
}

/// From now on the key may do no more than `role`, in a shell that did `first`.
pub(crate) fn forces(town: &Town, first: &str, role: &str) {
    let keys = town.house.outside("sshd/authorized_keys");
    let public = std::fs::read_to_string(town.house.outside("sshd/user.pub")).unwrap();
    std::fs::write(keys, format!("{} {public}", forced(&town.house, first, role))).unwrap();
}

/// Over PostgreSQL on loopback; none where that cannot be had.
pub(crate) fn postgres(more: &'static str) -> Option<Town> {
    let cluster = Cluster::start()?;
    let house = House::without_ledger("version = 1\n");
    let address = format!("postgres://127.0.0.1:{}/postgres?ledger=payments", cluster.door);
    Some(Town::served(house, address, more, Server::Postgres(cluster)))
}

/// Calls `test` with a town over each server that can be had.
pub(crate) fn each(more: &'static str, test: impl Fn(Town)) {
    for (name, build) in SERVERS {
        match build(more) {
            Some(town) => test(town),
            None => eprintln!("skipped: there is no server for {name}"),
        }
    }
}
