//! The server and the phone inside the process, for `wa pair --sim`.

use std::io::IsTerminal as _;
use std::time::Duration;

use wa_client::NoiseRoot;
use wa_sim::{PhoneNumber, Sim, SimOptions};

use crate::exit::Failure;

/// How long the simulated owner looks at the code before the phone has it, where a person watches.
const SCAN_DELAY: Duration = Duration::from_millis(1500);

/// A simulator of our own with one phone.
pub(crate) struct SimulatedPhone {
    sim: Sim,
    number: PhoneNumber,
    has_scanned: bool,
}

impl SimulatedPhone {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let mut options = SimOptions {
            tls_listen: None,
            control_listen: None,
            ..SimOptions::default()
        };
        if std::io::stdout().is_terminal() {
            options.world.scan_delay = SCAN_DELAY;
        }
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Other(format!("the simulator did not start: {error}"))
        };
        let sim = Sim::start(options).await.map_err(|error| failed(&error))?;
        let number = sim
            .default_phone()
            .ok_or_else(|| failed(&"it has no phone"))?;
        Ok(Self {
            sim,
            number,
            has_scanned: false,
        })
    }

    pub(crate) fn url(&self) -> String {
        self.sim.url()
    }

    pub(crate) fn noise_root(&self) -> Result<NoiseRoot, Failure> {
        NoiseRoot::from_hex(&self.sim.noise_root_hex())
            .map_err(|error| Failure::Other(error.to_string()))
    }

    pub(crate) fn number(&self) -> u64 {
        self.number.digits()
    }

    /// Points the phone at what is shown: the first code.
    pub(crate) fn scan(&mut self, code: &str) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.has_scanned, true) {
            let scan = self.sim.begin_scan(Some(self.number), code);
            scan.map_err(|error| {
                Failure::Other(format!(
                    "the simulated phone does not take the code: {error}"
                ))
            })?;
        }
        Ok(())
    }

    pub(crate) async fn end(self) {
        // Only a state file could fail to be written, and there is none.
        let _ = self.sim.shutdown().await;
    }
}
