//! gate-remote-postgres: the checks of all remotes on a real server and behind a pooler, what a role may do, TLS, and
//! connections that are cut around COMMIT.

mod cluster;
mod cuts;
mod proxy;
mod roles;
mod tls;
mod turns;

/// A server by itself.
mod server {
    use super::cluster::Cluster;

    gate_tests::conformance!(Cluster::start());
}

/// Behind pgbouncer, which hands each transaction to another connection.
mod pooled {
    use super::cluster::Cluster;

    gate_tests::conformance!(Cluster::start().and_then(Cluster::pooled));
}
