//! The bytes of the agent protocol: draft-miller-ssh-agent, sections 3.1, 3.5 and 3.6.
//!
//! ```text
//! uint32 length, byte type, contents          every message
//! 11                                          request for identities
//! 12  uint32 count, count * (string key, string comment)
//! 13  string key, string data, uint32 flags   request for a signature
//! 14  string signature                        = string "ssh-ed25519", string 64 bytes (RFC 8709, section 6)
//! 5                                           failure
//! ```

use std::io::{self, Read, Write};

use gate_identity::ssh::wire::{Wire, put_string};

use super::AgentError;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The longest reply that is read, as OpenSSH's own client does (`MAX_AGENT_REPLY_LEN`).
pub(super) const MAX_REPLY: u32 = 256 * 1024;
/// The most keys that an agent may list, as for OpenSSH (`MAX_AGENT_IDENTITIES`).
const MAX_KEYS: u32 = 2048;

/// A key that the agent lists. Its comment is for people, and a stranger's text; it is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The public key in its wire form, or a certificate.
    pub(super) blob: Vec<u8>,
}

/// The request for the list of keys.
pub(super) fn request_identities() -> Vec<u8> {
    vec![REQUEST_IDENTITIES]
}

/// The request for a signature over `message`; no flag has a meaning for Ed25519.
pub(super) fn sign_request(blob: &[u8], message: &[u8]) -> Vec<u8> {
    let mut request = vec![SIGN_REQUEST];
    put_string(&mut request, blob);
    put_string(&mut request, message);
    request.extend_from_slice(&0_u32.to_be_bytes());
    request
}

/// Sends `request` and reads one reply.
pub(super) fn exchange<S: Read + Write>(stream: &mut S, request: &[u8]) -> Result<Vec<u8>, AgentError> {
    let mut framed = Vec::with_capacity(request.len() + 4);
    put_string(&mut framed, request);
    stream.write_all(&framed).and_then(|()| stream.flush()).map_err(AgentError::Io)?;
    let mut length = [0_u8; 4];
    stream.read_exact(&mut length).map_err(AgentError::Io)?;
    let length = u32::from_be_bytes(length);
    if length == 0 || length > MAX_REPLY {
        return Err(AgentError::Length(length));
    }
    let mut reply = Vec::new();
    let read = stream.take(u64::from(length)).read_to_end(&mut reply).map_err(AgentError::Io)?;
    if u32::try_from(read) == Ok(length) {
        Ok(reply)
    } else {
        Err(AgentError::Io(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// The keys in a reply to [`request_identities`].
pub(super) fn identities(reply: &[u8]) -> Result<Vec<Identity>, AgentError> {
    let mut wire = contents(reply, IDENTITIES, "to list its keys")?;
    let count = wire.u32("number of keys")?;
    if count > MAX_KEYS {
        return Err(AgentError::TooManyKeys(count));
    }
    let mut found = Vec::new();
    for _ in 0..count {
        found.push(Identity { blob: wire.string("key")?.to_vec() });
        wire.string("comment")?;
    }
    wire.finish()?;
    Ok(found)
}

/// The Ed25519 signature in a reply to [`sign_request`].
pub(super) fn signature(reply: &[u8]) -> Result<[u8; 64], AgentError> {
    let mut wire = contents(reply, SIGN_RESPONSE, "to sign")?;
    let blob = wire.string("signature")?;
    wire.finish()?;
    let mut wire = Wire::new(blob);
    let kind = wire.string("signature type")?;
    let bytes = wire.string("signature's bytes")?;
    wire.finish()?;
    match <[u8; 64]>::try_from(bytes) {
        Ok(signature) if kind == b"ssh-ed25519" => Ok(signature),
        _ => Err(AgentError::Form),
    }
}

/// What follows the type of a reply, which must be `expected`. A failure says what was `refused`.
fn contents<'a>(reply: &'a [u8], expected: u8, refused: &'static str) -> Result<Wire<'a>, AgentError> {
    match reply.split_first() {
        Some((kind, rest)) if *kind == expected => Ok(Wire::new(rest)),
        Some((&FAILURE, _)) => Err(AgentError::Refused(refused)),
        Some((found, _)) => Err(AgentError::Unexpected { found: *found, expected }),
        None => Err(AgentError::Length(0)),
    }
}
