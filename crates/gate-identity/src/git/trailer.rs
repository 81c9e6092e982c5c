//! The trailers of a commit message, read as git-interpret-trailers(1) reads them and more strictly, since here a line
//! that is misread decides what somebody asked for.
//!
//! ```text
//! Make the parser faster            the title
//!
//! Some words about it.              the body
//!
//! Signed-off-by: A <a@example.com>  the last paragraph: trailers, and nothing but trailers
//! Gate-Skip: lint --reason
//!   'the fixture is flaky'          a folded line: one that begins with white space goes on
//! ```
//!
//! A last paragraph in which any line is no trailer has none at all, where git takes those that it finds among other
//! lines. So neither a quotation in the body nor the line that `git cherry-pick -x` adds makes one.

/// One trailer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailer<'a> {
    /// What stands before the colon. Git compares keys without regard to case.
    pub key: &'a str,
    /// What stands behind it, folded lines joined by a space.
    pub value: String,
}

/// The trailers of `message`, in order.
///
/// ```
/// use gate_identity::git::trailers;
/// let found = trailers("Title\n\nBody\n\nGate-Skip: lint\n  --reason x\nAcked-by: B\n");
/// let found: Vec<_> = found.iter().map(|trailer| (trailer.key, trailer.value.as_str())).collect();
/// assert_eq!(found, [("Gate-Skip", "lint --reason x"), ("Acked-by", "B")]);
/// assert!(trailers("Gate-Skip: a title is none").is_empty());
/// ```
pub fn trailers(message: &str) -> Vec<Trailer<'_>> {
    let lines: Vec<&str> = message.trim_end().split('\n').collect();
    let Some(blank) = lines.iter().rposition(|line| line.trim().is_empty()) else { return Vec::new() };
    // Behind nothing but blank lines stands the title.
    if lines[..blank].iter().all(|line| line.trim().is_empty()) {
        return Vec::new();
    }
    block(&lines[blank + 1..]).unwrap_or_default()
}

/// The trailers of a paragraph, if it consists of them.
fn block<'a>(lines: &[&'a str]) -> Option<Vec<Trailer<'a>>> {
    let mut found: Vec<Trailer<'_>> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let value = &mut found.last_mut()?.value;
            value.push(' ');
            value.push_str(line.trim());
        } else {
            let (key, value) = line.split_once(':')?;
            let key = key.trim_end_matches([' ', '\t']);
            is_key(key).then(|| found.push(Trailer { key, value: value.trim().to_owned() }))?;
        }
    }
    Some(found)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::trailers;

    fn keys(message: &str) -> Vec<&str> {
        trailers(message).iter().map(|trailer| trailer.key).collect()
    }

    #[test]
    fn only_a_last_paragraph_of_nothing_else_holds_trailers() {
        assert_eq!(keys("t\n\nb\n\nA: 1\nB : 2\n\n\n"), ["A", "B"]);
        assert_eq!(keys("t\n \t\nA: 1"), ["A"], "a line of white space is blank");
        for none in [
            "",
            "A: 1",
            "\n\nA: 1\n",
            "t\nA: 1\n",
            "t\n\nA: 1\n\nthe end\n",
            "t\n\nA: 1\nthe end\n",
            "t\n\nthe body\nA: 1\n",
            "t\n\n A: 1\n",
            "t\n\n> A: 1\n",
            "t\n\nA: 1\n(cherry picked from commit 1234)\n",
        ] {
            assert_eq!(keys(none), Vec::<&str>::new(), "{none:?}");
        }
    }

    #[test]
    fn folded_lines_are_one_value() {
        let found = trailers("t\n\nA: one\n\ttwo \n   three\nB:\n four\n");
        let values: Vec<&str> = found.iter().map(|trailer| trailer.value.as_str()).collect();
        assert_eq!(values, ["one two three", " four"]);
    }
}
