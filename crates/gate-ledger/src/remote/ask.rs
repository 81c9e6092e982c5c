//! What a helper is asked.

use serde_json::{Value, json};

use super::message::{self, Members};
use super::{MAX_LINES, RemoteError};
use crate::archive::{EntryRef, MAX_KEPT};
use crate::chain::LedgerId;
use crate::commitment::Commitment;

/// One thing that is asked. Lines follow where it says how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// What is there?
    Hello {
        /// The ledger that is meant, where it is known.
        ledger: Option<LedgerId>,
    },
    /// The lines behind a position.
    Read {
        /// The position; from the first line on where there is none.
        after: Option<u64>,
        /// How many of them at most.
        most: u64,
    },
    /// Add the lines that follow.
    Append {
        /// The entry that must be the newest.
        after: EntryRef,
        /// How many entries follow.
        lines: u64,
        /// How many openings follow these.
        openings: u64,
        /// Whether they go on with a copy, so that their times are not those of now.
        copied: bool,
    },
    /// Begin a ledger with the lines that follow.
    Create {
        /// How many entries follow.
        lines: u64,
        /// How many openings follow these.
        openings: u64,
    },
    /// Drop lines that were archived.
    Forget {
        /// Those before this position,
        before: u64,
        /// but for these.
        keep: Vec<u64>,
    },
    /// The openings that came with entries.
    Openings {
        /// The first of them.
        from: u64,
        /// The last.
        to: u64,
    },
    /// Erase openings.
    Erase {
        /// Those of these commitments.
        commitments: Vec<Commitment>,
    },
}

impl Ask {
    /// The message, without a newline.
    pub fn write(&self) -> String {
        message::write(match self {
            Self::Hello { ledger } => json!({"ask": "hello", "ledger": ledger.map(|id| id.to_string())}),
            Self::Read { after, most } => json!({"ask": "read", "after": after, "most": most}),
            Self::Append { after, lines, openings, copied } => {
                let (after, copied) = (message::entry(Some(*after)), copied.then_some(true));
                json!({"ask": "append", "after": after, "copied": copied, "lines": lines, "openings": openings})
            }
            Self::Create { lines, openings } => {
                json!({"ask": "create", "lines": lines, "openings": openings})
            }
            Self::Forget { before, keep } => json!({"ask": "forget", "before": before, "keep": keep}),
            Self::Openings { from, to } => json!({"ask": "openings", "from": from, "to": to}),
            Self::Erase { commitments } => {
                let written: Vec<String> = commitments.iter().map(ToString::to_string).collect();
                json!({"ask": "erase", "commitments": written})
            }
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`RemoteError::Protocol`] with what is wrong; [`RemoteError::Newer`].
    pub fn read(line: &[u8]) -> Result<Self, RemoteError> {
        let (word, mut members) = Members::read(line, "ask")?;
        match word.as_str() {
            "hello" => Ok(Self::Hello { ledger: ledger(&mut members)? }),
            "read" => {
                let after = match members.optional("after") {
                    None => None,
                    Some(after) => {
                        Some(after.as_u64().ok_or_else(|| members.wrong("after", "is not a position"))?)
                    }
                };
                Ok(Self::Read { after, most: members.count("most", MAX_LINES)? })
            }
            "append" => {
                let after = members.entry("after")?.ok_or_else(|| members.wrong("after", "is missing"))?;
                let copied = members.flag("copied")?;
                let (lines, openings) = counts(&mut members)?;
                Ok(Self::Append { after, lines, openings, copied })
            }
            "create" => {
                let (lines, openings) = counts(&mut members)?;
                Ok(Self::Create { lines, openings })
            }
            "forget" => Ok(Self::Forget { before: members.number("before")?, keep: keep(&mut members)? }),
            "openings" => Ok(Self::Openings { from: members.number("from")?, to: members.number("to")? }),
            "erase" => Ok(Self::Erase { commitments: commitments(&mut members)? }),
            _ => Err(members.unknown()),
        }
    }
}

/// The ledger's id, where one is named.
pub(super) fn ledger(members: &mut Members) -> Result<Option<LedgerId>, RemoteError> {
    let Some(value) = members.optional("ledger") else { return Ok(None) };
    let read = value.as_str().and_then(|id| LedgerId::read(id.as_bytes()));
    read.map(Some).ok_or_else(|| members.wrong("ledger", "is not 32 digits of 0-9 and a-f"))
}

/// How many entries follow, at least one, and how many openings.
fn counts(members: &mut Members) -> Result<(u64, u64), RemoteError> {
    let lines = members.count("lines", MAX_LINES)?;
    if lines == 0 {
        return Err(members.wrong("lines", "is 0"));
    }
    Ok((lines, members.count("openings", MAX_LINES)?))
}

fn keep(members: &mut Members) -> Result<Vec<u64>, RemoteError> {
    let list = members.list("keep")?;
    let numbers: Option<Vec<u64>> = list.iter().map(Value::as_u64).collect();
    let numbers = numbers.ok_or_else(|| members.wrong("keep", "is not a list of positions"))?;
    if numbers.len() > MAX_KEPT {
        return Err(members.wrong("keep", &format!("has more than {MAX_KEPT} positions")));
    }
    Ok(numbers)
}

fn commitments(members: &mut Members) -> Result<Vec<Commitment>, RemoteError> {
    let list = members.list("commitments")?;
    let read = |value: &Value| value.as_str()?.parse().ok();
    let read: Option<Vec<Commitment>> = list.iter().map(read).collect();
    read.ok_or_else(|| members.wrong("commitments", "is not a list of commitments"))
}
