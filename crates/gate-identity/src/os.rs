//! The operating system's user, as an asserted identity.
//!
//! Invariant: the name comes from the *real* user id of this process, never from `$USER` or `$LOGNAME`,
//! which anybody can set. Non-goal: proof. Who can run a program as `alice` can act as `os:alice`.

use gate_model::principal::Principal;
use nix::unistd::{Uid, User};

/// What identities of this source are prefixed with.
pub const VIA: &str = "os";

/// The most of `/etc/passwd` that is read, in bytes.
const MAX_LIST: u64 = 1024 * 1024;

/// Who runs this process: `os:alice`, or `os:uid-1234` where the user id has no usable name.
pub fn user() -> Principal {
    let uid = Uid::current();
    // A failing look-up (a directory service that is down) is the same as no name: the number still
    // identifies the user, and a name that was not read must not be guessed.
    let name = local_name(uid.as_raw()).or_else(|| User::from_uid(uid).ok().flatten().map(|user| user.name));
    Principal::asserted(VIA, &name_or_number(name, uid.as_raw()))
}

/// The name that the machine's own list has for `uid`. Asking the name service for everybody costs more than
/// all of the rest of a plan; it is asked for users that the list does not have.
fn local_name(uid: u32) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open("/etc/passwd").ok()?;
    std::io::Read::read_to_string(&mut std::io::Read::take(file, MAX_LIST), &mut text).ok()?;
    name_in(&text, uid)
}

/// The first field of the line whose third is `uid`, see passwd(5).
fn name_in(list: &str, uid: u32) -> Option<String> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// `name` where it can stand in a ledger, else the number.
fn name_or_number(name: Option<String>, uid: u32) -> String {
    name.filter(|name| is_plain(name)).unwrap_or_else(|| format!("uid-{uid}"))
}

/// Whether a name is one word that can be seen in full and cannot be taken for the numbered form.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= gate_model::text::MAX_TEXT
        && !name.starts_with("uid-")
        && gate_model::text::unfit_in_name(name).is_none()
        && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::{name_in, name_or_number, user};
    use gate_model::principal::Assurance;

    #[test]
    fn the_list_names_the_user_by_its_third_field() {
        let list = "root:x:0:0::/root:/bin/sh\nbad line\n12:x:7:12::/:\nann:x:12:7::/:\n";
        assert_eq!(name_in(list, 0).as_deref(), Some("root"));
        assert_eq!(name_in(list, 12).as_deref(), Some("ann"));
        assert_eq!(name_in(list, 99), None);
    }

    #[test]
    fn the_user_is_asserted_and_has_a_name_or_a_number() {
        let user = user();
        assert_eq!((user.assurance, user.via.as_str()), (Assurance::Asserted, "os"));
        let name = user.id.strip_prefix("os:").expect("os: stands in front");
        let id = |option: &str| {
            let output = std::process::Command::new("id").arg(option).output().expect("id runs");
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let (named, numbered) = (id("-run"), format!("uid-{}", id("-ru")));
        assert!(name == named || name == numbered, "{name} is neither {named} nor {numbered}");
    }

    #[test]
    fn a_name_that_could_deceive_gives_way_to_the_number() {
        for name in ["", "a\u{1b}[31m", "a b", "a\nb", "uid-0", "al\u{200b}ice", "\u{202e}ecila"] {
            assert_eq!(name_or_number(Some(name.to_owned()), 7), "uid-7", "{name:?}");
        }
        assert_eq!(name_or_number(None, 1234), "uid-1234");
        assert_eq!(name_or_number(Some("alice".to_owned()), 7), "alice");
    }
}
