//! Writing a value down in its one canonical form.

use serde_json::{Number, Value};

use super::{
    MAX_BYTES, MAX_DEPTH, MAX_INTEGER, ProfileError, ProfileErrorKind as Kind, is_key_byte, shown_key,
};

/// The canonical form of `value`: RFC 8785 within the profile.
///
/// # Errors
/// The first part of `value` that the profile excludes; its offset counts in what would have been written.
pub fn canonical(value: &Value) -> Result<String, ProfileError> {
    let mut writer = Writer::default();
    writer.value(value, 1)?;
    writer.finish()
}

/// The canonical form in the making.
#[derive(Default)]
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    /// Appends `text` as it is; for punctuation and for words that need no escape.
    pub(crate) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// What was written.
    pub(crate) fn finish(self) -> Result<String, ProfileError> {
        if self.out.len() > MAX_BYTES {
            return Err(Kind::TooLarge(MAX_BYTES).at(MAX_BYTES));
        }
        Ok(self.out)
    }

    /// Appends `value`; `depth` is the number of open containers with it, if it is one.
    pub(crate) fn value(&mut self, value: &Value, depth: usize) -> Result<(), ProfileError> {
        // Stops a hostile value early instead of after writing all of it.
        if self.out.len() > MAX_BYTES {
            return Err(Kind::TooLarge(MAX_BYTES).at(MAX_BYTES));
        }
        match value {
            Value::Null => self.raw("null"),
            Value::Bool(true) => self.raw("true"),
            Value::Bool(false) => self.raw("false"),
            Value::Number(number) => self.number(number)?,
            Value::String(text) => self.string(text)?,
            Value::Array(elements) => self.array(elements, depth)?,
            Value::Object(members) => self.object(members, depth)?,
        }
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Result<(), ProfileError> {
        let fails = |kind: Kind| kind.at(self.out.len());
        let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
        match magnitude {
            None => Err(fails(Kind::Float)),
            Some(magnitude) if magnitude > MAX_INTEGER => Err(fails(Kind::Integer)),
            Some(_) => {
                self.out.push_str(&number.to_string());
                Ok(())
            }
        }
    }

    /// Appends `text` as a string.
    pub(crate) fn string(&mut self, text: &str) -> Result<(), ProfileError> {
        self.out.push('"');
        let mut rest = text;
        // Runs of ordinary characters are copied whole.
        while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
            self.out.push_str(&rest[..at]);
            let mut characters = rest[at..].chars();
            match characters.next() {
                Some('\t') => self.raw("\\t"),
                Some('\n') => self.raw("\\n"),
                Some(c @ ('"' | '\\')) => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                other => return Err(Kind::Control(other.map_or(0, u32::from)).at(self.out.len())),
            }
            rest = characters.as_str();
        }
        self.out.push_str(rest);
        self.out.push('"');
        Ok(())
    }

    fn open(&self, depth: usize) -> Result<(), ProfileError> {
        if depth > MAX_DEPTH { Err(Kind::TooDeep.at(self.out.len())) } else { Ok(()) }
    }

    fn array(&mut self, elements: &[Value], depth: usize) -> Result<(), ProfileError> {
        self.open(depth)?;
        self.out.push('[');
        for (index, element) in elements.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(element, depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, members: &serde_json::Map<String, Value>, depth: usize) -> Result<(), ProfileError> {
        self.open(depth)?;
        // Sorted here, since serde_json keeps the order of insertion when any crate of a build asks for that.
        let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        self.out.push('{');
        for (index, (key, value)) in sorted.into_iter().enumerate() {
            if key.is_empty() || !key.bytes().all(is_key_byte) {
                return Err(Kind::Key(shown_key(key)).at(self.out.len()));
            }
            if index > 0 {
                self.out.push(',');
            }
            self.out.push('"');
            self.out.push_str(key);
            self.out.push_str("\":");
            self.value(value, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }
}
