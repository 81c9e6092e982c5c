#!/usr/bin/env bash
# One pipeline in plain shell: three gates, each of them declared in gate.toml.
#
# `pipefail` matters wherever a gate stands in a pipe: without it the last command's status counts, and a gate
# that says no would be overheard. --decision keeps the verdict as a document beside the exit status, which
# in run mode may be the command's own.
set -euo pipefail

# The ledger outlives the checkout: a path that all runs share, not a cache, of which there would be copies.
export GATE_LEDGER=${GATE_LEDGER:-/var/lib/gate/payments.db}
decisions=${DECISIONS:-decisions}
mkdir -p "$decisions"

# A command behind a gate. Its output and its exit status are as without gate-check.
gate-check lint --decision "$decisions/lint.json" -- python3 -m compileall -q .

# A scanner behind a gate: what counts is the report that this run wrote.
gate-check sast --findings scan.sarif --decision "$decisions/sast.json" -- \
  bandit -q -f sarif -o scan.sarif payments.py

# A gate that may be held. It waits for a pause to end, for a while; after that 75 says: try again later.
gate-check deploy --wait 10m --decision "$decisions/deploy.json" -- \
  sh -c 'echo deploying'

# What was decided, in a line each.
jq -r '[.gate, .decision, (.reasons | join("; "))] | @tsv' "$decisions"/*.json
