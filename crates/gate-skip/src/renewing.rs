//! Renewing an opt-out.

use gate_ledger::store::View;
use gate_model::payload::Ask;
use gate_model::principal::Principal;
use gate_workflow::renewal::{self, Words};

use crate::acting;
use crate::args::RenewArgs;
use crate::asking::{self, Asked, Wanted};
use crate::run::Skip;
use gate_cli::Stop;

/// The same again as an opt-out that was granted.
struct Again<'a> {
    id: &'a str,
    words: Words,
}

impl Wanted for Again<'_> {
    fn ask(&self, _: &Skip<'_>, _: &Principal, view: Option<&View<'_>>) -> Result<(String, Ask), Stop> {
        let view = view.ok_or_else(|| {
            Stop::usage(format!(
                "there is no ledger here in which to look for opt-out '{}'\nrenew it where its ledger is, or name that with --ledger",
                self.id
            ))
        })?;
        Ok(renewal::asked(view, self.id, &self.words)?)
    }
}

/// Asks for a renewal.
///
/// # Errors
/// A [`Stop`]; then nothing was decided.
pub(crate) fn renew(skip: &Skip<'_>, args: &RenewArgs) -> Result<Asked, Stop> {
    let about = || acting::told(skip, &args.id);
    let reason = skip.pen.reason(args.reason.as_deref(), about)?;
    let words = Words { reason, ticket: args.ticket.clone(), ttl: args.ttl };
    asking::put(skip, &Again { id: &args.id, words }, &args.signing, args.dry_run)
}
