//! JSON in which no object has two members of one name.
//!
//! `serde_json` keeps the last of two and says nothing; another reader keeps the first. A token or key that
//! two readers read differently is refused instead. Depth is bounded by `serde_json` (128), size by the caller.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object, read strictly.
pub(super) type Object = Map<String, Value>;

/// Why bytes are not a JSON object without duplicates. `serde_json` names line and column, never the content.
#[derive(Debug, thiserror::Error)]
pub(super) enum JsonError {
    #[error("it is not JSON without duplicate members: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("it is not a JSON object")]
    NotObject,
}

/// Reads one object and nothing after it. The bytes are read twice: once for duplicates, once for the values.
pub(super) fn object(bytes: &[u8]) -> Result<Object, JsonError> {
    serde_json::from_slice::<Unique>(bytes)?;
    match serde_json::from_slice(bytes)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotObject),
    }
}

/// Any value in which every object's members have different names; the value itself is dropped.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Unique, A::Error> {
        while let Some(Unique) = elements.next_element()? {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(de::Error::custom("a member stands twice"));
            }
            let Unique = members.next_value()?;
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn duplicate_members_are_refused_at_any_depth_and_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":{"b":1,"b":2}}"#, r#"{"x":[{"b":1,"\u0062":2}]}"#] {
            let error = object(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("a member stands twice"), "{error}");
        }
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in ["", "[]", "1", "{} {}", "{\"a\":1e999}", "{\"a\":}", "\u{feff}{}"] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(object(&[b'{', b'"', 0xff, b'"', b':', b'1', b'}']).is_err());
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        assert!(object(deep.as_bytes()).is_err());
    }

    #[test]
    fn everything_else_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,0.5,true,null,"x\u00e9"],"b":{}}"#;
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::Value::Object(object(text.as_bytes()).unwrap()), expected);
    }
}
