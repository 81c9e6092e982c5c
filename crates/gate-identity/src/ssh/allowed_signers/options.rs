//! The options of a line: names, separated by commas, some with a quoted value. Names are read in any case,
//! as OpenSSH reads them (`sshsigopt_parse`).

use gate_model::time::{TimeError, Timestamp};

use super::Options;
use super::line::{Cursor, LineError};
use crate::ssh::key::shown;
use crate::ssh::pattern::{ListError, PatternList};

const KNOWN: &str =
    "cert-authority, namespaces=\"…\", valid-after=\"…\", valid-before=\"…\" and no-touch-required";

/// Reads options up to the next blank outside quotes.
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Options, LineError> {
    let start = *cursor;
    let mut options = Options::default();
    loop {
        read_one(cursor, &mut options)?;
        match cursor.rest.chars().next() {
            Some(',') => cursor.advance(1),
            Some(' ' | '\t') | None => break,
            Some(_) => {
                return Err(
                    cursor.error("a comma is missing here", "separate options with commas, no blanks")
                );
            }
        }
    }
    match (options.valid_after, options.valid_before) {
        (Some(after), Some(before)) if after >= before => Err(start.error(
            format!("valid-before ({before}) is not later than valid-after ({after})"),
            "swap them, or remove the line if the key is no longer trusted",
        )),
        _ => Ok(options),
    }
}

fn read_one(cursor: &mut Cursor<'_>, options: &mut Options) -> Result<(), LineError> {
    let place = *cursor;
    let length = cursor.rest.find([',', '=', ' ', '\t', '"']).unwrap_or(cursor.rest.len());
    let name = cursor.rest.get(..length).unwrap_or_default().to_ascii_lowercase();
    cursor.advance(length);
    match name.as_str() {
        "cert-authority" => set_flag(&mut options.cert_authority, place, &name),
        "no-touch-required" => set_flag(&mut options.no_touch_required, place, &name),
        "namespaces" => {
            let (at, value) = read_value(cursor, &name)?;
            set(&mut options.namespaces, namespaces(at, value)?, place, &name)
        }
        "valid-after" => {
            let (at, value) = read_value(cursor, &name)?;
            set(&mut options.valid_after, instant(at, value)?, place, &name)
        }
        "valid-before" => {
            let (at, value) = read_value(cursor, &name)?;
            set(&mut options.valid_before, instant(at, value)?, place, &name)
        }
        _ => Err(place.error(
            format!("'{}' is neither an option nor a key type", shown(&name)),
            format!("the options are {KNOWN}"),
        )),
    }
}

fn set_flag(flag: &mut bool, place: Cursor<'_>, name: &str) -> Result<(), LineError> {
    if std::mem::replace(flag, true) { Err(twice(place, name)) } else { Ok(()) }
}

fn set<T>(slot: &mut Option<T>, value: T, place: Cursor<'_>, name: &str) -> Result<(), LineError> {
    if slot.replace(value).is_some() { Err(twice(place, name)) } else { Ok(()) }
}

fn twice(place: Cursor<'_>, name: &str) -> LineError {
    place.error(format!("'{name}' stands twice"), "write it once")
}

/// `="value"` after an option's name: the place of the value, and the value.
fn read_value<'a>(cursor: &mut Cursor<'a>, name: &str) -> Result<(Cursor<'a>, &'a str), LineError> {
    let help = || format!("write {name}=\"…\"");
    let Some(quoted) = cursor.rest.strip_prefix("=\"") else {
        return Err(cursor.error(format!("'{name}' needs a quoted value"), help()));
    };
    let end = quoted.find('"').ok_or_else(|| cursor.error("the quote is never closed", help()))?;
    cursor.advance(2);
    let place = *cursor;
    cursor.advance(end + 1);
    let value = &quoted[..end];
    // OpenSSH reads \" as a quote within a value. No namespace or time holds one.
    if value.contains('\\') {
        Err(place.error("a backslash stands in the value", help()))
    } else {
        Ok((place, value))
    }
}

fn namespaces(place: Cursor<'_>, value: &str) -> Result<PatternList, LineError> {
    PatternList::parse(value).map_err(|error| match error {
        ListError::EmptyPattern => place
            .error("a namespace is empty", "write names such as gate-* or git, with one comma between two"),
        ListError::OnlyNegated => place.error(
            "only negated namespaces: the key is trusted for nothing",
            "add a pattern that matches, such as *",
        ),
    })
}

/// `YYYYMMDD[HHMM[SS]]Z`, in UTC.
fn instant(place: Cursor<'_>, value: &str) -> Result<Timestamp, LineError> {
    let digits = value.strip_suffix(['Z', 'z']).unwrap_or(value);
    let shaped = matches!(digits.len(), 8 | 12 | 14) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !shaped {
        return Err(place.error(
            format!("'{}' is not a time", shown(value)),
            "write YYYYMMDDZ or YYYYMMDDHHMMSSZ, in UTC",
        ));
    }
    if digits == value {
        return Err(place.error(
            format!("'{value}' has no time zone, and would mean another instant on another machine"),
            format!("write {value}Z for UTC"),
        ));
    }
    let padded = format!("{digits:0<14}");
    let part = |from: usize, to: usize| padded.get(from..to).unwrap_or_default();
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    );
    Timestamp::parse(&rfc3339).map_err(|error| match error {
        TimeError::LeapSecond(_) => place.error(
            format!("'{value}' names a leap second, which clocks do not count"),
            "write the second before or after it",
        ),
        TimeError::Year(_) => place.error(
            format!("'{value}' is outside the years 0001 to 9999"),
            "write a year in which somebody could sign, or leave the option out",
        ),
        _ => place.error(
            format!("'{value}' is not a time that exists"),
            "write YYYYMMDDZ or YYYYMMDDHHMMSSZ, in UTC",
        ),
    })
}
