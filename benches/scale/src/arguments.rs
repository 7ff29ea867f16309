//! The command line, of the lead and of the processes it starts.

use crate::Failure;
use crate::sim::Sim;
use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
wa-scale [SESSIONS] --wa PATH --dir EMPTY-DIRECTORY [--window SECONDS] [--concurrency LOGINS]";

/// What this process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Lead,
    Link,
    Hold,
    Keep,
}

pub(crate) struct Arguments {
    pub(crate) role: Role,
    pub(crate) sessions: usize,
    /// How many log in at a time.
    pub(crate) concurrency: usize,
    /// Seconds for which the sessions are held before they are measured again.
    pub(crate) window: u64,
    pub(crate) wa: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) url: String,
    pub(crate) root: String,
    pub(crate) control: String,
}

impl Arguments {
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut read = Self {
            role: Role::Lead,
            sessions: 1000,
            concurrency: 32,
            window: 90,
            wa: PathBuf::new(),
            dir: PathBuf::new(),
            url: String::new(),
            root: String::new(),
            control: String::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                read.sessions = number(&word)?;
                continue;
            };
            let value = words.next().ok_or_else(usage)?;
            match option {
                "role" => {
                    read.role = match value.as_str() {
                        "link" => Role::Link,
                        "hold" => Role::Hold,
                        "keep" => Role::Keep,
                        _ => return Err(usage()),
                    }
                }
                "concurrency" => read.concurrency = number(&value)?,
                "window" => read.window = number(&value)? as u64,
                "wa" => read.wa = value.into(),
                "dir" => read.dir = value.into(),
                "url" => read.url = value,
                "root" => read.root = value,
                "control" => read.control = value,
                _ => return Err(usage()),
            }
        }
        if read.sessions == 0 || read.concurrency == 0 || read.dir.as_os_str().is_empty() {
            return Err(usage());
        }
        Ok(read)
    }

    pub(crate) fn for_child(
        &self,
        role: Role,
        sessions: usize,
        window: u64,
        sim: &Sim,
    ) -> Vec<OsString> {
        let role = match role {
            Role::Lead => "lead",
            Role::Link => "link",
            Role::Hold => "hold",
            Role::Keep => "keep",
        };
        vec![
            sessions.to_string().into(),
            "--role".into(),
            role.into(),
            "--concurrency".into(),
            self.concurrency.to_string().into(),
            "--window".into(),
            window.to_string().into(),
            "--dir".into(),
            self.dir.clone().into(),
            "--url".into(),
            sim.url.clone().into(),
            "--root".into(),
            sim.root.clone().into(),
            "--control".into(),
            sim.control.clone().into(),
        ]
    }

    /// Where the accounts are kept.
    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join("wa.db")
    }
}

fn number(word: &str) -> Result<usize, Failure> {
    word.parse().map_err(|_| usage())
}

fn usage() -> Failure {
    Failure(format!("usage: {USAGE}"))
}
