//! Reading members of a header or of claims by name and type.

use gate_model::text;
use gate_model::time::Timestamp;
use serde_json::Value;

use super::error::OidcError;
use super::json::Object;

/// The members of one part of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a> {
    /// `header` or `claims`, for errors.
    pub(super) part: &'static str,
    pub(super) object: &'a Object,
}

impl<'a> Members<'a> {
    /// The member called `name`; where that begins with `/` what the JSON pointer leads to.
    pub(super) fn find(&self, name: &str) -> Option<&'a Value> {
        let Some(pointer) = name.strip_prefix('/') else { return self.object.get(name) };
        let mut steps = pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
        let first = self.object.get(&steps.next()?)?;
        steps.try_fold(first, |value, step| value.as_object()?.get(&step))
    }

    /// Text that must be there.
    pub(super) fn required_text(&self, name: &str) -> Result<&'a str, OidcError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// Text that may be absent. Empty text and null count as absent, as GitLab writes an absent environment.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, OidcError> {
        match self.find(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(value)) if value.is_empty() => Ok(None),
            Some(Value::String(value)) if !value.chars().any(text::is_refused) && !value.contains('\n') => {
                Ok(Some(value))
            }
            Some(_) => Err(wrong_type(name, "text on one line")),
        }
    }

    /// An id that issuers write as text or as a number.
    pub(super) fn id(&self, name: &str) -> Result<Option<String>, OidcError> {
        match self.find(name) {
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            _ => Ok(self.text(name)?.map(str::to_owned)),
        }
    }

    /// A `NumericDate` (RFC 7519 section 2) of whole seconds.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, OidcError> {
        let Some(value) = self.object.get(name) else { return Ok(None) };
        let seconds = value.as_i64().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
        match seconds.and_then(Timestamp::new) {
            Some(instant) => Ok(Some(instant)),
            None => Err(wrong_type(name, "a time in whole seconds since 1970")),
        }
    }

    /// A `NumericDate` that must be there.
    pub(super) fn required_instant(&self, name: &str) -> Result<Timestamp, OidcError> {
        self.instant(name)?.ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> OidcError {
        OidcError::Missing { part: self.part, name: super::inert(name) }
    }
}

pub(super) fn wrong_type(name: &str, wanted: &'static str) -> OidcError {
    OidcError::Type { name: super::inert(name), wanted }
}
