//! Approvals: recording them, and whether those in the ledger suffice.
//!
//! Invariants: whether somebody may approve is judged within the transaction that records it; an approval that a full
//! quota would make useless is refused, so that its giver can give it again.

use gate_judge::repository::Whose;
use gate_ledger::entry::{Entry, Kind};
use gate_ledger::store::Transaction;
use gate_model::JUDGE;
use gate_model::context::Context;
use gate_model::grant::{Approvals, Grant, Status};
use gate_model::payload::{ApprovalData, GrantData, RejectionData, RequestData, Verb};
use gate_model::principal::Principal;
use gate_policy::{Actor, Approval, AuthorizationRequest, Rule, Subject};

use crate::admission::{self, TransactError, answer, written};
use crate::history::{Counted, StoredPast};
use crate::ids;
use crate::policies;
use crate::proving;
use crate::refusal::refuse;
use crate::renewal;
use crate::workspace::Workspace;
use gate_judge::acts;
use gate_judge::life::{Life, Over};
use gate_judge::records;
use gate_judge::signatures::Mark;
use gate_judge::statement::Statement;

/// A person's act on something in the ledger.
#[derive(Debug, Clone)]
pub struct Act {
    /// The ID as the person wrote it.
    pub id: String,
    /// Who acts.
    pub by: Principal,
    /// Where.
    pub context: Context,
    /// Why.
    pub reason: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// The signed statement.
    pub statement: Option<Statement>,
    /// The e-mail address of the author of the commit that the opt-out is bound to, where it is known.
    pub author: Option<String>,
}

impl Act {
    /// Who acts, as the rules see it.
    pub fn actor(&self) -> Actor<'_> {
        let (reason, ticket) = (self.reason.as_deref(), self.ticket.as_deref());
        Actor { by: &self.by, context: &self.context, reason, ticket }
    }

    /// The statement as an entry carries it.
    ///
    /// # Errors
    /// A failure of serialisation.
    pub fn statement_value(&self) -> Result<Option<serde_json::Value>, serde_json::Error> {
        self.statement.as_ref().map(serde_json::to_value).transpose()
    }
}

/// A request that waits for approvals.
struct Waiting {
    entry: Entry,
    data: RequestData,
    requester: Principal,
    /// Who approved, in order, and in which entries.
    approvals: Vec<Principal>,
    seqs: Vec<u64>,
}

impl Waiting {
    fn gate(&self) -> &str {
        self.entry.gate.as_deref().unwrap_or_default()
    }
}

/// Records an approval, and the grant when it was the last one needed.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub fn approve(workspace: &Workspace<'_>, act: &Act) -> Result<Grant, TransactError> {
    workspace.transact(|transaction| {
        let (waiting, act) = &waiting_today(workspace, transaction, act)?;
        let rule = rule_today(workspace, waiting);
        let standing = rule.and_then(|rule| Ok((rule, may_approve(workspace, rule, waiting, act)?)));
        let (rule, standing) = match standing {
            Ok(found) => found,
            Err(reasons) => {
                return refuse(workspace, transaction, &waiting.entry, (Verb::Approve, act), reasons);
            }
        };
        let counted = match room(workspace, transaction, waiting, rule, &standing)? {
            Ok(counted) => counted,
            // The approval is not recorded: its giver can give it again when the quota has room.
            Err(reasons) => {
                return refuse(workspace, transaction, &waiting.entry, (Verb::Approve, act), reasons);
            }
        };
        let approval = append_approval(workspace, transaction, waiting, act)?;
        if standing.is_complete() {
            grant(workspace, transaction, waiting, rule, standing, &approval, &counted)
        } else {
            let (by, approvals) = (&waiting.requester, shown(rule, standing));
            let entry = Some(&waiting.entry);
            let document =
                admission::pending(workspace, (waiting.gate(), by), entry, &waiting.data, approvals);
            Ok(Grant { seq: Some(approval.seq), ..document })
        }
    })
}

