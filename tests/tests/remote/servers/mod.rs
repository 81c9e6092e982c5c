//! Servers of other projects, each started for one test on a port of its own and ended with it.

mod http;
mod sshd;

pub(crate) use http::{GitServer, TOKEN};
pub(crate) use sshd::Sshd;
