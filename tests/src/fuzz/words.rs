//! Instants and durations, as people and documents write them.

use gate_model::time::{MAX_SECONDS, Timestamp, format_duration, parse_duration};
use gate_workflow::reading::filter::When;

use super::text;

/// An instant has one writing of one length, which reads back as itself and sorts as the instants do.
pub fn time(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(time) = Timestamp::parse(text) else { return assert_named(text) };
    let written = time.to_string();
    assert_eq!(written.len(), 27, "{written}");
    assert_eq!(Timestamp::parse(&written), Ok(time), "{text}");
    let later = time.plus(1).map(|later| later.to_string());
    assert!(later.is_none_or(|later| later > written), "{written} does not sort");
    assert!(time.minus(1) <= time);
}

/// A duration is bounded, and what is written of it means as much.
pub fn duration(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(seconds) = parse_duration(text) else { return assert_named(text) };
    assert!((1..=MAX_SECONDS).contains(&seconds), "{text}: {seconds}");
    assert_eq!(parse_duration(&format_duration(seconds)), Ok(seconds), "{text}");
    let now = super::instant("2026-11-22T12:00:00Z");
    assert_eq!(When::parse(text).map(|when| when.from(now)), Ok(now.minus(seconds)));
}

/// What is neither gets an error with words, whoever reads it.
fn assert_named(text: &str) {
    if let Err(error) = When::parse(text) {
        assert!(!error.to_string().is_empty());
    }
}
