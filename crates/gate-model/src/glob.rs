//! Globs: patterns over refs and over paths.
//!
//! ```text
//! *      any characters but '/'          **     any characters, as a whole segment; '**/' may be nothing
//! ?      one character but '/'           [a-c]  one of them, [!a-c] and [^a-c] any other but '/'
//! {a,b}  one of these                    \x     the character x
//! ```
//!
//! Whoever writes a glob chooses how much work it makes for those who judge with it. So a glob has at most
//! [`MOST_ALTERNATIVES`] alternatives in all, in braces nested at most [`DEEPEST`] deep; it is matched in one pass
//! that follows all its possibilities at once, in time proportional to the glob's length times the text's; and
//! matching is paid for from [`Steps`]: when these are spent nothing matches any more, so what would have been let
//! past blocks.

use std::cell::Cell;

/// The most alternatives that the braces of one glob may have, all together.
pub const MOST_ALTERNATIVES: usize = 64;

/// The deepest nesting of braces.
pub const DEEPEST: usize = 2;

/// Why a text is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// An unclosed bracket or brace, or a backslash with nothing to escape.
    #[error("it is not a valid glob at byte {0}")]
    Syntax(usize),
    /// Too many alternatives.
    #[error("its braces have more than {MOST_ALTERNATIVES} alternatives in all")]
    Alternatives,
    /// Braces within braces within braces.
    #[error("its braces are nested more than {DEEPEST} deep")]
    Nesting,
}

/// How much work may still be done for globs. One count serves all the globs of one judgement.
#[derive(Debug)]
pub struct Steps(Cell<u64>);

impl Steps {
    /// So many steps: each is one possibility of a glob at one character of a text.
    pub const fn new(count: u64) -> Self {
        Self(Cell::new(count))
    }

    fn take(&self) -> bool {
        self.spend(1)
    }

    /// Takes `count` of them for other work of the same judgement. Whether there were as many; else none is left.
    pub fn spend(&self, count: u64) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(count));
        left >= count
    }
}

impl Default for Steps {
    /// Enough for the longest glob and the longest path that gate knows, each 4 KiB, short of hostile ones.
    fn default() -> Self {
        Self::new(1 << 22)
    }
}

/// A glob that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(Vec<Op>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Op {
    Char(char),
    Any,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Star,
    Deep,
    /// Goes on at each of these.
    Split(Vec<usize>),
    Jump(usize),
}

impl Glob {
    /// Reads `text`.
    ///
    /// # Errors
    /// A [`GlobError`].
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let mut parser =
            Parser { chars: text.char_indices().collect(), at: 0, ops: Vec::new(), alternatives: 0 };
        parser.sequence(0)?;
        Ok(Self(parser.ops))
    }

    /// Whether all of `text` matches, with the default number of steps.
    pub fn is_match(&self, text: &str) -> bool {
        self.matches(text, &Steps::default())
    }

    /// Whether all of `text` matches. Nothing does once the steps are spent.
    pub fn matches(&self, text: &str, steps: &Steps) -> bool {
        Walk::new(&self.0, text, steps).arrives()
    }
}

struct Parser {
    chars: Vec<(usize, char)>,
    at: usize,
    ops: Vec<Op>,
    alternatives: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(_, c)| *c)
    }

    /// Reads up to the end, or within braces up to a comma or a closing brace.
    fn sequence(&mut self, depth: usize) -> Result<(), GlobError> {
        while let Some(c) = self.peek() {
            let start = self.at;
            match c {
                ',' | '}' if depth > 0 => return Ok(()),
                '\\' => {
                    self.at += 1;
                    let escaped = self.peek().ok_or(GlobError::Syntax(self.chars[start].0))?;
                    self.ops.push(Op::Char(escaped));
                }
                '?' => self.ops.push(Op::Any),
                '*' => self.stars(depth),
                '[' => self.class()?,
                '{' => self.braces(depth + 1)?,
                c => self.ops.push(Op::Char(c)),
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Two stars or more that are a whole segment cross `/`; any others are one star.
    fn stars(&mut self, depth: usize) {
        let start = self.at;
        while self.chars.get(self.at + 1).is_some_and(|(_, c)| *c == '*') {
            self.at += 1;
        }
        let before = start.checked_sub(1).map(|at| self.chars[at].1);
        let after = self.chars.get(self.at + 1).map(|(_, c)| *c);
        let is_border =
            |c: Option<char>, marks: &[char]| c.is_none_or(|c| c == '/' || (depth > 0 && marks.contains(&c)));
        let whole = is_border(before, &['{', ',']) && is_border(after, &['}', ',']);
        self.ops.push(if self.at > start && whole { Op::Deep } else { Op::Star });
    }

    fn class(&mut self) -> Result<(), GlobError> {
        let unclosed = GlobError::Syntax(self.chars[self.at].0);
        self.at += 1;
        let negated = matches!(self.peek(), Some('!' | '^'));
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let low = match self.peek().ok_or_else(|| unclosed.clone())? {
                ']' if !ranges.is_empty() => break,
                c => self.member(c, &unclosed)?,
            };
            let is_range =
                self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|(_, c)| *c != ']');
            let mut high = low;
            if is_range {
                self.at += 1;
                let c = self.peek().ok_or_else(|| unclosed.clone())?;
                high = self.member(c, &unclosed)?;
            }
            ranges.push((low, high));
        }
        self.ops.push(Op::Class { negated, ranges });
        Ok(())
    }

    /// A character of a class that begins with `c`.
    fn member(&mut self, c: char, unclosed: &GlobError) -> Result<char, GlobError> {
        self.at += 1;
        if c != '\\' {
            return Ok(c);
        }
        let escaped = self.peek().ok_or_else(|| unclosed.clone())?;
        self.at += 1;
        Ok(escaped)
    }

    fn braces(&mut self, depth: usize) -> Result<(), GlobError> {
        if depth > DEEPEST {
            return Err(GlobError::Nesting);
        }
        let unclosed = GlobError::Syntax(self.chars[self.at].0);
        let split = self.ops.len();
        self.ops.push(Op::Split(Vec::new()));
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        loop {
            self.alternatives += 1;
            if self.alternatives > MOST_ALTERNATIVES {
                return Err(GlobError::Alternatives);
            }
            self.at += 1;
            starts.push(self.ops.len());
            self.sequence(depth)?;
            ends.push(self.ops.len());
            self.ops.push(Op::Jump(0));
            match self.peek() {
                Some('}') => break,
                Some(_) => {}
                None => return Err(unclosed),
            }
        }
        let after = self.ops.len();
        self.ops[split] = Op::Split(starts);
        for end in ends {
            self.ops[end] = Op::Jump(after);
        }
        Ok(())
    }
}

