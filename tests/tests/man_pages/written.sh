# Makes every document that is only ever written, with every list in it filled.
set -e
exec 2>errors
ssh-keygen -q -t ed25519 -N '' -f bob
echo "bob@example.com $(cut -d ' ' -f 1,2 bob.pub)" > allowed_signers
cat > gate.toml << 'END'
version = 1

[identity]
allowed_signers = "allowed_signers"

[groups]
nobody = []

[gates.lint]
[[gates.lint.allow]]
actions = ["skip"]
who = ["*"]
max_ttl = "1h"
[[gates.lint.allow]]
actions = ["override"]
who = ["*"]
max_ttl = "1h"
assurance = "asserted"
approvals = { from = ["bob@example.com"] }
[[gates.lint.allow]]
actions = ["override"]
who = ["*"]
max_ttl = "1h"
break_glass = true
review_within = "1h"
reviewers = ["bob@example.com"]

[[test]]
name = "anybody may skip"
request = { gate = "lint", action = "skip", by = "github:dave" }
expect = "granted"
END
gate-log init
gate-check lint -- false || test $? = 1
gate-skip lint --action override --reason 'it waits' --ticket T-1 > waiting || test $? = 3
gate-skip lint --action override --break-glass --reason 'it owes'
gate-skip lint --reason 'it counts'
gate-check lint -- false
gate-check --list
gate-log stats
gate-log due
gate-log report --format json
echo '{"event":1}' | gate-log append
gate-log copy copy.db
gate-log checkpoint --new-key key --origin example.com/log > key.pub
gate-log checkpoint --key-file key --origin example.com/log > checkpoint
gate-log prove 0 --checkpoint checkpoint | gate-verify proof - --key key.pub
gate-verify policy --format json
gate-log erase 0 --reason 'nothing is there'
gate-log archive --before 3 --to . --key-file key --origin example.com/log
