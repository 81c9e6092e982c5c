//! Reading a note: C2SP signed-note, section "Format".

use super::line::{self, find_control, is_key_name};
use super::{MAX_BYTES, MAX_SIGNATURES, Note, NoteError, Signature};

/// Reads a note. Nothing is verified: see [`Note::verify`].
///
/// # Errors
/// The first defect, with its place; see the module's documentation for the format.
pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
    if bytes.len() > MAX_BYTES {
        return Err(NoteError::TooLarge(bytes.len()));
    }
    let whole = std::str::from_utf8(bytes).map_err(|error| NoteError::NotUtf8(error.valid_up_to()))?;
    if let Some((offset, byte)) = find_control(whole) {
        return Err(NoteError::Control { offset, byte });
    }
    let split = whole.rfind("\n\n").ok_or(NoteError::Unsigned)?;
    let (text, block) = (&whole[..=split], &whole[split + 2..]);
    if block.is_empty() {
        return Err(NoteError::Unsigned);
    }
    let block = block.strip_suffix('\n').ok_or(NoteError::Unterminated)?;
    // The first signature stands on the line after the text's lines and the empty one.
    let first = text.matches('\n').count() + 2;
    let lines = block.split('\n').enumerate().map(|(n, line)| (first + n, line));
    if lines.clone().count() > MAX_SIGNATURES {
        return Err(NoteError::TooManySignatures);
    }
    let signatures = lines.map(|(number, line)| parse_signature(number, line)).collect::<Result<_, _>>()?;
    Ok(Note { text: text.to_owned(), signatures })
}

/// Reads line `number`, without its newline.
fn parse_signature(number: usize, text: &str) -> Result<Signature, NoteError> {
    let rest = text.strip_prefix("— ").ok_or(NoteError::NotASignature { line: number })?;
    let (name, encoded) = rest.split_once(' ').ok_or(NoteError::Name { line: number })?;
    if !is_key_name(name) {
        return Err(NoteError::Name { line: number });
    }
    let bytes = line::base64(encoded).map_err(|defect| NoteError::Signature { line: number, defect })?;
    match bytes.split_first_chunk::<4>() {
        Some((id, signature)) if !signature.is_empty() => {
            Ok(Signature { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: signature.to_vec() })
        }
        _ => Err(NoteError::ShortSignature { line: number }),
    }
}
