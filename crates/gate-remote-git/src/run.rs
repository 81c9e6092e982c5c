//! From arguments and environment to a conversation.

use std::ffi::OsString;
use std::io::BufReader;

use gate_cli::clock::Clock;
use gate_cli::{Env, Failure, Io};
use gate_ledger::remote::{RemoteError, serve};
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
    let mut remote = Opened(open(&name.to_string_lossy(), env, clock));
    match serve(&mut remote, &mut BufReader::new(&mut *io.stdin), io.stdout) {
        Ok(()) => Exit::Proceed,
        Err(error) => {
            io.fail(&Failure::new(TOOL, Exit::Failure, format!("cannot speak to who asks: {error}")))
        }
    }
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

/// A remote, or why there is none, which is the answer to whatever is asked.
struct Opened<'c>(Result<GitRemote<'c>, RemoteError>);

mod opened {
    //! Passing every question on.

    use gate_ledger::archive::EntryRef;
    use gate_ledger::chain::LedgerId;
    use gate_ledger::remote::{Batch, Each, Hello, Outcome, Remote, RemoteError};

    use super::Opened;
    use crate::remote::GitRemote;

    impl<'c> Opened<'c> {
        fn get(&mut self) -> Result<&mut GitRemote<'c>, RemoteError> {
            match &mut self.0 {
                Ok(remote) => Ok(remote),
                Err(RemoteError::Failed(failed)) => Err(failed.clone().into()),
                Err(error) => Err(crate::error::failure(&error.to_string())),
            }
        }
    }

    impl Remote for Opened<'_> {
        fn hello(&mut self, ledger: Option<LedgerId>) -> Result<Hello, RemoteError> {
            self.get()?.hello(ledger)
        }

        fn read(
            &mut self,
            after: Option<u64>,
            most: u64,
            each: Each<'_>,
        ) -> Result<Option<EntryRef>, RemoteError> {
            self.get()?.read(after, most, each)
        }

        fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
            self.get()?.append(after, batch)
        }

        fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
            self.get()?.create(batch)
        }

        fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
            self.get()?.forget(before, keep)
        }
    }
}
