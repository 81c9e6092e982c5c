//! GitLab CI.
//!
//! Source: "Predefined CI/CD variables reference". In merged results pipelines and merge trains
//! `CI_COMMIT_SHA` is a merge (target first) and `CI_MERGE_REQUEST_SOURCE_BRANCH_SHA` the merge request's
//! own commit; the latter is empty in every other pipeline (gitlab-org/gitlab#330964).

use gate_model::context::{Context, is_change_number};
use gate_model::repository::remote_name;

use super::variables::{Variables, run};
use super::{CiFacts, Merge, branch_ref, tag_ref};
use crate::git;

pub(super) fn read(v: &Variables<'_>, provider: &'static str) -> CiFacts {
    let merge_request = v.get("CI_MERGE_REQUEST_IID");
    let pull_request =
        merge_request.is_some() || v.get("CI_PIPELINE_SOURCE").as_deref() == Some("merge_request_event");
    let iid = merge_request.filter(|iid| is_change_number(iid));
    let built = v.commit("CI_COMMIT_SHA");
    let head = v.commit("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").filter(|_| pull_request);
    let kind = v.get("CI_MERGE_REQUEST_EVENT_TYPE").filter(|_| pull_request);
    let merged = head.is_some() || matches!(kind.as_deref(), Some("merged_result" | "merge_train"));
    let full = |id: &Option<String>| id.clone().filter(|id| git::is_object_id(id));
    CiFacts {
        actor: v.actor(provider, &["GITLAB_USER_LOGIN"]),
        context: Context {
            repository: repository(v),
            git_ref: match &iid {
                Some(iid) => Some(format!("refs/merge-requests/{iid}/head")),
                None if pull_request => None,
                None => branch_or_tag(v),
            },
            commit: if merged { full(&head) } else { full(&built) },
            merge: full(&built).filter(|_| merged),
            change: iid,
            environment: v.get("CI_ENVIRONMENT_NAME"),
            run: v.get("CI_PIPELINE_ID").map(|id| run(id, v.get("CI_PIPELINE_URL"))),
            ..Context::default()
        },
        pull_request,
        source_branch: v.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME").filter(|_| pull_request),
        built,
        head,
        merge: merged.then_some(Merge { own: 1, named: true, attached: false }),
        ..CiFacts::default()
    }
}

fn branch_or_tag(v: &Variables<'_>) -> Option<String> {
    let tag = v.get("CI_COMMIT_TAG").map(|tag| tag_ref(&tag));
    tag.or_else(|| v.first(&["CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME"]).map(|branch| branch_ref(&branch)))
}

fn repository(v: &Variables<'_>) -> Option<String> {
    v.repository("CI_PROJECT_URL").or_else(|| {
        let (server, path) = (v.get("CI_SERVER_URL")?, v.get("CI_PROJECT_PATH")?);
        remote_name(&format!("{}/{path}", server.trim_end_matches('/')))
    })
}
