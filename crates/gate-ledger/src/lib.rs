//! A hash-chained, offline-verifiable ledger of JSON entries.

pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod note;
pub mod profile;
pub mod proof;
pub mod store;
pub mod tree;
pub mod verify;
