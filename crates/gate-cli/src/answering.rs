//! The loop of a program that speaks for a remote.

use std::io::BufReader;

use gate_ledger::remote::{Remote, serve};
use gate_model::exit::Exit;

use crate::{Failure, Io};

/// Answers for `remote` on the standard streams, as the helper `tool`, until whoever asks has enough.
pub fn answer(tool: &'static str, remote: &mut dyn Remote, io: &mut Io<'_>) -> Exit {
    match serve(remote, &mut BufReader::new(&mut *io.stdin), io.stdout) {
        Ok(()) => Exit::Proceed,
        Err(error) => {
            io.fail(&Failure::new(tool, Exit::Failure, format!("cannot speak to who asks: {error}")))
        }
    }
}
