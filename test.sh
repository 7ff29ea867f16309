#!/usr/bin/env bash
# Everything that must hold: format, lints, docs, tests. Sets up what it needs.
set -euo pipefail
cd "$(dirname "$0")"
step() { printf '\n== %s\n' "$*"; }

step "format";  cargo fmt --all --check
step "clippy";  cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
step "docs";    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
step "tests";   cargo test --workspace --all-features --locked
