#!/usr/bin/env python3
"""Runs other people's clients against `wa sim`: link, resume, log out. Needs only the standard library."""

import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PATIENCE = 120  # seconds a client may take for one run


def build(target: pathlib.Path) -> dict[str, list[str]]:
    """Builds every client; returns the command of each."""
    go = target / "interop-whatsmeow"
    subprocess.run(["go", "build", "-o", str(go), "."], cwd=HERE / "whatsmeow", check=True)
    rust_target = target / "interop-rust"
    subprocess.run(
        ["cargo", "build", "--locked", "--target-dir", str(rust_target)], cwd=HERE / "whatsapp-rust", check=True
    )
    return {"whatsmeow": [str(go)], "whatsapp-rust": [str(rust_target / "debug/interop-whatsapp-rust")]}


def lines_of(process: subprocess.Popen) -> "queue.Queue[str | None]":
    """The process's stdout, line by line, ended by None."""
    out: "queue.Queue[str | None]" = queue.Queue()

    def pump() -> None:
        for line in process.stdout:
            out.put(line.rstrip("\n"))
        out.put(None)

    threading.Thread(target=pump, daemon=True).start()
    return out


def run_client(name: str, command: list[str], mode: str, env: dict[str, str], scan) -> list[str]:
    """Runs one client in one mode; scans the first QR it shows; returns the words it said, in order."""
    process = subprocess.Popen(
        [*command, mode], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    complaints: list[str] = []
    threading.Thread(target=lambda: complaints.extend(process.stderr), daemon=True).start()
    lines, said, everything = lines_of(process), [], []
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
            if line is None:
                break
            everything.append(line)
            word, _, rest = line.partition(" ")
            if word == "QR":
                if "QR" not in said:
                    said.append(word)
                    scan(rest)
            elif word in ("PAIRED", "ONLINE", "PONG", "LOGGED_OUT"):
                said.append(word)
        code = process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except (queue.Empty, subprocess.TimeoutExpired):
        process.kill()
        raise SystemExit(f"{name} {mode}: no end after {PATIENCE} s; said {said}\n" + "".join(complaints[-40:]))
    if code != 0:
        tail = "\n".join(everything[-40:]) + "\n" + "".join(complaints[-40:])
        raise SystemExit(f"{name} {mode}: exit code {code}; said {said}\n{tail}")
    return said


def expect(name: str, mode: str, said: list[str], wanted: list[str]) -> None:
    if [w for w in said if w != "PONG"] != wanted:
        raise SystemExit(f"{name} {mode}: said {said}, expected {wanted}")
    print(f"ok   {name:<14} {mode:<7} {' '.join(said)}", flush=True)


def companions(control_url: str) -> int:
    """How many devices the simulated phones believe in."""
    with urllib.request.urlopen(control_url + "/phones", timeout=10) as answer:
        return sum(len(phone["companions"]) for phone in json.load(answer))


def take_over(wa: str, library: str, stored: pathlib.Path, info: dict[str, str], folder: str) -> None:
    """Imports what a client has stored and logs in with it: as the same device, with no new QR."""
    env = {"HOME": folder, "PATH": os.environ.get("PATH", "")}
    root = ["--noise-root", info["noise_root"]]
    store = ["--store", str(pathlib.Path(folder, library + "-imported.db"))]
    steps = (
        ["import", "--from", library, "--old-holder-stopped", str(stored), *root, *store],
        ["pair", "--server", info["url"], *root, *store],
    )
    for step in steps:
        done = subprocess.run([wa, *step], env=env, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0 or "QR" in done.stdout:
            raise SystemExit(f"{library}: wa {step[0]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    print(f"ok   {library:<14} import  ONLINE", flush=True)


def main() -> None:
    wa = os.environ.get("WA", str(ROOT / "target/debug/wa"))
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    clients = build(target)
    passed = 0
    with tempfile.TemporaryDirectory() as folder:
        sim = subprocess.Popen([wa, "sim", "--json", "--tls"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        try:
            info = json.loads(sim.stdout.readline())
            ca = pathlib.Path(folder, "ca.pem")
            ca.write_text(info["ca_pem"])

            def scan(code: str) -> None:
                subprocess.run([wa, "phone", "scan", code, "--control", info["control_url"]], check=True, stdout=subprocess.DEVNULL)

            for name, command in clients.items():
                env = dict(
                    os.environ,
                    SIM_URL=info["url"],
                    SIM_TLS_ADDR=info["tls_url"].split("://", 1)[1].split("/", 1)[0],
                    SIM_CA=str(ca),
                    SIM_NOISE_ROOT=info["noise_root"],
                    STORE=str(pathlib.Path(folder, name + ".db")),
                )
                # A client's word for being logged out is not enough: the phone's list says what the server did.
                for mode, wanted, linked in (
                    ("link", ["QR", "PAIRED", "ONLINE"], 1),
                    ("resume", ["ONLINE"], 1),
                    ("logout", ["ONLINE", "LOGGED_OUT"], 0),
                ):
                    expect(name, mode, run_client(name, command, mode, env, scan), wanted)
                    listed = companions(info["control_url"])
                    if listed != linked:
                        raise SystemExit(f"{name} {mode}: the phone lists {listed} devices, expected {linked}")
                    passed += 1
                    # whatsmeow rests between its runs, so its link can be held by wa meanwhile.
                    if (name, mode) == ("whatsmeow", "resume"):
                        take_over(wa, name, pathlib.Path(folder, name + ".db"), info, folder)
                        passed += 1
        finally:
            sim.kill()
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
