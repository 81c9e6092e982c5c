//! What PostgreSQL says, in the classes of the protocol.

use std::error::Error as _;

use gate_ledger::remote::{RemoteError, Why};
use postgres::Error;
use postgres::error::SqlState;

/// Something here failed.
pub(crate) fn failure(problem: impl Into<String>) -> RemoteError {
    RemoteError::failed(Why::Failure, problem, "the ledger is as it was; mend that and try again")
}

/// What is there is no ledger that could be read.
pub(crate) fn distrust(problem: impl Into<String>) -> RemoteError {
    RemoteError::failed(Why::Distrust, problem, "somebody changed the tables; nothing was written")
}

/// An error with what caused it, on one line.
pub(crate) fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(found) = cause {
        let found_text = found.to_string();
        if !text.contains(&found_text) {
            text.push_str(": ");
            text.push_str(&found_text);
        }
        cause = found.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the server said it of a transaction that can simply be tried again: it lost against another one.
pub(crate) fn is_race(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED, &SqlState::UNIQUE_VIOLATION]
            .contains(&code)
    })
}

/// An error before anything was committed.
pub(crate) fn failed(error: &Error) -> RemoteError {
    let text = said(error);
    let denied = |remedy: &str| {
        RemoteError::failed(Why::Denied, format!("PostgreSQL does not let us: {text}"), remedy)
    };
    let Some(code) = error.code() else { return unreached(&text) };
    match *code {
        SqlState::INSUFFICIENT_PRIVILEGE => {
            denied("grant the role that this needs: gate_reader, gate_writer or gate_keeper")
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            denied("look at user and password: PGUSER, PGPASSWORD, PGPASSFILE")
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => denied("name the server that takes writes, not its copy"),
        SqlState::UNDEFINED_TABLE => {
            let remedy = "make the tables: gate-remote-postgres --tables | psql DATABASE";
            RemoteError::failed(Why::Usage, format!("the database has no tables for ledgers: {text}"), remedy)
        }
        SqlState::INVALID_CATALOG_NAME => {
            RemoteError::failed(Why::Usage, text, "name a database that exists: postgres://HOST/DATABASE")
        }
        _ if code.code().starts_with("08") || code.code().starts_with("57P") => unreached(&text),
        _ => failure(format!("PostgreSQL failed: {text}")),
    }
}

fn unreached(text: &str) -> RemoteError {
    // The class is for people and changes nothing: neither lets an opt-out be used.
    if ["certificate", "password", "SCRAM", "TLS"].iter().any(|word| text.contains(word)) {
        let remedy =
            "see that psql reaches the database with the same settings, sslmode and sslrootcert among them";
        return RemoteError::failed(
            Why::Denied,
            format!("the server and we do not trust each other: {text}"),
            remedy,
        );
    }
    let remedy = "see that psql reaches the database from here";
    RemoteError::failed(Why::Unreachable, format!("the server cannot be reached: {text}"), remedy)
}
