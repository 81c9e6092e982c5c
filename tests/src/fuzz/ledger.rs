//! The ledger's JSON: one entry, and a stream of them.

use gate_ledger::entry::{Entry, EntryHash, hash, write_line};
use gate_ledger::profile;
use gate_ledger::verify::{EachEntry, Options, Outcome, VerifyError, json_lines};

use super::assert_message;

/// The profile's three doors agree with each other and with another reader of JSON; an entry is its bytes.
pub fn entry(data: &[u8]) {
    let is_canonical = profile::check_canonical(data);
    match profile::parse(data) {
        Ok(value) => {
            let other: serde_json::Value = serde_json::from_slice(data).expect("JSON for everybody else");
            assert_eq!(value, other, "another reader sees another value");
            let written = profile::canonical(&value).expect("what was read can be written");
            assert_eq!(is_canonical.is_ok(), written.as_bytes() == data, "{is_canonical:?}");
            assert_eq!(profile::check_canonical(written.as_bytes()), Ok(()));
            assert_eq!(profile::parse(written.as_bytes()), Ok(value));
        }
        Err(error) => {
            assert!(error.offset <= data.len(), "{error:?}");
            assert_message(&error);
            assert!(is_canonical.is_err(), "canonical, and not in the profile");
        }
    }
    match Entry::from_body(data) {
        Ok(entry) => {
            assert!(is_canonical.is_ok(), "an entry that is not canonical");
            assert_eq!((entry.body.as_bytes(), entry.hash), (data, hash(data)));
        }
        Err(error) => assert_message(&error),
    }
}

/// A good stream, written again, is as good; one changed byte in any line of it is found.
pub fn export(data: &[u8]) {
    let mut bodies = Vec::new();
    let Some(outcome) = verified(data, &mut bodies) else { return };
    // Entries behind a gap are seen before it is known whether an archive accounts for the gap.
    assert!(outcome.entries <= bodies.len() as u64, "each good entry is seen");
    assert!(!outcome.is_good() || outcome.entries == bodies.len() as u64, "a good stream is seen as it is");
    let Some(head) = outcome.head.filter(|_| outcome.is_good()) else { return };
    let lines = written(&bodies);
    let again = verified(&lines, &mut Vec::new()).expect("an export of what was good");
    assert_eq!((again.head, again.is_good()), (Some(head), true));
    assert!(again.warnings.iter().all(|warning| warning.code == "clock-back"), "{:?}", again.warnings);
    // The place and the kind of the change follow from the input, so that a seed always shows the same.
    let place = data.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    for (round, flip) in [0x01, 0x20, 0x80].into_iter().enumerate() {
        let mut changed = lines.clone();
        let at = place.wrapping_add(round * 97) % changed.len();
        if changed[at] != b'\n' {
            changed[at] ^= flip;
            assert_found(&changed, head, at);
        }
    }
}

fn verified(mut stream: &[u8], bodies: &mut Vec<(Vec<u8>, EntryHash)>) -> Option<Outcome> {
    let mut each = EachEntry(|seen: gate_ledger::verify::Seen<'_>| {
        assert_eq!(hash(seen.body), seen.hash, "seen without having been hashed");
        bodies.push((seen.body.to_vec(), seen.hash));
    });
    let outcome = json_lines(&mut stream, &Options::default(), &mut each);
    match &outcome {
        Ok(Outcome { first_bad: Some(bad), .. }) => assert_message(&bad.reason),
        Err(error) => assert_message(error),
        Ok(_) => {}
    }
    outcome.ok()
}

fn written(bodies: &[(Vec<u8>, EntryHash)]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (body, hash) in bodies {
        write_line(&mut lines, body, *hash);
        lines.push(b'\n');
    }
    lines
}

fn assert_found(mut changed: &[u8], head: (u64, EntryHash), at: usize) {
    let outcome: Result<Outcome, VerifyError> = json_lines(&mut changed, &Options::default(), &mut ());
    if let Ok(outcome) = outcome {
        assert!(
            !outcome.is_good() || outcome.head != Some(head),
            "byte {at} was changed, and nothing was found"
        );
    }
}
