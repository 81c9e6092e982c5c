//! gate-log report: what it counts, what it leaves alone, and how it looks.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that cannot go on fails, one that is skipped says so, and modules share their items"
)]

mod browser;
mod history;

use gate_tests::Sandbox;
use history::{History, person};
use serde_json::{Value, json};

/// The document made of exports on standard input.
fn document(exports: &str, more: &[&str]) -> Value {
    let args: Vec<&str> = ["report", "--format", "json", "-"].iter().chain(more).copied().collect();
    Sandbox::new().run_with("gate-log", &args, exports).expect(0).json()
}

/// The page made of them.
fn page(exports: &str) -> String {
    Sandbox::new().run_with("gate-log", &["report", "-"], exports).expect(0).stdout
}

#[test]
fn an_opt_out_counts_for_its_gate_and_for_who_asked() {
    let mut history = History::new("a");
    let skip = history.grant("lint", "skip", "alice", "the linter crashes", 3_600);
    history.decide("lint", "skip", 0, &[skip]);
    history.decide("lint", "fail", 0, &[]);
    let request = history.request("scan", "override", "bob", 86_400);
    history.later(7_200);
    history.approve(request, "scan", "carol");
    history.grant_of(request, "scan", "override", "bob", 86_400);
    history.decide("scan", "override", 0, &[request]);
    history.deny("scan", "skip", "dave");
    let report = document(&history.export, &[]);

    assert_eq!(report["total"]["decisions"], 3);
    assert_eq!(report["total"]["past"], 2);
    assert_eq!(report["total"]["asked"], 3, "a grant that answers a request is the same opt-out");
    assert_eq!((&report["total"]["granted"], &report["total"]["denied"]), (&json!(2), &json!(1)));
    let gate =
        |name: &str| report["gates"].as_array().unwrap().iter().find(|gate| gate["gate"] == name).unwrap();
    assert_eq!((&gate("lint")["failed"], &gate("lint")["past"]), (&json!(1), &json!(1)));
    assert_eq!(gate("scan")["overridden"], 1);
    let who =
        |name: &str| report["people"].as_array().unwrap().iter().find(|one| one["person"] == name).unwrap();
    assert_eq!(
        (&who("bob")["past"], &who("bob")["overridden"]),
        (&json!(1), &json!(1)),
        "who asked, not who ran it"
    );
    assert_eq!((&who("carol")["approved"], &who("dave")["denied"]), (&json!(1), &json!(1)));
    assert_eq!(report["approvals"]["slowest"][0]["seconds"], 7_200);
    assert_eq!(report["approvals"]["median"], 7_200);
}

#[test]
fn what_is_open_is_told_whenever_it_began_and_what_ended_is_not() {
    let mut history = History::new("a");
    let live = history.grant("lint", "skip", "alice", "x", 86_400 * 400);
    let revoked = history.grant("lint", "skip", "alice", "x", 86_400 * 400);
    history.revoke(revoked, "lint", "bob");
    let spent = history.limited("lint", "alice", 1, 86_400 * 400);
    history.decide("lint", "skip", 0, &[spent]);
    let glass = history.break_glass("deploy", "carol", 3_600);
    let reviewed = history.break_glass("deploy", "carol", 3_600);
    history.review(reviewed, "deploy", "alice", "accepted");
    let rejected = history.break_glass("deploy", "carol", 3_600);
    history.review(rejected, "deploy", "alice", "rejected");
    let ended = history.grant("lint", "skip", "alice", "x", 86_400 * 400);
    history.review(ended, "lint", "bob", "rejected");
    let waits = history.request("scan", "override", "bob", 86_400 * 400);
    history.request("scan", "override", "bob", 60);
    history.later(86_400 * 3);
    history.decide("lint", "pass", 0, &[]);
    let report = document(&history.export, &["--since", "1h"]);
    let ids = |part: &str| -> Vec<u64> {
        report[part].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids("live"), [live]);
    assert_eq!(ids("reviews"), [glass]);
    assert_eq!(report["reviews"][0]["overdue"], true);
    assert_eq!(ids("waiting"), [waits]);
    assert_eq!(report["approvals"]["lapsed"], 1);
}

