//! From arguments and environment to a conversation.

use std::ffi::OsString;

use gate_cli::answering::answer;
use gate_cli::clock::Clock;
use gate_cli::{Env, Failure, Io};
use gate_model::exit::Exit;

use crate::remote::Postgres;
use crate::settings::Settings;

/// The helper's name.
pub(crate) const TOOL: &str = "gate-remote-postgres";
/// The tables and roles.
const TABLES: &str = include_str!("sql/tables.sql");

/// Runs the helper.
pub(crate) fn run(args: &[OsString], io: &mut Io<'_>, env: &Env, _: Clock<'_>) -> Exit {
    let [name] = args else {
        let usage =
            Failure::new(TOOL, Exit::Usage, "one argument is wanted, postgres://HOST/DATABASE?ledger=NAME");
        return io
            .fail(&usage.with_remedy("--tables shows the SQL that makes the tables; see gate-remote(7)"));
    };
    if name == "--tables" {
        io.show(TABLES);
        return Exit::Proceed;
    }
    let settings = Settings::read(&name.to_string_lossy(), env).map_err(|error| error.as_failed());
    answer(TOOL, &mut settings.map(Postgres::new), io)
}
