//! Paths as reports write them, made comparable.
//!
//! A finding's path is relative to the repository's root, with `/` between its parts, without `.` segments and
//! doubled slashes. A segment `..` is left as it is: what it leads to is not known here, and no glob matches it.
//! An absolute path outside of the repository stays absolute.

/// The path that an artifact's URI means (SARIF 2.1.0 §3.4.3): backslashes, which no URI may hold, are a Windows
/// tool's slashes; `%XX` is decoded where all of it is valid; `file:` is taken off. Other schemes stay.
pub(crate) fn of_uri(uri: &str) -> String {
    if !uri.bytes().any(|byte| matches!(byte, b'\\' | b'%' | b':')) {
        return uri.to_owned();
    }
    let uri = uri.replace('\\', "/");
    let (scheme, rest) = match uri.split_once(':') {
        // One letter is a drive of Windows, not a scheme.
        Some((scheme, rest)) if scheme.len() > 1 && is_scheme(scheme) => (scheme, rest),
        _ => ("", uri.as_str()),
    };
    if !scheme.is_empty() && !scheme.eq_ignore_ascii_case("file") {
        return uri;
    }
    let decoded = decode_or_keep(rest);
    if scheme.is_empty() { decoded } else { without_authority(&decoded) }
}

fn is_scheme(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn decode_or_keep(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let decoded =
        gate_model::percent::decode(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| text.to_owned())
}

/// The path of what follows `file:`. An empty host and `localhost` are this machine (RFC 8089 §2); before a
/// drive of Windows the slash is dropped.
fn without_authority(rest: &str) -> String {
    let path = match rest.strip_prefix("//") {
        Some(after) => after.strip_prefix("localhost/").map_or_else(
            || if after.starts_with('/') { after.to_owned() } else { format!("//{after}") },
            |local| format!("/{local}"),
        ),
        None => rest.to_owned(),
    };
    match path.strip_prefix('/') {
        Some(drive) if has_drive(drive) => drive.to_owned(),
        _ => path,
    }
}

fn has_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

/// Whether `path` starts at a root.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || has_drive(path)
}

/// `path` without `.` segments and doubled slashes.
pub(crate) fn plain(path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push('/');
    }
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(segment);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::of_uri;
    use crate::place::{Ground, Place};

    fn path(uri: &str) -> Option<String> {
        let roots = ["/home/ci/repo/".to_owned()];
        Ground::of(Place { roots: &roots, ..Place::NOWHERE }).resolve(&of_uri(uri))
    }

    #[test]
    fn uris_of_real_tools_become_paths() {
        for (uri, expected) in [
            ("src/a.py", "src/a.py"),
            ("./src//a.py", "src/a.py"),
            ("src\\sub\\a.cs", "src/sub/a.cs"),
            ("file:///home/ci/repo/src/a.js", "src/a.js"),
            ("file://localhost/home/ci/repo/src/a.js", "src/a.js"),
            ("file:/home/ci/repo/a%20b/%C3%A9.js", "a b/é.js"),
            ("/home/ci/repo/src/a.py", "src/a.py"),
            ("/home/ci/repository/a.py", "/home/ci/repository/a.py"),
            ("file:///etc/passwd", "/etc/passwd"),
            ("file:///C:/work/a.cs", "C:/work/a.cs"),
            ("C:\\work\\a.cs", "C:/work/a.cs"),
            ("file://server/share/a", "/server/share/a"),
            ("https://example.com/a?b", "https://example.com/a?b"),
            ("100%.py", "100%.py"),
            ("a%FFb", "a%FFb"),
        ] {
            assert_eq!(path(uri).as_deref(), Some(expected), "{uri}");
        }
        assert_eq!(path(""), None);
        assert_eq!(path("file:///home/ci/repo"), Some("/home/ci/repo".into()));
    }

    #[test]
    fn parent_segments_stay_visible_however_they_are_written() {
        for uri in ["src/../x", "src/%2e%2e/x", "src%2F..%2Fx", "src\\..\\x"] {
            assert_eq!(path(uri).as_deref(), Some("src/../x"), "{uri}");
        }
        // Not resolved, so nothing below the root can be claimed through it.
        assert_eq!(path("/home/ci/repo/../x").as_deref(), Some("../x"));
    }
}
