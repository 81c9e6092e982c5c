//! `[ledger]`: where the record is, and what is known of it.

use super::reader::{Reader, Value};
use super::table::Table;
use crate::policy::{Commit, Floor, LedgerSettings, Publish, Remote};

/// What is wrong with a value, and how to mend it.
type Refused = (&'static str, &'static str);

pub(super) fn ledger(reader: &mut Reader<'_>, mut table: Table<'_>) -> LedgerSettings {
    let settings = LedgerSettings {
        path: table.path(reader, "path"),
        remote: remote(reader, &mut table),
        origin: table.checked(reader, "origin", is_origin),
        genesis: table.checked(reader, "genesis", is_hash),
        commit: table.get("commit").map(|value| commit(reader, &value)).unwrap_or_default(),
        verify: table.boolean(reader, "verify").unwrap_or(false),
    };
    if let (Some(_), Some(remote)) = (&settings.path, table.get("remote")) {
        reader
            .error(remote.span(), "two-ledgers", "[ledger] has both path and remote, and there is one ledger")
            .remedy("take path out: the working copy of a remote lies in the user's cache");
    }
    // What was sent stays in every working copy.
    if settings.remote.is_some()
        && settings.commit.any()
        && let Some(commit) = table.get("commit")
    {
        reader
            .error(
                commit.span(),
                "cannot-erase",
                "[ledger] has both commit and remote, and what a remote handed out cannot be erased",
            )
            .remedy("take commit out, or keep the ledger in a file (path)");
    }
    table.finish(reader);
    settings
}

/// `remote` with the keys that only matter beside it.
fn remote(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<Remote> {
    let address = table.checked(reader, "remote", is_address);
    let at_least = table.checked(reader, "at_least", |text| match Floor::parse(text) {
        Some(_) => Ok(()),
        None => Err(("is not a position and an entry's hash", "write it like at_least = \"4711 b3:…\"")),
    });
    let publish = table.word(reader, "publish", &[("batch", Publish::Batch), ("each", Publish::Each)]);
    if let Some(address) = address {
        // Hosts of repositories ask for few pushes.
        let default = if address.starts_with("git:") { Publish::Batch } else { Publish::Each };
        let at_least = at_least.as_deref().and_then(Floor::parse);
        return Some(Remote { address, at_least, publish: publish.unwrap_or(default) });
    }
    for key in ["at_least", "publish"] {
        if table.get("remote").is_none()
            && let Some(value) = table.get(key)
        {
            let message = format!("'{}' means something beside [ledger] remote only", value.place);
            reader.error(value.span(), "needs-remote", message).remedy("add remote, or take it out");
        }
    }
    None
}

/// `commit`. The field is called `reason` where it is hashed, so the key's word is too.
fn commit(reader: &mut Reader<'_>, value: &Value<'_>) -> Commit {
    let words = reader.each(value, |reader, item| reader.word(item, &[("reason", false), ("names", true)]));
    Commit { reasons: words.contains(&false), names: words.contains(&true) }
}

/// An address is `SCHEME:` and what the helper of that scheme understands.
fn is_address(address: &str) -> Result<(), Refused> {
    let remedy = "write git:origin#gate-ledger, postgres://host/db?ledger=NAME or ssh://host/path/ledger.db";
    let Some((scheme, rest)) = address.split_once(':') else { return Err(("names no scheme", remedy)) };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !scheme.bytes().all(plain) || !scheme.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(("names no scheme of lower-case letters, digits and '-'", remedy));
    }
    if rest.is_empty() || address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(("is no address: it is empty or holds white space", remedy));
    }
    if has_password(rest) {
        return Err((
            "holds a password, and the policy is recorded and read by everybody",
            "take it out; a helper finds its password in the environment, a password file or an agent",
        ));
    }
    Ok(())
}

/// Whether an address names a password: between user and host, or as a parameter.
fn has_password(rest: &str) -> bool {
    let authority = rest.split_once("://").map_or_else(|| rest.trim_start_matches("//"), |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':')) || rest.to_ascii_lowercase().contains("password=")
}

/// What a checkpoint's origin line may be (C2SP signed-note: a key name without white space and '+').
fn is_origin(origin: &str) -> Result<(), Refused> {
    if origin.chars().any(|c| c.is_whitespace() || c == '+' || c.is_control()) {
        return Err(("is no origin: it has white space or '+'", "write a name like example.com/payments"));
    }
    Ok(())
}

fn is_hash(hash: &str) -> Result<(), Refused> {
    match gate_model::digest::read(hash) {
        Some(_) => Ok(()),
        None => Err((
            "is not an entry's hash: 'b3:' and 64 lower-case hexadecimal digits",
            "copy the line that gate-log init printed",
        )),
    }
}
