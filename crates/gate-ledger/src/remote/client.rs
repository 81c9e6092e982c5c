//! Asking a remote through two streams: those of a helper, or of a test.

use std::io::{BufRead, ErrorKind, Write};
use std::ops::ControlFlow;

use super::line::{self, LineKind};
use super::{Answer, Ask, Batch, Each, Hello, MAX_LINES, Outcome, Remote, RemoteError};
use crate::archive::EntryRef;
use crate::chain::LedgerId;
use crate::commitment::Commitment;

/// Somebody who answers on `reader` what is asked on `writer`.
///
/// After an error of the streams or of the protocol nothing more is asked: nobody knows where the next answer would
/// begin.
#[derive(Debug)]
pub struct Client<R, W> {
    reader: R,
    writer: W,
    line: Vec<u8>,
    lost: bool,
}

impl<R: BufRead, W: Write> Client<R, W> {
    /// A client on these streams.
    pub const fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, line: Vec::new(), lost: false }
    }

    /// Asks, sends `batch`, hands the lines that come to whom they are for, and returns the answer behind them.
    fn ask(&mut self, ask: &Ask, batch: &Batch, mut lines: Lines<'_>) -> Result<Answer, RemoteError> {
        if self.lost {
            return Err(RemoteError::Ended);
        }
        // Whatever leaves early leaves the streams in the middle of something.
        self.lost = true;
        match self.send(ask, batch) {
            // Whoever does not listen any more may have said why.
            Err(RemoteError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            sent => sent?,
        }
        let answer = self.answer(&mut lines)?;
        self.lost = false;
        match answer {
            Answer::Failed(failed) => Err(failed.into()),
            answer => Ok(answer),
        }
    }

    /// Asks where no lines go either way.
    fn just(&mut self, ask: &Ask) -> Result<Answer, RemoteError> {
        self.ask(ask, &Batch::default(), Lines::none(&mut |_| ControlFlow::Continue(())))
    }

    fn send(&mut self, ask: &Ask, batch: &Batch) -> Result<(), RemoteError> {
        let message = ask.write();
        for line in [message.as_bytes()].into_iter().chain(batch.all()) {
            self.writer.write_all(line)?;
            self.writer.write_all(b"\n")?;
        }
        Ok(self.writer.flush()?)
    }

    fn answer(&mut self, lines: &mut Lines<'_>) -> Result<Answer, RemoteError> {
        let mut came = 0;
        loop {
            if !line::next(&mut self.reader, &mut self.line)? {
                return Err(RemoteError::Ended);
            }
            let kind = LineKind::of(&self.line);
            if kind == LineKind::Message {
                let answer = Answer::read(&self.line)?;
                check_count(&answer, came)?;
                return Ok(answer);
            }
            came += 1;
            if Some(kind) != lines.kind {
                return Err(RemoteError::protocol("a line came that nobody asked for"));
            }
            if came > lines.most {
                return Err(RemoteError::protocol(format!("more than {} lines came", lines.most)));
            }
            if (lines.each)(&self.line).is_break() {
                return Err(RemoteError::Stopped);
            }
        }
    }

    /// Sends a batch. From the first byte on nobody knows whether it arrived, unless an answer says so.
    fn write_batch(&mut self, ask: &Ask, batch: &Batch) -> Result<Answer, RemoteError> {
        if self.lost {
            return Err(RemoteError::Ended);
        }
        match self.ask(ask, batch, Lines::none(&mut |_| ControlFlow::Continue(()))) {
            Err(RemoteError::Failed(failed)) => Err(failed.into()),
            Err(error) => {
                let said = error.to_string();
                Ok(Answer::Append(Outcome::Unknown(said.lines().next().unwrap_or_default().to_owned())))
            }
            Ok(answer) => Ok(answer),
        }
    }
}

impl Batch {
    /// All lines in the order in which they are sent.
    fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().chain(&self.openings).map(Vec::as_slice)
    }
}

/// Which lines may come before an answer, and who takes them.
struct Lines<'e> {
    kind: Option<LineKind>,
    most: u64,
    each: Each<'e>,
}

impl<'e> Lines<'e> {
    fn none(each: Each<'e>) -> Self {
        Self { kind: None, most: 0, each }
    }
}

/// Whether as many lines came as the answer says.
fn check_count(answer: &Answer, came: u64) -> Result<(), RemoteError> {
    let said = match answer {
        Answer::Read { lines, .. } | Answer::Openings { lines } => *lines,
        // Whoever fails may do so in the middle.
        Answer::Failed(_) => came,
        _ => 0,
    };
    if said == came {
        return Ok(());
    }
    Err(RemoteError::protocol(format!("{came} lines came, and the answer says {said}")))
}

fn other(asked: &str) -> RemoteError {
    RemoteError::protocol(format!("'{asked}' was asked, and something else was answered"))
}

impl<R: BufRead, W: Write> Remote for Client<R, W> {
    fn hello(&mut self, ledger: Option<LedgerId>) -> Result<Hello, RemoteError> {
        let ask = Ask::Hello { ledger };
        match self.just(&ask)? {
            Answer::Hello(hello) => Ok(hello),
            _ => Err(other("hello")),
        }
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        let most = most.min(MAX_LINES);
        let lines = Lines { kind: Some(LineKind::Entry), most, each };
        match self.ask(&Ask::Read { after, most }, &Batch::default(), lines)? {
            Answer::Read { head, .. } => Ok(head),
            _ => Err(other("read")),
        }
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        let (lines, openings) = (batch.lines.len() as u64, batch.openings.len() as u64);
        match self.write_batch(&Ask::Append { after, lines, openings, copied: batch.copied }, batch)? {
            Answer::Append(outcome) => Ok(outcome),
            _ => Ok(Outcome::Unknown("something else than 'append' was answered".to_owned())),
        }
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        let (lines, openings) = (batch.lines.len() as u64, batch.openings.len() as u64);
        match self.write_batch(&Ask::Create { lines, openings }, batch)? {
            Answer::Create(outcome)
            | Answer::Append(outcome @ (Outcome::Refused(_) | Outcome::Unknown(_))) => Ok(outcome),
            _ => Ok(Outcome::Unknown("something else than 'create' was answered".to_owned())),
        }
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        let ask = Ask::Forget { before, keep: keep.to_vec() };
        match self.just(&ask)? {
            Answer::Forgotten => Ok(()),
            _ => Err(other("forget")),
        }
    }

    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        let lines = Lines { kind: Some(LineKind::Opening), most: MAX_LINES, each };
        match self.ask(&Ask::Openings { from, to }, &Batch::default(), lines)? {
            Answer::Openings { .. } => Ok(()),
            _ => Err(other("openings")),
        }
    }

    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        let ask = Ask::Erase { commitments: commitments.to_vec() };
        match self.just(&ask)? {
            Answer::Erased { count } => Ok(count),
            _ => Err(other("erase")),
        }
    }
}
