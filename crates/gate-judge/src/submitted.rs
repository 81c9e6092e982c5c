//! What was signed elsewhere and is submitted here: who signed it, and what speaks against it whatever the rules say.

use gate_model::principal::Principal;
use gate_model::request::Request;
use gate_model::text::visible;
use gate_policy::Past;

use crate::lifting::Trust;
use crate::signatures::{self, Known, Unproven};

/// The ledger and the policy that a signed request must be for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// The ledger's id.
    pub ledger: &'a str,
    /// The digest of the policy in force.
    pub digest: &'a str,
}

/// What speaks against `request`, its signature and the rules aside: it is for something else, comes at the wrong time, or
/// was submitted before.
pub fn objections(past: &dyn Past, to: Addressee<'_>, request: &Request) -> Vec<String> {
    let mut objections = Vec::new();
    if past.took(&request.nonce) {
        objections.push("this request was submitted before; write a new one".to_owned());
    }
    let known = Known::of(past, request);
    objections.extend(signatures::objections(request, to.ledger, &known, to.digest, past.now()));
    objections
}

/// Who signed `request`, at the instant of its admission.
///
/// # Errors
/// Why the signature does not hold.
pub fn signer(past: &dyn Past, trust: Trust<'_>, request: &Request) -> Result<Principal, Unproven> {
    let interval = Known::of(past, request).interval(past.now());
    signatures::request_signer(request, &request.by, trust, interval)
}

/// Who asks, the signer, or the name that the document claims where its signature does not hold; and what speaks against
/// it whatever the rules say.
pub fn submitted(
    past: &dyn Past,
    to: Addressee<'_>,
    trust: Trust<'_>,
    request: &Request,
) -> (Principal, Vec<String>) {
    let mut objections = objections(past, to, request);
    let by = signer(past, trust, request).unwrap_or_else(|error| {
        objections.push(format!("the signature of this request does not hold: {error}"));
        Principal::claimed(&visible(&request.by))
    });
    (by, objections)
}
