# Where things are. The other scripts read this file with `.`; it changes nothing outside of them.
#
# root     the checkout
# target   cargo's target directory, absolute: CARGO_TARGET_DIR is honoured, whatever it is relative to
# partners the tools of other projects that tests and demo run, installed by scripts/partners
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
export CARGO_TARGET_DIR=$target
partners=$root/.partners
# shellcheck disable=SC2034  # used by the scripts that read this file
gate_tools=(gate-check gate-skip gate-log gate-verify)
# The programs that the tools start to reach a ledger elsewhere, each in a crate of its own name.
gate_helpers=()
for helper in "$root"/crates/gate-remote-*/; do
  [ ! -d "$helper" ] || gate_helpers+=("$(basename "$helper")")
done
unset helper

# What the tests start; and what some of them start, which are left out without it.
# shellcheck disable=SC2034
test_needs=(cc git jq curl sqlite3 b3sum faketime zstd mandoc ssh-keygen openssl strace python3)
# shellcheck disable=SC2034
test_wants=(sshd initdb pgbouncer chromium zsh fish npm java)

# Nothing here may ever wait for somebody to type.
export DEBIAN_FRONTEND=noninteractive GIT_TERMINAL_PROMPT=0 PIP_NO_INPUT=1

have() { command -v "$1" >/dev/null 2>&1; }

# rust-toolchain.toml names one release. Where rustup neither has nor can fetch a toolchain of that name,
# the default one serves if it is of that release or a newer one; the compiler checks that (rust-version).
choose_toolchain() {
  have cargo || { echo "cargo is not installed: a Rust toolchain (1.95 or newer) is needed" >&2; return 1; }
  local said default
  if ! said=$(cd "$root" && cargo --version 2>&1); then
    if have rustup && default=$(cd / && rustup show active-toolchain 2>/dev/null); then
      export RUSTUP_TOOLCHAIN=${default%% *}
      echo "the toolchain of rust-toolchain.toml cannot be had; using $RUSTUP_TOOLCHAIN"
      printf '%s\n' "$said" | sed 's/^/  rustup: /'
    fi
  fi
  new_enough
}

# Fails with a toolchain that the workspace's rust-version refuses, before cargo says so of every crate.
new_enough() {
  local needed found
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  found=$(cd "$root" && rustc --version 2>&1) || { printf 'rustc does not run:\n%s\n' "$found" >&2; return 1; }
  found=${found#rustc }
  found=${found%%[ -]*}
  [ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" = "$needed" ] && return 0
  echo "the Rust toolchain is $found, and $needed or newer is needed: rustup toolchain install $needed" >&2
  return 1
}
