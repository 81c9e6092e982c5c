// One gate of a pipeline on Jenkins: a step of a shared library, whose folder is scripts/ci/jenkins. In a Jenkinsfile:
//
//   @Library('gate@v0.1.0') _
//   pipeline {
//       agent any
//       environment { GATE_VERSION = '0.1.0'; GATE_SHA256 = '...'; GATE_RELEASES = '...' }
//       stages {
//           stage('lint') { steps { gate name: 'lint', run: 'ruff check .' } }
//           stage('sast') { steps { gate name: 'sast', findings: 'scan.sarif',
//                                        run: 'bandit -q -f sarif -o scan.sarif -r src' } }
//       }
//       post { always { archiveArtifacts artifacts: 'decisions/*.json', allowEmptyArchive: true } }
//   }
//
// For pods and agents that live for one build or many: each gate fetches its tools. A token comes from the
// plugin oidc-provider: withCredentials([string(credentialsId: 'gate', variable: 'GATE_ID_TOKEN')]).
def call(Map options) {
    withEnv([
        "GATE=${options.name}",
        "COMMAND=${options.run}",
        "FINDINGS=${options.findings ?: ''}",
    ]) {
        sh '''#!/usr/bin/env bash
            set -euo pipefail
            # A new place each time: what an earlier build left in the workspace is not run.
            mkdir -p "$WORKSPACE_TMP"
            prefix=$(mktemp -d "$WORKSPACE_TMP/gate.XXXXXX")
            trap 'rm -rf "$prefix"' EXIT
            name=gate-$GATE_VERSION-$(uname -m)-unknown-linux-musl.tar.gz
            curl -fsSL "$GATE_RELEASES/v$GATE_VERSION/$name" -o "$prefix/$name"
            echo "$GATE_SHA256  $prefix/$name" | sha256sum -c -
            tar -xzf "$prefix/$name" -C "$prefix" --strip-components=1
            PATH=$prefix/bin:$PATH
            . "$prefix/share/gate/ci.sh"
            gate_begin
            options=()
            [ -z "$FINDINGS" ] || options=(--findings "$FINDINGS")
            status=0
            gate_run "$GATE" "${options[@]}" -- bash -eo pipefail -c "$COMMAND" || status=$?
            gate_end || [ "$status" -ne 0 ]
            exit "$status"
        '''
    }
}
