use proptest::prelude::*;

use super::{canonical, is_another, is_elsewhere, is_same, remote_name};

#[test]
fn a_name_is_its_own_name_however_many_git_it_ends_with() {
    for url in ["https://host/a.git.git", "git@host:a.git/.git", "https://github.com/o/a.git.git.git"] {
        let name = remote_name(url).unwrap();
        assert_eq!(remote_name(&format!("https://{name}")).as_deref(), Some(name.as_str()));
        let plain = name.replace("/.git", "").replace(".git", "");
        assert!(!is_same(&name, &plain), "{name} passes for {plain}");
        assert!(!is_another(&name, &plain), "{name} may be {plain} on some server");
    }
}

#[test]
fn one_repository_has_one_name() {
    for url in [
        "git@github.com:acme/pay.git",
        "github.com:acme/pay",
        "git@github.com:/acme/pay.git",
        "ssh://git@github.com/acme/pay.git",
        "ssh://git@github.com:22/acme/pay",
        "ssh://git@ssh.github.com:443/acme/pay.git",
        "https://github.com/acme/pay",
        "https://github.com:443/acme/pay.git/",
        "https://user:tok%40en@GitHub.com/acme/pay.git",
        "https://x-access-token:ghs_secret@github.com/acme/pay",
        "http://github.com:80//acme//pay.git",
        "git://github.com:9418/acme/pay.git",
        "HTTPS://github.com./acme/pay?token=secret#x",
        "[github.com:22]:acme/pay.git",
    ] {
        assert_eq!(remote_name(url).as_deref(), Some("github.com/acme/pay"), "{url}");
    }
}

#[test]
fn other_ports_and_addresses_stay() {
    let name = |url| remote_name(url).unwrap();
    assert_eq!(name("ssh://git@host:2222/o/r"), "host:2222/o/r");
    assert_eq!(name("https://[2001:DB8::1]:8443/o/r.git"), "[2001:db8::1]:8443/o/r");
    assert_eq!(name("git@[::1]:o/r.git"), "[::1]/o/r");
    assert_eq!(name("[host:2222]:o/r"), "host:2222/o/r");
    // What means a query to HTTP is a part of the path to ssh.
    assert_eq!(name("git@host:team/c#-client.git"), "host/team/c%23-client");
    assert_eq!(name("ssh://host/team/c%23-client"), "host/team/c%23-client");
    assert_eq!(name("git@ssh.dev.azure.com:v3/org/proj/repo"), "dev.azure.com/org/proj/_git/repo");
    assert_eq!(name("https://org@dev.azure.com/org/proj/_git/repo"), "dev.azure.com/org/proj/_git/repo");
    assert_eq!(name("https://gitlab.com/a/b/c/d.git"), "gitlab.com/a/b/c/d");
}

#[test]
fn places_on_this_machine_and_odd_urls_have_no_name() {
    for url in [
        "",
        "/srv/git/r.git",
        "./r",
        "../r",
        "r",
        "file:///srv/git/r.git",
        "C:\\git\\r",
        "C:/git/r",
        "ext::sh -c evil",
        "ext::ssh",
        "https://",
        "https://host",
        "https://host/",
        "https://host/.git",
        "https:///o/r",
        "https://host:port/o/r",
        "https://ho st/o/r",
        "https://host/o/\u{1b}[31mr",
        "https://host/../r",
        "https://host/o/../../x/r",
        "foo://host/o/r",
        "user:token@host:o/r",
        "./dir:with/colon",
        "https://user:p/w@host/o/r",
    ] {
        assert_eq!(remote_name(url), None, "{url}");
    }
}

