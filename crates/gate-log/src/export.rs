//! The export: every entry as one line, exactly as stored.
//!
//! Nothing is hashed or parsed on the way: an export of a damaged ledger shows the damage, and the reader
//! verifies. It goes up to the entry that is newest when it begins, in stretches, so that a slow reader does
//! not keep the ledger's write-ahead log from being folded.

use std::ops::ControlFlow;
use std::path::Path;

use gate_cli::Io;
use gate_cli::io::Reader;
use gate_cli::render;
use gate_ledger::commitment::WrittenOpening;
use gate_ledger::entry::write_line;
use gate_ledger::outfile::{Manner, Place};
use gate_ledger::store::{Access, Ledger};
use gate_model::exit::Exit;

use crate::session::Log;
use gate_cli::Stop;

/// How many positions one stretch has at most.
const STRETCH: u64 = 4096;
/// How many bytes one stretch has at most, unless one entry alone has more.
const MAX_BYTES: usize = 4 << 20;

/// Writes every entry.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn export(log: &Log<'_>, openings: Option<&Path>, io: &mut Io<'_>) -> Result<(), Stop> {
    let found = log.find()?;
    let ledger = found.open(Access::Read)?;
    if let Some(path) = openings {
        found.refuse_reserved(&log.session.env.cwd.join(path), path)?;
        write_openings(&ledger, &log.session.env.cwd, path)?;
    }
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

/// Writes every opening, one line of JSON each, to a new file that only its owner can read.
fn write_openings(ledger: &Ledger, cwd: &Path, path: &Path) -> Result<(), Stop> {
    let mut unread = None;
    let written = Place::of(&cwd.join(path)).and_then(|place| {
        place.write(Manner::SECRET, |out| {
            let mut put = Ok(());
            let walked = ledger.view().openings(&mut |kept| {
                let line = render::json(&WrittenOpening::from(&kept?.opening)) + "\n";
                if put.is_ok() {
                    put = out.write_all(line.as_bytes());
                }
                Ok(())
            });
            // What cannot be read ends the writing too: half of the openings are under no name.
            unread = walked.err();
            if unread.is_some() { Err(std::io::Error::other("the openings cannot be read")) } else { put }
        })
    });
    match (written, unread) {
        (_, Some(error)) => Err(error.into()),
        (Err(source), None) => {
            let is_there = source.kind() == std::io::ErrorKind::AlreadyExists;
            let exit = if is_there { Exit::Usage } else { Exit::Failure };
            let path = path.display();
            let text = format_args!("cannot write the openings to '{path}': {source}");
            Err(Stop::new(exit, format_args!("{text}\nname a file that does not exist yet")))
        }
        (Ok(()), None) => Ok(()),
    }
}

/// Gathers the lines of the entries from `first` to `last`. Says whether they fit.
fn gather(ledger: &Ledger, first: u64, last: u64, buffer: &mut Vec<u8>) -> Result<bool, Stop> {
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
