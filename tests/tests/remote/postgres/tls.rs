//! TLS with an authority of the test's own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use gate_ledger::remote::{Remote, RemoteError, Why};

use super::cluster::{Cluster, succeeds};

/// Runs openssl in `folder`.
fn openssl(folder: &Path, line: &str) {
    let mut command = Command::new("openssl");
    command.args(line.split(' ')).current_dir(folder).stdin(Stdio::null());
    succeeds(&command.output().unwrap());
}

/// An authority, and a certificate for `names` that it signed, that ends in so many `days`.
fn certificate(folder: &Path, names: &str, days: &str) {
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(folder, &format!("req -x509 {curve} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem"));
    openssl(folder, &format!("req {curve} -subj /CN=server -keyout server.key -out server.csr"));
    std::fs::write(folder.join("extensions"), format!("subjectAltName={names}\n")).unwrap();
    let sign = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out server.pem";
    openssl(folder, &format!("{sign} -days {days}"));
}

/// A server with such a certificate, and the folder with the authority.
fn server(names: &str, days: &str) -> Option<(Cluster, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    certificate(folder.path(), names, days);
    let key = folder.path().join("server.key");
    // The server insists that its key is its own.
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    drop(Command::new("chown").arg("65534").arg(&key).output());
    let at = folder.path().display();
    let cluster =
        Cluster::with(&format!("ssl=on\nssl_cert_file='{at}/server.pem'\nssl_key_file='{at}/server.key'"))?;
    Some((cluster, folder))
}

/// Whether a connection comes to be with these settings; what is said if not.
fn hello(cluster: &Cluster, settings: &str) -> Result<(), (Why, String)> {
    match cluster.helper("writer", settings).start().hello(None) {
        Ok(_) => Ok(()),
        Err(RemoteError::Failed(failed)) => Err((failed.why, failed.to_string())),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_certificate_counts_for_its_name_its_authority_and_its_time() {
    let Some((cluster, folder)) = server("IP:127.0.0.1", "1") else {
        return eprintln!("skipped: there is no PostgreSQL");
    };
    let ca = format!("&sslrootcert={}/ca.pem", folder.path().display());
    for mode in ["verify-full", "verify-ca", "require"] {
        assert_eq!(hello(&cluster, &format!("&sslmode={mode}{ca}")), Ok(()), "{mode}");
    }
    // An authority that did not sign it.
    let other = tempfile::tempdir().unwrap();
    certificate(other.path(), "DNS:x", "1");
    let theirs = format!("&sslrootcert={}/ca.pem", other.path().display());
    for mode in ["verify-full", "verify-ca"] {
        let (why, said) = hello(&cluster, &format!("&sslmode={mode}{theirs}")).unwrap_err();
        assert_eq!(why, Why::Denied, "{mode}: {said}");
        assert!(said.contains("certificate"), "{said}");
    }
    let (why, said) = hello(&cluster, "&sslmode=verify-full&sslrootcert=system").unwrap_err();
    assert_eq!(why, Why::Denied, "{said}");
}

#[test]
fn a_certificate_of_another_name_or_an_older_day_does_not_count() {
    let Some((cluster, folder)) = server("DNS:elsewhere.example.com", "1") else {
        return eprintln!("skipped: there is no PostgreSQL");
    };
    let ca = format!("&sslrootcert={}/ca.pem", folder.path().display());
    let (why, said) = hello(&cluster, &format!("&sslmode=verify-full{ca}")).unwrap_err();
    assert_eq!(why, Why::Denied, "{said}");
    assert_eq!(hello(&cluster, &format!("&sslmode=verify-ca{ca}")), Ok(()));
    drop((cluster, folder));
    let Some((cluster, folder)) = server("IP:127.0.0.1", "-1") else {
        return eprintln!("skipped: there is no PostgreSQL");
    };
    let ca = format!("&sslrootcert={}/ca.pem", folder.path().display());
    for mode in ["verify-full", "verify-ca"] {
        let (why, said) = hello(&cluster, &format!("&sslmode={mode}{ca}")).unwrap_err();
        assert_eq!(why, Why::Denied, "{said}");
        assert!(said.contains("xpired"), "{said}");
    }
}
