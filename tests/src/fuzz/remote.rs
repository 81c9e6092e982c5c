//! Messages of the remote protocol, which a helper that nobody trusts writes.

use std::ops::ControlFlow;

use gate_ledger::remote::{Answer, Ask, Batch, Client, Outcome, Remote};

use super::assert_message;
use crate::remote::Chain;

/// A message, and a whole conversation: errors can be shown, what was read writes back as itself, and lines count as
/// taken only where the answer says so.
pub fn remote(data: &[u8]) {
    match Answer::read(data) {
        Ok(answer) => assert_eq!(Answer::read(answer.write().as_bytes()).ok(), Some(answer)),
        Err(error) => assert_message(&error),
    }
    match Ask::read(data) {
        Ok(ask) => assert_eq!(Ask::read(ask.write().as_bytes()).ok(), Some(ask)),
        Err(error) => assert_message(&error),
    }
    let mut client = Client::new(data, Vec::new());
    let mut came = 0;
    let read = client.read(None, 3, &mut |_| {
        came += 1;
        ControlFlow::Continue(())
    });
    assert!(came <= 3);
    let mut chain = Chain::new(1);
    chain.line("first");
    let (after, batch) = (chain.head(), Batch { lines: vec![chain.line("second")], ..Batch::default() });
    match client.append(after, &batch) {
        Ok(Outcome::Taken) => {
            assert!(read.is_ok());
            let said =
                lines(data).any(|line| matches!(Answer::read(line), Ok(Answer::Append(Outcome::Taken))));
            assert!(said, "nobody said that the lines were taken");
        }
        Ok(_) => {}
        Err(error) => assert_message(&error),
    }
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == b'\n')
}
