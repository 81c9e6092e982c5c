//! The ledger is all of its files: what somebody puts beside it, takes away, or replaces, and who may share it.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "a test acts as other users and as other programs")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use gate_ledger::store::{Access, Ledger};
use support::{House, POLICY, Ran, bin};

/// Every file of a directory with its bytes.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// A house whose gate `lint`, which does not require its ledger, is paused.
fn paused() -> House {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "pause"]);
    house.check(&["lint", "--", "true"]).exits(75);
    house
}

#[test]
fn a_journal_beside_the_ledger_is_never_played_back() {
    for text in [&b""[..], b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and what would follow"] {
        let house = paused();
        house.write(".gate/ledger.db-journal", text);
        let before = contents(&house.path(".gate"));
        house.check(&["lint", "--", "true"]).exits(125).says(&["rollback journal"]);
        house.check(&["lint", "--plan"]).exits(4);
        house.skip(&["lint", "--reason", "x"]).exits(4).says(&["ledger.db-journal"]);
        for args in [&["export"][..], &["--kind", "grant"], &["copy", "elsewhere.db"]] {
            Ran::of(house.tool("gate-log", args).output().unwrap()).exits(4);
        }
        Ran::of(house.tool("gate-verify", &[".gate/ledger.db"]).output().unwrap()).exits(4);
        assert!(contents(&house.path(".gate")) == before, "a tool changed the files");
    }
}

#[test]
fn what_is_no_regular_file_beside_the_ledger_opens_no_gate() {
    type Plant = fn(&Path);
    let link: Plant = |path| symlink("/nonexistent/x", path).unwrap();
    let directory: Plant = |path| fs::create_dir(path).unwrap();
    let pipe: Plant = |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    for (name, plant) in [
        ("wal", directory),
        ("wal", link),
        ("shm", link),
        ("shm", pipe),
        ("lock", link),
        ("lock", directory),
        ("checkpoint", pipe),
        ("journal", link),
    ] {
        let house = paused();
        let path = house.path(&format!(".gate/ledger.db-{name}"));
        drop(fs::remove_file(&path));
        plant(&path);
        let ran = house.check(&["lint", "--", "touch", "ran"]).exits(125);
        assert!(ran.stderr.contains(&format!("ledger.db-{name}")), "{}", ran.stderr);
        assert!(!house.path("ran").exists(), "the command ran beside a planted -{name}");
        house.skip(&["lint", "--reason", "x"]).exits(4);
    }
}

#[test]
fn a_tracked_file_beside_the_ledger_opens_no_gate() {
    for name in ["lock", "wal", "journal"] {
        let house = paused();
        let file = format!(".gate/ledger.db-{name}");
        if !house.path(&file).exists() {
            house.write(&file, "");
        }
        house.git(&["add", "-f", &file]);
        let said = if name == "journal" { "journal" } else { "tracked by git" };
        house.check(&["lint", "--", "true"]).exits(125).says(&[&file, said]);
        // Nor where the policy comes from a revision, which needs no ledger to be admitted.
        house.check(&["lint", "--policy-ref", "refs/heads/main", "--", "true"]).exits(125).says(&[&file]);
    }
}

#[test]
fn a_strangers_file_beside_the_ledger_opens_no_gate() {
    if !am_root() {
        eprintln!("not tried: only root can give a file away");
        return;
    }
    for name in ["", "-lock", "-wal"] {
        let house = paused();
        let path = house.path(&format!(".gate/ledger.db{name}"));
        if !path.exists() {
            fs::write(&path, "").unwrap();
        }
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        house.check(&["lint", "--", "true"]).exits(125).says(&["belongs to user 12345"]);
    }
}

#[test]
fn no_file_of_the_ledger_is_open_while_the_command_runs() {
    let house = House::new(POLICY);
    let listed = "ls .gate; for n in 0 1 2 3 4 5 6 7 8 9; do readlink /proc/$PPID/fd/$n; done; true";
    let ran =
        Ran::of(house.tool("gate-check", &["lint", "--", "sh", "-c", listed]).output().unwrap()).exits(0);
    assert!(!ran.out().contains("ledger.db-wal") && !ran.out().contains("/ledger.db"), "{}", ran.out());
}

/// A command that takes a file of the ledger away, and a gate within it that spends the one use there is.
fn spends_within(house: &House, attack: &str) -> (i32, String) {
    house.granted(&["lint", "--action", "override", "--uses", "1"]);
    let script = format!("{attack}; gate-check lint -q -- false; echo $? > inner; exit 1");
    let outer = house.check(&["lint", "-q", "--", "sh", "-c", &script]);
    (outer.code, house.read("inner").trim().to_owned())
}

