//! Remotes for tests: one in memory that can misbehave, any helper as a process, and what all of them must do.
//!
//! [`conformance`] holds the checks; [`crate::conformance!`] makes tests of them for one kind of remote.

pub mod conformance;
mod lines;
mod memory;
mod process;

pub use lines::{Chain, seq_of};
pub use memory::{Fault, Memory};
pub use process::{Helper, Speaking};

use std::ops::ControlFlow;

use gate_ledger::archive::EntryRef;
use gate_ledger::remote::Remote;

/// A place where one ledger can be kept, empty at first.
pub trait Site: Sync {
    /// A new connection to it.
    fn connect(&self) -> Box<dyn Remote>;

    /// How many write at once where that is tried; fewer where a connection alone takes long.
    fn writers(&self) -> usize {
        16
    }
}

/// A site with what has to outlive it, such as its folder.
impl<S: Site, K: Sync> Site for (S, K) {
    fn connect(&self) -> Box<dyn Remote> {
        self.0.connect()
    }

    fn writers(&self) -> usize {
        self.0.writers()
    }
}

/// All lines behind `after`, page by page, and the newest entry.
///
/// # Panics
/// Where the remote fails, or sends nothing although it has more.
pub fn read_all(remote: &mut dyn Remote, after: Option<u64>) -> (Vec<Vec<u8>>, Option<EntryRef>) {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut last = after;
    loop {
        let before = lines.len();
        let each = &mut |line: &[u8]| {
            lines.push(line.to_vec());
            ControlFlow::Continue(())
        };
        let head = remote.read(last, 1_000, each).expect("the remote answers");
        last = lines.last().map(|line| seq_of(line)).or(last);
        if head.is_none_or(|head| Some(head.seq) <= last) {
            return (lines, head);
        }
        assert!(lines.len() > before, "there is more, and nothing comes");
    }
}
