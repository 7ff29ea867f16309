//! What the tests of the command share: a simulator in this process, the real binary on it, and its lines.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use wa_sim::{PhoneConfig, PhoneNumber, Sim, SimOptions};

/// Nothing on loopback takes this long, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A simulator and a folder for stores; the folder doubles as the home of the user.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) folder: tempfile::TempDir,
    runtime: Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut SimOptions)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut options = SimOptions {
            tls_listen: None,
            ..SimOptions::default()
        };
        change(&mut options);
        Self {
            sim: runtime.block_on(Sim::start(options)).unwrap(),
            folder: tempfile::tempdir().unwrap(),
            runtime,
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("wa.db")
    }

    /// `wa` with nothing of the user's surroundings.
    pub(crate) fn wa(&self) -> Command {
        wa(self.folder.path())
    }

    /// A command on this world's server and store.
    pub(crate) fn on_store(&self, command: &str) -> Command {
        let mut wa = self.wa();
        wa.arg(command).arg("--store").arg(self.store());
        wa
    }

    /// A command on this world's server and store that connects.
    pub(crate) fn online(&self, command: &str) -> Command {
        let mut wa = self.on_store(command);
        wa.args([
            "--server",
            &self.sim.url(),
            "--noise-root",
            &self.sim.noise_root_hex(),
        ]);
        wa
    }

    /// Links the store with a command that ends by itself.
    pub(crate) fn link(&self) {
        let mut run = Running::start(self.online("pair").arg("--json"));
        self.scan(run.wait_for("qr")["code"].as_str().unwrap());
        run.wait_for("online");
        assert_eq!(run.end().code(), Some(0));
    }

    /// Points the phone at a code and waits for nothing.
    pub(crate) fn scan(&self, code: &str) {
        let _guard = self.runtime.enter();
        self.sim.begin_scan(None, code).unwrap();
    }

    pub(crate) fn number(&self) -> PhoneNumber {
        self.sim.default_phone().unwrap()
    }

    pub(crate) fn add_phone(&self, number: PhoneNumber) {
        self.sim.add_phone(number, PhoneConfig::default()).unwrap();
    }

    /// How many companions the phone believes in.
    pub(crate) fn companions(&self) -> usize {
        let number = self.number();
        self.sim
            .read(|world| world.phone(number).unwrap().companions.len())
    }
}

pub(crate) fn wa(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wa"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

pub(crate) fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.stdin(Stdio::null()).output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// A running `wa`, its lines as they come. Dropping it kills it.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    pub(crate) seen: Vec<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::of(command.spawn().unwrap())
    }

    /// A process whose standard input and output are pipes.
    pub(crate) fn of(mut child: Child) -> Self {
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// The next line; `None` when the output ends or the time is over.
    pub(crate) fn line_within(&mut self, limit: Duration) -> Option<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// The next line as JSON.
    pub(crate) fn message(&mut self) -> Value {
        let line = self.line_within(PATIENCE);
        let line = line.unwrap_or_else(|| panic!("no line in time; so far {:#?}", self.seen));
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["v"], 1, "{line}");
        assert!(message["type"].is_string(), "{line}");
        message
    }

    /// Reads messages until one of this type.
    pub(crate) fn wait_for(&mut self, wanted: &str) -> Value {
        self.wait_until(|message| message["type"] == wanted)
    }

    /// Reads messages until the state of this name.
    pub(crate) fn wait_for_state(&mut self, wanted: &str) -> Value {
        self.wait_until(|message| message["type"] == "state" && message["state"] == wanted)
    }

    pub(crate) fn wait_until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.message();
            if wanted(&message) {
                return message;
            }
        }
    }

    pub(crate) fn send(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
        stdin.flush().unwrap();
    }

    /// Waits for the end by itself.
    pub(crate) fn end(&mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while self.line_within(Duration::from_millis(200)).is_some() {}
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "no end in time; said {:#?}",
                self.seen
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `SIGKILL`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
