#!/usr/bin/env bash
# Everything that must hold, from a fresh clone: format, lints, docs, tests, the wasm build, the fuzz corpora, other people's
# clients, and the main job itself. Fetches crates, Go modules and the wasm target itself; Rust (by rustup), a C and a C++
# compiler, Go 1.25 and Python 3 have to be there. CI runs this file, and there nothing is skipped.
#
#   ./test.sh            all of it
#   ./test.sh quick      without interop, fuzzing and the release build
set -euo pipefail
cd "$(dirname "$0")"
mode="${1:-all}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"
step() { printf '\n== %s  (%ss)\n' "$*" "$SECONDS"; }
have() { command -v "$1" >/dev/null 2>&1; }

step "set-up"
have cargo || { echo "a Rust toolchain is needed; rustup installs one"; exit 1; }
have cc || have gcc || have clang || { echo "a C compiler is needed (SQLite and AWS-LC are built from source)"; exit 1; }
cargo --version
cargo fetch --locked

step "format"
cargo fmt --all --check
for workspace in fuzz benches interop/whatsapp-rust; do
  cargo fmt --all --manifest-path "$workspace/Cargo.toml" --check
done

step "clippy"
cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --locked

step "generated code, layers"
cargo xtask codegen --check
cargo xtask layers

step "tests"
WA_KILLS="${WA_KILLS:-100}" cargo test --workspace --all-features --locked

step "the protocol crates build for wasm32 and import nothing"
rustup target add wasm32-unknown-unknown || echo "the wasm target could not be had; checking the sources instead"
cargo xtask wasm

step "fuzz corpora"
CARGO_TARGET_DIR="$PWD/target" cargo test --manifest-path fuzz/Cargo.toml --locked

if [ "$mode" = quick ]; then
  step "done, quick"
  exit 0
fi

step "fuzz, a short run of each target"
if have g++ || have clang++; then
  CARGO_TARGET_DIR="$PWD/target" fuzz/smoke.sh "${FUZZ_SECONDS:-5}"
else
  echo "skipped: libFuzzer needs a C++ compiler"
  [ -z "${CI:-}" ] || exit 1
fi

step "the example, against the simulator"
cargo build --locked --package wa-examples --bin link-and-listen
examples/rust/run.sh

step "other people's clients"
if have go && have python3; then
  cargo build --locked --bin wa
  python3 interop/run.py
else
  echo "skipped: Go and Python are needed"
  [ -z "${CI:-}" ] || exit 1
fi

step "the benches compile"
CARGO_TARGET_DIR="$PWD/target/benches" cargo check --locked --manifest-path benches/Cargo.toml --workspace --bins --benches

step "the main job"
for way in "" "--code +15551234567" "--passkey"; do
  # shellcheck disable=SC2086 # an empty way is no argument
  out="$(cargo run --release --locked --quiet -- pair --sim $way)"
  printf '%s\n' "$out" | tail -n 4
  printf '%s\n' "$out" | tail -n 1 | grep -Eq '^Linked as \+[0-9]+, device [0-9]+$'
done

step "done"
