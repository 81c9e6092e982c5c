//! Personal text that entries only commit to: kept, shown, erased, and what somebody may try with it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

use gate_ledger::commitment::{Field, Opening};
use gate_tests::{Output, Sandbox};
use serde_json::Value;

const POLICY: &str = r#"
version = 1

[ledger]
commit = ["reason", "names"]

[identity]
allowed_signers = ".gate/allowed_signers"

[groups]
team = ["alice@example.com", "bob@example.com", "carol@example.com"]

[gates.lint]
[[gates.lint.allow]]
actions = ["skip", "pause"]
who = ["*"]
max_ttl = "24h"
quota = { max = 2, per = "7d", by = "principal" }

[gates.scan]
[[gates.scan.allow]]
actions = ["override"]
who = ["group:team"]
assurance = "signed"
max_ttl = "2h"
approvals = { count = 1, from = ["group:team"] }

[gates.deploy]
[[gates.deploy.allow]]
actions = ["override"]
who = ["group:team"]
assurance = "signed"
break_glass = true
max_ttl = "2h"
review_within = "24h"
"#;

/// A repository with three people's keys and a ledger that commits to reasons and names.
fn house() -> Sandbox {
    let sandbox = Sandbox::repository();
    let mut signers = String::new();
    for name in ["alice", "bob", "carol"] {
        sandbox.shell(&format!("ssh-keygen -q -t ed25519 -N '' -C '' -f {name}")).expect(0);
        signers += &format!("{name}@example.com {}", sandbox.read(format!("{name}.pub")));
    }
    sandbox.write(".gate/allowed_signers", signers);
    sandbox.write("gate.toml", POLICY);
    sandbox.run("gate-log", &["init", "--quiet"]).expect(0);
    sandbox
}

fn signed(sandbox: &Sandbox, who: &str, line: &str) -> Output {
    sandbox.shell(&format!("gate-skip {line} --quiet --sign={who} --as {who}@example.com"))
}

/// The statements of everything that a life of opt-outs can hold: a skip and its use, a request with its approval, a
/// rejection, a revocation, a break-glass with its review, a resumed pause.
fn live(sandbox: &Sandbox) {
    sandbox.shell("gate-skip --quiet lint --reason 'word-skip'").expect(0);
    sandbox.shell("gate-check --quiet lint -- false").expect(0);
    signed(sandbox, "alice", "scan --action override --reason word-request").expect(3);
    signed(sandbox, "bob", "approve 4 --reason word-approval").expect(0);
    sandbox.shell("gate-check --quiet scan -- false").expect(0);
    signed(sandbox, "alice", "scan --action override --reason word-second").expect(3);
    signed(sandbox, "bob", "reject 8 --reason word-rejection").expect(1);
    signed(sandbox, "alice", "deploy --action override --break-glass --reason word-glass").expect(0);
    signed(sandbox, "bob", "review 10 --verdict accepted --reason word-review").expect(0);
    signed(sandbox, "alice", "revoke 10 --reason word-revocation").expect(0);
    sandbox.shell("gate-skip --quiet lint --action pause --reason word-pause").expect(0);
    sandbox.shell("gate-check --quiet lint -- true").expect(75);
    sandbox.shell("gate-skip resume --quiet lint --reason word-resume").expect(0);
}

/// The lines of an export without the policy's text, which names people by its nature.
fn lines(sandbox: &Sandbox) -> String {
    let export = sandbox.run("gate-log", &["export"]).expect(0).stdout;
    export.lines().filter(|line| !line.contains("\"kind\":\"policy\"")).collect::<Vec<_>>().join("\n")
}

fn verified(sandbox: &Sandbox, line: &str) -> Value {
    let output = sandbox.shell(&format!("gate-verify --quiet --format json {line}"));
    assert!(output.status < 2, "{output:?}");
    output.json()
}

/// Whether `word` stands in any file of the ledger.
fn is_in_files(sandbox: &Sandbox, word: &str) -> bool {
    let files = std::fs::read_dir(sandbox.path(".gate")).unwrap().map(|entry| entry.unwrap().path());
    let ledger = files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("ledger"));
    ledger
        .map(|path| std::fs::read(path).unwrap())
        .any(|bytes| bytes.windows(word.len()).any(|part| part == word.as_bytes()))
}

/// Edits the table of openings behind the tools' backs.
fn tamper(sandbox: &Sandbox, sql: &str) {
    let script =
        format!("import sqlite3\ndb=sqlite3.connect('.gate/ledger.db')\ndb.executescript('''{sql} ''')\n");
    sandbox.run("python3", &["-c", &script]).expect(0);
}

