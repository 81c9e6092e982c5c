#!/bin/sh
# Two people, one gate: a signed request, an approval, a break-glass and the debt that it leaves.
#
# Reads from top to bottom as documentation, and is run as a test. Each step is
#
#     expect STATUS COMMAND [ARG]...      the command must end with STATUS (gate(7), EXIT STATUS)
#     says TEXT                           and it said TEXT, on standard output or standard error
#     shows FILTER                        or: its JSON fits this filter of jq
#
# Needs the gate tools, git, jq, ssh-keygen and faketime on the PATH, and works in a folder of its own, which it
# removes. Prints each step; the first one that ends otherwise than it should ends the script with status 1.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/keys" "$work/payments"
cd "$work/payments"

# Nobody's configuration but what stands here.
HOME=$work GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME=Dev GIT_AUTHOR_EMAIL=dev@example.com GIT_COMMITTER_NAME=Dev GIT_COMMITTER_EMAIL=dev@example.com
export HOME GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
unset GATE_LEDGER GATE_POLICY GATE_ID_TOKEN GITHUB_ACTIONS GITLAB_CI SSH_AUTH_SOCK

expect() {
  wanted=$1
  shift
  printf '$ %s\n' "$*"
  status=0
  "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ "$status" -eq "$wanted" ] || fail "ended with $status, not with $wanted"
}
says() { cat "$work/out" "$work/err" | grep -qF -- "$1" || fail "does not say: $1"; }
shows() { jq -e "$1" "$work/out" >"$work/shown" || fail "does not show: $1"; }
id() { jq -r .id "$work/out"; }
fail() {
  echo "the step above $1" >&2
  cat "$work/out" "$work/err" >&2
  exit 1
}

# --- a repository, two people with a key each, and a policy ------------------------------------------------

for person in alice bob; do
  ssh-keygen -q -t ed25519 -N '' -C "$person@example.com" -f "$work/keys/$person"
done
alice=--sign=$work/keys/alice
bob=--sign=$work/keys/bob

for person in alice bob; do
  echo "$person@example.com namespaces=\"gate-*\" $(cut -d' ' -f1,2 "$work/keys/$person.pub")"
done >allowed_signers

cat >gate.toml <<'POLICY'
version = 1

[ledger]
path   = ".gate/ledger.db"
origin = "example.com/payments"

[policy]
owners = ["alice@example.com"]          # a changed policy takes effect with her signature only

[identity]
allowed_signers = "allowed_signers"

[groups]
release = ["alice@example.com", "bob@example.com"]

[gates.deploy]
severity       = "high"
require_ledger = true

[[gates.deploy.allow]]                  # two people may go past it together
actions   = ["override"]
who       = ["group:release"]
assurance = "signed"
max_ttl   = "4h"
ticket    = "^OPS-[0-9]+$"
approvals = { count = 1, from = ["group:release"] }

[[gates.deploy.allow]]                  # in an emergency one may, and owes a review
actions       = ["skip"]
who           = ["group:release"]
assurance     = "signed"
break_glass   = true
max_ttl       = "2h"
review_within = "24h"
POLICY
echo '.gate/' >.gitignore
git init -q -b main .
git remote add origin https://git.example.com/acme/payments.git

# Without the owner's word the policy is only a text.
expect 2 gate-log init
says "none of them admitted this text"
gate-skip approve ./gate.toml "$alice" >gate.toml.sig
expect 0 gate-verify policy
expect 0 gate-log init
git add . && git commit -q -m "payments, and who may go past its gate"

# --- one person cannot ---------------------------------------------------------------------------------------

# The check fails, so the deployment is blocked.
expect 1 gate-check deploy -- false

# A name that nobody proved is denied; the denial is recorded, and says what would have been enough.
expect 1 gate-skip deploy --action override --reason "the check itself is broken" --ticket OPS-7
shows '.status == "denied"'
says "needs a signature"

# Alice signs. Her request waits for somebody else, and until then the gate is as closed as it was.
expect 3 gate-skip deploy --action override --reason "the check itself is broken" --ticket OPS-7 "$alice"
shows '.status == "pending" and .by.assurance == "signed"'
request=$(id)
expect 1 gate-check deploy -- false
expect 0 gate-log due --format text
says "gate-skip approve $request"

# She cannot approve it herself.
expect 1 gate-skip approve "$request" "$alice"
says "own request"

# --- two people can ------------------------------------------------------------------------------------------

expect 0 gate-skip approve "$request" --reason "seen, the check is broken" "$bob"
shows '.status == "granted" and .id == '"$request"' and .approvals.given == ["bob@example.com"]'
expect 0 gate-check deploy --decision decision.json -- false
jq -e '.decision == "override" and .proceed and .grants[0].id == '"$request" decision.json >/dev/null

# It was for that commit. The next one is blocked again.
git commit -q --allow-empty -m "the next change"
expect 1 gate-check deploy -- false

# --- break-glass: one person may, and owes -------------------------------------------------------------------

expect 0 gate-skip deploy --break-glass --reason "payments are down" "$alice"
shows '.status == "granted" and .owes.what == "review"'
emergency=$(id)
expect 0 gate-check deploy -- false

# The debt is shown with what settles it.
expect 0 gate-log due --format text
says "gate-skip review $emergency"

# --- a day later nobody has looked at it ---------------------------------------------------------------------

later() { faketime -f +25h "$@"; }
git commit -q --allow-empty -m "another change"

# Alice has no second emergency before the first is settled, and every decision of the gate says so.
expect 1 later gate-skip deploy --break-glass --reason "payments are down again" "$alice"
says "overdue"
expect 1 later gate-check deploy --decision decision.json -- false
jq -e '.reasons | any(test("overdue"))' decision.json >/dev/null
expect 0 later gate-log due --format text
says "overdue"

# Bob still may, if he must.
expect 0 later gate-skip deploy --break-glass --reason "payments are down again" "$bob"

# Nobody reviews themselves. Bob's review settles Alice's debt.
expect 1 later gate-skip review "$emergency" --verdict accepted --reason "it was needed" "$alice"
expect 0 later gate-skip review "$emergency" --verdict accepted --reason "the outage was real" "$bob"
expect 0 later gate-skip deploy --break-glass --reason "payments are down for the third time" "$alice"

# --- an auditor checks all of it, offline --------------------------------------------------------------------

# The chain is whole, and every grant, denial and decision is what the rules of its moment say.
expect 0 later gate-verify --replay
shows '.ok and .replay.disagreements == []'
expect 0 later gate-log --kind review
shows 'select(.data.verdict == "accepted") | .actor.id == "bob@example.com"'
