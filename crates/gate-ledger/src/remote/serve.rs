//! Answering: the loop of a helper.

use std::io::{self, BufRead, Write};
use std::ops::ControlFlow;

use super::batch::refused;
use super::line::{self, LineKind};
use super::{Answer, Ask, Batch, Each, Outcome, Remote, RemoteError};
use crate::archive::EntryRef;
use crate::chain::{Chain, Start};
use crate::entry::Entry;

/// The most bytes of one batch: whoever may append has this much of a helper's memory, and no more.
const MAX_BATCH: usize = 64 << 20;

/// Answers on `output` what is asked on `input` until that ends.
///
/// Lines that do not follow the entry that they are said to follow never reach `remote`: a client that errs, or
/// lies, cannot leave in a ledger what no reader would take.
///
/// # Errors
/// What the streams say. What is wrong with an ask is answered; after one that cannot be read nothing more is, since
/// nobody knows where the next one begins.
pub fn serve(remote: &mut dyn Remote, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    let mut server = Server { remote, output, failure: None };
    let mut line = Vec::new();
    loop {
        let ask = match line::next(input, &mut line) {
            Ok(false) => return Ok(()),
            Ok(true) => Ask::read(&line),
            Err(error) => Err(error),
        };
        let batch = match &ask {
            Ok(Ask::Append { lines, openings, copied, .. }) => {
                receive(input, *lines, *openings).map(|batch| Batch { copied: *copied, ..batch })
            }
            Ok(Ask::Create { lines, openings }) => receive(input, *lines, *openings),
            _ => Ok(Batch::default()),
        };
        let (ask, batch) = match ask.and_then(|ask| Ok((ask, batch?))) {
            Ok(received) => received,
            Err(RemoteError::Io(error)) => return Err(error),
            Err(error) => return server.answer(&Answer::Failed(error.as_failed())),
        };
        let answer = server.ask(&ask, &batch).unwrap_or_else(|error| Answer::Failed(error.as_failed()));
        if let Some(error) = server.failure.take() {
            return Err(error);
        }
        server.answer(&answer)?;
    }
}

/// A remote, and whom it answers.
struct Server<'d> {
    remote: &'d mut dyn Remote,
    output: &'d mut dyn Write,
    /// Why lines could not be handed on.
    failure: Option<io::Error>,
}

impl Server<'_> {
    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        self.output.write_all(answer.write().as_bytes())?;
        self.output.write_all(b"\n")?;
        self.output.flush()
    }

    fn ask(&mut self, ask: &Ask, batch: &Batch) -> Result<Answer, RemoteError> {
        Ok(match ask {
            Ask::Hello { ledger } => Answer::Hello(self.remote.hello(*ledger)?),
            Ask::Read { after, most } => {
                let (lines, head) = self.hand_on(|remote, each| remote.read(*after, *most, each))?;
                Answer::Read { lines, head }
            }
            Ask::Append { after, .. } => {
                check(Some(*after), batch)?;
                Answer::Append(self.remote.append(*after, batch)?)
            }
            Ask::Create { .. } => {
                check(None, batch)?;
                Answer::Create(self.remote.create(batch)?)
            }
            Ask::Forget { before, keep } => {
                self.remote.forget(*before, keep)?;
                Answer::Forgotten
            }
            Ask::Openings { from, to } => {
                let (lines, ()) = self.hand_on(|remote, each| remote.openings(*from, *to, each))?;
                Answer::Openings { lines }
            }
            Ask::Erase { commitments } => Answer::Erased { count: self.remote.erase(commitments)? },
        })
    }

    /// Writes the lines that `work` hands out, and counts them.
    fn hand_on<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Remote, Each<'_>) -> Result<T, RemoteError>,
    ) -> Result<(u64, T), RemoteError> {
        let (output, failure) = (&mut *self.output, &mut self.failure);
        let mut lines = 0;
        let value = work(self.remote, &mut |line| {
            lines += 1;
            match output.write_all(line).and_then(|()| output.write_all(b"\n")) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    *failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        Ok((lines, value))
    }
}

/// Reads the lines behind an ask.
fn receive(input: &mut dyn BufRead, lines: u64, openings: u64) -> Result<Batch, RemoteError> {
    let mut bytes = 0;
    let mut several = |count: u64, kind: LineKind| {
        let mut several = Vec::new();
        for _ in 0..count {
            let mut line = Vec::new();
            if !line::next(input, &mut line)? {
                return Err(RemoteError::protocol("the lines of a batch were cut off"));
            }
            bytes += line.len();
            if bytes > MAX_BATCH {
                return Err(RemoteError::protocol("a batch takes more than 64 MiB"));
            }
            if LineKind::of(&line) != kind {
                return Err(RemoteError::protocol("a line of a batch is neither entry nor opening"));
            }
            several.push(line);
        }
        Ok(several)
    };
    let lines = several(lines, LineKind::Entry)?;
    Ok(Batch { lines, openings: several(openings, LineKind::Opening)?, copied: false })
}

/// Checks that the lines of `batch` are entries that follow `after`, or begin a ledger, and that each opening is of
/// something that one of them hides.
fn check(after: Option<EntryRef>, batch: &Batch) -> Result<(), RemoteError> {
    let start =
        |after: EntryRef| Start { next: after.seq + 1, prev: after.hash, ledger: None, genesis: None };
    let mut chain = after.map_or_else(Chain::new, |after| Chain::starting(start(after)));
    let mut entries = Vec::with_capacity(batch.lines.len());
    for line in &batch.lines {
        let entry = Entry::from_line(line).map_err(|error| error.0);
        let linked = entry.and_then(|entry| {
            chain.push(entry.body.as_bytes(), Some(entry.hash))?;
            Ok(entry)
        });
        entries.push(linked.map_err(|bad| refused(&format!("entry {}: {bad}", chain.entries())))?);
    }
    batch.kept(&entries).map(drop)
}

impl Outcome {
    /// Whether the lines are certainly there.
    pub const fn is_taken(&self) -> bool {
        matches!(self, Self::Taken)
    }
}
