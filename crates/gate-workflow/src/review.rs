//! Reviewing a break-glass grant: the debt that it leaves.

use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::Transaction;
use gate_model::JUDGE;
use gate_model::grant::{Grant, Status};
use gate_model::payload::{GrantData, ReviewData, ReviewVerdict, Verb};
use gate_policy::Subject;

use crate::admission::{TransactError, answer};
use crate::approval::Act;
use crate::debts::{self, Debt};
use crate::ending::marks;
use crate::ids;
use crate::policies::{self, Policies};
use crate::proving;
use crate::refusal::refuse;
use crate::workspace::Workspace;
use gate_judge::acts;
use gate_judge::policy_text::Loaded;
use gate_judge::records;

/// Records the reviewer's word, which settles the debt; a rejection ends the opt-out, too.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub fn review(workspace: &Workspace<'_>, act: &Act, verdict: ReviewVerdict) -> Result<Grant, TransactError> {
    workspace.transact(|transaction| {
        let (entry, data) = owing(transaction, &workspace.loaded, &act.id)?;
        let act = &proving::act(&workspace.loaded, transaction, act, &marks(&transaction.view(), &entry)?)?;
        let requester = records::actor(&entry)?;
        let name = entry.gate.clone().unwrap_or_default();
        let policy = &workspace.loaded.policy;
        policy.gate(&name)?;
        policies::ensure_recorded(transaction, (&workspace.loaded, workspace.repository()?), &act.by)?;
        let subject =
            Subject { gate: &name, ask: &data.ask, requester: &requester, approvers: &[], author: None };
        let may = acts::rule_of_review(policy, &name, data.rule)
            .and_then(|rule| gate_policy::may_review(policy, rule, act.actor(), subject));
        if let Err(reasons) = may {
            return refuse(workspace, transaction, &entry, (Verb::Review, act), reasons);
        }
        let seq = append(workspace, transaction, &entry, act, verdict)?;
        let word = if verdict == ReviewVerdict::Accepted { "accepted" } else { "rejected" };
        let reason = act.reason.clone().unwrap_or_default();
        let reasons = vec![format!("{word} by {}: {reason}", act.by.id)];
        let id = Some(records::id_of(&entry));
        Ok(Grant {
            id,
            by: Some(act.by.clone()),
            ..answer(Status::Reviewed, Some(&name), Some(seq), reasons)
        })
    })
}

/// The grant that `id` names, if it owes a review that nobody gave yet.
fn owing(
    transaction: &Transaction<'_>,
    today: &Loaded,
    id: &str,
) -> Result<(Entry, GrantData), TransactError> {
    let view = transaction.view();
    let first = records::id_of(&ids::find(&view, id)?);
    let life = view.life(first)?;
    let subject = |text: String| Err(TransactError::Subject(text));
    let start = view.entry(first)?;
    let Some(entry) = life.into_iter().chain(start).find(|entry| entry.kind == Kind::Grant) else {
        return subject(format!("entry {first} is not a grant"));
    };
    let data: GrantData = records::data(&entry)?;
    if data.owes.is_none() {
        return subject(format!("opt-out {first} owes no review"));
    }
    match debts::settled(&view, &mut Policies::default(), Some(today.trust()), Debt::new(entry))? {
        Ok(review) => subject(format!("opt-out {first} was reviewed at {}", review.at.to_second())),
        Err(debt) => Ok((debt.grant, data)),
    }
}

fn append(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    subject: &Entry,
    act: &Act,
    verdict: ReviewVerdict,
) -> Result<u64, TransactError> {
    let data = ReviewData {
        subject: subject.hash.to_string(),
        verdict,
        reason: act.reason.clone().unwrap_or_default(),
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
        context: act.context.clone(),
        statement: act.statement_value()?,
    };
    let id = Some(records::id_of(subject));
    let draft = records::draft(Kind::Review, subject.gate.as_deref(), id, &act.by, &data)?;
    Ok(transaction.append(&draft)?.seq)
}