#[test]
fn no_entry_holds_a_name_or_a_reason_and_everything_works_as_without() {
    let sandbox = house();
    live(&sandbox);
    let entries = lines(&sandbox);
    for plain in ["word-", "@example.com", "os:"] {
        assert!(!entries.contains(plain), "{plain} in {entries}");
    }
    let found = verified(&sandbox, "--replay");
    assert_eq!((&found["ok"], &found["replay"]["erased"]), (&true.into(), &0.into()), "{found}");
    assert_eq!(found["replay"]["not_judged"], serde_json::json!([]), "{found}");
    let table = sandbox.shell("gate-log --format text").expect(0).stdout;
    assert!(table.contains("word-review") && table.contains("alice@example.com"), "{table}");
    let of_alice = sandbox.shell("gate-log --actor alice@example.com --kind grant,request").expect(0);
    assert_eq!(of_alice.lines().len(), 4, "{of_alice:?}");
    // The lines that are printed are entries still, and no others.
    sandbox.shell("gate-log | gate-verify --quiet -").expect(0);
    let revealed = sandbox.shell("gate-log show 4 --reveal").expect(0).json();
    assert_eq!(
        (&revealed["data"]["reason"], &revealed["actor"]["id"]),
        (&"word-request".into(), &"alice@example.com".into())
    );
}

#[test]
fn an_erased_person_is_gone_from_every_file_and_nothing_becomes_wrong() {
    let sandbox = house();
    live(&sandbox);
    assert!(is_in_files(&sandbox, "word-glass"));
    let erased = sandbox
        .shell("gate-log erase --quiet --person alice@example.com --reason 'left us'")
        .expect(1)
        .says("the entries 1")
        .json();
    assert_eq!((&erased["names"], &erased["reasons"]), (&1.into(), &4.into()), "{erased}");
    for word in ["word-request", "word-second", "word-glass", "word-revocation"] {
        assert!(!is_in_files(&sandbox, word), "{word} is still there");
    }
    for word in ["word-approval", "word-review", "word-rejection", "word-skip"] {
        assert!(is_in_files(&sandbox, word), "{word} is gone");
    }
    let found = verified(&sandbox, "--replay");
    assert_eq!((&found["ok"], &found["first_bad"]), (&true.into(), &Value::Null), "{found}");
    assert!(found["replay"]["erased"].as_u64() > Some(3), "{found}");
    assert!(found["replay"]["judged"].as_u64() > Some(3), "{found}");
    let note = sandbox.entries().pop().unwrap();
    assert_eq!((&note["kind"], note["data"]["erased"].as_array().map(Vec::len)), (&"note".into(), Some(5)));
    let table = sandbox.shell("gate-log --format text").expect(0).stdout;
    assert!(table.contains("erased") && !table.contains("alice@"), "{table}");
    // Once more: nothing is there, and nothing is recorded.
    let again =
        sandbox.shell("gate-log erase --quiet --person alice@example.com --reason again").expect(1).json();
    assert_eq!(again["seqs"], serde_json::json!([]));
    assert_eq!(sandbox.entries().pop().unwrap(), note);
}

/// An opening is kept with the first entry that commits to it, which may be anybody's.
#[test]
fn a_refused_copy_of_a_signed_request_keeps_nothing_of_an_erased_person() {
    for (claim, seqs) in [(".request.max_uses = 7", "2 3"), (".request.ticket = \"T-1\"", "2 3")] {
        let sandbox = house();
        let line =
            "gate-skip lint --sign=alice --as alice@example.com --detached --reason word-private > good.json";
        sandbox.shell(line).expect(0);
        sandbox.shell(&format!("jq -c '{claim}' good.json > spoilt.json")).expect(0);
        sandbox.shell("gate-skip submit spoilt.json").expect(1);
        sandbox.shell("gate-skip submit good.json").expect(0);
        assert!(is_in_files(&sandbox, "word-private"));
        sandbox.shell("gate-log erase --quiet --person alice@example.com --reason 'left us'").expect(1);
        assert!(!is_in_files(&sandbox, "word-private"), "{claim}");
        let shown = sandbox.shell(&format!("gate-log show {seqs} --reveal")).expect(0).stdout;
        assert!(!shown.contains("alice@"), "{shown}");
        assert_eq!(verified(&sandbox, "--replay")["first_bad"], Value::Null);
    }
}