#[test]
fn a_waiver_that_nothing_needed_is_named_and_one_that_was_used_is_not() {
    let mut history = History::new("a");
    let idle = history.grant("scan", "waive", "alice", "never matched", 86_400);
    let used = history.grant("scan", "waive", "alice", "matched", 86_400);
    history.grant("quiet", "waive", "alice", "its gate was not judged", 86_400);
    history.decide("scan", "pass", 2, &[used]);
    let report = document(&history.export, &[]);
    let unneeded = report["unneeded"].as_array().unwrap();
    assert_eq!(unneeded.iter().map(|one| &one["id"]).collect::<Vec<_>>(), [&json!(idle)]);
    assert_eq!(unneeded[0]["judged"], 1);
}

#[test]
fn exports_of_several_ledgers_come_in_one_stream() {
    let (mut left, mut right) = (History::new("a"), History::new("b"));
    let one = left.grant("lint", "skip", "alice", "left", 86_400 * 400);
    right.decide("lint", "pass", 0, &[one]);
    let report = document(&format!("{}{}", left.export, right.export), &[]);
    assert_eq!(report["ledgers"].as_array().unwrap().len(), 2);
    assert_eq!(report["live"][0]["uses"], 0, "an id of one ledger says nothing in another");
    let page = page(&format!("{}{}", left.export, right.export));
    assert!(page.contains("example.com/a, example.com/b"));
}

#[test]
fn a_changed_line_a_cut_line_and_something_else_are_refused() {
    let mut history = History::new("a");
    history.grant("lint", "skip", "alice", "a reason", 3_600);
    let changed = history.export.replacen("a reason", "b reason", 1);
    let cut = history.export.trim_end().strip_suffix('}').unwrap().to_owned();
    for (export, line) in [(changed.as_str(), "line 3"), (&cut, "line 3"), ("hello\n", "line 1")] {
        Sandbox::new().run_with("gate-log", &["report", "-"], export).expect(4).says(line);
    }
    Sandbox::new().run_with("gate-log", &["report", "-"], "").expect(4).says("no entry");
}

#[test]
fn entries_that_do_not_hang_together_are_told_on_the_page() {
    let mut history = History::new("a");
    for _ in 0..3 {
        history.decide("lint", "pass", 0, &[]);
    }
    let lines: Vec<&str> = history.export.lines().collect();
    let swapped = [lines[0], lines[1], lines[3], lines[2]].map(|line| format!("{line}\n")).concat();
    let report = document(&swapped, &[]);
    assert!(report["ledgers"][0]["broken"].is_string(), "{report}");
    assert!(page(&swapped).contains("cannot be trusted as read"));
    let without = [lines[0], lines[1], lines[4]].map(|line| format!("{line}\n")).concat();
    assert_eq!(document(&without, &[])["ledgers"][0]["missing"], 2);
}

#[test]
fn an_export_that_is_given_twice_is_counted_once_and_only_what_is_spent_is_used_up() {
    let mut history = History::new("a");
    let limited = history.limited("lint", "alice", 2, 86_400 * 400);
    history.decide("lint", "skip", 0, &[limited]);
    history.fails("lint", &[limited]);
    let once = document(&history.export, &[]);
    assert_eq!((&once["live"][0]["uses"], &once["live"][0]["uses_left"]), (&json!(1), &json!(1)));
    let twice = document(&history.export.repeat(2), &[]);
    assert!(twice["ledgers"][0]["broken"].is_string());
    for part in ["gates", "people", "live"] {
        assert_eq!(twice[part], once[part], "{part}");
    }
    assert_eq!(twice["ledgers"][0]["entries"], once["ledgers"][0]["entries"]);
}

#[test]
fn what_gate_verify_said_is_compared_with_what_was_read() {
    let mut history = History::new("a");
    history.decide("lint", "pass", 0, &[]);
    let sandbox = Sandbox::new();
    sandbox.write("export.jsonl", &history.export);
    let verified = sandbox.run("gate-verify", &["export.jsonl", "--format", "json"]).expect(0).stdout;
    sandbox.write("verification.json", &verified);
    let report = |export: &str| {
        let args = ["report", "--format", "json", "--verification", "verification.json", export];
        sandbox.run("gate-log", &args).expect(0).json()
    };
    assert_eq!(report("export.jsonl")["ledgers"][0]["verification_is_of_this"], true);
    let mut other = History::new("a");
    other.decide("lint", "fail", 0, &[]);
    sandbox.write("other.jsonl", &other.export);
    assert_eq!(report("other.jsonl")["ledgers"][0]["verification_is_of_this"], false);
    let page =
        sandbox.run("gate-log", &["report", "--verification", "verification.json", "other.jsonl"]).expect(0);
    assert!(page.stdout.contains("of another history"));
    sandbox.write("no.json", "{}");
    sandbox
        .run("gate-log", &["report", "--verification", "no.json", "export.jsonl"])
        .expect(2)
        .says("gate-verify");
}

