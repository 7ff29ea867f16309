//! The server, the phone and its owner inside the process, for `wa pair --sim`.

use std::io::IsTerminal as _;
use std::time::Duration;

use wa_client::NoiseRoot;
use wa_sim::{PasskeyPolicy, PhoneConfig, PhoneNumber, Sim, SimOptions};

use crate::exit::Failure;

/// How long the simulated owner looks at the code before the phone has it, where a person watches.
const SCAN_DELAY: Duration = Duration::from_millis(1500);

/// Number of the phone when none was given; no account has it (it is one of those kept for fiction).
const DEFAULT_NUMBER: u64 = 15_551_230_001;

/// A simulator of our own with one phone.
pub(crate) struct SimulatedPhone {
    sim: Sim,
    number: PhoneNumber,
    has_scanned: bool,
}

impl SimulatedPhone {
    /// With a number the phone has that number. With `passkey` its account asks for its passkey.
    pub(crate) async fn start(number: Option<PhoneNumber>, passkey: bool) -> Result<Self, Failure> {
        let mut options = SimOptions {
            tls_listen: None,
            control_listen: None,
            phones: 0,
            ..SimOptions::default()
        };
        if std::io::stdout().is_terminal() {
            options.world.scan_delay = SCAN_DELAY;
        }
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Other(format!("the simulator did not start: {error}"))
        };
        let sim = Sim::start(options).await.map_err(|error| failed(&error))?;
        let number = match number {
            Some(number) => number,
            None => PhoneNumber::new(DEFAULT_NUMBER).map_err(|error| failed(&error))?,
        };
        let phone = PhoneConfig {
            passkey: PasskeyPolicy {
                after_qr: passkey,
                after_code: passkey,
                ..PasskeyPolicy::default()
            },
            ..PhoneConfig::default()
        };
        sim.add_phone(number, phone)
            .map_err(|error| failed(&error))?;
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

    /// The owner types a pairing code into the phone.
    pub(crate) fn enter(&mut self, code: &str) -> Result<(), Failure> {
        let entered = self.sim.begin_code(Some(self.number), code);
        entered.map(drop).map_err(|error| {
            Failure::Other(format!(
                "the simulated phone does not take the code: {error}"
            ))
        })
    }

    /// The owner's authenticator signs.
    pub(crate) fn sign(&self, options: &str) -> Result<String, Failure> {
        self.sim.assert_passkey(options).map_err(|error| {
            Failure::Other(format!(
                "the simulated owner cannot use the passkey: {error}"
            ))
        })
    }

    /// Whether the phone shows this confirmation code.
    pub(crate) fn shows(&self, code: &str) -> bool {
        self.sim
            .passkey_code(self.number)
            .is_some_and(|shown| shown == code)
    }

    pub(crate) async fn end(self) {
        // Only a state file could fail to be written, and there is none.
        let _ = self.sim.shutdown().await;
    }
}
