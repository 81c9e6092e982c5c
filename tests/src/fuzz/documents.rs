//! Signed documents that come from elsewhere: requests, statements, an owner's word on a policy.

use gate_judge::ownership::Endorsement;
use gate_judge::signatures::signed_bytes;
use gate_judge::statement::Statement;
use gate_ledger::profile;
use gate_model::request::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::assert_message;

/// `gate.request/1`.
pub fn request(data: &[u8]) {
    document::<Request>(data, |request, signature| request.signature = signature);
}

/// `gate.statement/1`: an approval, a rejection, a revocation, a review.
pub fn statement(data: &[u8]) {
    document::<Statement>(data, |statement, signature| statement.signature = signature);
}

/// `gate.policy/1`: what `gate.toml.sig` holds.
pub fn endorsement(data: &[u8]) {
    document::<Endorsement>(data, |endorsement, signature| endorsement.signature = signature);
}

/// What is signed is canonical, does not depend on the signature, and says all that the document says.
fn document<T>(data: &[u8], sign: fn(&mut T, Option<String>))
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let value = match profile::parse(data) {
        Ok(value) => value,
        Err(error) => return assert_message(&error),
    };
    let mut document: T = match serde_json::from_value(value) {
        Ok(document) => document,
        // Serde quotes the text: whoever shows the message makes it inert.
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    sign(&mut document, None);
    let signed = signed_bytes(&document).expect("what was read within the profile can be written in it");
    assert_eq!(profile::check_canonical(&signed), Ok(()));
    let again = profile::parse(&signed).expect("what is signed can be read");
    assert_eq!(serde_json::from_value::<T>(again).expect("as the same document"), document);
    sign(&mut document, Some("-----BEGIN SSH SIGNATURE-----".to_owned()));
    assert_eq!(signed_bytes(&document), Ok(signed), "the signature signs itself");
}