#[test]
fn live_opt_outs_of_an_erased_person_do_not_count_and_their_debts_stand() {
    let sandbox = house();
    signed(&sandbox, "alice", "deploy --action override --break-glass --reason word-glass").expect(0);
    sandbox.shell("gate-check --quiet deploy -- false").expect(0);
    sandbox.shell("gate-log erase --quiet --person alice@example.com --reason 'left us'").expect(1);
    sandbox.shell("gate-check deploy -- false").expect(1);
    let plan = sandbox.shell("gate-check deploy --plan").expect(0).json();
    assert!(plan["reasons"].to_string().contains("was erased"), "{plan}");
    let due = sandbox.shell("gate-log due --format json").expect(0).json();
    assert_eq!(due["reviews"].as_array().map(Vec::len), Some(1), "{due}");
    let found = verified(&sandbox, "--replay");
    assert_eq!(found["ok"], true, "{found}");
}

#[test]
fn erasing_oneself_frees_no_place_and_makes_nobody_a_second_person() {
    let sandbox = house();
    signed(&sandbox, "alice", "scan --action override --reason word-request").expect(3);
    sandbox.shell("gate-log erase --quiet --person alice@example.com --reason 'left us'").expect(1);
    signed(&sandbox, "alice", "approve 2 --reason mine").expect(1);
    // A quota for each principal still counts what somebody unknown has used.
    for _ in 0..2 {
        sandbox.shell("gate-skip --quiet lint --reason word").expect(0);
    }
    sandbox.shell("gate-skip --quiet lint --reason word").expect(1);
    let me = sandbox.shell("gate-log show 4 --reveal").expect(0).json();
    let me = me["actor"]["id"].as_str().unwrap().to_owned();
    sandbox.run("gate-log", &["erase", "--quiet", "--person", &me, "--reason", "again"]).expect(1);
    sandbox.shell("gate-skip --quiet lint --reason word").expect(1);
    let found = verified(&sandbox, "--replay");
    assert_eq!(found["ok"], true, "{found}");
}

#[test]
fn nobody_lifts_a_pause_by_erasing_who_made_it() {
    let sandbox = house();
    sandbox.shell("gate-skip --quiet lint --action pause --reason word-pause").expect(0);
    let me = sandbox.shell("gate-log show 2 --reveal").expect(0).json();
    let me = me["actor"]["id"].as_str().unwrap().to_owned();
    sandbox.run("gate-log", &["erase", "--quiet", "--person", &me, "--reason", "away"]).expect(0);
    sandbox.shell("gate-check --quiet lint -- true").expect(75);
    sandbox.shell("gate-skip resume --quiet lint --reason 'go on'").expect(0);
    sandbox.shell("gate-check --quiet lint -- true").expect(0);
    assert_eq!(verified(&sandbox, "--replay")["ok"], true);
}

#[test]
fn the_reasons_of_one_opt_out_are_erased_by_its_id() {
    let sandbox = house();
    live(&sandbox);
    let erased = sandbox.shell("gate-log erase --quiet 4 --reason 'it held a password'").expect(0).json();
    assert_eq!((&erased["names"], &erased["reasons"]), (&0.into(), &2.into()), "{erased}");
    assert!(!is_in_files(&sandbox, "word-request") && !is_in_files(&sandbox, "word-approval"));
    let shown = sandbox.shell("gate-log show 4 --reveal").expect(0).json();
    assert_eq!(
        (&shown["data"]["reason"], &shown["actor"]["id"]),
        (&"erased".into(), &"alice@example.com".into())
    );
    let found = verified(&sandbox, "--replay");
    assert_eq!(found["ok"], true, "{found}");
}

