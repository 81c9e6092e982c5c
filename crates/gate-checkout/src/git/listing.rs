//! The bytes of a tree object: `<mode> <name>\0<id bytes>` over and over (gitformat-pack(5), git-mktree(1)).

use gate_identity::git::hexadecimal;

/// One line of a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub mode: String,
    pub id: String,
}

/// Looks for `name` among `<mode> <name>\0<id bytes>`… A name that stands twice is refused: git's own
/// readers would not agree on which one counts.
pub(super) fn find(tree: &[u8], name: &[u8], id_length: usize) -> Result<Option<Entry>, &'static str> {
    const MALFORMED: &str = "in a malformed directory";
    let mut found = None;
    let mut rest = tree;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0).ok_or(MALFORMED)?;
        let (head, tail) = rest.split_at(end);
        let (id, tail) = tail.get(1..).and_then(|tail| tail.split_at_checked(id_length)).ok_or(MALFORMED)?;
        let space = head.iter().position(|byte| *byte == b' ').ok_or(MALFORMED)?;
        let (mode, entry_name) = head.split_at(space);
        if entry_name.get(1..) == Some(name) {
            if found.is_some() {
                return Err("listed twice in its directory");
            }
            let mode = String::from_utf8(mode.to_vec()).map_err(|_| MALFORMED)?;
            found = Some(Entry { mode, id: hexadecimal(id) });
        }
        rest = tail;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::find;

    fn line(mode: &str, name: &str, byte: u8) -> Vec<u8> {
        [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[byte; 20]].concat()
    }

    #[test]
    fn a_name_is_found_whole_and_once() {
        let tree = [line("100644", "gate.toml", 1), line("100644", "gate.toml.sig", 2)].concat();
        assert_eq!(find(&tree, b"gate.toml", 20).unwrap().unwrap().id, "01".repeat(20));
        assert_eq!(find(&tree, b"gate", 20), Ok(None));
        assert_eq!(find(b"", b"gate.toml", 20), Ok(None));
    }

    #[test]
    fn a_name_listed_twice_is_refused() {
        let tree = [line("100644", "gate.toml", 1), line("100644", "gate.toml", 2)].concat();
        assert_eq!(find(&tree, b"gate.toml", 20), Err("listed twice in its directory"));
    }

    #[test]
    fn a_cut_directory_is_malformed() {
        let tree = line("100644", "gate.toml", 1);
        for length in 1..tree.len() {
            assert!(find(&tree[..length], b"gate.toml", 20).is_err(), "{length}");
        }
    }
}
