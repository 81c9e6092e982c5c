//! A commit object, read from its own bytes: which one it is, what it says, and the signature that it carries.
//!
//! ```text
//! tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904       what is hashed for the id: "commit <size>\0" and all of it
//! parent 1111111111111111111111111111111111111111     what is signed: all of it but the header gpgsig
//! author A <a@example.com> 1795000000 +0000           (gpgsig-sha256 in a repository with SHA-256)
//! committer A <a@example.com> 1795000000 +0000
//! gpgsig -----BEGIN SSH SIGNATURE-----                each further line of a header begins with a space
//!  U1NIU0lH…
//!  -----END SSH SIGNATURE-----
//!                                                     a blank line, then the message
//! ```
//!
//! Invariants: the id and the message come from the same bytes, and whoever holds these can compute both. A commit that
//! could be read in two ways is refused: two signatures, a signature for the other kind of hash, another encoding.
//!
//! Not here: whose key it is, and what they may do.

use gate_model::text::{is_refused, unfit_in_name};
use gate_model::time::Timestamp;

use super::{is_object_id, object_id};

/// The longest commit that is read, in bytes: one with a certificate's signature and some pages of message.
pub const MAX_COMMIT: usize = 64 * 1024;

const BLANK: &str = "\n\n";
const SSH: &str = "-----BEGIN SSH SIGNATURE-----";

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Its id.
    pub id: String,
    /// The e-mail address of the committer, where it is one plain word: a claim, as all of this is until it is verified.
    pub committer: Option<&'a str>,
    /// The id that it would have without its signature: of many signatures over the same commit each gives it another
    /// [`Commit::id`], and anybody can write one of them in other words.
    pub unsigned_id: String,
    /// When it was made, as the committer's clock had it.
    pub committed: Timestamp,
    /// Its message.
    pub message: &'a str,
    /// The bytes that a signature covers.
    pub payload: String,
    signature: Option<String>,
}

/// Why a commit is not read, or signs nothing: a sentence's end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// It is too long.
    #[error("is {0} bytes long, and at most {MAX_COMMIT} are read")]
    TooLong(usize),
    /// It is not laid out as a commit.
    #[error("is not laid out as a commit: {0}")]
    Shape(&'static str),
    /// The ledger cannot hold it.
    #[error("holds the character U+{0:04X}, which no entry can hold")]
    Character(u32),
    /// Its encoding is another one.
    #[error("is not in UTF-8, as its header 'encoding' says")]
    Encoding,
    /// Nobody signed it.
    #[error("is not signed\nsign it with an SSH key: git config gpg.format ssh, then git commit --amend -S")]
    Unsigned,
    /// It is signed in another way.
    #[error("is not signed with an SSH key\nset git config gpg.format ssh, then: git commit --amend -S")]
    NotSsh,
}

impl<'a> Commit<'a> {
    /// Reads the bytes of a commit object.
    ///
    /// # Errors
    /// A [`CommitError`].
    pub fn parse(object: &'a str) -> Result<Self, CommitError> {
        if object.len() > MAX_COMMIT {
            return Err(CommitError::TooLong(object.len()));
        }
        if let Some(refused) = object.chars().find(|c| is_refused(*c)) {
            return Err(CommitError::Character(u32::from(refused)));
        }
        let end = object.find(BLANK).ok_or(CommitError::Shape("no blank line ends its header"))?;
        let headers = Header::all(&object[..=end])?;
        let (tree, committer) = in_order(&headers)?;
        if headers.iter().any(|header| header.name == "encoding") {
            return Err(CommitError::Encoding);
        }
        let id = object_id(tree, "commit", object.as_bytes()).ok_or(CommitError::Shape("its tree"))?;
        let (kept, signature) = parted(&headers, tree)?;
        let payload = format!("{kept}{}", &object[end + 1..]);
        let unsigned_id =
            object_id(tree, "commit", payload.as_bytes()).ok_or(CommitError::Shape("its tree"))?;
        Ok(Self {
            id,
            unsigned_id,
            committer: email(committer),
            committed: instant(committer).ok_or(CommitError::Shape("the time of its committer"))?,
            message: &object[end + BLANK.len()..],
            payload,
            signature,
        })
    }

