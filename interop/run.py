#!/usr/bin/env python3
"""Runs other people's clients against `wa sim`: link in every way, resume, be restarted, replaced and removed, log out.

Needs only the standard library. `run.py whatsmeow` runs one of them.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import queue
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PATIENCE = 120  # seconds a client may take for one run
WORDS = ("QR", "CODE", "PASSKEY", "CONFIRM", "PAIRED", "ONLINE", "LOGGED_OUT", "REPLACED", "REMOVED")


def build(target: pathlib.Path) -> dict[str, list[str]]:
    """Builds every client; returns the command of each."""
    go = target / "interop-whatsmeow"
    subprocess.run(["go", "build", "-o", str(go), "."], cwd=HERE / "whatsmeow", check=True)
    rust_target = target / "interop-rust"
    subprocess.run(
        ["cargo", "build", "--locked", "--target-dir", str(rust_target)], cwd=HERE / "whatsapp-rust", check=True
    )
    return {"whatsmeow": [str(go)], "whatsapp-rust": [str(rust_target / "debug/interop-whatsapp-rust")]}


class Wrong(Exception):
    """Something did not go as it must."""


class Simulator:
    """A running `wa sim`, and what can be done with it."""

    def __init__(self, wa: str, folder: pathlib.Path) -> None:
        self.process = subprocess.Popen(
            [wa, "sim", "--json", "--tls"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        info = json.loads(self.process.stdout.readline())
        ca = folder / "ca.pem"
        ca.write_text(info["ca_pem"])
        self.wa, self.url, self.noise_root = wa, info["url"], info["noise_root"]
        self.control_url = info["control_url"]
        self.env = dict(
            os.environ,
            SIM_URL=info["url"],
            SIM_TLS_ADDR=info["tls_url"].split("://", 1)[1].split("/", 1)[0],
            SIM_CA=str(ca),
            SIM_NOISE_ROOT=info["noise_root"],
        )

    def control(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Wrong(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from error

    def companions(self, phone: str) -> list[dict]:
        """The devices this phone believes in. A client's word for being logged out is not enough."""
        return next(p["companions"] for p in self.control("GET", "/phones") if p["number"] == phone)

    def device(self, phone: str) -> dict:
        """The one linked device of an account, as the server knows it."""
        devices = next(a["devices"] for a in self.control("GET", "/accounts") if a["number"] == phone)
        if len(devices) != 1:
            raise Wrong(f"the server knows {len(devices)} devices, expected 1")
        return devices[0]


