//! Whether two paths name one file, so that an output never empties an input.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether `a` and `b` are the same file, or would be once they exist.
pub(crate) fn same_place(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| {
        let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
        parent.zip(path.file_name()).map(|(parent, name)| parent.join(name))
    };
    let inode = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    let is_same = |a: Option<_>, b: Option<_>| a.is_some() && a == b;
    a == b || real(a).is_some_and(|a| Some(a) == real(b)) || is_same(inode(a), inode(b))
}

#[cfg(test)]
mod tests {
    use super::same_place;

    #[test]
    fn links_detours_and_files_to_come_are_seen_through() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("sub")).unwrap();
        std::fs::write(at("a"), "").unwrap();
        std::fs::write(at("b"), "").unwrap();
        std::os::unix::fs::symlink(at("a"), at("link")).unwrap();
        std::fs::hard_link(at("a"), at("hard")).unwrap();
        for (one, other, same) in [
            ("a", "a", true),
            ("a", "sub/../a", true),
            ("a", "link", true),
            ("a", "hard", true),
            ("later", "sub/../later", true),
            ("a", "b", false),
            ("later", "other", false),
        ] {
            assert_eq!(same_place(&at(one), &at(other)), same, "{one} {other}");
        }
    }
}
