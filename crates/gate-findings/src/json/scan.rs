//! Where a JSON value ends, and how deep it nests, without reading what it says.
//!
//! The scan can stop at the end of a window and go on in a longer one. It tells brackets from strings and no more:
//! whoever parses the value checks it.

/// How far the scan of one value has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scan {
    /// Bytes of the value that are done.
    pub(super) done: usize,
    /// Brackets that are open.
    depth: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Nested,
    String,
    /// A number, `true`, `false`, `null`, or rubbish.
    Word,
}

/// What a scan of the bytes at hand came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value is this long.
    End(usize),
    /// The bytes end within the value (a word at the end of the input may be complete).
    Short,
    /// Brackets nest deeper than allowed, at this byte.
    Deep(usize),
}

impl Scan {
    pub(super) fn is_word(&self) -> bool {
        self.state == State::Word
    }

    /// Goes on in `bytes`, which start where the value starts. `room` is how many brackets may be open.
    pub(super) fn step(&mut self, bytes: &[u8], room: usize) -> Step {
        while let Some(&byte) = bytes.get(self.done) {
            match self.state {
                State::String => {
                    let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[self.done..]) else { break };
                    let at = self.done + found;
                    if bytes[at] == b'\\' {
                        // The escaped character may not be here yet.
                        self.done = at;
                        if at + 1 >= bytes.len() {
                            return Step::Short;
                        }
                        self.done = at + 2;
                    } else {
                        self.done = at + 1;
                        if self.depth == 0 {
                            return Step::End(self.done);
                        }
                        self.state = State::Nested;
                    }
                    continue;
                }
                State::Word if b",]}: \t\r\n\"[{".contains(&byte) => return Step::End(self.done),
                State::Word => {}
                State::Start | State::Nested => match byte {
                    b'"' => self.state = State::String,
                    b'{' | b'[' => {
                        if self.depth >= room {
                            return Step::Deep(self.done);
                        }
                        (self.depth, self.state) = (self.depth + 1, State::Nested);
                    }
                    // A stray closing bracket is a value of one byte, which no parser accepts.
                    b'}' | b']' if self.depth <= 1 => return Step::End(self.done + 1),
                    b'}' | b']' => self.depth -= 1,
                    _ if self.state == State::Start => self.state = State::Word,
                    _ => {}
                },
            }
            self.done += 1;
        }
        self.done = if self.state == State::String { bytes.len() } else { self.done };
        Step::Short
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Scan, Step};

    fn end(text: &str) -> Step {
        Scan::default().step(text.as_bytes(), 127)
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, length) in [
            ("{\"a\":[1,\"}\\\"]\"]} ,", 16),
            ("\"a\\\\\"x", 5),
            ("12,", 2),
            ("true]", 4),
            ("[]", 2),
            ("]", 1),
            ("nul\"", 3),
        ] {
            assert_eq!(end(text), Step::End(length), "{text}");
        }
        for text in ["", "{", "[[]", "\"a", "\"a\\", "{\"a\\\"}", "12"] {
            assert_eq!(end(text), Step::Short, "{text}");
        }
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        assert_eq!(Scan::default().step(b"[[[", 2), Step::Deep(2));
        assert_eq!(Scan::default().step(b"[[\"[[[\"]]", 2), Step::End(9));
    }

    proptest! {
        #[test]
        fn a_value_in_pieces_ends_where_it_ends_whole(text in "[\\[{\"\\\\a,}\\]]{0,40}", cuts in proptest::collection::vec(0usize..40, 0..6)) {
            let whole = end(&text);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let mut scan = Scan::default();
            let mut last = Step::Short;
            for cut in cuts {
                last = scan.step(&text.as_bytes()[..cut], 127);
                if last != Step::Short { break; }
            }
            prop_assert_eq!(last, whole);
        }
    }
}
