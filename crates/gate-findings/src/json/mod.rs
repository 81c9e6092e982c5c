//! JSON read as a stream (RFC 8259): big documents element by element, small values whole.
//!
//! [`cursor::Cursor`] walks objects and arrays that may be larger than memory and hands out the values in them as
//! slices of the window, which `serde_json` parses and so checks. Nesting is counted over the whole document.
//! Members of the objects that the cursor walks are unique: a second one would let two readers of the same
//! report see two reports.

pub(crate) mod cursor;
pub(crate) mod detect;
mod field;
mod scan;
pub(crate) mod wire;
