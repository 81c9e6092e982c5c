//! The digest of a policy: of its text, and of the files that the text trusts.
//!
//! The bytes that are hashed, with the context `gate v1 policy`:
//!
//! ```text
//! policy = text *( NUL path NUL length NUL bytes )
//! ```
//!
//! `text` is the text of `gate.toml`; each trusted file (allowed signers, key sets) follows in the byte order of
//! the paths, as the policy writes them: its path, the length of its text in bytes in decimal, its text. Neither
//! a policy that parses nor a path can hold a NUL and the length tells where a file ends, so two different sets
//! never give the same bytes. Without files it is the digest of the text alone:
//!
//! ```
//! // the same as: printf 'version = 1\n' | b3sum --derive-key 'gate v1 policy'
//! let digest = gate_policy::digest::of("version = 1\n", &[]);
//! assert_eq!(digest, "b3:222463478174cc422f7f79087534949ba8bd11f36b41456a206dd35277f96872");
//! ```

use gate_model::digest::{self, POLICY};

/// The digest of a policy's `text` and of the `files` (path, text) that it trusts, in any order.
pub fn of(text: &str, files: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = files.iter().collect();
    sorted.sort();
    let mut bytes = text.as_bytes().to_vec();
    for (path, content) in sorted {
        bytes.extend_from_slice(format!("\0{path}\0{}\0", content.len()).as_bytes());
        bytes.extend_from_slice(content.as_bytes());
    }
    digest::of(POLICY, &bytes)
}

#[cfg(test)]
mod tests {
    use super::of;

    fn files(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn without_files_it_is_the_digest_of_the_text() {
        let plain = gate_model::digest::of(gate_model::digest::POLICY, b"version = 1\n");
        assert_eq!(of("version = 1\n", &[]), plain);
    }

    #[test]
    fn the_order_of_files_does_not_matter() {
        let one = files(&[("a", "1"), ("b", "2")]);
        let other = files(&[("b", "2"), ("a", "1")]);
        assert_eq!(of("x", &one), of("x", &other));
    }

    #[test]
    fn text_cannot_move_between_text_path_and_file() {
        let sets = [
            of("x", &files(&[("a", "12")])),
            of("x", &files(&[("a", "1"), ("b", "2")])),
            of("x", &files(&[("a", "1\0b\x001\x002")])),
            of("x", &files(&[("a1", "2")])),
            of("xa", &files(&[("", "12")])),
            of("xa12", &[]),
            of("x", &files(&[("a", "")])),
            of("x", &[]),
        ];
        let distinct: std::collections::BTreeSet<&String> = sets.iter().collect();
        assert_eq!(distinct.len(), sets.len());
    }
}
