//! What is packed, and how it is installed. Building for release takes minutes and is scripts/package's own; here it packs
//! programs that start the built ones.
#![allow(clippy::disallowed_methods, reason = "a test may start programs")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and a skip is said"
)]

use std::path::{Path, PathBuf};

use gate_tests::Sandbox;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Packs into `gate-0.1.0-TRIPLE.tar.gz` in the folder `out`, beside its SHA256SUMS.
const PACK: &str = r#"
. "$CHECKOUT/scripts/places.sh"; . "$CHECKOUT/scripts/packaging/tree.sh"
export SOURCE_DATE_EPOCH=1790000000 LC_ALL=C
mkdir -p built "$OUT"
for tool in "${gate_tools[@]}" ${gate_helpers[@]+"${gate_helpers[@]}"}; do
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$TOOLS/$tool" > "built/$tool"; chmod 755 "built/$tool"
done
folder=$OUT/gate-0.1.0-x86_64-unknown-linux-musl
stage built built "$folder"; pack "$folder" "$folder.tar.gz"; rm -r "$folder"
(cd "$OUT" && sha256sum -- *.tar.gz > SHA256SUMS)
"#;

fn pack(sandbox: &Sandbox, out: &str) -> Vec<u8> {
    let tools = std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned();
    let mut bash = sandbox.command("bash");
    bash.env("CHECKOUT", checkout())
        .env("TOOLS", tools)
        .env("OUT", out)
        .args(["-euo", "pipefail", "-c", PACK]);
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(sandbox.path(out).join("gate-0.1.0-x86_64-unknown-linux-musl.tar.gz")).unwrap()
}

fn install(sandbox: &Sandbox, tarball: &str, prefix: &str) -> std::process::Output {
    let mut install = sandbox.command("bash");
    install.arg(checkout().join("scripts/install")).args(["--from", tarball, prefix]).output().unwrap()
}

#[test]
fn a_tarball_depends_on_what_is_in_it_alone() {
    let sandbox = Sandbox::new();
    let first = pack(&sandbox, "out");
    // The same files, made at another time and in another place.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(first == pack(&sandbox, "elsewhere/out"), "the second tarball has other bytes");
}

#[test]
fn what_was_packed_is_installed_and_works() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out");
    let installed = install(&sandbox, "out/gate-0.1.0-x86_64-unknown-linux-musl.tar.gz", "prefix");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    for file in [
        "bin/gate-check",
        "bin/gate-skip",
        "bin/gate-log",
        "bin/gate-verify",
        "share/man/man7/gate.7",
        "share/doc/gate/LICENSE-MIT",
        "share/doc/gate/LICENSE-APACHE",
        "share/gate/ci.sh",
        "share/gate/schemas/gate.toml.json",
    ] {
        assert!(sandbox.has(Path::new("prefix").join(file)), "{file}");
    }
    sandbox.shell("prefix/bin/gate-verify --version").expect(0);
    for helper in
        std::fs::read_dir(checkout().join("crates")).unwrap().map(|folder| folder.unwrap().file_name())
    {
        if helper.to_string_lossy().starts_with("gate-remote-") {
            assert!(sandbox.has(Path::new("prefix/libexec/gate").join(&helper)), "{}", helper.display());
        }
    }
}

#[test]
fn a_tarball_that_is_not_the_listed_one_is_not_installed() {
    let sandbox = Sandbox::new();
    pack(&sandbox, "out");
    let tarball = "out/gate-0.1.0-x86_64-unknown-linux-musl.tar.gz";
    let refused = |case: &str| {
        let output = install(&sandbox, tarball, "prefix");
        assert!(!output.status.success() && !sandbox.has("prefix"), "{case}");
    };
    let sums = sandbox.read("out/SHA256SUMS");
    sandbox.write("out/SHA256SUMS", sums.replacen(|digit: char| digit.is_ascii_hexdigit(), "x", 1));
    refused("a digest that is none");
    sandbox.write("out/SHA256SUMS", format!("{}  {}\n", "0".repeat(64), &tarball[4..]));
    refused("another digest");
    sandbox.write("out/SHA256SUMS", sums.replace(".tar.gz", ".tar.gz.sig"));
    refused("a list that does not name it");
    std::fs::remove_file(sandbox.path("out/SHA256SUMS")).unwrap();
    refused("no list");
}

#[test]
fn where_binstall_looks_is_what_is_packed() {
    let cargo = std::fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
    let version = cargo.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    let packer = std::fs::read_to_string(checkout().join("scripts/packaging/archives")).unwrap();
    assert!(packer.contains("$out/gate-$version-$triple.tar.gz"));
    for tool in ["check", "skip", "log", "verify"] {
        let manifest =
            std::fs::read_to_string(checkout().join(format!("crates/gate-{tool}/Cargo.toml"))).unwrap();
        let address = manifest.lines().find_map(|line| line.strip_prefix("pkg-url = ")).unwrap();
        let filled =
            address.replace("{ version }", version).replace("{ target }", "x86_64-unknown-linux-musl");
        let name = format!("gate-{version}-x86_64-unknown-linux-musl.tar.gz\"");
        assert!(filled.starts_with("\"{ repo }/") && filled.ends_with(&name), "{filled}");
    }
}

#[test]
fn the_projects_own_address_stands_in_one_place() {
    let cargo = std::fs::read_to_string(checkout().join("Cargo.toml")).unwrap();
    let address =
        cargo.lines().find_map(|line| line.strip_prefix("repository = ")).unwrap().trim_matches('"');
    let found = Sandbox::new().shell(&format!(
        "cd '{}' && git grep -lF '{address}' -- . ':!Cargo.toml' ':!tests/testdata'",
        checkout().display()
    ));
    assert_eq!((found.status, found.stdout.as_str()), (1, ""), "one of them would be forgotten");
}

#[test]
fn the_container_file_has_no_fault() {
    let hadolint = checkout().join(".partners/venv/bin/hadolint");
    if !hadolint.is_file() {
        eprintln!("skipped: hadolint is not in .partners (scripts/partners installs it)");
        return;
    }
    let file = checkout().join("scripts/packaging/Containerfile");
    let output = std::process::Command::new(hadolint).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