#[test]
fn a_changed_a_swapped_and_an_added_opening_are_found() {
    let orphan = Opening { field: Field::Name, salt: [7; 32], value: "os:mallory".to_owned() };
    let commitment = orphan.commitment().unwrap().to_string();
    let added = format!(
        "INSERT INTO private VALUES (x\\'{}\\', 2, 2, \\'\\', \\'name\\', x\\'{}\\', \\'os:mallory\\')",
        &commitment[3..],
        orphan.salt_digits()
    );
    let swapped = "CREATE TEMP TABLE t AS SELECT value v, field f FROM private WHERE value LIKE \\'word-%\\';
        UPDATE private SET value = CASE value WHEN \\'word-skip\\' THEN \\'word-other\\' ELSE \\'word-skip\\' END
        WHERE field = \\'reason\\'";
    let salted = "UPDATE private SET salt = randomblob(32)";
    let changed = "UPDATE private SET value = \\'word-good\\' WHERE value = \\'word-skip\\'";
    let of_another = "UPDATE private SET actor = \\'os:mallory\\' WHERE value = \\'word-skip\\'";
    let of_another_life = "UPDATE private SET id = 3 WHERE value = \\'word-skip\\'";
    let attacks = [
        (changed, true),
        (salted, true),
        (swapped, true),
        (added.as_str(), false),
        (of_another, false),
        (of_another_life, false),
    ];
    for (attack, acted_upon) in attacks {
        let sandbox = house();
        sandbox.shell("gate-skip --quiet lint --reason 'word-skip'").expect(0);
        sandbox.shell("gate-skip --quiet lint --action pause --reason 'word-other'").expect(0);
        tamper(&sandbox, &attack.replace("\\'", "'"));
        let found = verified(&sandbox, "");
        assert_eq!(
            (&found["ok"], &found["first_bad"]["code"]),
            (&false.into(), &"opening".into()),
            "{attack} {found}"
        );
        if acted_upon {
            sandbox.shell("gate-log show 2 --format text").expect(4);
            sandbox.shell("gate-skip resume --quiet lint --reason go").expect(4);
        }
    }
}

#[test]
fn a_detached_request_brings_its_openings_along() {
    let sandbox = house();
    let line = "scan --action override --reason word-request --detached";
    let request = signed(&sandbox, "alice", line).expect(0).json();
    assert_eq!(request["schema"], "gate.sealed/1");
    assert!(
        request["request"].get("reason").is_none() && request["request"].get("by").is_none(),
        "{request}"
    );
    let submit = |request: &Value| sandbox.run_with("gate-skip", &["submit", "-"], request.to_string());
    let mut changed = request.clone();
    changed["openings"][0]["value"] = "word-better".into();
    submit(&changed).expect(2).says("does not match its commitment");
    submit(&request["request"]).expect(2).says("without the opening");
    let mut other = request.clone();
    other["request"]["reason_c"] = other["request"]["by_c"].clone();
    submit(&other).expect(2).says("without the opening");
    submit(&request).expect(3);
    submit(&request).expect(1).says("submitted before");
    signed(&sandbox, "bob", "approve 2").expect(0);
    sandbox.shell("gate-check --quiet scan -- false").expect(0);
    assert!(!lines(&sandbox).contains("word-"));
    assert_eq!(verified(&sandbox, "--replay")["replay"]["erased"], 0);
}

#[test]
fn a_copy_holds_the_openings_and_an_export_only_where_it_is_told() {
    let sandbox = house();
    live(&sandbox);
    sandbox.shell("gate-log copy --quiet copy.db").expect(0);
    assert_eq!(verified(&sandbox, "copy.db --replay")["replay"]["erased"], 0);
    sandbox.shell("gate-log export --openings openings.jsonl > ledger.jsonl").expect(0);
    assert!(sandbox.read("openings.jsonl").contains("word-glass"));
    let bare = verified(&sandbox, "ledger.jsonl --replay");
    assert_eq!((&bare["ok"], bare["replay"]["erased"].as_u64() > Some(0)), (&true.into(), true), "{bare}");
    let whole = verified(&sandbox, "ledger.jsonl --replay --openings openings.jsonl");
    assert_eq!((&whole["ok"], &whole["replay"]["erased"]), (&true.into(), &0.into()), "{whole}");
    sandbox.shell("sed 's/word-glass/word-brick/' openings.jsonl > changed.jsonl").expect(0);
    sandbox
        .shell("gate-verify ledger.jsonl --replay --openings changed.jsonl")
        .expect(2)
        .says("does not match");
    sandbox.shell("gate-log export --openings openings.jsonl > again.jsonl").expect(2);
}

#[test]
fn a_name_has_one_pseudonym_and_equal_reasons_look_different() {
    let sandbox = house();
    sandbox.shell("gate-skip --quiet lint --reason same").expect(0);
    sandbox.shell("gate-skip --quiet lint --reason same").expect(0);
    let entries = sandbox.entries();
    assert_eq!(entries[2]["actor"]["id_c"], entries[3]["actor"]["id_c"]);
    assert_eq!(entries[0]["actor"]["id_c"], entries[3]["actor"]["id_c"]);
    assert_ne!(entries[2]["data"]["reason_c"], entries[3]["data"]["reason_c"]);
    sandbox.shell("gate-skip --quiet lint --reason erased").expect(2);
}

