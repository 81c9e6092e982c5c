//! The errors and warnings of a policy on stderr, each with its place and its remedy.

use gate_policy::Diagnostic;

use crate::io::Io;
use crate::message::{Place, diagnostic};

/// Tells every diagnostic of the policy `name`, whose text is `source`.
pub fn tell(io: &mut Io<'_>, tool: &str, name: &str, source: &str, diagnostics: &[Diagnostic], colour: bool) {
    for one in diagnostics {
        let place = Place { name, source, span: one.span.clone() };
        io.tell(&diagnostic(tool, &place, &one.message, one.help.as_deref(), colour));
    }
}
