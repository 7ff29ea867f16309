#!/usr/bin/env bash
# A short run of every fuzz target, from its corpus, with coverage feedback. `cargo fuzz` is not needed: the flags below are
# the ones it sets, without a sanitizer. Usage: fuzz/smoke.sh [seconds per target]
set -euo pipefail
cd "$(dirname "$0")"
seconds="${1:-5}"  # a single input may take 25: five times what the slowest needs on a busy machine
target="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions --cfg fuzzing"
host="$(rustc -vV | sed -n 's/^host: //p')"
# A target is named so that the flags do not reach build scripts and procedural macros.
cargo build --locked --features libfuzzer --bins --target "$host" --target-dir "$target"
for bin in fuzz_targets/*.rs; do
  name="$(basename "$bin" .rs)"
  scratch="$(mktemp -d)"
  mkdir -p artifacts
  log="$scratch.log"
  if ! "$target/$host/debug/$name" -max_total_time="$seconds" -rss_limit_mb=512 -timeout=25 -verbosity=0 -print_final_stats=0 \
    -artifact_prefix="artifacts/$name-" "$scratch" "corpus/$name" >"$log" 2>&1; then
    cat "$log"
    exit 1
  fi
  rm -rf "$scratch" "$log"
  echo "ok   $name (${seconds}s)"
done
