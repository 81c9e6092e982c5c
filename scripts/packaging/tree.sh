# What an installation consists of. scripts/install and scripts/package read this file with `.`, after places.sh.
# shellcheck shell=bash disable=SC2154 # root, gate_tools and gate_helpers come from places.sh

# stage BUILT RUNNABLE INTO: lays the tree bin, libexec, share below INTO.
#
# BUILT holds the programs that are installed, RUNNABLE the same ones for this machine, which print their completions.
stage() {
  local built=$1 runnable=$2 into=$3 tool page section
  install -d "$into/bin"
  for tool in "${gate_tools[@]}"; do
    install -m 755 "$built/$tool" "$into/bin/$tool"
    stage_completions "$runnable/$tool" "$tool" "$into/share"
  done
  for tool in ${gate_helpers[@]+"${gate_helpers[@]}"}; do
    install -d "$into/libexec/gate"
    install -m 755 "$built/$tool" "$into/libexec/gate/$tool"
  done
  for page in "$root"/man/*.[1-9]; do
    section=${page##*.}
    install -d "$into/share/man/man$section"
    install -m 644 "$page" "$into/share/man/man$section/"
  done
  install -D -m 644 "$root/scripts/ci/ci.sh" "$into/share/gate/ci.sh"
  install -d "$into/share/gate/schemas"
  install -m 644 "$root"/crates/gate-model/schemas/*.json "$into/share/gate/schemas/"
  install -d "$into/share/doc/gate"
  install -m 644 "$root"/{README.md,CHANGELOG.md,LICENSE-MIT,LICENSE-APACHE} "$into/share/doc/gate/"
}

# stage_completions PROGRAM NAME SHARE: where each shell looks for them, below a prefix. Of a program that has them.
stage_completions() {
  local program=$1 name=$2 share=$3 shell file
  "$program" --help | grep -q -e --completions || return 0
  for shell in bash zsh fish; do
    case $shell in
      bash) file=$share/bash-completion/completions/$name ;;
      zsh) file=$share/zsh/site-functions/_$name ;;
      fish) file=$share/fish/vendor_completions.d/$name.fish ;;
    esac
    install -d "${file%/*}"
    "$program" --completions "$shell" >"$file"
    chmod 644 "$file"
  done
}

# pack FOLDER FILE: a tarball that depends on names and contents alone. SOURCE_DATE_EPOCH dates it.
pack() {
  tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw --mtime="@$SOURCE_DATE_EPOCH" \
    --format=ustar -C "$(dirname "$1")" -cf - "$(basename "$1")" | gzip -9n >"$2"
}

# linked TRIPLE: the packages of others that are linked into the programs, a line of `name vVERSION` each.
linked() {
  cargo tree --locked --workspace --exclude gate-tests --edges normal --target "$1" --prefix none --format '{p}' |
    grep -v " ($root" | sed 's/ (.*//' | sort -u
}
