#!/usr/bin/env bash
# Measures everything beside its peers and prints the tables. An argument narrows it: benches/run.sh decode, benches/run.sh resume
set -euo pipefail
cd "$(dirname "$0")"
# Both are always selected, so that what they share is built once.
packages=(--package wa-benches --package wa-resume)
cargo bench --locked --quiet --no-run "${packages[@]}" --bench table --bench resume
if [ "${1:-}" != resume ]; then
  # What an earlier run left would be printed as if it were of this one.
  rm -rf "${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}"
  cargo bench --locked --quiet "${packages[@]}" --bench table -- --quiet "$@"
fi
case "${1:-resume}" in
  resume) cargo bench --locked --quiet "${packages[@]}" --bench resume ;;
esac
