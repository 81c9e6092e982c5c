//! Words as a POSIX shell splits them (XCU 2.2), and nothing else of a shell.
//!
//! White space parts words; between single quotes every character stands for itself; between double quotes a backslash
//! keeps `"`, `\`, `$` and the backquote, and outside of quotes any character. Nothing is expanded, and `$`, `*`, `;` or
//! `#` is a character like any other.

use super::TrailerError;

/// The words of `text`.
///
/// # Errors
/// [`TrailerError::Quote`] where a quote or a backslash is left open.
pub(super) fn split(text: &str) -> Result<Vec<String>, TrailerError> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.next_if(char::is_ascii_whitespace).is_some() {}
    while chars.peek().is_some() {
        words.push(word(&mut chars)?);
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
    }
    Ok(words)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn word(chars: &mut Chars<'_>) -> Result<String, TrailerError> {
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace()) {
        match c {
            '\'' => single(chars, &mut word)?,
            '"' => double(chars, &mut word)?,
            '\\' => word.push(chars.next().ok_or(TrailerError::Quote('\\'))?),
            c => word.push(c),
        }
    }
    Ok(word)
}

fn single(chars: &mut Chars<'_>, word: &mut String) -> Result<(), TrailerError> {
    loop {
        match chars.next().ok_or(TrailerError::Quote('\''))? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn double(chars: &mut Chars<'_>, word: &mut String) -> Result<(), TrailerError> {
    loop {
        match chars.next().ok_or(TrailerError::Quote('"'))? {
            '"' => return Ok(()),
            '\\' => {
                let kept = chars.next_if(|c| matches!(c, '"' | '\\' | '$' | '`'));
                word.push(kept.unwrap_or('\\'));
            }
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::trailer::TrailerError;
    use gate_model::quote;
    use proptest::prelude::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let words = |text: &str| split(text).unwrap();
        assert_eq!(words(" lint  --reason 'a b'\t"), ["lint", "--reason", "a b"]);
        assert_eq!(words(r#"--reason="it's" a\ b '' "\"\\\x""#), ["--reason=it's", "a b", "", r#""\\x"#]);
        assert_eq!(words("$(rm) `x` ; # *"), ["$(rm)", "`x`", ";", "#", "*"]);
        assert_eq!(words(""), Vec::<String>::new());
        for (open, quote) in [("a 'b", '\''), ("it's", '\''), ("a \"b'", '"'), ("a\\", '\\')] {
            assert_eq!(split(open), Err(TrailerError::Quote(quote)), "{open}");
        }
    }

    proptest! {
        #[test]
        fn what_was_quoted_for_a_shell_comes_back(words in proptest::collection::vec("[ -~éß]{0,12}", 0..6)) {
            let written = words.iter().map(|word| quote::shell(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(&written).unwrap(), words);
        }
    }
}