    /// The armored SSH signature over [`Commit::payload`].
    ///
    /// # Errors
    /// [`CommitError::Unsigned`] or [`CommitError::NotSsh`].
    pub fn signature(&self) -> Result<&str, CommitError> {
        let signature = self.signature.as_deref().ok_or(CommitError::Unsigned)?;
        if signature.starts_with(SSH) { Ok(signature) } else { Err(CommitError::NotSsh) }
    }
}

/// One header with the lines that go on from it, as they stand.
struct Header<'a> {
    name: &'a str,
    /// Behind the name.
    value: &'a str,
    /// With its line feeds.
    raw: &'a str,
}

impl<'a> Header<'a> {
    fn all(text: &'a str) -> Result<Vec<Self>, CommitError> {
        let mut starts: Vec<usize> = vec![0];
        let later = text.match_indices('\n').map(|(at, _)| at + 1);
        starts.extend(later.filter(|at| text.as_bytes().get(*at) != Some(&b' ')));
        let each = starts.windows(2).map(|pair| &text[pair[0]..pair[1]]);
        let read = each.map(|raw| {
            let (name, value) = raw.trim_end_matches('\n').split_once(' ')?;
            (!name.is_empty()).then_some(Self { name, value, raw })
        });
        read.collect::<Option<_>>().ok_or(CommitError::Shape("a header without a value"))
    }

    fn unfolded(&self) -> String {
        self.value.replace("\n ", "\n")
    }
}

/// The tree's id and the committer's line of headers that stand as git writes them: `tree`, `parent`…, `author`,
/// `committer`, none of them again among the rest.
fn in_order<'a>(headers: &[Header<'a>]) -> Result<(&'a str, &'a str), CommitError> {
    let mut rest = headers.iter().peekable();
    let tree = rest.next().filter(|header| header.name == "tree" && is_object_id(header.value));
    let tree = tree.ok_or(CommitError::Shape("its first header is no tree"))?.value;
    while let Some(parent) = rest.next_if(|header| header.name == "parent") {
        if !is_object_id(parent.value) || parent.value.len() != tree.len() {
            return Err(CommitError::Shape("a parent"));
        }
    }
    let mut next =
        |name: &str| rest.next().filter(|header| header.name == name && !header.value.contains('\n'));
    next("author").ok_or(CommitError::Shape("no author follows its parents"))?;
    let committer = next("committer").ok_or(CommitError::Shape("no committer follows its author"))?.value;
    let first = ["tree", "parent", "author", "committer"];
    if rest.any(|header| first.contains(&header.name)) {
        return Err(CommitError::Shape("a header stands twice"));
    }
    Ok((tree, committer))
}