/// All the places of a glob that a text can have led to so far.
struct Walk<'g> {
    ops: &'g [Op],
    chars: Vec<char>,
    steps: &'g Steps,
    /// Operations that take the next character; the glob's end stands for having matched.
    waiting: Vec<usize>,
    /// By operation, the position for which it was entered, and is waiting, plus one.
    entered: Vec<usize>,
    listed: Vec<usize>,
}

impl<'g> Walk<'g> {
    fn new(ops: &'g [Op], text: &str, steps: &'g Steps) -> Self {
        let size = ops.len() + 1;
        let (entered, listed) = (vec![0; size], vec![0; size]);
        Self { ops, chars: text.chars().collect(), steps, waiting: Vec::new(), entered, listed }
    }

    fn arrives(mut self) -> bool {
        self.enter(0, 0);
        for at in 0..self.chars.len() {
            let c = self.chars[at];
            for op in std::mem::take(&mut self.waiting) {
                self.take(op, c, at + 1);
            }
            if self.waiting.is_empty() {
                return false;
            }
        }
        self.waiting.contains(&self.ops.len()) && self.steps.take()
    }

    /// Lets the operation `op` take `c`, after which the text's position is `at`.
    fn take(&mut self, op: usize, c: char, at: usize) {
        let ops = self.ops;
        let goes_on = match ops.get(op) {
            Some(Op::Char(wanted)) => *wanted == c,
            Some(Op::Any) => c != '/',
            Some(Op::Class { negated, ranges }) => {
                c != '/' && ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            Some(Op::Star) if c != '/' => {
                self.list(op, at);
                true
            }
            Some(Op::Deep) => {
                self.list(op, at);
                self.ends_segment(at)
            }
            _ => false,
        };
        if goes_on {
            self.enter(op + 1, at);
        }
    }

    fn list(&mut self, op: usize, at: usize) {
        if std::mem::replace(&mut self.listed[op], at + 1) != at + 1 {
            self.waiting.push(op);
        }
    }

    /// Goes to `op` and on to whatever needs no character.
    fn enter(&mut self, op: usize, at: usize) {
        let ops = self.ops;
        let mut open = vec![op];
        while let Some(op) = open.pop() {
            if std::mem::replace(&mut self.entered[op], at + 1) == at + 1 {
                continue;
            }
            if !self.steps.take() {
                self.waiting.clear();
                return;
            }
            match ops.get(op) {
                Some(Op::Split(starts)) => open.extend(starts),
                Some(Op::Jump(to)) => open.push(*to),
                Some(Op::Star) => {
                    self.list(op, at);
                    open.push(op + 1);
                }
                Some(Op::Deep) if !self.begins_segment(at) => {}
                Some(Op::Deep) => {
                    self.list(op, at);
                    if self.ends_segment(at) {
                        open.push(op + 1);
                    }
                    // `**/` may stand for nothing.
                    if ops.get(op + 1) == Some(&Op::Char('/')) {
                        open.push(op + 2);
                    }
                }
                Some(_) | None => self.list(op, at),
            }
        }
    }

    fn begins_segment(&self, at: usize) -> bool {
        at.checked_sub(1).is_none_or(|before| self.chars[before] == '/')
    }

    fn ends_segment(&self, at: usize) -> bool {
        self.chars.get(at).is_none_or(|c| *c == '/')
    }
}

/// The characters that mean something in a glob.
const WILD: &[char] = &['*', '?', '[', ']', '{', '}', '!', '\\'];

/// Whether `text` has a character that means something in a glob.
pub fn is_wild(text: &str) -> bool {
    text.contains(WILD)
}

/// `text` as a glob that matches just this text.
pub fn escape(text: &str) -> String {
    let mut glob = String::with_capacity(text.len());
    for c in text.chars() {
        if WILD.contains(&c) {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

#[cfg(test)]
mod tests;
