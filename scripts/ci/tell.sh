#!/usr/bin/env bash
# Telling people what happens to gates. Three recipes, each for a job of a pipeline or of cron:
#
#   tell.sh webhook URL        each grant, request and denial as it comes, as {"text": ...}: the form that Slack,
#                              Mattermost, Teams and others take. It goes on until it is ended.
#   tell.sh comment DECISION   a decision's document as a comment of the pull request (GitHub)
#   tell.sh issue WITHIN       what is due within a time (3d) as an issue; none where nothing is (GitHub)
#
# The last two take GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN as GitHub's runners set them or are told to;
# the comment takes the pull request's number from the event, else from PULL_REQUEST.
# Whatever a person or a report wrote is shown inert: as a code span or block, in which nothing is a mention or a link.
set -euo pipefail

post() { curl -fsS --retry 3 -H 'content-type: application/json' "$@" >/dev/null; }

github() {
  post -H "authorization: Bearer $GITHUB_TOKEN" -H 'accept: application/vnd.github+json' --data @- \
    "${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/$1"
}

# A code block that its text cannot end: four spaces before a tilde, and it is no fence.
block() { printf '~~~~~~text\n%s\n~~~~~~\n' "$(sed 's/^ *~/    &/')"; }

case ${1-} in
  webhook)
    gate-log --follow --kind grant,request,denial --format json "${@:3}" |
      jq --unbuffered -c '{text: "`\(.kind) \(.seq)` gate `\(.gate // "-")` by `\((.actor.id // "-") | gsub("`"; "ʼ"))`: `\((.data.reason // (.data.reasons // [] | join("; "))) | gsub("[`\n]"; " "))`"}' |
      while IFS= read -r message; do printf '%s' "$message" | post --data @- "$2"; done
    ;;
  comment)
    number=${PULL_REQUEST:-$(jq -r '.pull_request.number // .number' "$GITHUB_EVENT_PATH")}
    {
      jq -r '"Gate `\(.gate)`: **\(.decision)**, \(.blocking | length) blocking, \(.waived | length) waived.\n"' "$2"
      jq -r '.reasons[], (.suggest // [] | .[].command)' "$2" | block
    } | jq -Rs '{body: .}' | github "issues/$number/comments"
    ;;
  issue)
    status=0
    due=$(gate-log due --within "$2" --format text) || status=$?
    # 1 says that something is due; anything else is a failure of its own.
    [ "$status" -ne 0 ] || exit 0
    [ "$status" -eq 1 ] || exit "$status"
    printf '%s\n' "$due" | block | jq -Rs --arg within "$2" '{title: "Due within \($within) at the gates", body: .}' |
      github issues
    ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '/^set/d' >&2; exit 2 ;;
esac
