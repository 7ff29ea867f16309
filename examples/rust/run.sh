#!/usr/bin/env bash
# Runs the example against `wa sim`: it must link by the QR it shows, and find its link when it runs again.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
cargo build --locked --quiet --bin wa
cargo build --locked --quiet --package wa-examples
folder="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

"$target/debug/wa" sim --json >"$folder/sim" &
wait_for() { # file, pattern
  for _ in $(seq 300); do
    grep -Eq "$2" "$1" 2>/dev/null && return 0
    sleep 0.1
  done
  echo "waited in vain for $2:"; cat "$1"; return 1
}
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$folder/sim"; }
wait_for "$folder/sim" '"noise_root"'
WA_URL="$(field url)" WA_NOISE_ROOT="$(field noise_root)"
export WA_URL WA_NOISE_ROOT

"$target/debug/link-and-listen" "$folder/wa.db" >"$folder/first" &
first=$!
wait_for "$folder/first" '^QR '
"$target/debug/wa" phone scan "$(sed -n 's/^QR //p' "$folder/first" | tail -n 1)" --control "$(field control_url)" >/dev/null
wait_for "$folder/first" '^ONLINE '
kill "$first"; wait "$first" 2>/dev/null || true

"$target/debug/link-and-listen" "$folder/wa.db" >"$folder/second" &
wait_for "$folder/second" '^ONLINE '
if grep -q '^QR ' "$folder/second"; then
  echo "the second run asked for a scan"; exit 1
fi
echo "ok   link-and-listen: linked by QR, came back without one"
