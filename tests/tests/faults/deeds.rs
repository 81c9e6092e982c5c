//! What the tools do to a house while something fails, and what must be so afterwards.

use serde_json::Value;

use crate::support::{House, Ran};
use crate::{Deed, LEDGER};

fn nothing(_: &House) {}
fn anything(_: &House, _: &Ran) {}

pub(crate) const RUN: Deed = Deed {
    tool: "gate-check",
    args: &["lint", "--decision", "decision.json", "--", "true"],
    prepare: nothing,
    then: anything,
};

pub(crate) const BLOCKED: Deed = Deed {
    tool: "gate-check",
    args: &["lint", "--decision", "decision.json", "--", "false"],
    prepare: nothing,
    then: |house, ran| {
        assert_ne!(ran.code, 0, "a gate that failed was passed");
        // An empty file says that nothing was decided.
        let text = std::fs::read_to_string(house.path("decision.json")).unwrap_or_default();
        if !text.is_empty() {
            let decision: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(decision["decision"], "fail");
        }
    },
};

/// A use that only one run may have.
pub(crate) const ONCE: Deed = Deed {
    tool: "gate-check",
    args: &["lint", "--decision", "decision.json", "--", "false"],
    prepare: |house| drop(house.granted(&["lint", "--uses", "1"])),
    then: |house, ran| {
        let spent =
            || house.of_kind("decision").iter().filter(|one| one["data"].get("spends").is_some()).count();
        assert!(ran.code != 0 || spent() == 1, "the gate was passed, and nobody wrote it down");
        let passed = usize::from(ran.code == 0);
        let again = house.check(&["lint", "--", "false"]);
        assert!(passed + usize::from(again.code == 0) <= 1, "one use was given twice");
        assert_eq!(spent(), 1);
    },
};

pub(crate) const ASK: Deed = Deed {
    tool: "gate-skip",
    args: &["lint", "--format", "json", "--reason", "the disk is in a mood"],
    prepare: nothing,
    then: |house, ran| {
        let granted = house.of_kind("grant").len();
        assert!(ran.code != 0 || granted == 1, "it said yes, and nothing is there");
    },
};

pub(crate) const PAUSE: Deed = Deed {
    tool: "gate-check",
    args: &["deploy", "--decision", "decision.json", "--", "touch", "begun"],
    prepare: |house| drop(house.skip(&["deploy", "--action", "pause", "--reason", "a freeze"]).exits(0)),
    then: |house, ran| {
        assert_ne!(ran.code, 0, "a pause did not hold");
        assert!(!house.path("begun").exists(), "a paused gate has begun");
        house.sh("gate-skip resume deploy --reason over").exits(0);
    },
};

pub(crate) const REPORT: Deed = Deed {
    tool: "gate-check",
    args: &["scan", "scan.sarif", "--format", "json,markdown=out.md,sarif=out.sarif,junit=out.xml"],
    prepare: nothing,
    then: |house, ran| {
        assert_ne!(ran.code, 0, "a finding was passed");
        for (name, end) in [("out.md", "\n"), ("out.sarif", "}\n"), ("out.xml", ">\n")] {
            let text = std::fs::read_to_string(house.path(name)).unwrap_or_else(|_| end.to_owned());
            assert!(text.is_empty() || text.ends_with(end), "{name} is half written: {text}");
        }
    },
};

pub(crate) const INIT: Deed = Deed {
    tool: "gate-log",
    args: &["init"],
    prepare: |house| std::fs::remove_dir_all(house.path(".gate")).unwrap(),
    then: |house, _| drop(house.sh("gate-log init").exits(0)),
};

fn with_key(house: &House) {
    for _ in 0..3 {
        house.check(&["lint", "--", "true"]).exits(0);
    }
    house.sh("gate-log checkpoint --new-key ../log.key --origin example.com/log > log.pub").exits(0);
    house.sh("gate-log checkpoint --key-file ../log.key --origin example.com/log > first.note").exits(0);
    house.check(&["lint", "--", "true"]).exits(0);
}

pub(crate) const CHECKPOINT: Deed = Deed {
    tool: "gate-log",
    args: &["checkpoint", "--key-file", "../log.key", "--origin", "example.com/log"],
    prepare: with_key,
    then: |house, _| {
        house.sh("gate-log checkpoint --key-file ../log.key --origin example.com/log > next.note").exits(0);
        house.sh("gate-verify --quiet --checkpoint next.note --key log.pub .gate/ledger.db").exits(0);
    },
};

pub(crate) const COPY: Deed = Deed {
    tool: "gate-log",
    args: &["copy", "copied.db"],
    prepare: with_key,
    then: |house, ran| {
        if ran.code == 0 {
            house.sh("gate-verify --quiet copied.db").exits(0);
        }
        // What was cut short is in nobody's way, or is told apart from a copy.
        house.sh("rm -f copied.db* && gate-log copy copied.db && gate-verify --quiet copied.db").exits(0);
    },
};

pub(crate) const ARCHIVE: Deed = Deed {
    tool: "gate-log",
    args: &[
        "archive",
        "--before",
        "3",
        "--to",
        "old",
        "--key-file",
        "../log.key",
        "--origin",
        "example.com/log",
        "--format",
        "json",
    ],
    prepare: |house| {
        with_key(house);
        std::fs::create_dir(house.path("old")).unwrap();
    },
    then: |house, _| {
        // What was cut short is gone on with; what was done is there.
        let again = "gate-log archive --before 3 --to old --key-file ../log.key --origin example.com/log";
        let again = house.sh(again);
        assert!([0, 1].contains(&again.code), "{}", again.stderr);
        house.sh("set -- old/*.zst; gate-verify --quiet --archive \"$1\" --checkpoint first.note --key log.pub .gate/ledger.db").exits(0);
    },
};

const POLICY_THAT_COMMITS: &str = "version = 1\n[ledger]\ncommit = [\"reason\"]\n[gates.lint]\n\
    [[gates.lint.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"24h\"\n";

pub(crate) const ERASE: Deed = Deed {
    tool: "gate-log",
    args: &["erase", "2", "--reason", "they asked for it"],
    prepare: |house| {
        house.write("gate.toml", POLICY_THAT_COMMITS);
        assert_eq!(house.granted(&["lint", "--ttl", "1h"]), "2");
    },
    then: |house, ran| {
        let is_there = || {
            let files = [LEDGER, ".gate/ledger.db-wal"]
                .map(|name| std::fs::read(house.path(name)).unwrap_or_default());
            files.concat().windows(15).any(|bytes| bytes == b"a test needs it")
        };
        assert!(ran.code != 0 || !is_there(), "it said that the reason is gone, and it is there");
        house.sh("gate-log erase 2 --reason again").exits(0);
        assert!(!is_there(), "the reason is still in the files");
    },
};

pub(crate) const APPEND: Deed = Deed {
    tool: "gate-log",
    args: &["append", "events.jsonl"],
    prepare: |house| drop(house.write("events.jsonl", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")),
    then: |house, ran| {
        let noted = house.of_kind("note").len();
        assert!(ran.code != 0 || noted == 3, "it said that all are recorded, and {noted} are");
    },
};
