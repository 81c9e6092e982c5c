//! Remotes: the protocol, what a working copy believes of it, and every helper.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests stop at the first surprise, start programs, and say what they skip"
)]

mod attacks;
mod copy;
mod exchange;
mod git;
mod postgres;
mod publishing;
mod servers;
mod ssh;
mod streams;

/// The remote in memory, asked directly: the checks and the toy of all others are themselves checked by it.
mod memory {
    use gate_tests::remote::Memory;

    fn site() -> Memory {
        Memory::default()
    }

    gate_tests::conformance!(Some(site()));
}

/// The same behind the loop that helpers run, and a client.
mod served {
    use crate::streams::Served;

    fn site() -> Served {
        Served::default()
    }

    gate_tests::conformance!(Some(site()));
}

/// The toy in shell that gate-remote(7) shows.
mod toy {
    use gate_tests::remote::Helper;

    use crate::exchange::toy;

    fn site() -> (Helper, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        (Helper::new("sh", [toy().into_os_string(), "ledger".into()], directory.path()), directory)
    }

    gate_tests::conformance!(Some(site()));
}
