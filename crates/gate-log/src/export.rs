//! The export: every entry as one line, exactly as stored.
//!
//! Nothing is hashed or parsed on the way: an export of a damaged ledger shows the damage, and the reader
//! verifies. It goes up to the entry that is newest when it begins, in stretches, so that a slow reader does
//! not keep the ledger's write-ahead log from being folded.

use std::ops::ControlFlow;

use gate_cli::Io;
use gate_cli::io::Reader;
use gate_ledger::entry::write_line;
use gate_ledger::store::Ledger;

use crate::desk::Desk;
use crate::error::LogError;

/// How many positions one stretch has at most.
const STRETCH: u64 = 4096;
/// How many bytes one stretch has at most, unless one entry alone has more.
const MAX_BYTES: usize = 4 << 20;

/// Writes every entry.
///
/// # Errors
/// A [`LogError`].
pub(crate) fn export(desk: &Desk<'_>, io: &mut Io<'_>) -> Result<(), LogError> {
    let ledger = desk.ledger()?;
    let head = ledger.view().head()?.seq;
    let mut buffer = Vec::new();
    let (mut next, mut width) = (0_u64, STRETCH);
    while next <= head {
        let last = head.min(next.saturating_add(width - 1));
        if !gather(&ledger, next, last, &mut buffer)? {
            // A stretch is read as a whole: rows may be missing, so how many fitted says not how far it went.
            width /= 2;
            continue;
        }
        // A failed write is remembered by `main`; here it only says that more of them are useless.
        if io.stdout.write_all(&buffer).is_err() || io.deliver() == Reader::Gone {
            return Ok(());
        }
        next = last + 1;
        width = (width * 2).min(STRETCH);
    }
    Ok(())
}

/// Gathers the lines of the entries from `first` to `last`. Says whether they fit.
fn gather(ledger: &Ledger, first: u64, last: u64, buffer: &mut Vec<u8>) -> Result<bool, LogError> {
    buffer.clear();
    let mut fits = true;
    ledger.view().scan_lines(first, Some(last), &mut |body, hash| {
        fits = first == last || buffer.len() + body.len() <= MAX_BYTES;
        if !fits {
            return ControlFlow::Break(());
        }
        write_line(buffer, body, hash);
        buffer.push(b'\n');
        ControlFlow::Continue(())
    })?;
    Ok(fits)
}
