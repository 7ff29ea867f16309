#!/usr/bin/env bash
# Measures everything beside its peers and prints the table. An argument narrows it: benches/run.sh decode
set -euo pipefail
cd "$(dirname "$0")"
# What an earlier run left would be printed as if it were of this one.
rm -rf "${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}"
exec cargo bench --locked --bench table -- --quiet "$@"