/// Records a rejection, which ends the request.
///
/// # Errors
/// A [`TransactError`]; then nothing was recorded.
pub fn reject(workspace: &Workspace<'_>, act: &Act) -> Result<Grant, TransactError> {
    workspace.transact(|transaction| {
        let (waiting, act) = waiting_today(workspace, transaction, act)?;
        let (act, rule) = (&act, rule_today(workspace, &waiting));
        // Who approved before may still reject, so earlier approvals do not speak against a rejection.
        let alone = Waiting { approvals: Vec::new(), ..waiting };
        if let Err(reasons) = rule.and_then(|rule| may_approve(workspace, rule, &alone, act)) {
            return refuse(workspace, transaction, &alone.entry, (Verb::Reject, act), reasons);
        }
        let reason = act.reason.clone().unwrap_or_default();
        let seq = append_rejection(workspace, transaction, &alone, act, &reason)?;
        let reasons = vec![format!("{} rejected it: {reason}", act.by.id)];
        Ok(Grant {
            id: Some(alone.entry.seq),
            ..answer(Status::Denied, Some(alone.gate()), Some(seq), reasons)
        })
    })
}

/// The request that `act` names, and the act with whoever signed it.
fn waiting_today(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    act: &Act,
) -> Result<(Waiting, Act), TransactError> {
    let waiting = waiting(transaction, &act.id)?;
    let act = proving::act(&workspace.loaded, transaction, act, &[Mark::of(&waiting.entry)])?;
    policies::ensure_recorded(transaction, (&workspace.loaded, workspace.repository()?), &act.by)?;
    Ok((waiting, act))
}

/// The rule that today's policy has for a request, or why it has none.
fn rule_today<'p>(workspace: &'p Workspace<'_>, waiting: &Waiting) -> Result<&'p Rule, Vec<String>> {
    acts::rule_of_request(&workspace.loaded.policy, waiting.gate(), &waiting.data, &waiting.requester)
}

fn may_approve(
    workspace: &Workspace<'_>,
    rule: &Rule,
    waiting: &Waiting,
    act: &Act,
) -> Result<Approval, Vec<String>> {
    let subject = Subject {
        gate: waiting.gate(),
        ask: &waiting.data.ask,
        requester: &waiting.requester,
        approvers: &waiting.approvals,
        author: act.author.as_deref(),
    };
    gate_policy::may_approve(&workspace.loaded.policy, rule, act.actor(), subject)
}

fn waiting(transaction: &Transaction<'_>, id: &str) -> Result<Waiting, TransactError> {
    let view = transaction.view();
    let entry = ids::find(&view, id)?;
    let subject = |text: String| Err(TransactError::Subject(text));
    if entry.kind != Kind::Request {
        return subject(format!(
            "entry {} is a {}, not a request that waits",
            entry.seq,
            entry.kind.as_str()
        ));
    }
    let life = view.life(entry.seq)?;
    let data: RequestData = records::data(&entry)?;
    match Life::of(&entry, &life).waits(transaction.now()) {
        Ok(()) => {}
        Err(Over::By(end)) => {
            let (seq, end, at) = (entry.seq, end.kind.as_str(), end.at.to_second());
            return subject(format!("request {seq} waits no longer: it ended with a {end} at {at}"));
        }
        Err(Over::Since(at)) => {
            return subject(format!("request {} lapsed at {}; ask again", entry.seq, at.to_second()));
        }
    }
    let requester = records::actor(&entry)?;
    let given = life.into_iter().filter(|later| later.kind == Kind::Approval);
    let (seqs, approvals) = given
        .map(|later| Ok((later.seq, records::actor(&later)?)))
        .collect::<Result<_, records::Malformed>>()?;
    Ok(Waiting { entry, data, requester, approvals, seqs })
}

