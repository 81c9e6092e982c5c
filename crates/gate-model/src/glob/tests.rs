use super::{Glob, GlobError, Steps, escape};

fn fits(glob: &str, text: &str) -> bool {
    Glob::parse(glob).unwrap_or_else(|error| panic!("{glob}: {error}")).is_match(text)
}

#[test]
fn each_mark_means_what_the_table_says() {
    for (glob, text, expected) in [
        ("a*c", "abbc", true),
        ("a*c", "ab/c", false),
        ("a?c", "aéc", true),
        ("a?c", "a/c", false),
        ("**", "a/b/c", true),
        ("a/**", "a/b/c", true),
        ("a/**", "a", false),
        ("a/**", "ab/c", false),
        ("a/**/c", "a/c", true),
        ("a/**/c", "a/b/b/c", true),
        ("a/**/c", "a/bc", false),
        ("**/c", "c", true),
        ("**/c", "bc", false),
        ("a**c", "a/c", false),
        ("a/**/b/**/c", "a/x/b/y/z/c", true),
        ("a/*/**", "a/b/c/d", true),
        ("[a-c]x", "bx", true),
        ("[!a-c]x", "bx", false),
        ("[^a-c]x", "dx", true),
        ("[!a]", "/", false),
        ("[]a]", "]", true),
        ("[a\\]]", "]", true),
        ("[a-]", "-", true),
        ("{a,b/c}.x", "b/c.x", true),
        ("{a,b{1,2}}x", "b2x", true),
        ("{a,b}x", "cx", false),
        ("{,a}b", "b", true),
        ("a/{**,x}/b", "a/p/q/b", true),
        ("a,b}", "a,b}", true),
        ("\\*\\{", "*{", true),
        ("\\n", "n", true),
        ("", "", true),
        ("", "a", false),
    ] {
        assert_eq!(fits(glob, text), expected, "{glob} {text}");
    }
}

#[test]
fn broken_globs_are_refused_with_their_place() {
    for (glob, at) in [("a[b", 1), ("a{b", 1), ("é\\", 2), ("[", 0), ("[a\\", 0), ("{a,{b}", 0)] {
        assert_eq!(Glob::parse(glob), Err(GlobError::Syntax(at)), "{glob}");
    }
}

#[test]
fn braces_that_multiply_are_refused_or_matched_at_once() {
    let group = format!("{{{}}}", ",".repeat(9));
    assert_eq!(Glob::parse(&group.repeat(7)), Err(GlobError::Alternatives));
    assert_eq!(Glob::parse(&format!("{{{}}}", ",".repeat(64))), Err(GlobError::Alternatives));
    assert_eq!(Glob::parse("{{{a}}}"), Err(GlobError::Nesting));
    assert_eq!(Glob::parse(&"{".repeat(100_000)), Err(GlobError::Nesting));
    // 10^6 ways to read it, and all of them are followed together.
    assert!(!fits(&format!("a{}z", group.repeat(6)), "a"));
    assert!(!fits(&format!("{}z", "*a".repeat(500)), &"a".repeat(3_000)));
}

#[test]
fn nothing_matches_once_the_steps_are_spent() {
    let glob = Glob::parse("src/**").unwrap();
    let steps = Steps::new(60);
    assert!(glob.matches("src/a.py", &steps));
    assert!((0..20).any(|_| !glob.matches("src/a.py", &steps)));
    assert!(!glob.matches("src/a.py", &steps));
}

#[test]
fn an_escaped_text_matches_itself_alone() {
    let text = "a*?[b]{c,d}!\\e";
    assert!(fits(&escape(text), text) && !fits(&escape(text), "abb[b]c!\\e"));
}
