//! Tools of other projects, and the sample code and recorded reports in testdata.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::path::{Path, PathBuf};

use crate::support::{House, Ran};

/// The checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A file or folder of testdata.
pub fn testdata(name: &str) -> PathBuf {
    checkout().join("tests/testdata").join(name)
}

/// A recorded report, as an argument.
pub fn recorded(name: &str) -> String {
    testdata("recorded").join(name).to_str().unwrap().to_owned()
}

/// Where `scripts/partners` installs tools.
pub fn installed() -> PathBuf {
    checkout().join(".partners/venv/bin")
}

/// A tool by its full path: an installed one, else one on PATH; where there is none, says so.
pub fn partner(name: &str) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(installed()).chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is neither in .partners nor on PATH (scripts/partners installs it)");
    }
    found.and_then(|path| path.to_str().map(str::to_owned))
}

/// Copies what is in a folder of testdata into the repository.
pub fn copy(house: &House, folder: &str) {
    let from = testdata(folder).join(".");
    assert!(house.plain("cp").arg("-R").args([&from, &house.root]).status().unwrap().success());
}

/// Runs `gate-check` where its command may need a Rust toolchain: the house has a home of its own, in which
/// rustup would find none.
pub fn check_with_toolchain(house: &House, args: &[&str]) -> Ran {
    let mut command = house.tool("gate-check", args);
    for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
        let default = || std::env::home_dir().unwrap().join(folder).into_os_string();
        command.env(name, std::env::var_os(name).unwrap_or_else(default));
    }
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    Ran::of(command.output().unwrap())
}