#[test]
fn a_file_that_is_removed_by_the_command_spends_nothing_twice_and_loses_nothing() {
    for attack in [
        "rm -f .gate/ledger.db-shm",
        "rm -f .gate/ledger.db-wal",
        "rm -f .gate/ledger.db-lock; : > .gate/ledger.db-lock",
        "mv .gate/ledger.db-lock .gate/elsewhere; rm -f .gate/ledger.db-shm .gate/ledger.db-wal",
    ] {
        let house = House::new(POLICY);
        let (outer, inner) = spends_within(&house, attack);
        assert_eq!((outer, inner.as_str()), (1, "0"), "{attack}");
        let decisions = house.sh("gate-log --kind decision | wc -l");
        assert_eq!(decisions.out().trim(), "2", "an acknowledged entry is lost after '{attack}'");
        Ran::of(house.tool("gate-verify", &[".gate/ledger.db", "--replay"]).output().unwrap()).exits(0);
    }
}

#[test]
fn an_older_copy_put_in_place_by_the_command_is_noticed() {
    for attack in ["cp old.db .gate/ledger.db", "cp old.db .gate/new && mv .gate/new .gate/ledger.db"] {
        let house = House::new(POLICY);
        fs::copy(house.path(".gate/ledger.db"), house.path("old.db")).unwrap();
        house.granted(&["lint", "--action", "override", "--uses", "1"]);
        house.check(&["lint", "--", "sh", "-c", attack]).exits(125).says(&["replaced or cut"]);
    }
}

#[test]
fn a_pause_that_was_read_holds_while_another_program_has_the_lock() {
    let house = paused();
    let lock = fs::File::options().read(true).write(true).open(house.path(".gate/ledger.db-lock")).unwrap();
    lock.lock().unwrap();
    let ran = house.check(&["lint", "--", "touch", "ran"]);
    drop(lock);
    ran.exits(75).says(&["lock"]);
    assert!(!house.path("ran").exists());
}

#[test]
fn gate_verify_writes_nothing_beside_what_it_audits() {
    let house = House::new(POLICY);
    let audit = house.outside("audit");
    fs::create_dir(&audit).unwrap();
    // A reader that is still there keeps what is appended in the write-ahead log.
    let reader = Ledger::open(&house.path(".gate/ledger.db"), Access::Read).unwrap();
    reader.view().head().unwrap();
    house.granted(&["lint", "--action", "skip"]);
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        fs::copy(house.path(".gate").join(file), audit.join(file)).unwrap();
    }
    drop(reader);
    let verify = |args: &[&str]| {
        let ledger = audit.join("ledger.db");
        let args: Vec<&str> = [ledger.to_str().unwrap()].into_iter().chain(args.iter().copied()).collect();
        Ran::of(house.tool("gate-verify", &args).output().unwrap())
    };
    let before = contents(&audit);
    let found = verify(&["--replay"]).exits(0).json();
    assert!(found["entries"].as_u64().unwrap() > 2, "what the log holds was not read: {found}");
    assert!(contents(&audit) == before);
    fs::remove_file(audit.join("ledger.db-shm")).unwrap();
    let before = contents(&audit);
    fs::set_permissions(&audit, fs::Permissions::from_mode(0o555)).unwrap();
    verify(&[]).exits(0);
    fs::set_permissions(&audit, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(contents(&audit) == before);
}

#[test]
fn a_log_of_any_length_costs_no_more_than_what_is_in_it() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "skip"]);
    let log = house.path(".gate/ledger.db-wal");
    let room = house.outside("room");
    fs::create_dir(&room).unwrap();
    let magic: [&[u8]; 2] = [&[], &[0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18, 0, 0, 0x10, 0]];
    for header in magic {
        fs::write(&log, header).unwrap();
        fs::File::options().write(true).open(&log).unwrap().set_len(1 << 40).unwrap();
        for (tool, args) in [("gate-verify", &["--replay"][..]), ("gate-check", &["lint", "--plan"])] {
            // A file system has no room for as much.
            let mut command = house.tool(tool, args);
            Ran::of(command.env("TMPDIR", &room).output().unwrap()).exits(0);
        }
    }
}

#[test]
fn a_ledger_that_was_altered_by_an_earlier_step_decides_nothing_where_the_policy_has_it_verified() {
    let verified = POLICY.replacen("[gates.lint]", "[ledger]\nverify = true\n\n[gates.lint]", 1);
    for (policy, check, skip) in [(POLICY, 0, 0), (verified.as_str(), 125, 4)] {
        let house = House::new(policy);
        // More decisions than the time of a grant is derived from.
        for _ in 0..6 {
            house.check(&["lint", "--", "true"]).exits(0);
        }
        house.granted(&["lint", "--action", "override"]);
        house.check(&["lint", "--", "false"]).exits(0);
        // The decision long before the grant: no look-up of the next one reads it.
        tamper(&house, "UPDATE entry SET body = replace(body, '\"pass\"', '\"skip\"') WHERE seq = 2;");
        house.check(&["lint", "--", "false"]).exits(check);
        house.skip(&["lint", "--reason", "x"]).exits(skip);
    }
}