#[test]
fn the_worked_example_comes_out_by_b3sum() {
    let sandbox = Sandbox::new();
    if sandbox.shell("command -v b3sum").status != 0 {
        eprintln!("skipped: b3sum is not installed");
        return;
    }
    let salt: [u8; 32] = std::array::from_fn(|byte| u8::try_from(byte).unwrap_or_default());
    let value = "flaky on arm64, fix is in review".to_owned();
    let opening = Opening { field: Field::Reason, salt, value };
    let array = serde_json::json!(["reason", opening.salt_digits(), opening.value]).to_string();
    let line = ["--no-names", "--derive-key", "gate v1 commitment"];
    let sum = sandbox.run_with("b3sum", &line, array).expect(0);
    assert_eq!(format!("b3:{}", sum.stdout.trim()), opening.commitment().unwrap().to_string());
    let page = include_str!("../../man/gate-ledger.5").replace(['\n', ' '], "");
    assert!(page.contains(sum.stdout.trim()), "the page's example has another commitment");
}

/// What carol does, as a CI system says.
const CAROL: &str = "GITHUB_ACTIONS=true GITHUB_ACTOR=carol";

/// A skip of carol's that somebody revoked (2, 4), and one of somebody that carol revoked (3, 5), all archived.
/// `covered` is what the policy commits to.
fn archived_lives(covered: &str) -> Sandbox {
    let policy = "version = 1\n[ledger]\ncommit = COVERED\n[gates.lint]\n[[gates.lint.allow]]\n\
                  actions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"24h\"\n";
    let sandbox = Sandbox::with_policy(&policy.replace("COVERED", covered));
    sandbox.shell(&format!("{CAROL} gate-skip --quiet lint --reason word-asked")).expect(0);
    sandbox.shell("gate-skip --quiet lint --reason word-other").expect(0);
    sandbox.shell("gate-skip revoke --quiet 2 --reason word-ended").expect(0);
    sandbox.shell(&format!("{CAROL} gate-skip revoke --quiet 3 --reason word-stopped")).expect(0);
    sandbox.run_with("gate-log", &["append", "--quiet"], "{}\n{}\n").expect(0);
    let key = "--origin example.com/house --quiet";
    sandbox.shell(&format!("mkdir segments; gate-log checkpoint --new-key log.key {key}")).expect(0);
    sandbox.shell(&format!("gate-log archive --before 6 --to segments --key-file log.key {key}")).expect(0);
    sandbox.shell("gate-log show 2").expect(2).says("was archived");
    assert_eq!(kept(&sandbox), ["asked", "other", "ended", "stopped"]);
    sandbox
}

/// Which words of [`archived_lives`] are in the ledger's files.
fn kept(sandbox: &Sandbox) -> Vec<&'static str> {
    let words = ["asked", "other", "ended", "stopped"].into_iter();
    words.filter(|word| is_in_files(sandbox, &format!("word-{word}"))).collect()
}

#[test]
fn the_reasons_of_an_archived_opt_out_are_erased_by_its_id() {
    for id in ["2", "4"] {
        let sandbox = archived_lives("[\"reason\", \"names\"]");
        let line = format!("gate-log erase --quiet {id} --reason 'it held a password'");
        let erased = sandbox.shell(&line).expect(0).json();
        assert_eq!((&erased["names"], &erased["reasons"]), (&0.into(), &2.into()), "{erased}");
        assert_eq!(kept(&sandbox), ["other", "stopped"]);
        let again = sandbox.shell(&line).expect(0).json();
        assert_eq!(again["seqs"], serde_json::json!([]));
        sandbox.shell("gate-log erase 999 --reason none").expect(2).says("no entry");
        assert_eq!(verified(&sandbox, "")["ok"], true);
    }
}

#[test]
fn a_person_is_erased_from_what_was_archived_too() {
    for (covered, names) in [("[\"reason\", \"names\"]", 1), ("[\"reason\"]", 0)] {
        let sandbox = archived_lives(covered);
        let line = "gate-log erase --quiet --person github:carol --reason 'left us'";
        let erased = sandbox.shell(line).expect(0).json();
        assert_eq!((&erased["names"], &erased["reasons"]), (&names.into(), &2.into()), "{erased}");
        assert_eq!(kept(&sandbox), ["other", "ended"]);
        assert_eq!(verified(&sandbox, "")["ok"], true);
    }
}