class Run:
    """One run of a client: its process, and what it has said."""

    def __init__(self, client: "Client", mode: str, store: pathlib.Path) -> None:
        self.name = f"{client.name} {mode}"
        self.said: list[str] = []
        self.complaints: list[str] = []
        self.lines: "queue.Queue[str | None]" = queue.Queue()
        self.process = subprocess.Popen(
            [*client.command, mode],
            env=dict(client.sim.env, STORE=str(store), PHONE=client.phone),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self.deadline = time.monotonic() + PATIENCE
        threading.Thread(target=lambda: self.complaints.extend(self.process.stderr), daemon=True).start()
        threading.Thread(target=self.pump, daemon=True).start()

    def pump(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def fail(self, why: str) -> Wrong:
        self.process.kill()
        return Wrong(f"{self.name}: {why}; said {self.said}\n" + "".join(self.complaints[-40:]))

    def left(self) -> float:
        return max(0.1, self.deadline - time.monotonic())

    def word(self) -> tuple[str, str] | None:
        """The next thing it says; None at its end."""
        while True:
            try:
                line = self.lines.get(timeout=self.left())
            except queue.Empty:
                raise self.fail(f"silent for {PATIENCE} s") from None
            if line is None:
                return None
            word, _, rest = line.partition(" ")
            if word in WORDS:
                # A QR is drawn again and again; one mention is enough.
                if not (word == "QR" and "QR" in self.said):
                    self.said.append(word)
                    return word, rest
            else:
                self.complaints.append(line + "\n")

    def until(self, wanted: str, react=lambda word, rest: None) -> None:
        """Reads on until it says the word, reacting to everything before."""
        while True:
            got = self.word()
            if got is None:
                raise self.fail(f"ended without {wanted}")
            if got[0] == wanted:
                return
            react(*got)

    def answer(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self, wanted: list[str]) -> None:
        while self.word() is not None:
            pass
        try:
            code = self.process.wait(timeout=self.left())
        except subprocess.TimeoutExpired:
            raise self.fail("its output ended, the process did not") from None
        if code != 0:
            raise self.fail(f"exit code {code}")
        # Restarts repeat a word.
        said = [word for at, word in enumerate(self.said) if at == 0 or self.said[at - 1] != word]
        if said != wanted:
            raise self.fail(f"expected {wanted}")


class Client:
    """A client with a phone of its own, through every scenario."""

    def __init__(self, name: str, command: list[str], sim: Simulator, folder: pathlib.Path) -> None:
        self.name, self.command, self.sim, self.folder = name, command, sim, folder
        self.phone = sim.control("POST", "/phones", {})["number"]
        self.store = folder / f"{name}.db"
        self.passed = 0

    def ok(self, scenario: str, run: Run, linked: int) -> None:
        listed = len(self.sim.companions(self.phone))
        if listed != linked:
            raise Wrong(f"{self.name} {scenario}: the phone lists {listed} devices, expected {linked}")
        print(f"ok   {self.name:<14} {scenario:<22} {' '.join(run.said)}", flush=True)
        self.passed += 1

    def react(self, word: str, rest: str) -> None:
        """What the owner of the phone does when the client shows something."""
        if word == "QR":
            self.sim.control("POST", "/scan", {"phone": self.phone, "qr": rest})
        elif word == "CODE":
            self.sim.control("POST", "/code", {"phone": self.phone, "code": rest})

    def link(self, scenario: str, mode: str, shown: str) -> None:
        run = Run(self, mode, self.store)
        run.until("ONLINE", self.react)
        run.end([shown, "PAIRED", "ONLINE"])
        self.ok(scenario, run, 1)

    def simple(self, scenario: str, mode: str, wanted: list[str], linked: int) -> None:
        run = Run(self, mode, self.store)
        run.end(wanted)
        self.ok(scenario, run, linked)

    def take_over(self) -> None:
        """Imports what the client has stored and logs in with it: as the same device, with no new QR."""
        env = {"HOME": str(self.folder), "PATH": os.environ.get("PATH", "")}
        root = ["--noise-root", self.sim.noise_root]
        store = ["--store", str(self.folder / f"{self.name}-imported.db")]
        steps = (
            ["import", "--from", self.name, "--old-holder-stopped", str(self.store), *root, *store],
            ["pair", "--server", self.sim.url, *root, *store],
        )
        for step in steps:
            done = subprocess.run([self.sim.wa, *step], env=env, capture_output=True, text=True, timeout=PATIENCE)
            if done.returncode != 0 or "QR" in done.stdout:
                raise Wrong(f"{self.name}: wa {step[0]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        if len(self.sim.companions(self.phone)) != 1:
            raise Wrong(f"{self.name}: taking its link over made another device")
        print(f"ok   {self.name:<14} {'taken over by wa':<22} ONLINE", flush=True)
        self.passed += 1

    def restarted(self) -> Run:
        """A 515 in the middle of a session: the client comes back by itself."""
        before = self.sim.device(self.phone)["logins"]
        fault = {"fault": "stream_error_at", "step": "online", "error": {"kind": "code", "code": 515}}
        self.sim.control("POST", "/fault", {**fault, "account": self.phone})
        run = Run(self, "hold", self.store)
        run.until("ONLINE")
        self.wait_for(run, "back after the restart", lambda device: device["logins"] >= before + 2 and device["online"])
        self.ok("survives 515", run, 1)
        return run

    def wait_for(self, run: Run, what: str, holds) -> None:
        while not holds(self.sim.device(self.phone)):
            if time.monotonic() > run.deadline:
                raise run.fail(f"not {what}")
            time.sleep(0.1)
        # It has to last, too.
        time.sleep(1)
        if not self.sim.device(self.phone)["online"]:
            raise run.fail(f"{what}, and gone again")

    def replaced(self, first: Run) -> None:
        """The same credentials connect a second time: the first connection stands back."""
        copy = self.folder / f"{self.name}-copy.db"
        with contextlib.closing(sqlite3.connect(self.store)) as source, contextlib.closing(
            sqlite3.connect(copy)
        ) as target:
            source.backup(target)
        second = Run(self, "hold", copy)
        second.until("ONLINE")
        first.until("REPLACED")
        first.end(["ONLINE", "REPLACED"])
        self.ok("stands back (conflict)", first, 1)
        # Removed on the phone while it is connected.
        device = self.sim.companions(self.phone)[0]["device"]
        self.sim.control("POST", "/unlink", {"phone": self.phone, "device": device})
        second.until("REMOVED")
        second.end(["ONLINE", "REMOVED"])
        self.ok("removed on the phone", second, 0)

    def passkey(self) -> None:
        """The phone's account wants a passkey after the scan."""
        # The owner takes a moment to compare: time in which a client may settle on the secret it has just sent.
        policy = {"after_qr": True, "confirm_ms": 1500}
        phone = self.sim.control("POST", "/phones", {"passkey": policy})["number"]
        self.phone, self.store = phone, self.folder / f"{self.name}-passkey.db"
        run = Run(self, "passkey", self.store)

        def react(word: str, rest: str) -> None:
            if word == "PASSKEY":
                asked = {"phone": phone, "options": rest}
                run.answer(self.sim.control("POST", "/passkey/assert", asked)["assertion"])
            elif word == "CONFIRM":
                shown = self.sim.control("GET", f"/passkey/code?phone={phone}")["code"]
                run.answer("yes" if shown.replace("-", "") == rest.replace("-", "") else "no")
            else:
                self.react(word, rest)

        run.until("ONLINE", react)
        run.end(["QR", "PASSKEY", "CONFIRM", "PAIRED", "ONLINE"])
        self.ok("links by passkey", run, 1)

    def everything(self) -> int:
        self.link("links by QR", "link", "QR")
        self.simple("resumes", "resume", ["ONLINE"], 1)
        # It rests between its runs, so its link can be held by wa meanwhile.
        if self.name == "whatsmeow":
            self.take_over()
        self.simple("logs out", "logout", ["ONLINE", "LOGGED_OUT"], 0)
        # A store that was logged out is of no use to some of them.
        self.store = self.folder / f"{self.name}-code.db"
        self.link("links by code", "code", "CODE")
        self.replaced(self.restarted())
        # The pinned whatsmeow is the newest there is as a module, and knows no passkeys.
        if self.name != "whatsmeow":
            self.passkey()
        return self.passed


def main() -> None:
    wa = os.environ.get("WA", str(ROOT / "target/debug/wa"))
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    commands = build(target)
    wanted = sys.argv[1:] or list(commands)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sim = Simulator(wa, folder)
        try:
            clients = [Client(name, commands[name], sim, folder) for name in wanted]
            with concurrent.futures.ThreadPoolExecutor() as pool:
                runs = [pool.submit(client.everything) for client in clients]
                passed = sum(run.result() for run in runs)
        except Wrong as wrong:
            print(f"FAILED {wrong}", flush=True)
            sim.process.kill()
            os._exit(1)
        finally:
            sim.process.kill()
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
