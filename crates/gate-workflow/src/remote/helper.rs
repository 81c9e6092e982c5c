//! A remote that a helper speaks for.

use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::rc::Rc;

use gate_checkout::helper::{self, HelperError};
use gate_ledger::remote::{Client, Remote, RemoteError, Why};

use super::Connect;

/// Connects to remotes by the helpers that are installed with the tools.
pub fn through_helper() -> Connect {
    Rc::new(start)
}

/// Starts the helper for `address`.
fn start(address: &str) -> Result<Box<dyn Remote>, RemoteError> {
    let scheme = address.split_once(':').map_or(address, |(scheme, _)| scheme);
    let (answers, questions) =
        helper::start(scheme, address, Path::new(".")).map_err(|error| failed(&error))?;
    Ok(Box::new(Client::new(BufReader::new(answers), BufWriter::new(questions))))
}

fn failed(error: &HelperError) -> RemoteError {
    let text = error.to_string();
    let (problem, remedy) = text.split_once('\n').unwrap_or((&text, "see gate-remote(7)"));
    RemoteError::failed(Why::Failure, problem, remedy)
}
