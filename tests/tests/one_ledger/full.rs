//! Hosts whose own disk is full, or whose quota is used up: the gate is enforced, the message carries the host's words, and
//! nothing that was acknowledged is lost.

use crate::hosts::{self, Server};
use crate::support::Ran;
use crate::town::Town;

/// A town that `fill` leaves without room, and `free` with room again; `words` are what the host says.
#[track_caller]
fn lets_nothing_pass(town: &Town, fill: &dyn Fn(), free: &dyn Fn(), words: &[&str]) {
    let grant = ["lint", "--reason", "once", "--uses", "1", "--action", "override"];
    town.runner("laptop").skip(&grant).exits(0);
    let a = town.runner("a");
    a.check(&["lint", "--", "true"]).exits(0);
    a.log(&["sync"]).exits(0);
    let before = town.entries();
    fill();
    a.check(&["lint", "--", "false"]).exits(1).says(words);
    a.check(&["deploy", "--", "true"]).exits(125).says(words);
    let asked = a.skip(&["lint", "--reason", "no room"]);
    assert!([4, 5].contains(&asked.code), "{}: {}", asked.code, asked.stderr);
    asked.says(words);
    free();
    assert_eq!(town.entries(), before, "what was acknowledged is there, and nothing else");
    a.check(&["lint", "--", "false"]).exits(0);
    a.check(&["lint", "--", "false"]).exits(1);
    a.log(&["sync"]).exits(0);
    Ran::of(a.command("gate-verify", &["--replay"]).output().unwrap()).exits(0);
}

#[test]
fn a_git_host_without_room_lets_nothing_pass() {
    let town = Town::git();
    let fill = || drop(town.at_host(&["config", "receive.maxInputSize", "10"]));
    let free = || drop(town.at_host(&["config", "--unset", "receive.maxInputSize"]));
    lets_nothing_pass(&town, &fill, &free, &["does not take", "exceeds maximum allowed size"]);
}

#[test]
fn a_host_behind_ssh_without_room_lets_nothing_pass() {
    let Some(town) = hosts::ssh("publish = \"each\"\n") else { return };
    let fill = || hosts::forces(&town, "trap '' XFSZ; ulimit -f 0; ", "keeper");
    let free = || hosts::forces(&town, "", "keeper");
    lets_nothing_pass(&town, &fill, &free, &["full"]);
}

#[test]
fn a_database_without_room_lets_nothing_pass() {
    let Some(town) = hosts::postgres("publish = \"each\"\n") else { return };
    let Server::Postgres(cluster) = &town.server else { unreachable!("that is what was asked for") };
    let fill = || {
        cluster.owner(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN \
             RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; \
             END$$; \
             CREATE TRIGGER full_disk BEFORE INSERT ON gate_entry EXECUTE FUNCTION full_disk()",
        );
    };
    let free = || drop(cluster.owner("DROP TRIGGER full_disk ON gate_entry"));
    lets_nothing_pass(&town, &fill, &free, &["No space left on device"]);
}
