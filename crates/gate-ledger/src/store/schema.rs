//! The schema, and telling whether a file still has it.

use rusqlite::Connection;

/// "gate" in ASCII, in the header of the file, so that file(1) and we can tell a ledger from other databases.
pub(super) const APPLICATION_ID: i64 = 0x6761_7465;
/// The version of the schema and of what it holds (`user_version`).
pub(super) const FORMAT: i64 = 1;
/// The statements that make an empty ledger.
const SCHEMA: &str = include_str!("sql/schema.sql");

/// Makes tables, indexes and triggers in an empty database.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT)
}

/// Runs `work` without the trigger, or index, whose statement begins with `begins`, and makes it again with the
/// same text. Only within a transaction, which alone keeps others from seeing the schema without it.
pub(super) fn without<T, E: From<rusqlite::Error>>(
    connection: &Connection,
    begins: &str,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let statement = statements().find(|statement| statement.starts_with(begins));
    let statement = statement.ok_or(rusqlite::Error::InvalidQuery)?;
    connection.execute_batch(&begins.replacen("CREATE", "DROP", 1))?;
    let value = work()?;
    connection.execute_batch(&statement)?;
    Ok(value)
}

/// The first difference between the schema of a file and ours, if there is one. Texts are compared, not
/// names: a trigger can be replaced by one of the same name.
pub(super) fn difference(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(include_str!("sql/schema_text.sql"))?;
    let mut rows = statement.query([])?;
    let mut expected: Vec<String> = statements().collect();
    while let Some(row) = rows.next()? {
        let found: Option<String> = row.get(0)?;
        let found = found.unwrap_or_else(|| "an automatic index".to_owned());
        match expected.iter().position(|statement| *statement == found) {
            Some(place) => drop(expected.swap_remove(place)),
            None => return Ok(Some(format!("it has '{}'", first_line(&found)))),
        }
    }
    Ok(expected.first().map(|missing| format!("it lacks '{}'", first_line(missing))))
}

/// The statements as SQLite keeps them: without comments in front and without the last semicolon.
fn statements() -> impl Iterator<Item = String> {
    SCHEMA.split("\n\n").filter_map(|block| {
        let code: Vec<&str> = block.lines().filter(|line| !line.starts_with("--")).collect();
        let statement = code.join("\n").trim().trim_end_matches(';').to_owned();
        (!statement.is_empty()).then_some(statement)
    })
}

fn first_line(statement: &str) -> String {
    const KEPT: usize = 80;
    let line: String = statement.lines().next().unwrap_or_default().chars().take(KEPT).collect();
    gate_model::text::visible(&line)
}
