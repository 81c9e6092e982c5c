# shellcheck shell=bash disable=SC2016
# scripts/demo --remote: one ledger for many machines, kept on a branch of the repository. Two clones play two runners,
# a third one a laptop with a key, and a bare repository the host.
#
# Sourced by scripts/demo, which shows and checks each step.

# `on MACHINE COMMAND...` runs a command in the clone of that machine, which has a home of its own.
prelude="$prelude"'on() { local who=$1; shift; (cd "$work/$who" && HOME="$work/home-$who" "$@"); }
'
mkdir "$work"/home-{laptop,runner1,runner2,fork}

chapter "1. A host, a laptop, and a ledger that lives on a branch"
step 0 'git init -q -b main --bare "$work/host.git" && git clone -q "$work/host.git" "$work/laptop" 2>/dev/null'
step 0 'ssh-keygen -q -t ed25519 -N "" -C carol -f "$work/home-laptop/key" && mkdir "$work/laptop/.gate" &&
echo "carol@example.com $(cat "$work/home-laptop/key.pub")" > "$work/laptop/.gate/allowed_signers"'
cat >"$work/policy" <<'POLICY'
version = 1

[ledger]
remote = "git:origin#gate-ledger"       # a branch of this very repository

[identity]
allowed_signers = ".gate/allowed_signers"

[groups]
security = ["carol@example.com"]

[gates.deploy]                          # a failed check may be overridden once, if security agrees
[[gates.deploy.allow]]
actions   = ["override"]
who       = ["*"]
max_ttl   = "8h"
approvals = { count = 1, from = ["group:security"] }
POLICY
sed 's/^/    /' "$work/policy"
step 0 'cp "$work/policy" "$work/laptop/gate.toml" && on laptop gate-log init --remote --format text 2>&1 | tee "$work/made"' 'genesis'
say "The line that it prints pins the ledger: whoever puts another one in its place is found out."
step 0 'pin=$(grep -o "genesis = .*" "$work/made") && sed -i "s/^remote.*/&\n$pin/" "$work/laptop/gate.toml" &&
on laptop git add -A && on laptop git commit -q -m "payments" && on laptop git push -q origin main'
step 0 'for who in runner1 runner2 fork; do git clone -q "$work/host.git" "$work/$who"; done'

chapter "2. A runner is blocked, and asks"
rules='--policy-ref refs/remotes/origin/main'
step 1 "on runner1 gate-check deploy $rules -- false" 'fail'
step 3 "on runner1 gate-skip deploy $rules --action override --uses 1 --reason 'the smoke test is broken, the fix is in' > \"\$work/asked\"" 'pending'

chapter "3. Somebody agrees, from a laptop, with a key"
step 0 "on laptop gate-skip approve \"\$(jq .id \"\$work/asked\")\" $rules --sign=\"\$work/home-laptop/key\" --format text" 'granted'

chapter "4. It was for once: of two runners one gets it"
step 0 "on runner1 gate-check deploy $rules -- false & first=\$!
on runner2 gate-check deploy $rules -- false; second=\$?
wait \$first; first=\$?; echo \"the runners ended with \$first and \$second\"; [ \$((first + second)) = 1 ]" 'ended with (0 and 1|1 and 0)'

chapter "5. A fork may read and not write: its gate is enforced, and its run is reported by somebody who may"
step 0 "on laptop gate-skip deploy $rules --action override --reason 'for whoever may write' --format json > \"\$work/asked\"; on laptop gate-skip approve \"\$(jq .id \"\$work/asked\")\" $rules --sign=\"\$work/home-laptop/key\" --format text" 'granted'
cat >"$work/host.git/hooks/pre-receive" <<HOOK
#!/bin/sh
[ ! -e "$work/read-only" ] || { echo "a fork has no permission to write" >&2; exit 1; }
HOOK
chmod +x "$work/host.git/hooks/pre-receive"
touch "$work/read-only"
step 1 "on fork gate-check deploy $rules --decision \"\$work/decision.json\" -- false" 'no permission to write'
step 0 'jq -c "{decision, would_use: [.would_use[].id], waiting}" "$work/decision.json"' 'would_use":\[[0-9]'
rm "$work/read-only"
step 0 "on laptop gate-log sync $rules --from \"\$(on fork gate-log remote $rules | jq -r .copy)-waiting\"" '1 decision sent'

chapter "6. The last step of each pipeline sends what may wait"
step 0 "on runner1 gate-check deploy $rules -- true" 'waits to be sent'
step 0 "on runner1 gate-log sync $rules" 'sent'

chapter "7. A clone of the branch is an export that anybody verifies"
step 0 'git clone -q --branch gate-ledger "$work/host.git" "$work/clone" && cat "$work"/clone/entries/*/* | gate-verify - --replay --format text' 'ok'

chapter "8. A remote that was rolled back is caught by whoever saw more"
step 0 'git -C "$work/host.git" update-ref refs/heads/gate-ledger refs/heads/gate-ledger~1'
step 125 "on runner1 gate-check deploy $rules -- true" 'rolled back'
step 4 "on runner1 gate-log $rules" 'rolled back'

chapter "All $steps steps ended as they should."
