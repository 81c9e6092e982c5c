//! The id of an object: the hash of `<type> <size>\0<bytes>` (gitformat-pack(5)), SHA-1 or SHA-256 as its length says.
//!
//! SHA-1 does not withstand somebody who prepares two objects of one id beforehand; SHA-256 repositories do.

use ring::digest;

/// Whether `text` is a full object id: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
pub fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// The id of an object, of the kind of hash that the id `like` has; `None` where that is no id.
///
/// ```
/// use gate_identity::git::object_id;
/// // the same as: git hash-object -t blob /dev/null
/// let like = "0".repeat(40);
/// assert_eq!(object_id(&like, "blob", b"").as_deref(), Some("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
/// ```
pub fn object_id(like: &str, kind: &str, bytes: &[u8]) -> Option<String> {
    let algorithm = match like.len() {
        40 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        64 => &digest::SHA256,
        _ => return None,
    };
    let mut context = digest::Context::new(algorithm);
    context.update(format!("{kind} {}\0", bytes.len()).as_bytes());
    context.update(bytes);
    Some(hexadecimal(context.finish().as_ref()))
}

/// An id's bytes as git writes them.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::object_id;

    #[test]
    fn ids_are_those_that_git_gives() {
        // The empty blob and the empty tree, in both formats (git-hash-object(1)).
        for (kind, id) in [
            ("blob", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            ("tree", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
            ("blob", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"),
            ("tree", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
        ] {
            assert_eq!(object_id(id, kind, b"").as_deref(), Some(id));
        }
        assert_eq!(object_id("short", "blob", b""), None);
    }
}
