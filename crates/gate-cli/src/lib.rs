//! The face of the gate tools.
//!
//! Purpose: what all four tools show and how they end is decided here once: shared options, the standard
//! streams, colours, errors and their exit codes, and the rendering of every document for people, for CI
//! systems and for programs.
//!
//! Invariants:
//! - stdout carries data only; what people are told goes to stderr, prefixed with the tool's name;
//! - text that a person or a report wrote is inert in every output: no control or bidirectional character,
//!   no workflow command, no markup, no formula of it reaches a terminal, a CI log, a page or a spreadsheet;
//! - rendering is pure: documents, the time and the terminal's properties are passed in.
//!
//! Not here: deciding, recording, reading reports or policies.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test may start programs"))]
#![allow(special_module_name, reason = "the binaries call `gate_cli::main::main`; no main.rs is meant")]

pub mod answering;
pub mod clap_errors;
pub mod clock;
pub mod completions;
pub mod env;
pub mod escape;
pub mod io;
pub mod main;
pub mod message;
pub mod options;
#[cfg(feature = "progress")]
pub mod progress;
pub mod render;
pub mod session;
pub mod terminal;

pub use env::Env;
pub use io::Io;
pub use message::Failure;
pub use session::{Session, Stop};