fn append_rejection(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    waiting: &Waiting,
    act: &Act,
    reason: &str,
) -> Result<u64, TransactError> {
    let data = RejectionData {
        subject: waiting.entry.hash.to_string(),
        reason: reason.to_owned(),
        reasons: vec![reason.to_owned()],
        author: act.author.clone(),
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
        context: act.context.clone(),
        statement: act.statement_value()?,
    };
    let draft = records::draft(Kind::Denial, Some(waiting.gate()), Some(waiting.entry.seq), &act.by, &data)?;
    Ok(transaction.append(&draft)?.seq)
}

fn append_approval(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    waiting: &Waiting,
    act: &Act,
) -> Result<Entry, TransactError> {
    let data = ApprovalData {
        subject: waiting.entry.hash.to_string(),
        reason: act.reason.clone(),
        author: act.author.clone(),
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        judged_at: transaction.now(),
        context: act.context.clone(),
        statement: act.statement_value()?,
    };
    let draft =
        records::draft(Kind::Approval, Some(waiting.gate()), Some(waiting.entry.seq), &act.by, &data)?;
    Ok(transaction.append(&draft)?)
}

/// Whether the ledger has room for the grant, where the approval at hand completes it; the inner error says why not.
fn room(
    workspace: &Workspace<'_>,
    transaction: &Transaction<'_>,
    waiting: &Waiting,
    rule: &Rule,
    standing: &Approval,
) -> Result<Result<Counted, Vec<String>>, TransactError> {
    if !standing.is_complete() {
        return Ok(Ok(Counted::default()));
    }
    let (view, loaded) = (transaction.view(), &workspace.loaded);
    let past = StoredPast::new(&view, loaded.trust(), &loaded.used.digest, waiting.gate(), transaction.now())
        .within(Whose::of_request(&waiting.data));
    let authorization = AuthorizationRequest::of_request(waiting.gate(), &waiting.data, &waiting.requester);
    let room = acts::room(&loaded.policy, rule, &authorization, &past);
    let counted = past.settled()?;
    Ok(room.map(|()| counted))
}

fn grant(
    workspace: &Workspace<'_>,
    transaction: &mut Transaction<'_>,
    waiting: &Waiting,
    rule: &Rule,
    standing: Approval,
    approval: &Entry,
    counted: &Counted,
) -> Result<Grant, TransactError> {
    let (gate, by) = (waiting.gate(), &waiting.requester);
    let data = grant_data(workspace, transaction, waiting, rule, approval, counted)?;
    let draft = records::draft(Kind::Grant, Some(gate), Some(waiting.entry.seq), by, &data)?;
    let entry = transaction.append(&draft)?;
    renewal::take_over(transaction, &entry, &data, by)?;
    Ok(admission::granted(workspace, (gate, by), Some(&entry), &data, Some(shown(rule, standing))))
}

/// The approvals as a person reads them.
fn shown(rule: &Rule, standing: Approval) -> Approvals {
    let from = rule.approvals.as_ref().map(|approvals| written(&approvals.from)).unwrap_or_default();
    Approvals { needed: standing.needed, given: standing.people, from }
}

fn grant_data(
    workspace: &Workspace<'_>,
    transaction: &Transaction<'_>,
    waiting: &Waiting,
    rule: &Rule,
    approval: &Entry,
    counted: &Counted,
) -> Result<GrantData, TransactError> {
    let start = transaction.now();
    let review_within = rule.review_within.filter(|_| rule.break_glass);
    let (expires, owes) = admission::ends_and_owes(start, waiting.data.ask.ttl.seconds, review_within)?;
    Ok(GrantData {
        expires,
        ask: waiting.data.ask.clone(),
        not_before: start,
        rule: rule.number,
        policy: workspace.loaded.used.clone(),
        judge: JUDGE,
        approvals: waiting.seqs.iter().copied().chain([approval.seq]).collect(),
        owes,
        quota: counted.of(rule.number),
        context: waiting.data.context.clone(),
        request: waiting.data.request.clone(),
    })
}
