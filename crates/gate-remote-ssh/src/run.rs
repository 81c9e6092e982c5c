//! From arguments to one of the two halves.

use std::ffi::OsString;
use std::path::PathBuf;

use gate_cli::answering::answer;
use gate_cli::clock::Clock;
use gate_cli::{Env, Failure, Io};
use gate_model::exit::Exit;

use crate::address::Address;
use crate::client::Ssh;
use crate::ledger::Served;
use crate::role::Role;

/// The helper's name.
pub(crate) const TOOL: &str = "gate-remote-ssh";

/// What is asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
enum Half {
    /// Ask the remote of that name.
    Ask(String),
    /// Answer from the ledger at that path.
    Serve { path: PathBuf, role: Role, any_time: bool },
}

/// Runs the helper.
pub(crate) fn run(args: &[OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let Some(half) = parse(args) else {
        let usage = Failure::new(TOOL, Exit::Usage, "either ssh://HOST/PATH is wanted, or --serve PATH");
        return io
            .fail(&usage.with_remedy(
                "--as writer|reader|keeper and --any-time may follow PATH; see gate-remote(7)",
            ));
    };
    match half {
        Half::Ask(name) => {
            let address = Address::parse(&name).map_err(|error| error.as_failed());
            answer(TOOL, &mut address.map(|address| Ssh::new(address, env.get("GATE_SSH_COMMAND"))), io)
        }
        Half::Serve { path, role, any_time } => {
            answer(TOOL, &mut Served::new(path, role, any_time, clock), io)
        }
    }
}

fn parse(args: &[OsString]) -> Option<Half> {
    let mut args = args.iter();
    let first = args.next()?;
    if first != "--serve" {
        let name = first.to_str().filter(|name| !name.is_empty() && !name.starts_with('-'))?;
        return args.next().is_none().then(|| Half::Ask(name.to_owned()));
    }
    let path = PathBuf::from(args.next().filter(|path| !path.is_empty())?);
    // Whoever starts this without a forced command has a shell there, and the file.
    let (mut role, mut any_time) = (Role::Keeper, false);
    while let Some(option) = args.next() {
        match option.to_str()? {
            "--as" => role = Role::parse(args.next()?.to_str()?)?,
            "--any-time" => any_time = true,
            _ => return None,
        }
    }
    Some(Half::Serve { path, role, any_time })
}

#[cfg(test)]
mod tests {
    use super::{Half, Role, parse};

    fn parsed(line: &str) -> Option<Half> {
        parse(&line.split(' ').map(std::ffi::OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_role_that_is_not_known_and_an_option_that_is_none_start_nothing() {
        let serve = |role, any_time| Some(Half::Serve { path: "/x.db".into(), role, any_time });
        assert_eq!(parsed("ssh://host/x.db"), Some(Half::Ask("ssh://host/x.db".into())));
        assert_eq!(parsed("--serve /x.db"), serve(Role::Keeper, false));
        assert_eq!(parsed("--serve /x.db --as writer --any-time"), serve(Role::Writer, true));
        for line in [
            "",
            "--help",
            "--serve",
            "ssh://a ssh://b",
            "--serve /x.db --as root",
            "--serve /x.db --as",
            "--serve /x.db x",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
