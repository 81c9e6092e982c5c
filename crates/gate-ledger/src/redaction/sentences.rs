//! Sentences that repeat personal texts: each occurrence becomes its commitment, and back.
//!
//! Invariant: only texts that the caller names are looked for, and only commitments with an opening at hand are
//! replaced, so that a digest in a sentence stays what it is.

use gate_model::text::visible;

use super::WrongField;
use crate::commitment::{Commitment, Field, Opening};

/// A text that was sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// What kind of text it is.
    pub field: Field,
    /// The text.
    pub value: String,
    /// The commitment to it.
    pub commitment: Commitment,
}

/// How a written commitment begins.
const MARK: &str = "b3:";

/// The length of a written commitment: `b3:` and 64 digits.
const WRITTEN: usize = 67;

/// `sentence` with each occurrence of one of `texts` replaced by its commitment. A longer text goes before a
/// shorter one that is part of it; what is only a part of a word is another word.
pub fn hide(sentence: &str, texts: &[Text]) -> String {
    let mut words: Vec<(String, Commitment)> = texts.iter().flat_map(spellings).collect();
    words.retain(|(word, _)| !word.is_empty());
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    let mut before = None;
    while let Some(first) = rest.chars().next() {
        let found = words.iter().find(|(word, _)| stands_here(before, rest, word));
        let length = found.map_or(first.len_utf8(), |(word, _)| word.len());
        let (here, behind) = rest.split_at(length);
        match found {
            Some((_, commitment)) => out.push_str(&commitment.to_string()),
            None => out.push(first),
        }
        before = here.chars().next_back();
        rest = behind;
    }
    out
}

/// Whether `sentence` may repeat `text`; a quick look, which takes a part of a word for one too.
pub fn mentions(sentence: &str, text: &Text) -> bool {
    spellings(text).any(|(word, _)| !word.is_empty() && sentence.contains(&word))
}

/// How sentences may spell a text: as it is, and a name also in its visible form.
fn spellings(text: &Text) -> impl Iterator<Item = (String, Commitment)> {
    let shown =
        (text.field == Field::Name).then(|| visible(&text.value)).filter(|shown| *shown != text.value);
    let commitment = text.commitment;
    [Some(text.value.clone()), shown].into_iter().flatten().map(move |word| (word, commitment))
}

fn stands_here(before: Option<char>, rest: &str, word: &str) -> bool {
    let joins = |left: Option<char>, right: Option<char>| {
        left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
    };
    let Some(behind) = rest.strip_prefix(word) else { return false };
    !joins(before, word.chars().next()) && !joins(word.chars().next_back(), behind.chars().next())
}

/// `sentence` with each commitment that `open` finds an opening of replaced by its text.
///
/// # Errors
/// What `open` returns.
pub(super) fn show<E: From<WrongField>>(
    sentence: &str,
    open: &mut dyn FnMut(Commitment) -> Result<Option<Opening>, E>,
) -> Result<String, E> {
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(start) = rest.find(MARK) {
        let (before, here) = rest.split_at(start);
        out.push_str(before);
        let written = here.get(..WRITTEN);
        let opening = match written.and_then(|written| written.parse().ok()) {
            Some(commitment) => open(commitment)?,
            None => None,
        };
        let length = if let Some(opening) = opening {
            let is_name = opening.field == Field::Name;
            out.push_str(&if is_name { visible(&opening.value) } else { opening.value });
            WRITTEN
        } else {
            out.push_str(MARK);
            MARK.len()
        };
        rest = here.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}