/// Edits the ledger as whoever knows its schema can.
fn tamper(house: &House, sql: &str) {
    let sql = format!(
        "BEGIN; DROP TRIGGER entry_update; {sql} {}; COMMIT;",
        house
            .sh("sqlite3 .gate/ledger.db \"SELECT sql FROM sqlite_schema WHERE name = 'entry_update'\"")
            .exits(0)
            .out()
            .trim()
    );
    house.write("edit.sql", sql);
    house.sh("sqlite3 -bail .gate/ledger.db < edit.sql").exits(0);
}

fn am_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A directory that two users share by its group, with copies of the tools that both may run.
struct Shared {
    dir: tempfile::TempDir,
}

impl Shared {
    const GROUP: u32 = 54_321;

    fn new(mode: u32) -> Self {
        let shared = Self { dir: tempfile::tempdir().unwrap() };
        let open =
            |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        open(shared.dir.path(), 0o755);
        for tool in ["gate-check", "gate-skip", "gate-log", "gate-verify"] {
            fs::copy(bin(tool), shared.dir.path().join(tool)).unwrap();
        }
        fs::write(
            shared.dir.path().join("gate.toml"),
            POLICY.replacen("version = 1", "version = 1\n[ledger]\npath = \"shared/ledger.db\"", 1),
        )
        .unwrap();
        fs::create_dir(shared.ledgers()).unwrap();
        std::os::unix::fs::chown(shared.ledgers(), Some(54_001), Some(Self::GROUP)).unwrap();
        open(&shared.ledgers(), mode);
        shared
    }

    fn ledgers(&self) -> PathBuf {
        self.dir.path().join("shared")
    }

    /// A line of `sh` as the user `uid`, whose group is `gid`.
    fn sh(&self, uid: u32, gid: u32, script: &str) -> Ran {
        let mut path = self.dir.path().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .env_clear()
            .env("PATH", path)
            .current_dir(self.dir.path())
            .uid(uid)
            .gid(gid);
        Ran::of(command.output().unwrap())
    }

    fn modes(&self) -> Vec<(String, u32, u32)> {
        let mut found: Vec<_> = fs::read_dir(self.ledgers())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let metadata = entry.metadata().unwrap();
                (entry.file_name().into_string().unwrap(), metadata.mode() & 0o777, metadata.gid())
            })
            .collect();
        found.sort();
        found
    }
}

#[test]
fn two_users_share_a_ledger_by_the_group_of_its_directory() {
    if !am_root() {
        eprintln!("not tried: only root can act as two users");
        return;
    }
    for umask in ["022", "077"] {
        let shared = Shared::new(0o2770);
        shared
            .sh(54_001, Shared::GROUP, &format!("umask {umask}; gate-log init -q --ledger shared/ledger.db"))
            .exits(0);
        for user in [54_001, 54_002, 54_001] {
            let line = format!(
                "umask {umask}; gate-skip lint --action pause --reason x -q >/dev/null && ! gate-check lint -q -- true && gate-log >/dev/null"
            );
            shared.sh(user, Shared::GROUP, &line).exits(0);
        }
        for (name, mode, group) in shared.modes() {
            assert_eq!((mode, group), (0o660, Shared::GROUP), "{name} with umask {umask}");
        }
        // Nobody else gets in, whatever the files' modes.
        shared.sh(54_003, 54_003, "gate-skip lint --action pause --reason x -q").exits(4);
    }
}

#[test]
fn evidence_that_nobody_may_write_to_is_verified_by_an_ordinary_user() {
    if !am_root() {
        eprintln!("not tried: only root can act as another user");
        return;
    }
    let house = House::new(POLICY);
    let shared = Shared::new(0o755);
    let reader = Ledger::open(&house.path(".gate/ledger.db"), Access::Read).unwrap();
    reader.view().head().unwrap();
    house.granted(&["lint", "--action", "skip"]);
    for file in ["ledger.db", "ledger.db-wal"] {
        let copy = shared.ledgers().join(file);
        fs::copy(house.path(".gate").join(file), &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o444)).unwrap();
    }
    shared.sh(54_002, 54_002, "gate-verify shared/ledger.db").exits(0);
}

#[test]
fn a_user_who_is_refused_leaves_nothing_beside_the_ledger() {
    if !am_root() {
        eprintln!("not tried: only root can act as two users");
        return;
    }
    let shared = Shared::new(0o2775);
    shared.sh(54_001, Shared::GROUP, "gate-log init -q --ledger shared/ledger.db").exits(0);
    // As it was made by somebody who knew nothing of sharing.
    fs::set_permissions(shared.ledgers().join("ledger.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let before = shared.modes();
    shared.sh(54_002, Shared::GROUP, "gate-skip lint --action pause --reason x -q").exits(5).says(&[
        "shared/ledger.db",
        "chmod 2770",
        "chgrp",
    ]);
    shared.sh(54_002, Shared::GROUP, "gate-log >/dev/null").exits(0);
    assert_eq!(shared.modes(), before);
    shared.sh(54_001, Shared::GROUP, "gate-skip lint --action pause --reason x -q").exits(0);
}
