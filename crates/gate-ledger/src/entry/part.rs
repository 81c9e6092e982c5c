//! A member of an entry that is an object, read when somebody looks into it: most entries that a look-up finds are asked for
//! one thing, and all that they hold would cost more than everything else that is done with them.

use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// An object of an entry. It is a [`Value`] to whoever looks into it.
#[derive(Clone)]
pub struct Part {
    /// As it is written in a body that was found canonical; empty where it was made otherwise.
    written: Box<str>,
    /// What that says.
    read: OnceLock<Value>,
    /// What it became, where somebody made or changed it.
    own: Option<Value>,
}

impl Part {
    /// What is written in a canonical body.
    pub(super) fn unread(written: &str) -> Self {
        Self { written: written.into(), read: OnceLock::new(), own: None }
    }

    /// It as a value of another type, without reading it as a [`Value`] before.
    ///
    /// # Errors
    /// Those of serde, as reading it from a [`Value`] words them.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        if self.own.is_none()
            && let Ok(read) = serde_json::from_str(&self.written)
        {
            return Ok(read);
        }
        T::deserialize(&**self)
    }

    /// The value.
    pub fn into_value(self) -> Value {
        let Self { written, read, own } = self;
        own.or_else(|| read.into_inner()).unwrap_or_else(|| parsed(&written))
    }
}

/// What is canonical is JSON. If it were none it would be nothing, which is no object and serves for nothing.
fn parsed(written: &str) -> Value {
    serde_json::from_str(written).unwrap_or(Value::Null)
}

impl Deref for Part {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.own.as_ref().unwrap_or_else(|| self.read.get_or_init(|| parsed(&self.written)))
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut Value {
        let Self { written, read, own } = self;
        own.get_or_insert_with(|| read.take().unwrap_or_else(|| parsed(written)))
    }
}

impl From<Value> for Part {
    fn from(value: Value) -> Self {
        Self { written: Box::default(), read: OnceLock::new(), own: Some(value) }
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Part {}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl serde::Serialize for Part {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Part;

    #[test]
    fn it_is_what_is_written_until_somebody_changes_it() {
        let mut part = Part::unread(r#"{"a":1,"b":"x"}"#);
        assert_eq!(part.read::<Value>().unwrap(), json!({"a": 1, "b": "x"}));
        assert_eq!((&part["a"], part.clone().into_value()), (&json!(1), json!({"a": 1, "b": "x"})));
        part["a"] = json!(2);
        assert_eq!(part, Part::from(json!({"a": 2, "b": "x"})));
        assert_eq!(part.read::<Value>().unwrap(), json!({"a": 2, "b": "x"}));
    }

    #[test]
    fn what_does_not_fit_is_told_in_the_same_words_either_way() {
        let text = r#"{"a":1}"#;
        let told =
            |part: &Part| part.read::<std::collections::BTreeMap<String, String>>().unwrap_err().to_string();
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(told(&Part::unread(text)), told(&Part::from(read)));
    }
}
