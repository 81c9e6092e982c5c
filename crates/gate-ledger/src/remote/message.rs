//! Members of a message, read strictly and written in canonical form.

use serde_json::{Map, Value, json};

use super::{MAX_MESSAGE, RemoteError, SCHEMA};
use crate::archive::EntryRef;
use crate::profile;

/// The members of a message that are not read yet. Some that nobody knows may be left: later helpers may say more.
pub(super) struct Members {
    members: Map<String, Value>,
    /// What the message is, for what is said about it.
    what: String,
}

impl Members {
    /// Reads a message and the word at `tag`, `ask` or `answer`.
    ///
    /// # Errors
    /// [`RemoteError::Protocol`] where it is none; [`RemoteError::Newer`] where it is of a later version.
    pub(super) fn read(line: &[u8], tag: &'static str) -> Result<(String, Self), RemoteError> {
        if line.len() > MAX_MESSAGE {
            return Err(RemoteError::protocol(format!("a message is longer than {MAX_MESSAGE} bytes")));
        }
        let value = profile::parse(line)
            .map_err(|error| RemoteError::protocol(format!("'{}' is no message: {error}", excerpt(line))))?;
        let Value::Object(members) = value else {
            return Err(RemoteError::protocol(format!("'{}' is no object", excerpt(line))));
        };
        let mut members = Self { members, what: format!("the message '{}'", excerpt(line)) };
        members.check_schema()?;
        let word = members.text(tag)?;
        members.what = format!("{tag} '{}'", gate_model::text::visible(&word));
        Ok((word, members))
    }

    fn check_schema(&mut self) -> Result<(), RemoteError> {
        match self.text("schema")? {
            schema if schema == SCHEMA => Ok(()),
            schema if schema.starts_with("gate.remote/") => {
                Err(RemoteError::Newer(gate_model::text::visible(&schema)))
            }
            _ => Err(self.wrong("schema", "is not gate.remote/1")),
        }
    }

    pub(super) fn wrong(&self, name: &str, defect: &str) -> RemoteError {
        RemoteError::protocol(format!("member '{name}' of {} {defect}", self.what))
    }

    pub(super) fn unknown(&self) -> RemoteError {
        RemoteError::protocol(format!("{} is not known", self.what))
    }

    pub(super) fn optional(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    fn required(&mut self, name: &str) -> Result<Value, RemoteError> {
        self.optional(name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, RemoteError> {
        match self.required(name)? {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(name, "is not a string")),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<u64, RemoteError> {
        let value = self.required(name)?;
        value.as_u64().ok_or_else(|| self.wrong(name, "is not a whole number from 0 up"))
    }

    /// A member that is true, or left out.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, RemoteError> {
        match self.optional(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.wrong(name, "is neither true nor false")),
        }
    }

    /// A number of lines or of whatever else comes in bulk.
    pub(super) fn count(&mut self, name: &str, most: u64) -> Result<u64, RemoteError> {
        let count = self.number(name)?;
        if count <= most { Ok(count) } else { Err(self.wrong(name, &format!("is more than {most}"))) }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Value>, RemoteError> {
        match self.required(name)? {
            Value::Array(list) => Ok(list),
            _ => Err(self.wrong(name, "is not an array")),
        }
    }

    /// An entry by position and hash, where there is one.
    pub(super) fn entry(&mut self, name: &str) -> Result<Option<EntryRef>, RemoteError> {
        let Some(value) = self.optional(name) else { return Ok(None) };
        let read = |value: &Value| {
            Some(EntryRef { seq: value["seq"].as_u64()?, hash: value["hash"].as_str()?.parse().ok()? })
        };
        read(&value).map(Some).ok_or_else(|| self.wrong(name, "is not an object of seq and hash"))
    }
}

/// Writes a message: `members` but for those that are null, and the schema.
pub(super) fn write(mut members: Value) -> String {
    if let Some(members) = members.as_object_mut() {
        members.retain(|_, value| !value.is_null());
        members.insert("schema".to_owned(), json!(SCHEMA));
    }
    // Every text in a message was cleaned, and every number is a position or a count.
    profile::canonical(&members).unwrap_or_default()
}

pub(super) fn entry(entry: Option<EntryRef>) -> Value {
    entry.map_or(Value::Null, |entry| json!({"seq": entry.seq, "hash": entry.hash}))
}

/// The beginning of a line, for a message about it.
fn excerpt(line: &[u8]) -> String {
    const KEPT: usize = 60;
    let text = String::from_utf8_lossy(&line[..line.len().min(KEPT)]);
    let more = if line.len() > KEPT { "…" } else { "" };
    format!("{}{more}", gate_model::text::visible(&text))
}
