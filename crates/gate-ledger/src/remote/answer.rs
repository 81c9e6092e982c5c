//! What a helper answers.

use gate_model::time::Timestamp;
use serde_json::{Value, json};

use super::error::sentence;
use super::message::{self, Members};
use super::{Failed, MAX_LINES, Outcome, RemoteError, Why, ask};
use crate::archive::EntryRef;
use crate::chain::LedgerId;

/// What a remote can do beyond keeping lines in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one word of the list on the wire")]
pub struct Can {
    /// It keeps openings, hands them out, and erases them.
    pub erase: bool,
    /// It drops lines that were archived.
    pub forget: bool,
    /// It compares the times of what is appended with a clock of its own.
    pub clock: bool,
    /// It keeps others waiting until whoever lost a race has had another try.
    pub queue: bool,
}

impl Can {
    /// What it can, in the words of the protocol.
    pub fn words(self) -> Vec<&'static str> {
        let words =
            [("clock", self.clock), ("erase", self.erase), ("forget", self.forget), ("queue", self.queue)];
        words.into_iter().filter(|(_, can)| *can).map(|(word, _)| word).collect()
    }

    /// What is not known here is nothing that anybody here would ask for.
    fn read(words: &[Value]) -> Self {
        let has = |word: &str| words.iter().any(|value| value == word);
        Self { erase: has("erase"), forget: has("forget"), clock: has("clock"), queue: has("queue") }
    }
}

/// What a remote says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// What it can.
    pub can: Can,
    /// The ledger that is there.
    pub ledger: Option<LedgerId>,
    /// Its newest entry; none where there is no ledger.
    pub head: Option<EntryRef>,
    /// What its own clock shows, where it has one.
    pub now: Option<Timestamp>,
    /// Where it is, for people; no secret is in it.
    pub place: Option<String>,
}

/// One answer; entries or openings came before it where it counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `hello`.
    Hello(Hello),
    /// To `read`: so many lines came before this.
    Read {
        /// How many.
        lines: u64,
        /// The newest entry that the remote has.
        head: Option<EntryRef>,
    },
    /// To `append`: `appended`, `moved`, `refused` or `unknown`.
    Append(Outcome),
    /// To `create`: `created`, `exists`, `refused` or `unknown`.
    Create(Outcome),
    /// To `forget`.
    Forgotten,
    /// To `openings`: so many came before this.
    Openings {
        /// How many.
        lines: u64,
    },
    /// To `erase`.
    Erased {
        /// How many there were.
        count: u64,
    },
    /// To anything.
    Failed(Failed),
}

impl Answer {
    /// The message, without a newline.
    pub fn write(&self) -> String {
        message::write(match self {
            Self::Hello(hello) => json!({
                "answer": "hello",
                "can": hello.can.words(),
                "ledger": hello.ledger.map(|id| id.to_string()),
                "head": message::entry(hello.head),
                "now": hello.now.map(|now| now.to_string()),
                "place": hello.place.as_deref().map(sentence),
            }),
            Self::Read { lines, head } => {
                json!({"answer": "read", "lines": lines, "head": message::entry(*head)})
            }
            Self::Append(outcome) => written(outcome, "appended", "moved"),
            Self::Create(outcome) => written(outcome, "created", "exists"),
            Self::Forgotten => json!({"answer": "forgotten"}),
            Self::Openings { lines } => json!({"answer": "openings", "lines": lines}),
            Self::Erased { count } => json!({"answer": "erased", "count": count}),
            Self::Failed(failed) => json!({
                "answer": "failed",
                "why": failed.why.as_str(),
                "problem": sentence(&failed.problem),
                "remedy": failed.remedy.as_deref().map(sentence),
            }),
        })
    }

    /// Reads a message. `refused` and `unknown` are read as answers to `append`; whoever asked knows better.
    ///
    /// # Errors
    /// [`RemoteError::Protocol`] with what is wrong; [`RemoteError::Newer`].
    pub fn read(line: &[u8]) -> Result<Self, RemoteError> {
        let (word, mut members) = Members::read(line, "answer")?;
        let said = |members: &mut Members| members.text("sentence").map(|text| sentence(&text));
        Ok(match word.as_str() {
            "hello" => Self::Hello(hello(&mut members)?),
            "read" => Self::Read { lines: members.count("lines", MAX_LINES)?, head: members.entry("head")? },
            "appended" => Self::Append(Outcome::Taken),
            "moved" => Self::Append(Outcome::Moved(members.entry("head")?)),
            "refused" => Self::Append(Outcome::Refused(said(&mut members)?)),
            "unknown" => Self::Append(Outcome::Unknown(said(&mut members)?)),
            "created" => Self::Create(Outcome::Taken),
            "exists" => Self::Create(Outcome::Moved(members.entry("head")?)),
            "forgotten" => Self::Forgotten,
            "openings" => Self::Openings { lines: members.count("lines", MAX_LINES)? },
            "erased" => Self::Erased { count: members.number("count")? },
            "failed" => Self::Failed(failed(&mut members)?),
            _ => return Err(members.unknown()),
        })
    }
}

fn written(outcome: &Outcome, taken: &str, moved: &str) -> Value {
    match outcome {
        Outcome::Taken => json!({"answer": taken}),
        Outcome::Moved(head) => json!({"answer": moved, "head": message::entry(*head)}),
        Outcome::Refused(said) => json!({"answer": "refused", "sentence": sentence(said)}),
        Outcome::Unknown(said) => json!({"answer": "unknown", "sentence": sentence(said)}),
    }
}

fn hello(members: &mut Members) -> Result<Hello, RemoteError> {
    let can = Can::read(&members.list("can")?);
    let ledger = ask::ledger(members)?;
    let head = members.entry("head")?;
    let now = match members.optional("now") {
        None => None,
        Some(now) => {
            let read = now.as_str().and_then(|now| Timestamp::parse(now).ok());
            Some(read.ok_or_else(|| members.wrong("now", "is not a time"))?)
        }
    };
    let place = members.optional("place").as_ref().and_then(Value::as_str).map(sentence);
    Ok(Hello { can, ledger, head, now, place })
}

fn failed(members: &mut Members) -> Result<Failed, RemoteError> {
    let word = members.text("why")?;
    // A class that is not known here is a failure all the same.
    let why = Why::ALL.into_iter().find(|why| why.as_str() == word).unwrap_or(Why::Failure);
    let problem = sentence(&members.text("problem")?);
    let remedy = members.optional("remedy").as_ref().and_then(Value::as_str).map(sentence);
    Ok(Failed { why, problem, remedy })
}
