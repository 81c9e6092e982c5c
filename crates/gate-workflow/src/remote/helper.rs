//! A remote that a helper speaks for.

use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::rc::Rc;

use gate_checkout::helper::{Helper, HelperError, Patient};
use gate_ledger::archive::EntryRef;
use gate_ledger::chain::LedgerId;
use gate_ledger::commitment::Commitment;
use gate_ledger::remote::{Batch, Client, Each, Hello, Outcome, Remote, RemoteError, Why};

use super::Connect;

/// Connects to remotes by the helpers that are installed with the tools.
pub fn through_helper() -> Connect {
    Rc::new(start)
}

/// Starts the helper for `address`.
fn start(address: &str) -> Result<Box<dyn Remote>, RemoteError> {
    let scheme = address.split_once(':').map_or(address, |(scheme, _)| scheme);
    let (helper, answers, questions) =
        Helper::start(scheme, address, Path::new(".")).map_err(|error| failed(&error))?;
    let client = Client::new(BufReader::new(answers), BufWriter::new(questions));
    Ok(Box::new(Spoken { client, _helper: helper }))
}

fn failed(error: &HelperError) -> RemoteError {
    let text = error.to_string();
    let (problem, remedy) = text.split_once('\n').unwrap_or((&text, "see gate-remote(7)"));
    RemoteError::failed(Why::Failure, problem, remedy)
}

/// A helper with the streams to it, which end before it is waited for.
struct Spoken {
    client: Client<BufReader<Patient>, BufWriter<Patient>>,
    _helper: Helper,
}

impl Remote for Spoken {
    fn hello(&mut self, ledger: Option<LedgerId>) -> Result<Hello, RemoteError> {
        self.client.hello(ledger)
    }

    fn read(
        &mut self,
        after: Option<u64>,
        most: u64,
        each: Each<'_>,
    ) -> Result<Option<EntryRef>, RemoteError> {
        self.client.read(after, most, each)
    }

    fn append(&mut self, after: EntryRef, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.client.append(after, batch)
    }

    fn create(&mut self, batch: &Batch) -> Result<Outcome, RemoteError> {
        self.client.create(batch)
    }

    fn forget(&mut self, before: u64, keep: &[u64]) -> Result<(), RemoteError> {
        self.client.forget(before, keep)
    }

    fn openings(&mut self, from: u64, to: u64, each: Each<'_>) -> Result<(), RemoteError> {
        self.client.openings(from, to, each)
    }

    fn erase(&mut self, commitments: &[Commitment]) -> Result<u64, RemoteError> {
        self.client.erase(commitments)
    }
}
