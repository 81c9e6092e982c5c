//! A copy of the ledger at a remote: how a ledger in a file becomes one that machines share, or moves.

use std::path::Path;

use gate_cli::Io;
use gate_ledger::store::Access;
use gate_ledger::verify::{self, Options};
use gate_workflow::ledger_access::Unusable;
use gate_workflow::remote;

use super::{CopyError, document};
use crate::session::Log;
use gate_cli::Stop;

/// The address of a remote, where `to` is one: `SCHEME:` and more. A path that looks like it is written `./a:b`.
pub(super) fn address(to: &Path) -> Option<&str> {
    let text = to.to_str()?;
    let (scheme, rest) = text.split_once(':')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let names = scheme.starts_with(|first: char| first.is_ascii_lowercase()) && scheme.bytes().all(plain);
    (names && !rest.is_empty()).then_some(text)
}

/// Copies the ledger to the remote at `address`, which has none yet, or the first entries of this one.
///
/// # Errors
/// A [`Stop`]; then the remote has the first entries at most, and the same command goes on behind them.
pub(super) fn copy(log: &Log<'_>, address: &str, io: &mut Io<'_>) -> Result<(), Stop> {
    let found = log.find()?;
    let ledger = found.open(Access::Read)?;
    let options = Options { genesis: Some(ledger.genesis()), ..Options::default() };
    let outcome = verify::sqlite(&found.path()?, &options, &mut ()).map_err(CopyError::Unverified)?;
    if let Some(bad) = outcome.first_bad {
        return Err(CopyError::Bad { seq: bad.seq, reason: bad.reason }.into());
    }
    remote::copy_to(&log.place().connect, address, &ledger).map_err(Unusable::from)?;
    let head = ledger.view().head()?;
    let genesis = ledger.genesis().to_string();
    let document = document(&ledger, address, head.seq + 1, Some(head.into()));
    let summary = format!(
        "the remote '{address}' holds the ledger up to entry {}; put these lines under [ledger], in place of path",
        head.seq
    );
    log.session.report(&document, &summary, io);
    if !log.session.output.quiet {
        io.tell(&format!("  remote = \"{address}\"\n  genesis = \"{genesis}\"\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::address;

    #[test]
    fn an_address_begins_with_a_scheme_and_a_path_does_not() {
        for remote in ["git:origin#ledger", "postgres://db/gate?ledger=x", "ssh://host/a.db"] {
            assert_eq!(address(Path::new(remote)), Some(remote));
        }
        for path in ["copy.db", "/a/b:c", "./git:x", "a b:c", "git:", "C:x"] {
            assert_eq!(address(Path::new(path)), None, "{path}");
        }
    }
}