/// Puts an opening with a value of 256 MiB into the table. Its commitment is not looked at, since it is not read.
fn plant(sandbox: &Sandbox, field: &str) {
    let value = "CAST(zeroblob(256 * 1048576) AS TEXT)";
    let row = format!("randomblob(32), 2, 2, '', '{field}', randomblob(32), {value}");
    tamper(sandbox, &format!("INSERT INTO private VALUES ({row})"));
}

#[test]
fn a_planted_opening_of_any_size_is_not_read_and_not_used() {
    for field in ["reason", "name"] {
        let sandbox = house();
        sandbox.shell("gate-skip --quiet lint --reason 'word-skip'").expect(0);
        plant(&sandbox, field);
        // An address space into which the planted text does not fit.
        let limited = |line: &str| {
            sandbox.shell(&format!("ulimit -v 240000; MALLOC_ARENA_MAX=1 RAYON_NUM_THREADS=1 {line}"))
        };
        let found = limited("gate-verify --quiet --format json").expect(1).json();
        assert_eq!(found["first_bad"]["code"], "opening", "{found}");
        assert!(found["first_bad"]["reason"].to_string().contains("of entry 2, is too long"), "{found}");
        limited("gate-log erase 2 --reason none").expect(4).says("too long to be one");
        limited("gate-log show 2").expect(0);
        limited("gate-log due --quiet").expect(0);
        limited("gate-skip --quiet lint --reason again").expect(0);
        // A sentence might repeat the name; nobody asks for a reason that no entry commits to.
        let check = limited("gate-check lint -- false");
        if field == "name" {
            check.expect(125).says("too long to be one")
        } else {
            check.expect(0)
        };
    }
}

#[test]
fn openings_without_an_end_are_refused() {
    let sandbox = house();
    sandbox.shell("gate-log export > ledger.jsonl").expect(0);
    let verify = "ulimit -v 700000; gate-verify ledger.jsonl --replay --openings";
    sandbox.shell(&format!("{verify} /dev/zero")).expect(2).says("longer than");
    sandbox
        .shell(&format!("mkfifo pipe; yes '{{' | tr -d '\\n' > pipe & {verify} pipe"))
        .expect(2)
        .says("longer than");
}

#[test]
fn an_index_that_hides_an_opening_hides_it_from_no_erasure_and_no_verification() {
    for (index, verified_as) in [("private_commitment", 1), ("private_name", 1)] {
        let sandbox = house();
        live(&sandbox);
        // The rows stay; what the index says of one of them is another value.
        let table = format!(
            "PRAGMA writable_schema=ON; CREATE TABLE kept AS SELECT sql FROM sqlite_schema WHERE name='{index}'; \
             UPDATE sqlite_schema SET sql=replace(replace(sql, 'substr(commitment, 1, 32)', 'substr(salt, 1, 32)'), \
             'substr(value, 1, 64)', 'substr(actor, 1, 64)') WHERE name='{index}';"
        );
        let back = format!(
            "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql=(SELECT sql FROM kept) WHERE name='{index}';"
        );
        let sql = [&table, &format!("REINDEX {index};"), &back, "DROP TABLE kept;"];
        for statement in sql {
            sandbox.run("sqlite3", &[".gate/ledger.db", statement]).expect(0);
        }
        sandbox.shell("gate-verify --quiet").expect(verified_as).says(index);
        sandbox.shell("gate-log erase --quiet --person alice@example.com --reason 'left us'").expect(1);
        for word in ["word-request", "word-second", "word-glass", "word-revocation"] {
            assert!(!is_in_files(&sandbox, word), "{index}: {word} is still there");
        }
        assert_eq!(verified(&sandbox, "--replay")["ok"], true, "{index}");
    }
}

#[test]
fn a_name_that_no_commitment_hides_is_not_said_to_be_erased() {
    let sandbox = Sandbox::with_starter();
    sandbox.shell("gate-skip --quiet lint --reason \"carol's dentist\"").expect(0);
    let me = sandbox.shell("gate-log show 2").expect(0).json()["actor"]["id"].as_str().unwrap().to_owned();
    let erased = sandbox.run("gate-log", &["erase", "--person", &me, "--reason", "left us"]).expect(1);
    assert!(erased.stderr.contains("plain text in the entries 0, 1, 2"), "{}", erased.stderr);
    sandbox.shell("gate-log erase 2 --reason 'it was private'").expect(1).says("a reason stands");
    // One that is part of a longer name is somebody else's.
    sandbox.run("gate-log", &["erase", "--person", &me[..me.len() - 1], "--reason", "x"]).expect(0);
}