#[test]
fn what_only_an_address_writes_differently_is_surely_one() {
    for other in [
        "host/o/r",
        "HOST/o/r",
        "host/o/r.git",
        "host//o/r/",
        "host./o/%72",
        "ssh://git@host/~/o/r.git",
        "git@host:~/o/r",
        "https://host/o/%72.git",
        "ssh://git@host:22/o/r",
        "git@host:o/r",
        "https://user:token@Host/o/r/?x#y",
    ] {
        assert!(is_same("host/o/r", other) && !is_another(other, "host/o/r"), "{other}");
    }
    for other in ["GitHub.com/Acme/PAY", "www.github.com/acme/pay", "https://WWW.github.com/acme/p%61y"] {
        assert!(is_same(other, "github.com/acme/pay"), "{other}");
    }
}

#[test]
fn what_may_be_no_difference_is_neither_the_same_nor_another() {
    for other in [
        "host:2222/o/r",
        "host:443/o/r",
        "http://host:443/o/r",
        "ssh://git@host:443/o/r",
        "ssh://git@host:2222/o/r.git",
        "host/O/r",
        "host/o/r.GIT",
        "www.host/o/r",
        "git@host:o/%72",
        "https://host/o%2Fr",
    ] {
        assert!(!is_same("host/o/r", other) && !is_another("host/o/r", other), "{other}");
    }
}

#[test]
fn other_hosts_and_paths_are_surely_another() {
    for (one, other) in [
        ("github.com/acme/pay", "github.com/evil/pay"),
        ("github.com/acme/pay", "gitlab.com/acme/pay"),
        ("github.com/acme/pay", "github.com.evil.example/acme/pay"),
        ("github.com/acme/pay", "https://github.com@evil.example/acme/pay"),
        ("[::1]/o/r", "[::2]/o/r"),
        ("git@host:team/c#-client.git", "git@host:team/c#-server.git"),
        ("ssh://git@host/team/c?a", "ssh://git@host/team/c?b"),
        ("ssh://git@host/team/c%23a", "git@host:team/c"),
    ] {
        assert!(is_another(one, other) && !is_same(one, other), "{one} {other}");
    }
    let (pay, web) = (Some("github.com/acme/pay"), Some("github.com/acme/web"));
    assert!(is_elsewhere(pay, web));
    for (theirs, here) in [(pay, pay), (pay, None), (None, web), (None, None)] {
        assert!(!is_elsewhere(theirs, here), "{theirs:?} {here:?}");
    }
}

#[test]
fn an_alias_stands_for_what_is_surely_listed() {
    let aliases = ["github.com/acme/pay".to_owned(), "git.example/pay".to_owned()];
    assert_eq!(canonical("git.example/pay", &aliases), "github.com/acme/pay");
    for other in ["git.example:8443/pay", "git.example/PAY", "git.example/web"] {
        assert_eq!(canonical(other, &aliases), other);
    }
}

proptest! {
    #[test]
    fn credentials_never_reach_the_name(user in "[a-z]{3,8}", token in "SECRET[A-Za-z0-9%._-]{4,16}") {
        for url in [
            format!("https://{user}:{token}@host/o/r"),
            format!("https://{token}@host/o/r.git"),
            format!("ssh://{user}:{token}@host:22/o/r"),
            format!("{user}:{token}@host:o/r"),
            format!("https://host/o/r?private_token={token}"),
        ] {
            prop_assert!(!remote_name(&url).unwrap_or_default().contains("SECRET"), "{}", url);
        }
    }

    #[test]
    fn no_two_names_are_one_and_two(one in "[a-cA-C.:/@%61]{0,12}", other in "[a-cA-C.:/@%61]{0,12}") {
        prop_assert!(!(is_same(&one, &other) && is_another(&one, &other)));
        prop_assert_eq!(is_same(&one, &other), is_same(&other, &one));
        prop_assert_eq!(is_another(&one, &other), is_another(&other, &one));
        prop_assert!(is_same(&one, &one));
    }

    #[test]
    fn any_text_gives_a_plain_name_or_none(url in ".{0,80}") {
        if let Some(name) = remote_name(&url) {
            prop_assert!(name.contains('/') && !name.chars().any(char::is_control) && !name.ends_with('/'));
        }
    }
}
