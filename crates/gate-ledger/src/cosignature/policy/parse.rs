//! Reading a quorum file: C2SP tlog-policy, section "Policy file syntax and structure".

use std::collections::{HashMap, HashSet};

use super::{Party, Quorum, Role, TrustPolicy};
use crate::note::line::{self, Defect};
use crate::note::{KeyError, KeyKind, VerifierKey, parse_material};

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The most logs, and the most witnesses and groups together. The format asks for at least 32 of each.
const MAX_PARTIES: usize = 1024;

/// A problem and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PolicyError {
    /// Where.
    pub line: usize,
    /// What.
    #[source]
    pub problem: PolicyProblem,
}

/// Why a file is not a quorum file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// Larger than 1 MiB.
    #[error("the file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// More than a thousand logs or parties.
    #[error("more than {MAX_PARTIES} logs, or witnesses and groups")]
    TooMany,
    /// The last line has no newline: the file may have been cut.
    #[error("the last line does not end with a newline; add one if the line is whole")]
    Unterminated,
    /// A control character other than tab and newline.
    #[error("it holds the control character 0x{0:02x}; use spaces, tabs and plain newlines")]
    Control(u8),
    /// The first word is none of the four.
    #[error("it begins with none of: log, witness, group, quorum")]
    UnknownKeyword,
    /// Too few words, or too many.
    #[error("its form is: {0}")]
    Form(&'static str),
    /// The verifier key.
    #[error("in its key: {0}")]
    Key(#[from] KeyError),
    /// The verifier key is not UTF-8.
    #[error("its key is not UTF-8")]
    KeyEncoding,
    /// A log's key where a witness's belongs, or the other way.
    #[error("its key is of type 0x{found:02x}; one of type 0x{expected:02x} belongs here")]
    KeyType {
        /// What it is.
        found: u8,
        /// What it must be.
        expected: u8,
    },
    /// Two logs, or two witnesses, have one public key.
    #[error("its public key stands on an earlier line already, if under another name")]
    DuplicateKey,
    /// A name is defined twice, or is `none`.
    #[error("the name {0:?} is taken")]
    NameTaken(String),
    /// A name is not defined on an earlier line.
    #[error("the name {0:?} is not defined on an earlier line")]
    UnknownName(String),
    /// A name is a member twice.
    #[error("the name {0:?} is a member of a group already; each may be one once")]
    MemberTwice(String),
    /// The number of members that a group needs is no number.
    #[error("the number of members that are needed {0}; write all, any or a number")]
    Threshold(#[source] Defect),
    /// The number of members that a group needs is out of range.
    #[error("{needed} of {members} members can never be: it must be at least 1 and at most {members}")]
    ThresholdRange {
        /// How many it asks for.
        needed: u64,
        /// How many it has.
        members: usize,
    },
    /// A second quorum line.
    #[error("the quorum is defined already")]
    SecondQuorum,
    /// No quorum line in the whole file.
    #[error("the file ends without a quorum line; 'quorum none' asks for no witness")]
    NoQuorum,
}

use PolicyProblem as Problem;

/// What the lines so far have defined.
#[derive(Default)]
struct Reader {
    logs: Vec<VerifierKey>,
    log_keys: HashSet<Vec<u8>>,
    parties: Vec<Party>,
    witness_keys: HashSet<Vec<u8>>,
    names: HashMap<Vec<u8>, usize>,
    members: HashSet<usize>,
    /// Nothing until there was a line.
    quorum: Option<Quorum>,
}

/// Reads the file.
pub(super) fn parse(bytes: &[u8]) -> Result<TrustPolicy, PolicyError> {
    let at = |line| move |problem| PolicyError { line, problem };
    if bytes.len() > MAX_BYTES {
        return Err(at(1)(Problem::TooLarge));
    }
    let mut reader = Reader::default();
    let mut last = 1;
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\n").ok_or(Problem::Unterminated).map_err(at(number))?;
        reader.read_line(line).map_err(at(number))?;
        last = number;
    }
    let quorum = reader.quorum.ok_or(Problem::NoQuorum).map_err(at(last))?;
    Ok(TrustPolicy { logs: reader.logs, parties: reader.parties, quorum })
}

impl Reader {
    /// One line, without its newline.
    fn read_line(&mut self, line: &[u8]) -> Result<(), Problem> {
        if let Some(byte) = line.iter().find(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
            return Err(Problem::Control(*byte));
        }
        let words: Vec<&[u8]> =
            line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", rest @ ..] => self.read_log(rest),
            [b"witness", rest @ ..] => self.read_witness(rest),
            [b"group", rest @ ..] => self.read_group(rest),
            [b"quorum", rest @ ..] => self.read_quorum(rest),
            _ => Err(Problem::UnknownKeyword),
        }
    }

    /// `log <vkey> [<url>]`
    fn read_log(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let ([key] | [key, _]) = words else {
            return Err(Problem::Form("log <verifier key> [<url>]"));
        };
        let text = std::str::from_utf8(key).map_err(|_| Problem::KeyEncoding)?;
        let key = VerifierKey::parse(text)?;
        if key.kind() != KeyKind::Note {
            let (found, expected) = (key.kind().byte(), KeyKind::Note.byte());
            return Err(Problem::KeyType { found, expected });
        }
        if !self.log_keys.insert(key.public().to_vec()) {
            return Err(Problem::DuplicateKey);
        }
        self.logs.push(key);
        if self.logs.len() > MAX_PARTIES { Err(Problem::TooMany) } else { Ok(()) }
    }

    /// `witness <name> <vkey> [<url>]`
    fn read_witness(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let ([name, key] | [name, key, _]) = words else {
            return Err(Problem::Form("witness <name> <verifier key> [<url>]"));
        };
        let text = std::str::from_utf8(key).map_err(|_| Problem::KeyEncoding)?;
        let (_, type_byte, public) = parse_material(text)?;
        let expected = KeyKind::Cosignature.byte();
        let key = match VerifierKey::parse(text) {
            Ok(key) if key.kind() == KeyKind::Cosignature => Some(key),
            Ok(_) => return Err(Problem::KeyType { found: type_byte, expected }),
            // The witness exists; this program cannot hear it. See the module's last paragraph.
            Err(KeyError::UnsupportedType(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if !self.witness_keys.insert(public) {
            return Err(Problem::DuplicateKey);
        }
        self.define(name, Role::Witness(key))
    }

    /// `group <name> all|any|<k> <member>...`
    fn read_group(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let [name, needed, names @ ..] = words else {
            return Err(Problem::Form("group <name> all|any|<k> <member>..."));
        };
        if names.is_empty() {
            return Err(Problem::Form("group <name> all|any|<k> <member>..."));
        }
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            let at = self.find(member)?;
            if !self.members.insert(at) {
                return Err(Problem::MemberTwice(shown(member)));
            }
            members.push(at);
        }
        let needed = read_threshold(needed, members.len())?;
        self.define(name, Role::Group { needed, members })
    }

    /// `quorum <name>`
    fn read_quorum(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let [name] = words else {
            return Err(Problem::Form("quorum <name>"));
        };
        if self.quorum.is_some() {
            return Err(Problem::SecondQuorum);
        }
        self.quorum = Some(if *name == b"none" { Quorum::Nobody } else { Quorum::Party(self.find(name)?) });
        Ok(())
    }

    /// Gives `name` a meaning.
    fn define(&mut self, name: &[u8], role: Role) -> Result<(), Problem> {
        if name == b"none" || self.names.contains_key(name) {
            return Err(Problem::NameTaken(shown(name)));
        }
        if self.parties.len() == MAX_PARTIES {
            return Err(Problem::TooMany);
        }
        self.names.insert(name.to_vec(), self.parties.len());
        self.parties.push(Party { name: name.to_vec(), role });
        Ok(())
    }

    /// The party that `name` stands for.
    fn find(&self, name: &[u8]) -> Result<usize, Problem> {
        self.names.get(name).copied().ok_or_else(|| Problem::UnknownName(shown(name)))
    }
}

/// How many of `members` a group needs.
fn read_threshold(word: &[u8], members: usize) -> Result<usize, Problem> {
    let needed = match word {
        b"any" => return Ok(1),
        b"all" => return Ok(members),
        digits => line::decimal(&shown(digits)).map_err(Problem::Threshold)?,
    };
    let in_range = usize::try_from(needed).ok().filter(|needed| (1..=members).contains(needed));
    in_range.ok_or(Problem::ThresholdRange { needed, members })
}

/// A name for a message.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
