#!/usr/bin/env bash
# Holds many linked sessions in one process against `wa sim` and prints what one costs: benches/scale.sh [SESSIONS] [OPTIONS]
# An option is --window SECONDS or --concurrency LOGINS.
set -euo pipefail
cd "$(dirname "$0")"
target="${CARGO_TARGET_DIR:-$PWD/target}"
# Into one place, whoever built last; the simulator is the product's own program.
cargo build --locked --quiet --release --manifest-path ../Cargo.toml --package wa-cli --target-dir "$target"
cargo build --locked --quiet --release --package wa-scale --target-dir "$target"
dir="$(mktemp -d "${TMPDIR:-/tmp}/wa-scale.XXXXXX")"
trap 'rm -rf "$dir"' EXIT
"$target/release/wa-scale" "$@" --wa "$target/release/wa" --dir "$dir"
