//! The line with which a commit asks for an opt-out.

use gate_judge::trailer::{KEY, Wanted};
use gate_policy::Gate;
use gate_workflow::wish::Wish;

use gate_cli::Stop;

/// The trailer that asks for `wish`, as one line.
///
/// # Errors
/// A [`Stop`] where no trailer can: the gate takes none, or not all of it would be read back.
pub(crate) fn line(gate: &Gate, wish: Wish) -> Result<String, Stop> {
    if !gate.takes_trailers() {
        return Err(Stop::usage(format!(
            "gate '{}' takes no requests in commits\nthe policy would let it with trailers = true",
            wish.gate
        )));
    }
    if !wish.evidence.is_empty() {
        let text = "a decision's findings do not fit into a trailer\nname them: --waive rule=ID,path=GLOB";
        return Err(Stop::usage(text));
    }
    let wanted = Wanted {
        gate: wish.gate,
        action: wish.action,
        reason: wish.reason,
        ticket: wish.ticket,
        ttl: wish.ttl,
        uses: wish.uses,
        matches: wish.matches,
        break_glass: wish.break_glass,
        by: None,
    };
    let line = wanted.to_string();
    let read = line.split_once(": ").map(|(_, value)| Wanted::parse(value));
    if read == Some(Ok(wanted)) {
        return Ok(line);
    }
    Err(Stop::usage(format!(
        "this does not fit into the one line of a {KEY} trailer\nwrite the reason and the ticket as plain text on one line"
    )))
}
