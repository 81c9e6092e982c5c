//! Charts as SVG: bars and lines alone. Texts stand around them as HTML, so that they keep their size while a chart
//! is stretched to the page's width.

use gate_model::action::Action;
use gate_workflow::reading::report::Timeline;
use maud::{Markup, html};

/// The height of a chart in units of its own; so wide is a slot.
const HEIGHT: u64 = 100;
const SLOT: u64 = 10;
/// What is left free between two bars.
const GAP: u64 = 2;

/// Opt-outs granted in each slot of time, stacked by action.
pub(super) fn stacked(timeline: &Timeline) -> Markup {
    let top = nice(timeline.granted.iter().map(|counts| counts.iter().sum()).max().unwrap_or(0));
    let total: u64 = timeline.granted.iter().flatten().sum();
    let label = format!("{total} opt-outs granted, in slots of {}", slots(timeline.days));
    let bars = html! {
        @for (slot, counts) in timeline.granted.iter().enumerate() {
            @for (place, action) in Action::ALL.iter().enumerate().filter(|(place, _)| counts[*place] > 0) {
                (bar(slot, (counts[..place].iter().sum(), counts[place]), top, action.as_str()))
            }
        }
    };
    plot(timeline, top, &label, &bars)
}

/// Decisions that went past a gate in each slot of time.
pub(super) fn past(timeline: &Timeline) -> Markup {
    let top = nice(timeline.past.iter().copied().max().unwrap_or(0));
    let total: u64 = timeline.past.iter().sum();
    let label = format!("{total} decisions went past a gate, in slots of {}", slots(timeline.days));
    let bars = html! {
        @for (slot, count) in timeline.past.iter().enumerate().filter(|(_, count)| **count > 0) {
            (bar(slot, (0, *count), top, "past"))
        }
    };
    plot(timeline, top, &label, &bars)
}

/// The colours' meanings.
pub(super) fn legend() -> Markup {
    html! {
        ul.legend {
            @for action in Action::ALL {
                li { svg viewBox="0 0 1 1" aria-hidden="true" { rect class=(action.as_str()) width="1" height="1" {} } (action.as_str()) }
            }
        }
    }
}

/// A row's bars, as high as the row's own largest.
pub(super) fn spark(counts: &[u64]) -> Markup {
    let top = counts.iter().copied().max().unwrap_or(0).max(1);
    let total: u64 = counts.iter().sum();
    html! {
        @if total > 0 {
            svg viewBox=(view(counts.len())) preserveAspectRatio="none" role="img" aria-label=(format!("at most {top} in a slot")) {
                @for (slot, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                    (bar(slot, (0, *count), top, "skip"))
                }
            }
        }
    }
}

/// How long a slot is.
pub(super) fn slots(days: u64) -> String {
    match days {
        1 => "a day".to_owned(),
        7 => "a week".to_owned(),
        days => format!("{} weeks", days / 7),
    }
}

fn plot(timeline: &Timeline, top: u64, label: &str, bars: &Markup) -> Markup {
    let width = SLOT * timeline.starts.len() as u64;
    html! {
        div.plot {
            div.axis aria-hidden="true" { span { (top) } span { (top / 2) } span { "0" } }
            svg viewBox=(view(timeline.starts.len())) preserveAspectRatio="none" role="img" aria-label=(label) {
                @for y in [0, HEIGHT / 2] { line.grid x1="0" x2=(width) y1=(y) y2=(y) {} }
                (bars)
            }
            div.days aria-hidden="true" { @for start in marks(&timeline.starts) { span { (start) } } }
        }
    }
}

fn view(slots: usize) -> String {
    format!("0 0 {} {HEIGHT}", SLOT * slots.max(1) as u64)
}

/// The part of a bar that begins at `from` and stands for `count`, both of `top`.
fn bar(slot: usize, (from, count): (u64, u64), top: u64, class: &str) -> Markup {
    let scale = |value: u64| value * HEIGHT * 10 / top.max(1);
    let (bottom, height) = (scale(from), scale(from + count) - scale(from));
    let tenths = |value: u64| format!("{}.{}", value / 10, value % 10);
    let x = SLOT * slot as u64 + GAP / 2;
    html! {
        rect class=(class) x=(x) width=(SLOT - GAP) y=(tenths(HEIGHT * 10 - bottom - height)) height=(tenths(height)) {}
    }
}

/// The next number above `value` that halves into whole numbers and is easy to read: 2, 4, 10, 20, 40, 100, …
fn nice(value: u64) -> u64 {
    let mut decade = 1_u64;
    loop {
        for step in [2, 4, 6, 10] {
            let top = decade.saturating_mul(step);
            if top >= value {
                return top;
            }
        }
        decade = decade.saturating_mul(10);
    }
}

/// The first and the last day of a chart, and one in the middle where there is room.
fn marks(starts: &[String]) -> Vec<&str> {
    let (Some(first), Some(last)) = (starts.first(), starts.last()) else { return Vec::new() };
    match starts.len() {
        1 => vec![first],
        2..5 => vec![first, last],
        many => vec![first, &starts[many / 2], last],
    }
}

#[cfg(test)]
mod tests {
    use super::{bar, nice};

    #[test]
    fn the_top_of_a_chart_is_easy_to_read_and_above_every_bar() {
        let tops = [(0, 2), (2, 2), (3, 4), (5, 6), (7, 10), (11, 20), (55, 60), (61, 100), (101, 200)];
        for (value, top) in tops {
            assert_eq!(nice(value), top, "{value}");
        }
        assert!(nice(u64::MAX) > 0, "and it ends");
    }

    #[test]
    fn parts_of_a_bar_leave_no_gap() {
        let drawn = bar(1, (1, 1), 3, "waive").into_string();
        assert_eq!(drawn, r#"<rect class="waive" x="11" width="8" y="33.4" height="33.3"></rect>"#);
    }
}
