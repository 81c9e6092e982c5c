//! The `allowed_signers` file: patterns, options, times, malformed lines.

use gate_identity::ssh::{Namespace, SshError, allowed_signers, verify};

use crate::workshop::Workshop;
use crate::{Check, Expect, MESSAGE, NOON, instant, names_and_wildcards_of};

/// A key, and what it signed in each of the namespaces.
struct Signed {
    workshop: Workshop,
    public: String,
    request: String,
}

fn signed() -> Option<Signed> {
    let workshop = Workshop::open()?;
    let key = workshop.key("k", &["-t", "ed25519"]);
    let request = workshop.sign(&key, "gate-request", MESSAGE, &[]);
    Some(Signed { public: workshop.public("k"), request, workshop })
}

impl Signed {
    fn check(&self, before_key: &str) -> Check {
        Check::new(format!("{before_key} {}\n", self.public), self.request.clone())
    }
}

#[test]
fn principals_match_as_openssh_matches_them() {
    let Some(signed) = signed() else { return };
    let lists = [
        "alice@example.com",
        "*",
        "*@example.com",
        "*@example.com,!bob@example.com",
        "!bob@example.com,*@example.com",
        "!*,alice@example.com",
        "alice@example.com,!*@example.com",
        "ali?e@*",
        "a*e*@*.com",
        "?",
        "alice",
        "\"alice@example.com\"",
        "\"alice@example.com,bob b@example.com\"",
        "Alice@example.com",
        "alice@example.com,bob@example.com",
        "**@**",
        "!alice@example.com,alice@example.com",
        "[a]lice@example.com",
        "alice@example.com\\",
    ];
    let claims =
        ["alice@example.com", "bob@example.com", "bob b@example.com", "a", "*", "alice", "Alice@example.com"];
    for list in lists {
        for claimed in claims {
            signed.check(list).claimed(claimed).compare(
                &signed.workshop,
                Expect::Same,
                &format!("{list} for {claimed}"),
            );
        }
    }
}

#[test]
fn wildcards_are_reported_unless_a_literal_pattern_says_the_name() {
    let Some(signed) = signed() else { return };
    let wildcard = |list: &str| signed.check(list).ours().unwrap().wildcard;
    assert!(wildcard("*@example.com"));
    assert!(!wildcard("*@example.com,alice@example.com"));
    let both = format!("* {0}\nalice@example.com {0}\n", signed.public);
    let verified = Check::new(both, signed.request.clone()).ours().unwrap();
    assert!(!verified.wildcard && verified.line == 2 && verified.is_named());
    let line = format!("*@example.com,alice@example.com,bob,!bob {}", signed.public);
    let (names, wildcards) = names_and_wildcards_of(&line, &signed.request);
    assert_eq!((names, wildcards), (vec!["alice@example.com".to_owned()], vec!["*@example.com".to_owned()]));
}

#[test]
fn namespaces_match_as_openssh_matches_them() {
    let Some(signed) = signed() else { return };
    let key = signed.workshop.path("k");
    let namespaces = [Namespace::Request, Namespace::Approval, Namespace::Policy];
    let signatures = namespaces.map(|namespace| signed.workshop.sign(&key, namespace.as_str(), MESSAGE, &[]));
    for list in [
        "gate-request",
        "gate-*",
        "git",
        "git,gate-request",
        "gate-*,!gate-approval",
        "*",
        "GATE-REQUEST",
        "!gate-policy,*",
    ] {
        for (namespace, signature) in namespaces.into_iter().zip(&signatures) {
            let line = format!("alice@example.com namespaces=\"{list}\" {}", signed.public);
            let check = Check::new(line, signature.clone()).namespace(namespace);
            check.compare(&signed.workshop, Expect::Same, &format!("{namespace} within {list}"));
        }
    }
}

#[test]
fn validity_is_judged_at_the_second() {
    let Some(signed) = signed() else { return };
    let times = ["20260601115959Z", NOON, "20260601120001Z", "20251231235959Z", "20260101000000Z"];
    let options = [
        "valid-after=\"20260601120000Z\"",
        "valid-after=\"202606011200Z\"",
        "valid-after=\"20260101Z\"",
        "valid-before=\"20260601120001Z\"",
        "valid-before=\"20260601115959Z\"",
        "valid-after=\"20260101Z\",valid-before=\"20260601120002Z\"",
        "VALID-BEFORE=\"20991231z\"",
    ];
    for option in options {
        for time in times {
            let at_the_end = option.contains(&format!("valid-before=\"{time}\""));
            let expect = if at_the_end { END_IS_EXCLUSIVE } else { Expect::Same };
            let check = signed.check(&format!("alice@example.com {option}")).at(time);
            check.compare(&signed.workshop, expect, &format!("{option} at {time}"));
        }
    }
}

