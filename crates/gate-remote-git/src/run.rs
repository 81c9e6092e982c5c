//! From arguments and environment to a conversation.

use std::ffi::OsString;

use gate_cli::answering::answer;
use gate_cli::clock::Clock;
use gate_cli::{Env, Failure, Io};
use gate_ledger::remote::RemoteError;
use gate_model::exit::Exit;

use crate::address::Address;
use crate::cache::Cache;
use crate::git::Git;
use crate::remote::GitRemote;
use crate::settings::Settings;

/// The helper's name.
pub(crate) const TOOL: &str = "gate-remote-git";

/// Runs the helper.
pub(crate) fn run(args: &[OsString], io: &mut Io<'_>, env: &Env, clock: Clock<'_>) -> Exit {
    let [name] = args else {
        let usage = Failure::new(
            TOOL,
            Exit::Usage,
            "one argument is wanted, the name of a remote such as git:origin",
        );
        return io.fail(&usage.with_remedy("the tools start this program by themselves; see gate-remote(7)"));
    };
    let mut remote = open(&name.to_string_lossy(), env, clock).map_err(|error| error.as_failed());
    answer(TOOL, &mut remote, io)
}

/// Everything that is read before the first question: a gated command that runs later cannot change it.
fn open<'c>(name: &str, env: &Env, clock: Clock<'c>) -> Result<GitRemote<'c>, RemoteError> {
    let address = Address::parse(name)?;
    let git = Git::new(&env.cwd);
    let settings = Settings::read(&git)?;
    let places = settings.places(&address)?;
    let cache = Cache::open(env, &format!("{}#{}", places.fetch, address.branch))?;
    let git = git.within(&cache, settings)?;
    Ok(GitRemote::new(git, cache, places, address, clock))
}