#[test]
fn the_page_loads_nothing_runs_nothing_and_holds_text_as_text() {
    let mut history = History::new("a");
    let hostile = "<script>alert(1)</script><img src=https://evil.example/x> ::error::x \u{202e}evil";
    history.grant("lint", "skip", "<b>bob</b>", hostile, 86_400 * 400);
    history.grant("lint", "skip", "=cmd", "=HYPERLINK(\"https://evil.example\")", 86_400 * 400);
    let page = page(&history.export);
    for tag in ["<script", "<img", "<b>bob", "\u{202e}", " style=", "href=\"http"] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
    assert!(page.contains("&lt;script&gt;") && page.contains(">'=HYPERLINK"));
}

#[test]
fn the_ledger_itself_is_reported_on_under_the_names_of_the_policys_people() {
    let user = Sandbox::new().shell("id -un").stdout;
    let policy = format!(
        "version = 1\n[ledger]\npath = '.gate/l.db'\n[people]\n'alice@example.com' = ['os:{}']\n\
        [gates.lint]\n[[gates.lint.allow]]\nactions = ['skip']\nwho = ['*']\nmax_ttl = '1d'\n",
        user.trim()
    );
    let sandbox = Sandbox::with_policy(&policy);
    sandbox.run("gate-skip", &["lint", "--reason", "x", "--ttl", "1h"]).expect(0);
    let report = sandbox.run("gate-log", &["report", "--format", "json"]).expect(0).json();
    assert_eq!(report["ledgers"][0]["entries"], sandbox.entries().len());
    assert_eq!(report["people"][0]["person"], "alice@example.com");
    assert_eq!(report["live"][0]["by"], "alice@example.com");
    let html = sandbox.run("gate-log", &["report"]).expect(0).stdout;
    assert!(html.starts_with("<!DOCTYPE html>"));
    sandbox.run("gate-log", &["report", "--format", "text"]).expect(2).says("a report is a page");
}

#[test]
fn a_page_about_many_entries_stays_small() {
    let mut history = History::new("a");
    for number in 0..4_000 {
        let who = person(number);
        let gate = format!("gate-{}", number % 90);
        let id = history.grant(&gate, "waive", &who, &"long ".repeat(300), 86_400 * 400);
        let used: &[u64] = if number % 2 == 0 { &[] } else { &[id] };
        history.decide(&gate, "pass", 1, used);
        history.later(300);
    }
    let page = page(&history.export);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("more; gate-log report --format json has them all."));
}

#[test]
fn the_page_fits_reads_well_and_has_an_outline_in_a_browser() {
    let Some(browser) = browser::find() else { return };
    let mut history = History::new("a");
    for number in 0..80 {
        let gate = ["lint", "a-gate-with-quite-a-long-name-for-a-gate", "deploy"][number % 3];
        let who = ["alice@example.com", "github:a-user-name-of-thirty-nine-letters-max1"][number % 2];
        let action = ["skip", "waive", "override", "pause"][number % 4];
        let id = history.grant(gate, action, who, &"x".repeat(200), 86_400 * 400);
        history.decide(gate, "skip", 0, &[id]);
        history.later(80_000);
    }
    history.break_glass("deploy", "carol", 60);
    history.request("lint", "override", "bob", 86_400 * 400);
    history.later(86_400 * 2);
    history.decide("lint", "fail", 0, &[]);
    let sandbox = Sandbox::new();
    sandbox.write("report.html", page(&history.export));
    for look in browser::LOOKS {
        let found = browser::look(&browser, &sandbox.path("report.html"), look);
        assert_eq!(found["overflow"], json!([]), "{look:?}");
        assert_eq!(found["faint"], json!([]), "{look:?}");
        assert_eq!(found["headings"], "ok", "{look:?}");
        assert_eq!(found["unlabelled"], json!([]), "{look:?}");
    }
}
