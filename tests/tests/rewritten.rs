//! Attacks by a gated command that writes the ledger's file itself: the chain's newest entry stays, rows below it go, come
//! or change. Each row is one that the ledger's own writers could have made, so its hash holds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

mod support;

use support::{House, POLICY, Ran};

/// A policy with a rule that needs another person, and one for emergencies.
const PEOPLE: &str = r#"
version = 1

[gates.lint]
[[gates.lint.allow]]
actions = ["override"]
who = ["github:dave"]
assurance = "asserted"
break_glass = true
max_ttl = "8h"
review_within = "1h"
reviewers = ["github:carol"]
[[gates.lint.allow]]
actions = ["skip", "override"]
who = ["github:dave"]
assurance = "asserted"
max_ttl = "8h"
approvals = { count = 1, from = ["github:carol", "github:erin"], assurance = "asserted" }
"#;

/// A shell script that changes the ledger by `sql`, and puts back the triggers that stand against it.
fn rewriting(sql: &str) -> String {
    format!(
        r#"
        db=.gate/ledger.db
        sqlite3 $db "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'" > drop
        sqlite3 $db "SELECT group_concat(sql, ';' || char(10)) || ';' FROM sqlite_schema WHERE type = 'trigger'" > again
        cat > edit <<'END'
ATTACH 'other.db' AS other;
{sql}
END
        for step in drop edit again; do sqlite3 -bail $db < $step || exit 99; done
    "#
    )
}

/// Runs lint with a command that changes the ledger by `sql` and then ends with `status`.
fn run(house: &House, sql: &str, status: u8) -> Ran {
    let script = format!("{}\nexit {status}", rewriting(sql));
    house.check(&["lint", "--environment", "staging", "--decision", "d.json", "--", "sh", "-c", &script])
}

/// The command's changes must be found, whatever its own status says.
#[track_caller]
fn is_found(house: &House, sql: &str) {
    house.sh("test -e other.db || cp .gate/ledger.db other.db; cp .gate/ledger.db before.db").exits(0);
    for status in [0, 1] {
        run(house, sql, status).exits(125).says(&["replaced or cut while the command ran"]);
        assert_eq!(house.read("d.json"), "");
        house.sh("rm .gate/ledger.db*; cp before.db .gate/ledger.db").exits(0);
    }
}

#[test]
fn a_command_that_deletes_a_revocation() {
    let house = House::new(POLICY);
    let id = house.granted(&["lint", "--action", "override"]);
    house.skip(&["revoke", &id, "--reason", "no"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    is_found(&house, "DELETE FROM entry WHERE seq = 3;");
}

#[test]
fn a_command_that_deletes_the_use_of_a_single_use() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override", "--uses", "1"]);
    house.check(&["lint", "--", "false"]).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
    is_found(&house, "DELETE FROM entry WHERE seq = 3;");
}

#[test]
fn a_command_that_deletes_a_pause_of_another_place() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "pause", "--environment", "production"]);
    // Where nobody says which environment it is, it may be the one that is meant.
    house.check(&["lint", "--", "true"]).exits(75);
    house.check(&["lint", "--environment", "staging", "--", "true"]).exits(0);
    is_found(&house, "DELETE FROM entry WHERE seq = 2;");
}

/// The other ledger went on from the same entry in another way: there, a grant stands where here a run does.
#[test]
fn a_command_that_puts_a_grant_in_place_of_an_older_entry() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    house.sh("cp .gate/ledger.db here.db").exits(0);
    house.granted(&["lint", "--action", "override"]);
    house.sh("mv .gate/ledger.db other.db; rm -f .gate/ledger.db-*; mv here.db .gate/ledger.db").exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    let moved = "UPDATE entry SET body = (SELECT body FROM other.entry WHERE seq = 3), \
                 hash = (SELECT hash FROM other.entry WHERE seq = 3) WHERE seq = 3;";
    is_found(&house, moved);
}

/// It was granted and archived, or cut, long ago; its row is put back where there is none.
#[test]
fn a_command_that_puts_an_old_grant_back_below_the_newest_entry() {
    let house = House::new(POLICY);
    house.check(&["lint", "--", "true"]).exits(0);
    house.granted(&["lint", "--action", "override"]);
    house.check(&["lint", "--", "true"]).exits(0);
    house.sh("cp .gate/ledger.db other.db").exits(0);
    house.sh(&rewriting("DELETE FROM entry WHERE seq = 3;")).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
    is_found(
        &house,
        "INSERT INTO entry (seq, body, hash) SELECT seq, body, hash FROM other.entry WHERE seq = 3;",
    );
}

