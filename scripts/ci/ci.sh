# shellcheck shell=sh
# What a pipeline needs around its gates on GitHub Actions, GitLab CI, Azure Pipelines and Jenkins. It comes with the
# tools, as share/gate/ci.sh, and is read with `.` by any POSIX shell:
#
#   gate_begin                               the rules of the branch that the change goes to, and a token
#   gate_run NAME [OPTION...] -- COMMAND...  as gate-check, with these rules; the decision is kept as a document
#   gate_end                                 what was decided, on the page of the run; what waits goes to the ledger
#
# Rules come from the branch that the change goes to, never from the change: that branch is fetched, whatever the
# checkout holds (one commit, a merge of the platform's, a detached HEAD). Without a change they come from the default
# branch, which the repository's host names where the platform does not. GATE_BASE names another branch.

GATE_DECISIONS=${GATE_DECISIONS:-decisions}

gate_base() {
  gate_branch=${GATE_BASE-}
  if [ -n "$gate_branch" ]; then
    :
  elif [ "${GITHUB_ACTIONS-}" = true ]; then
    # A merge queue tests a branch of its own; the event says where that goes.
    gate_branch=${GITHUB_BASE_REF:-$(
      jq -r '.merge_group.base_ref // .repository.default_branch // empty' "$GITHUB_EVENT_PATH"
    )}
  elif [ "${GITLAB_CI-}" = true ]; then
    gate_branch=${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-${CI_DEFAULT_BRANCH-}}
  elif [ "${TF_BUILD-}" = True ]; then
    gate_branch=${SYSTEM_PULLREQUEST_TARGETBRANCH-}
  else
    gate_branch=${CHANGE_TARGET-}
  fi
  # Azure and Jenkins name no default branch, and the event of a schedule on GitHub names none either.
  [ -n "$gate_branch" ] || gate_branch=$(
    git ls-remote --symref origin HEAD | sed -n 's|^ref: refs/heads/\([^[:space:]]*\)[[:space:]]*HEAD$|\1|p'
  )
  gate_branch=${gate_branch#refs/heads/}
  [ -n "$gate_branch" ] || { echo "gate: which branch the change goes to is unknown; set GATE_BASE" >&2; return 2; }
}

gate_begin() {
  gate_base || return
  gate_ref=refs/remotes/origin/$gate_branch
  gate_depth=
  # Only where the checkout is shallow: it would make a whole one so.
  [ "$(git rev-parse --is-shallow-repository)" = false ] || gate_depth=--depth=1
  git fetch --quiet --no-tags $gate_depth origin "+refs/heads/$gate_branch:$gate_ref" || return
  GATE_POLICY_REF=$gate_ref
  export GATE_POLICY_REF GATE_DECISIONS
  # GitHub gives a token to jobs with the permission id-token: write; forks have none.
  if [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL-}" ] && [ -z "${GATE_ID_TOKEN-}" ]; then
    GATE_ID_TOKEN=$(
      curl -fsS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
        "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${GATE_AUDIENCE:-gate}" | jq -r '.value // empty'
    )
    export GATE_ID_TOKEN
  fi
}

gate_run() {
  gate_name=$1
  shift
  mkdir -p "$GATE_DECISIONS" || return
  gate_page=$GATE_DECISIONS/$gate_name.md
  gate_formats=markdown=$gate_page
  # What the platform shows beside the code: annotations, or the report of a widget.
  [ "${GITHUB_ACTIONS-}" != true ] || gate_formats=github,$gate_formats
  [ "${TF_BUILD-}" != True ] || gate_formats=azure,$gate_formats
  [ "${GITLAB_CI-}" != true ] || gate_formats=gitlab=codequality.json,$gate_formats
  gate-check "$gate_name" --policy-ref "$GATE_POLICY_REF" --decision "$GATE_DECISIONS/$gate_name.json" \
    --format "$gate_formats" "$@"
}

gate_end() {
  gate_summary=${GITHUB_STEP_SUMMARY-}
  [ "${TF_BUILD-}" != True ] || gate_summary=$PWD/$GATE_DECISIONS/summary.md
  if [ -n "$gate_summary" ]; then
    gate_table >>"$gate_summary" || return
    # The page of the gate that ran last stays below 64 KiB; a summary may have 1 MiB.
    if [ -f "${gate_page-}" ]; then cat "$gate_page" >>"$gate_summary" || return; fi
    [ "${TF_BUILD-}" != True ] || echo "##vso[task.uploadsummary]$gate_summary"
  fi
  # Where the ledger is elsewhere: decisions that nobody had to wait for. A fork's run may not send them; they stay in
  # the file that gate-log remote names, for somebody who may (gate-log sync --from).
  if gate-log remote --quiet >/dev/null 2>&1; then
    gate-log sync || echo "gate: decisions of this run wait to be sent by somebody else" >&2
  fi
}

# A line for each gate so far. Names of gates, verdicts and numbers alone: nothing that a report or a person wrote.
gate_table() {
  printf '| gate | decision | blocking | waived |\n| --- | --- | ---: | ---: |\n'
  for gate_file in "$GATE_DECISIONS"/*.json; do
    [ -f "$gate_file" ] || continue
    jq -r '"| \(.gate) | \(.decision) | \(.blocking | length) | \(.waived | length) |"' "$gate_file" || return
  done
  echo
}
