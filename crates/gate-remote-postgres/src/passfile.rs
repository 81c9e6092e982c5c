//! Passwords from a file, `host:port:database:user:password` a line, which only its owner may read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// For what a password is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'w> {
    pub(crate) host: &'w str,
    pub(crate) port: &'w str,
    pub(crate) dbname: &'w str,
    pub(crate) user: &'w str,
}

/// The password in the file at `path`, if there is such a file and such a line.
///
/// # Errors
/// Where others could read the file: libpq passes over such a one, and then a wrong password is all one sees.
pub(crate) fn read(path: &Path, wanted: Wanted<'_>) -> Result<Option<String>, String> {
    let Ok(found) = fs::metadata(path) else { return Ok(None) };
    if !found.is_file() {
        return Ok(None);
    }
    if found.mode() & 0o077 != 0 {
        return Err(format!("the password file '{}' can be read by others; chmod 0600 it", path.display()));
    }
    let text = fs::read_to_string(path)
        .map_err(|error| format!("the password file '{}' cannot be read: {error}", path.display()))?;
    Ok(text.lines().find_map(|line| password(line, wanted)))
}

/// The password on a line, if the line is about what is wanted. The first line that fits counts.
fn password(line: &str, wanted: Wanted<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let [host, port, dbname, user, password] = fields.as_slice() else { return None };
    // A socket's folder goes by the name localhost, as in libpq.
    let at = if wanted.host.starts_with('/') { "localhost" } else { wanted.host };
    let pairs = [(host, at), (port, wanted.port), (dbname, wanted.dbname), (user, wanted.user)];
    pairs.iter().all(|(field, wanted)| *field == "*" || field == wanted).then(|| password.clone())
}

/// The fields between colons; a backslash makes the next character a plain one. The last field has the rest.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.iter_mut().last().into_iter().for_each(|field| field.extend(chars.next())),
            c => fields.iter_mut().last().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Wanted, password, read};

    const WANTED: Wanted<'static> = Wanted { host: "db", port: "5432", dbname: "gate", user: "runner" };

    #[test]
    fn the_first_line_that_fits_counts() {
        assert_eq!(password("db:5432:gate:runner:s3:cret", WANTED), Some("s3:cret".into()));
        assert_eq!(password("*:*:*:*:a\\:b\\\\c", WANTED), Some("a:b\\c".into()));
        for other in
            ["x:5432:gate:runner:p", "db:1:gate:runner:p", "# db:5432:gate:runner:p", "db:5432:gate", ""]
        {
            assert_eq!(password(other, WANTED), None, "{other}");
        }
        let socket = Wanted { host: "/run/postgresql", ..WANTED };
        assert_eq!(password("localhost:*:*:*:p", socket), Some("p".into()));
    }

    #[test]
    fn a_file_that_others_can_read_is_named_and_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pgpass");
        assert_eq!(read(&path, WANTED), Ok(None));
        std::fs::write(&path, "*:*:*:*:p\n").unwrap();
        for (mode, expected) in [(0o600, Ok(Some("p".to_owned()))), (0o640, Err(())), (0o604, Err(()))] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path, WANTED).map_err(|said| assert!(said.contains("chmod 0600"))), expected);
        }
    }
}
