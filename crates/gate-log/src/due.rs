//! What waits for somebody, as a document or as tables.

use std::collections::BTreeSet;

use gate_cli::Io;
use gate_cli::options::Format;
use gate_cli::render::sheet::Tone;
use gate_cli::render::{self, Sheet, View};
use gate_ledger::store::Access;
use gate_model::exit::Exit;
use gate_model::principal::shown;
use gate_workflow::ownership::Unowned;
use gate_workflow::policy_source::PolicyError;
use gate_workflow::reading::due::{self, Due, Ending, Idle, Owed, Remedy, Waiting};
use gate_workflow::workspace::Workspace;

use crate::session::{Found, Log};
use gate_cli::Stop;

/// Shows what is due; with `within` that which has its end within so many seconds.
///
/// # Errors
/// A [`Stop`].
pub(crate) fn show(
    log: &Log<'_>,
    within: Option<u64>,
    unneeded_after: Option<u64>,
    io: &mut Io<'_>,
) -> Result<Exit, Stop> {
    let found = match log.find() {
        // Where git cannot say whose policy it is, nothing is promised by it, and what waits is in the ledger.
        Err(PolicyError::Unowned(Unowned::Facts(_))) => {
            Found::Policy(Box::new(Workspace::unguarded(log.place())?))
        }
        found => found?,
    };
    let ledger = found.open(Access::Read)?;
    let today = found.today().unwrap_or_else(|error| {
        let text = format!(
            "goes by the policies that the ledger holds: {error}\nmend the checkout to have its own policy count"
        );
        log.session.warn(io, &text);
        None
    });
    let unneeded_after = unneeded_after.unwrap_or(due::UNNEEDED_AFTER);
    let due = due::read(&ledger, today, log.session.now(), within, unneeded_after)?;
    let text = match log.session.format(io) {
        Format::Text => {
            render::page(&sheet(&due, &log.session.view(io)), Format::Text, &log.session.view(io))
        }
        _ => render::json(&due) + "\n",
    };
    io.show(&text);
    log.session.summary(io, &summary(&due));
    Ok(if within.is_some() && !is_empty(&due) { Exit::Negative } else { Exit::Proceed })
}

/// Whether nobody has anything to do. An entry that cannot be read is something.
fn is_empty(due: &Due) -> bool {
    due.requests.is_empty() && due.reviews.is_empty() && due.ending.is_empty() && due.unreadable.is_empty()
}

fn summary(due: &Due) -> String {
    let overdue = due.reviews.iter().filter(|review| review.overdue).count();
    let overdue = if overdue > 0 { format!(" ({overdue} overdue)") } else { String::new() };
    let unneeded = due.unneeded.len();
    let unneeded = if unneeded > 0 {
        format!("; {} not needed", render::count(unneeded, "waiver"))
    } else {
        String::new()
    };
    format!(
        "{} for approval; {} owed{overdue}; {} soon to end{unneeded}",
        render::count(due.requests.len(), "request"),
        render::count(due.reviews.len(), "review"),
        render::count(due.ending.len(), "opt-out"),
    )
}

/// The gates' names as they are told apart, by the repositories where there are several.
struct Gates {
    are_several: bool,
}

impl Gates {
    fn of(due: &Due) -> Self {
        let requests = due.requests.iter().map(|one| &one.repository);
        let reviews = due.reviews.iter().map(|one| &one.repository);
        let ending = due.ending.iter().map(|one| &one.repository);
        let idle = due.unneeded.iter().map(|one| &one.repository);
        let names: BTreeSet<_> = requests.chain(reviews).chain(ending).chain(idle).collect();
        Self { are_several: names.len() > 1 }
    }

    fn name(&self, gate: &str, repository: Option<&str>) -> String {
        match repository {
            Some(repository) if self.are_several => format!("{gate} of {repository}"),
            _ => gate.to_owned(),
        }
    }
}