#[test]
fn a_command_that_deletes_a_review() {
    let house = House::new(PEOPLE);
    let id = house.skip_as("dave", &["lint", "--action", "override", "--break-glass", "--reason", "x"]);
    let id = id.exits(0).id();
    house.skip_as("carol", &["review", &id, "--verdict", "rejected", "--reason", "no"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    let review = house.of_kind("review")[0]["seq"].as_u64().unwrap();
    is_found(&house, &format!("DELETE FROM entry WHERE seq = {review};"));
}

#[test]
fn a_command_that_deletes_a_rejection_of_a_request() {
    let house = House::new(PEOPLE);
    let id = house.skip_as("dave", &["lint", "--reason", "x"]).exits(3).id();
    house.skip_as("carol", &["reject", &id, "--reason", "no"]).exits(1);
    house.check(&["lint", "--", "true"]).exits(0);
    let rejection = house.of_kind("denial")[0]["seq"].as_u64().unwrap();
    is_found(&house, &format!("DELETE FROM entry WHERE seq = {rejection};"));
}

/// A house in which dave asked for an override, and then somebody approved it, which another ledger holds otherwise: there
/// erin did, here carol. Gives the request's and the approval's position.
fn approved(policy: &str) -> (House, u64, u64) {
    let house = House::new(policy);
    let asked = house.skip_as("dave", &["lint", "--action", "override", "--reason", "x"]).exits(3);
    house.sh("cp .gate/ledger.db here.db").exits(0);
    house.skip_as("erin", &["approve", &asked.id()]);
    house.sh("mv .gate/ledger.db other.db; rm -f .gate/ledger.db-*; mv here.db .gate/ledger.db").exits(0);
    house.skip_as("carol", &["approve", &asked.id()]);
    house.check(&["lint", "--", "true"]).exits(0);
    let seq = |kind: &str| house.of_kind(kind)[0]["seq"].as_u64().unwrap();
    let (request, approval) = (seq("request"), seq("approval"));
    (house, request, approval)
}

/// Of what was granted, and of what still waits for a second one.
#[test]
fn a_command_that_alters_an_approval() {
    for policy in [PEOPLE.to_owned(), PEOPLE.replace("count = 1", "count = 2")] {
        let (house, _, seq) = approved(&policy);
        let altered = format!(
            "UPDATE entry SET body = (SELECT body FROM other.entry WHERE seq = {seq}), \
             hash = (SELECT hash FROM other.entry WHERE seq = {seq}) WHERE seq = {seq};"
        );
        is_found(&house, &altered);
    }
}

#[test]
fn a_command_that_deletes_what_a_grant_rests_on() {
    let (house, request, approval) = approved(PEOPLE);
    for seq in [request, approval] {
        is_found(&house, &format!("DELETE FROM entry WHERE seq = {seq};"));
    }
}

#[test]
fn a_command_that_renumbers_entries() {
    let house = House::new(POLICY);
    house.granted(&["lint", "--action", "override"]);
    house.check(&["lint", "--", "true"]).exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
    let grant = house.of_kind("grant")[0]["seq"].as_u64().unwrap();
    let next = grant + 1;
    // One is taken out and the rest moves up; two change places.
    is_found(
        &house,
        &format!("DELETE FROM entry WHERE seq = {next}; UPDATE entry SET seq = seq - 1 WHERE seq > {next};"),
    );
    is_found(
        &house,
        &format!(
            "UPDATE entry SET seq = 99 WHERE seq = {grant}; UPDATE entry SET seq = {grant} WHERE seq = {next}; \
             UPDATE entry SET seq = {next} WHERE seq = 99;"
        ),
    );
}

/// What people do meanwhile is no reason to suspect anybody.
#[test]
fn people_who_act_while_the_command_runs() {
    let house = House::new(POLICY);
    let id = house.granted(&["lint", "--action", "override"]);
    let script = format!("gate-skip revoke {id} --reason x -q >&2; gate-skip scan --reason y -q >&2");
    house.check(&["lint", "--", "sh", "-c", &script]).exits(0);
    house.check(&["lint", "--", "false"]).exits(1);
}