/// The headers without the signature, and the signature.
fn parted(headers: &[Header<'_>], tree: &str) -> Result<(String, Option<String>), CommitError> {
    let own = if tree.len() == 40 { "gpgsig" } else { "gpgsig-sha256" };
    let (signatures, kept): (Vec<_>, Vec<_>) =
        headers.iter().partition(|header| header.name.starts_with("gpgsig"));
    if signatures.len() > 1 || signatures.iter().any(|header| header.name != own) {
        return Err(CommitError::Shape("it has a signature beside that of its own kind of hash"));
    }
    let kept = kept.iter().map(|header| header.raw).collect();
    Ok((kept, signatures.first().map(|header| header.unfolded())))
}

/// The instant of a line `Name <e-mail> seconds zone`.
fn instant(line: &str) -> Option<Timestamp> {
    let (_, rest) = line.rsplit_once("> ")?;
    let (seconds, _zone) = rest.split_once(' ')?;
    let plain = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = seconds.parse().ok().filter(|_| plain)?;
    Timestamp::new(chrono::DateTime::from_timestamp(seconds, 0)?)
}

/// The e-mail address in a line `Name <e-mail> seconds zone` of a commit: what stands between the first `<` and the last
/// `>`. `None` where it is empty or not one plain word.
pub fn email(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('<')?;
    let (email, _) = rest.rsplit_once('>')?;
    let plain = !email.is_empty() && unfit_in_name(email).is_none() && !email.contains(char::is_whitespace);
    plain.then_some(email)
}

#[cfg(test)]
mod tests {
    use super::{Commit, CommitError, MAX_COMMIT, email};

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    const PEOPLE: &str = "author A <a@x> 1 +0000\ncommitter B <b@x> 1795000000 +0100\n";
    const SIGNED: &str = "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n";

    #[test]
    fn what_is_signed_is_all_but_the_signature() {
        let text = format!("{TREE}{PEOPLE}{SIGNED}extra 1\n 2\n\nTitle\n\ngpgsig in the body\n");
        let commit = Commit::parse(&text).unwrap();
        assert_eq!(commit.payload, format!("{TREE}{PEOPLE}extra 1\n 2\n\nTitle\n\ngpgsig in the body\n"));
        assert_eq!(
            commit.signature(),
            Ok("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----")
        );
        assert_eq!((commit.committer, commit.message), (Some("b@x"), "Title\n\ngpgsig in the body\n"));
        assert_eq!(commit.committed.to_string(), "2026-11-18T11:06:40.000000Z");
    }

    #[test]
    fn an_unsigned_commit_has_the_id_that_git_gives() {
        // printf '%s' TEXT | git hash-object -t commit --stdin
        let text = format!("{TREE}{PEOPLE}\nTitle\n");
        let commit = Commit::parse(&text).unwrap();
        assert_eq!(commit.id, "3b5e93a3ed7d55dccfa89a08514497f74eb644e6");
        assert_eq!(commit.signature(), Err(CommitError::Unsigned));
        assert_eq!(commit.payload, text);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_commit() {
        let pgp = format!("{TREE}{PEOPLE}gpgsig -----BEGIN PGP SIGNATURE-----\n x\n\nT\n");
        assert_eq!(Commit::parse(&pgp).unwrap().signature(), Err(CommitError::NotSsh));
        let other = SIGNED.replace("gpgsig", "gpgsig-sha256");
        for text in [
            String::new(),
            format!("{TREE}{PEOPLE}"),
            format!("{TREE}{PEOPLE}{SIGNED}{SIGNED}\nT\n"),
            format!("{TREE}{PEOPLE}{other}\nT\n"),
            format!("{TREE}{PEOPLE}{SIGNED}{other}\nT\n"),
            format!("{TREE}{PEOPLE}{PEOPLE}\nT\n"),
            format!("{TREE}{PEOPLE}{TREE}\nT\n"),
            format!("{PEOPLE}{TREE}\nT\n"),
            format!("{TREE}parent 11\n{PEOPLE}\nT\n"),
            format!("{TREE}parent {}\n{PEOPLE}\nT\n", "1".repeat(64)),
            format!("{TREE}author A <a@x> 1 +0000\ncommitter B <b@x> -1 +0100\n\nT\n"),
            format!("{TREE}{PEOPLE}lonely\n\nT\n"),
            format!(" {TREE}{PEOPLE}\nT\n"),
        ] {
            assert!(matches!(Commit::parse(&text), Err(CommitError::Shape(_))), "{text:?}");
        }
        let latin = format!("{TREE}{PEOPLE}encoding ISO-8859-1\n\nT\n");
        assert_eq!(Commit::parse(&latin), Err(CommitError::Encoding));
        let escape = format!("{TREE}{PEOPLE}\nT\u{1b}\n");
        assert_eq!(Commit::parse(&escape), Err(CommitError::Character(0x1b)));
        let huge = format!("{TREE}{PEOPLE}\n{}", "x".repeat(MAX_COMMIT));
        assert!(matches!(Commit::parse(&huge), Err(CommitError::TooLong(_))));
    }

    #[test]
    fn an_address_is_one_plain_word() {
        assert_eq!(email("A B <a@example.com> 1 +0000"), Some("a@example.com"));
        for line in
            ["A <> 1 +0000", "A", "A <a b> 1 +0000", "A <a\u{1b}[0m> 1 +0000", "A <a\u{200d}@x> 1 +0000"]
        {
            assert_eq!(email(line), None, "{line:?}");
        }
    }
}
