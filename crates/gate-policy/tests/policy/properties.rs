//! What holds for any text and any request.

use gate_model::action::Action;
use gate_model::request::Ttl;
use gate_policy::{Admission, RefGlob, glob_matches, lint, parse, parse_bytes, run_tests};
use proptest::prelude::*;

use crate::support::{ask, asserted, here, judge, policy};

const WORDS: &[&str] = &[
    "version = 1\n",
    "[gates.g]\n",
    "[[gates.g.allow]]\n",
    "actions = [\"skip\"]\n",
    "who = [\"*\"]\n",
    "max_ttl = \"4h\"\n",
    "who = [\"group:a\"]\n",
    "[groups]\n",
    "a = [\"b@x\"]\n",
    "ticket = '^x$'\n",
    "refs = [\"refs/**\"]\n",
    "quota = { max = 1 }\n",
    "[people]\n",
    "\"a@x\" = [\"b@x\"]\n",
    "[[test]]\n",
    "request = { gate = \"g\" }\n",
    "= 1\n",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "#",
    "\n",
    "\u{301}",
    "'''",
    "approvals = { from = [\"group:a\"] }\n",
    "break_glass = true\n",
    "gates.g = 1\n",
    "[gates.g.allow]\n",
    "1979-05-27\n",
    "\\u0000",
];

/// Lines that may or may not make a policy.
fn document() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..24).prop_map(|words| words.concat())
}

/// A diagnostic must point into the text and have a remedy.
fn check(text: &str) {
    match parse(text) {
        Ok(policy) => {
            let _ = lint(&policy);
            let _ = run_tests(&policy);
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
                assert!(diagnostic.line <= text.lines().count() + 1, "{diagnostic:?}");
                assert!(diagnostic.span.end <= text.len().max(1), "{diagnostic:?}");
                assert!(diagnostic.help.is_some(), "{diagnostic:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn no_mixture_of_lines_makes_the_parser_panic(text in document()) {
        check(&text);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_bytes(&bytes);
    }

    #[test]
    fn a_broken_starter_is_never_taken_for_a_policy_with_more_open_gates(at in 0..gate_policy::STARTER.len(), byte in 0x20_u8..0x7f) {
        let mut bytes = gate_policy::STARTER.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(policy) = parse_bytes(&bytes) {
            prop_assert!(policy.gates.values().filter(|gate| !gate.allow.is_empty()).count() <= 1);
        }
    }

    #[test]
    fn no_grant_is_longer_than_asked_or_allowed(seconds in 0_u64..1_000_000) {
        let policy = policy("[gates.g]\n[[gates.g.allow]]\nactions = [\"skip\"]\nwho = [\"*\"]\nmax_ttl = \"4h\"\n");
        let mut ask = ask(Action::Skip);
        ask.ttl = Ttl::of(seconds);
        match judge(&policy, &ask, &asserted("os:a"), &here()) {
            Admission::Grant(terms) => prop_assert!(terms.ttl <= 14_400 && (seconds == 0 || terms.ttl == seconds)),
            Admission::Denied(_) => prop_assert!(seconds > 14_400),
            Admission::Pending(..) => prop_assert!(false),
        }
    }

    #[test]
    fn an_escaped_ref_matches_itself_alone(name in "refs/heads/[a-c!*?\\[\\]{},/]{1,8}", other in "refs/heads/[a-c!*?\\[\\]{},/]{1,8}") {
        prop_assert!(glob_matches(&gate_model::glob::escape(&name), &name));
        prop_assert!(name == other || !glob_matches(&gate_model::glob::escape(&name), &other));
    }
}

proptest! {
    // Few letters and many cases: most pairs of patterns have nothing to do with each other.
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_a_pattern_contains_it_matches(
        outer in "refs/[a/]{0,2}(\\*|\\*\\*|\\?|a)",
        inner in "refs/[a/]{0,3}(\\*|\\*\\*|\\?|\\{a,/\\}|\\[a/\\]|/\\*\\*/a){0,2}[a/]{0,1}",
        name in "refs/[a/]{1,5}",
    ) {
        let (Ok(outer), Ok(inner)) = (RefGlob::new(&outer), RefGlob::new(&inner)) else { return Ok(()) };
        if outer.contains(&inner) && inner.is_match(&name) {
            prop_assert!(outer.is_match(&name), "{outer} contains {inner}, which matches {name}");
        }
    }
}
