//! The simulator, a process of its own.

use crate::Failure;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends with the value.
pub(crate) struct Sim {
    child: Child,
    pub(crate) url: String,
    pub(crate) root: String,
    pub(crate) control: String,
}

impl Sim {
    pub(crate) fn start(wa: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(wa)
            .args(["sim", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure(format!("{} sim: {error}", wa.display())))?;
        let mut line = String::new();
        if let Some(out) = &mut child.stdout {
            BufReader::new(out).read_line(&mut line)?;
        }
        let mut sim = Self {
            child,
            url: String::new(),
            root: String::new(),
            control: String::new(),
        };
        let said: serde_json::Value = serde_json::from_str(&line)?;
        let field = |name: &str| {
            said[name]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| Failure(format!("the simulator does not say its {name}: {line}")))
        };
        sim.url = field("url")?;
        sim.root = field("noise_root")?;
        sim.control = field("control_url")?;
        Ok(sim)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