const END_IS_EXCLUSIVE: Expect = Expect::Stricter(
    "valid-before is exclusive, as every end is here and as in certificates; ssh-keygen includes it",
);

#[test]
fn a_key_must_be_valid_in_all_of_the_interval() {
    let Some(signed) = signed() else { return };
    let line = "alice@example.com valid-after=\"20260601Z\",valid-before=\"20260701Z\"";
    let signers = allowed_signers::parse(&format!("{line} {}", signed.public)).unwrap();
    let verdict = |from: &str, to: &str| {
        let interval = (instant(from), instant(to));
        verify(MESSAGE, &signed.request, Namespace::Request, "alice@example.com", &signers, interval)
    };
    let verified = verdict("20260601000000Z", "20260630235959Z").unwrap();
    assert_eq!(verified.valid, (Some(instant("20260601000000Z")), Some(instant("20260701000000Z"))));
    let not_yet = verdict("20260531235959Z", "20260630235959Z");
    assert!(matches!(not_yet, Err(SshError::NotYet { line: 1, .. })), "{not_yet:?}");
    let expired = verdict("20260601000000Z", "20260701000000Z");
    assert!(matches!(expired, Err(SshError::Expired { line: 1, .. })), "{expired:?}");
    let backwards = verdict("20260630000000Z", "20260629000000Z");
    assert!(matches!(backwards, Err(SshError::Interval { .. })), "{backwards:?}");
}

#[test]
fn several_lines_count_together() {
    let Some(signed) = signed() else { return };
    let key = &signed.public;
    let files = [
        (format!("# comment\n\n   # indented\n\talice@example.com\t{key}\n"), Expect::Accept),
        (
            format!("alice@example.com {key}\r\n"),
            Expect::Stricter("no entry of a ledger can hold a carriage return"),
        ),
        (format!("alice@example.com namespaces=\"git\" {key}\nalice@example.com {key}\n"), Expect::Accept),
        (format!("alice@example.com valid-before=\"20200101Z\" {key}\n* {key}"), Expect::Accept),
        (format!("bob@example.com {key}\n"), Expect::Refuse),
        (format!("alice@example.com cert-authority {key}\n"), Expect::Refuse),
        (format!("alice@example.com Cert-Authority {key}\nalice@example.com {key}\n"), Expect::Accept),
        (String::new(), Expect::Refuse),
    ];
    for (text, expect) in files {
        Check::new(text.clone(), signed.request.clone()).compare(&signed.workshop, expect, &text);
    }
}

#[test]
fn malformed_lines_are_errors_and_not_skipped() {
    let Some(signed) = signed() else { return };
    let key = &signed.public;
    let cut = key.split(' ').nth(1).unwrap();
    let malformed = [
        "alice@example.com".to_owned(),
        format!("alice@example.com unknown-option {key}"),
        format!("alice@example.com namespaces=git {key}"),
        format!("alice@example.com namespaces=\"git {key}"),
        format!("alice@example.com valid-after=\"2026\" {key}"),
        format!("alice@example.com valid-after=\"20261301Z\" {key}"),
        format!("alice@example.com valid-before=\"20260101Z\",valid-after=\"20260201Z\" {key}"),
        format!("alice@example.com cert-authority namespaces=\"git\" {key}"),
        format!("alice@example.com ssh-ed25519 {}", &cut[..cut.len() - 8]),
        format!("alice@example.com ssh-rsa {cut}"),
        "alice@example.com ssh-ed25519".to_owned(),
    ];
    for line in malformed {
        let alone = Check::new(format!("{line}\n"), signed.request.clone());
        alone.compare(&signed.workshop, Expect::Refuse, &line);
        let beside = Check::new(format!("{line}\nalice@example.com {key}\n"), signed.request.clone());
        let reason = "a malformed line may be the one that was to take a right away; ssh-keygen skips it";
        beside.compare(&signed.workshop, Expect::Stricter(reason), &line);
    }
}

#[test]
fn lines_that_openssh_reads_and_we_do_not() {
    let Some(signed) = signed() else { return };
    let stricter = [
        ("alice@example.com valid-after=\"20260101\"", "a time without Z is in the reader's zone"),
        ("alice@example.com valid-after=\"20260101UTC\"", "there is one way to say UTC: Z"),
        ("alice@example.com,,bob", "an empty principal is a slip"),
        ("al\"ice@example.com\"", "a quote within a word is a slip"),
        ("alice@example.com namespaces=\"gate-request,\"", "an empty namespace is a slip"),
    ];
    for (line, reason) in stricter {
        signed.check(line).compare(&signed.workshop, Expect::Stricter(reason), line);
    }
    let zoneless = signed.check("alice@example.com valid-after=\"20260101\"").ours().unwrap_err();
    assert!(
        zoneless.starts_with("line 1, column 32: '20260101' has no time zone")
            && zoneless.contains("write 20260101Z")
    );
}