fn sheet(due: &Due, view: &View) -> Sheet {
    let nothing =
        due.requests.is_empty() && due.reviews.is_empty() && due.ending.is_empty() && due.unneeded.is_empty();
    let overdue = due.reviews.iter().any(|review| review.overdue);
    let tone = if overdue {
        Tone::Bad
    } else if nothing {
        Tone::Good
    } else {
        Tone::Notable
    };
    let mut sheet = Sheet::new(if nothing { "nothing is due" } else { "due" }, tone);
    let gates = &Gates::of(due);
    let rows = due.requests.iter().map(|request| request_row(request, gates, view)).collect();
    sheet.table(
        "Requests that wait for approval",
        &["id", "gate", "action", "by", "lapses", "missing", "from", "reason"],
        rows,
    );
    sheet.list("What they would accept", accepted(due));
    let rows = due.reviews.iter().map(|review| review_row(review, gates, view)).collect();
    sheet.table("Reviews that are owed", &["id", "gate", "action", "by", "deadline", "from", "reason"], rows);
    let rows = due.ending.iter().map(|ending| ending_row(ending, gates, view)).collect();
    sheet.table("Opt-outs that end soon", &["id", "gate", "action", "by", "ends", "reason"], rows);
    let rows = due.unneeded.iter().map(|idle| idle_row(idle, gates, view)).collect();
    sheet.table(
        "Waivers that nothing needs",
        &["id", "gate", "by", "ends", "decisions without it", "accepts", "reason"],
        rows,
    );
    sheet.list(
        "Cannot be read",
        due.unreadable.iter().map(|one| format!("entry {}: {}", one.seq, one.reason)).collect(),
    );
    sheet.commands("What to do", commands(due));
    sheet
}

/// The findings behind each waiver that waits, so that nobody approves what they have not seen.
fn accepted(due: &Due) -> Vec<String> {
    let of = |request: &Waiting| {
        let id = request.id;
        request.findings.iter().map(move |finding| format!("request {id}: {finding}")).collect::<Vec<_>>()
    };
    due.requests.iter().flat_map(of).collect()
}

fn commands(due: &Due) -> Vec<(String, String)> {
    let line = |purpose: String, remedy: &Remedy| (purpose, gate_model::quote::command(&remedy.argv));
    let requests = due.requests.iter().map(|one| line(format!("approve request {}", one.id), &one.remedy));
    let reviews = due.reviews.iter().map(|one| line(format!("review opt-out {}", one.id), &one.remedy));
    let ending = due.ending.iter().map(|one| line(format!("ask for opt-out {} again", one.id), &one.remedy));
    let idle = due.unneeded.iter().map(|one| line(format!("end waiver {}", one.id), &one.remedy));
    requests.chain(reviews).chain(ending).chain(idle).collect()
}

fn request_row(request: &Waiting, gates: &Gates, view: &View) -> Vec<String> {
    let from = request.note.clone().unwrap_or_else(|| request.from.join(", "));
    vec![
        request.id.to_string(),
        gates.name(&request.gate, request.repository.as_deref()),
        request.action.to_string(),
        shown(&request.by).to_owned(),
        render::ends(request.lapses, view.now),
        format!("{} of {}", request.missing, request.needed),
        from,
        request.reason.clone(),
    ]
}

fn review_row(review: &Owed, gates: &Gates, view: &View) -> Vec<String> {
    let overdue = if review.overdue { "overdue: " } else { "" };
    let from = review.note.clone().unwrap_or_else(|| review.from.join(", "));
    vec![
        review.id.to_string(),
        gates.name(&review.gate, review.repository.as_deref()),
        review.action.to_string(),
        shown(&review.by).to_owned(),
        format!("{overdue}{}", render::ends(review.deadline, view.now)),
        from,
        review.reason.clone(),
    ]
}

fn idle_row(idle: &Idle, gates: &Gates, view: &View) -> Vec<String> {
    let accepts: Vec<String> = idle.findings.iter().map(ToString::to_string).collect();
    vec![
        idle.id.to_string(),
        gates.name(&idle.gate, idle.repository.as_deref()),
        shown(&idle.by).to_owned(),
        render::ends(idle.expires, view.now),
        idle.decisions.to_string(),
        accepts.join("; "),
        idle.reason.clone(),
    ]
}

fn ending_row(ending: &Ending, gates: &Gates, view: &View) -> Vec<String> {
    vec![
        ending.id.to_string(),
        gates.name(&ending.gate, ending.repository.as_deref()),
        ending.action.to_string(),
        shown(&ending.by).to_owned(),
        render::ends(ending.expires, view.now),
        ending.reason.clone(),
    ]
}
