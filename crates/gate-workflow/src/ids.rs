//! Opt-outs named by their ID.

use gate_ledger::entry::Entry;
use gate_ledger::store::{StoreError, View};
use gate_model::exit::{Ends, Exit};

/// Why an ID names nothing.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// Not the shape of an ID.
    #[error(
        "'{0}' is not an ID\nan ID is a number (the seq of an entry), or eight or more digits of an entry's hash"
    )]
    Shape(String),
    /// Nothing there.
    #[error("the ledger has no entry '{0}'\nlist the opt-outs with: gate-log --kind grant")]
    None(String),
    /// Several entries start with these digits.
    #[error("'{0}' fits several entries\ngive more digits")]
    Ambiguous(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ends for IdError {
    fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            Self::Shape(_) | Self::None(_) | Self::Ambiguous(_) => Exit::Usage,
        }
    }
}

/// The entry that `id` names: a seq, or eight or more digits of a hash (with or without `b3:`).
///
/// # Errors
/// An [`IdError`].
pub fn find(view: &View<'_>, id: &str) -> Result<Entry, IdError> {
    let none = || IdError::None(id.to_owned());
    let decimal = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if decimal && let Some(entry) = id.parse().ok().map(|seq| view.entry(seq)).transpose()?.flatten() {
        return Ok(entry);
    }
    let hex = id.strip_prefix("b3:").unwrap_or(id);
    let is_prefix = (8..=64).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_prefix {
        return Err(if decimal { missing(view, id) } else { IdError::Shape(id.to_owned()) });
    }
    let mut found = view.by_hash_prefix(&hex.to_ascii_lowercase())?;
    match found.len() {
        0 => Err(none()),
        1 => Ok(found.remove(0)),
        _ => Err(IdError::Ambiguous(id.to_owned())),
    }
}

/// Why no entry has the number `id`: perhaps it was archived.
fn missing(view: &View<'_>, id: &str) -> IdError {
    let archived = || -> Result<Option<StoreError>, StoreError> {
        let Some((_, statement)) = view.archive()? else { return Ok(None) };
        Ok(id.parse().ok().and_then(|seq| StoreError::archived(&statement, seq)))
    };
    match archived() {
        Ok(Some(archived)) => archived.into(),
        Ok(None) => IdError::None(id.to_owned()),
        Err(error) => error.into(),
    }
}
