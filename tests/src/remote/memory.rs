//! A remote in memory, honest unless told otherwise.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};

use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::entry::Entry;
use gate_ledger::remote::{Batch, Each, Hello, Outcome, Remote, RemoteError};

use super::Site;

/// How a remote misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// It shows what it had some entries ago, and compares with what it has.
    Lags(usize),
    /// It says that its newest entry is further on than what it sends.
    Boasts,
    /// It names another hash for its newest entry.
    Disguises,
    /// It sends what was asked for twice.
    Repeats,
    /// It leaves out the line at a position.
    Drops(u64),
    /// It changes a letter of the line at a position.
    Edits(u64),
    /// It swaps the line at a position with the next one.
    Swaps(u64),
    /// It adds a space to the line at a position.
    Spaces(u64),
    /// It says `unknown` although it took what was sent, so many times.
    LosesAnswer(u32),
    /// It says `unknown` and took nothing, so many times.
    LosesBatch(u32),
    /// It says `unknown`, and takes what was sent when it is asked for the second time after that.
    Dawdles,
    /// It says that it took what it did not take.
    Pretends,
    /// It cannot be reached any more once something was sent to it.
    DiesAfter,
}

/// A line with what it is, so that nobody has to read it again.
type Named = (EntryRef, Vec<u8>);

#[derive(Debug, Default)]
struct State {
    lines: Vec<Named>,
    /// What was sent and is still on its way, and how many questions it is away.
    late: Option<(u32, Vec<Named>)>,
    dead: bool,
    /// How many answers were lost.
    lost: u32,
    appends: u32,
}

/// A remote in memory. Clones are connections to the same place.
#[derive(Debug, Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    /// How it misbehaves from now on.
    pub fault: Fault,
}

impl Default for Memory {
    fn default() -> Self {
        Self::with(Vec::new())
    }
}

impl Site for Memory {
    fn connect(&self) -> Box<dyn Remote> {
        Box::new(self.clone())
    }
}

impl Memory {
    /// With these lines.
    pub fn with(lines: Vec<Vec<u8>>) -> Self {
        let state = State { lines: named(lines), ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), fault: Fault::None }
    }

    /// The same place, misbehaving.
    #[must_use]
    pub fn that(&self, fault: Fault) -> Self {
        Self { fault, ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// The lines that are there.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        self.state().lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// How often something was sent.
    pub fn appends(&self) -> u32 {
        self.state().appends
    }

    /// Puts other lines in place.
    pub fn replace(&self, lines: Vec<Vec<u8>>) {
        self.state().lines = named(lines);
    }

    /// What is shown to whoever reads.
    fn shown<'s>(&self, state: &'s State) -> &'s [Named] {
        let behind = if let Fault::Lags(count) = self.fault { count } else { 0 };
        &state.lines[..state.lines.len().saturating_sub(behind)]
    }

    fn head(&self, lines: &[Named]) -> Option<EntryRef> {
        let mut head = lines.last()?.0;
        match self.fault {
            Fault::Boasts => head.seq += 1,
            Fault::Disguises => head.hash.0[0] ^= 1,
            _ => {}
        }
        Some(head)
    }

    /// The lines as they are sent.
    fn sent(&self, lines: Vec<Named>) -> Vec<Vec<u8>> {
        let (entries, mut lines): (Vec<EntryRef>, Vec<Vec<u8>>) = lines.into_iter().unzip();
        let at = |seq: u64| entries.iter().position(|entry| entry.seq == seq);
        match self.fault {
            Fault::Repeats => lines.extend(lines.clone()),
            Fault::Drops(seq) => drop(at(seq).map(|at| lines.remove(at))),
            Fault::Swaps(seq) => at(seq).into_iter().for_each(|at| lines.swap(at, at + 1)),
            Fault::Edits(seq) => {
                let text = at(seq).map(|at| String::from_utf8_lossy(&lines[at]).replace("alice", "mallo"));
                if let (Some(at), Some(text)) = (at(seq), text) {
                    lines[at] = text.into_bytes();
                }
            }
            Fault::Spaces(seq) => at(seq).into_iter().for_each(|at| lines[at].insert(1, b' ')),
            _ => {}
        }
        lines
    }

    fn write(&self, after: Option<EntryRef>, batch: &Batch) -> Result<Outcome, RemoteError> {
        let mut state = self.state();
        if state.dead {
            return Err(RemoteError::Ended);
        }
        state.appends += 1;
        state.dead = self.fault == Fault::DiesAfter;
        let unknown = || Outcome::Unknown("the connection was lost".to_owned());
        let head = state.lines.last().map(|(head, _)| *head);
        if head != after {
            return Ok(Outcome::Moved(head));
        }
        match self.fault {
            Fault::Pretends => return Ok(Outcome::Taken),
            Fault::LosesBatch(times) if state.lost < times => {
                state.lost += 1;
                return Ok(unknown());
            }
            Fault::Dawdles if state.late.is_none() => {
                state.late = Some((2, named(batch.lines.clone())));
                return Ok(unknown());
            }
            _ => {}
        }
        state.lines.extend(named(batch.lines.clone()));
        match self.fault {
            Fault::LosesAnswer(times) if state.lost < times => {
                state.lost += 1;
                Ok(unknown())
            }
            Fault::DiesAfter => Ok(unknown()),
            _ => Ok(Outcome::Taken),
        }
    }

    /// Lets what is on its way come a step nearer. What comes late is compared as everything is.
    fn pass_time(&self) {
        let mut state = self.state();
        let Some((steps, lines)) = state.late.take() else { return };
        if steps > 1 {
            state.late = Some((steps - 1, lines));
        } else if state.lines.len() as u64 == lines[0].0.seq {
            state.lines.extend(lines);
        }
    }
}

fn named(lines: Vec<Vec<u8>>) -> Vec<Named> {
    let name = |line: &[u8]| {
        let entry = Entry::from_line(line).expect("a line of an export");
        EntryRef { seq: entry.seq, hash: entry.hash }
    };
    lines.into_iter().map(|line| (name(&line), line)).collect()
}

impl Remote for Memory {
    fn hello(&mut self, _: Option<LedgerId>) -> Result<Hello, RemoteError> {
        let state = self.state();
        let lines = self.shown(&state);
        let ledger = lines.first().map(|(_, line)| Entry::from_line(line).expect("a line").ledger);
        let ledger = ledger.and_then(|id| LedgerId::read(id.as_bytes()));
        Ok(Hello { ledger, head: self.head(lines), ..Hello::default() })
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        if self.state().dead {
            return Err(RemoteError::Ended);
        }
        self.pass_time();
        let state = self.state();
        let lines = self.shown(&state);
        let (head, from) = (self.head(lines), lines.partition_point(|(entry, _)| Some(entry.seq) <= after));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let lines = self.sent(lines[from..].iter().take(most).cloned().collect());
        drop(state);
        for line in lines {
            if each(&line) == ControlFlow::Break(()) {
                return Err(RemoteError::Stopped);
            }
        }
        Ok(head)
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.write(Some(after), batch)
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.write(None, batch)
    }
}
