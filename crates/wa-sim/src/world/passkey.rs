//! Linking guarded by a passkey: the phone's and its owner's half (pairing chapter, C and D.5).

use std::time::Duration;

use rand_chacha::rand_core::Rng as _;
use thiserror::Error;
use wa_crypto::AdvSecret;
use wa_proto::Node;

use super::World;
use super::conn::{Conn, Linking};
use super::linking::Way;
use super::phones::{ScanFailure, ScanOutcome};
use super::remark::CeremonyError;
use super::timers::Timer;
use crate::authenticator::{AssertError, CHALLENGE_LEN, Options, Passkey};
use crate::fault::Step;
use crate::names::{ConnId, Now, PhoneNumber, ScanId};
use crate::phone::{Exchange, PasskeyPolicy, ScannedQr, displayed};

/// The type of the notification that asks for the passkey.
pub(super) const PROLOGUE_REQUEST: &str = "passkey_prologue_request";
/// The type of the notification that carries the phone's key.
pub(super) const CONTINUATION: &str = "crsc_continuation";

/// Why nothing was confirmed on a phone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// No phone has this number.
    #[error("no phone has the number {0}")]
    NoPhone(PhoneNumber),
    /// The phone shows no code that waits for its owner.
    #[error("the phone {0} shows no code to confirm")]
    NothingShown(PhoneNumber),
}

/// A passkey ceremony on a connection.
pub(super) struct Ceremony {
    pub(super) scan: ScanId,
    pub(super) number: PhoneNumber,
    /// The secret of the scanned or entered code, by which the handoff proof verifies.
    pub(super) known: AdvSecret,
    /// The challenge issued last, until an assertion uses it up.
    pub(super) challenge: Option<[u8; CHALLENGE_LEN]>,
    /// The ref issued last.
    pub(super) reference: Option<String>,
    pub(super) stage: Stage,
}

/// How far a ceremony has come.
pub(super) enum Stage {
    /// The passkey was asked for.
    Requested,
    /// The prologue has reached the phone, which answers with its key.
    Continuing {
        exchange: Exchange,
        /// The handoff proof stands for the confirmation.
        proven: bool,
        /// The companion has been sent the phone's key.
        told: bool,
    },
    /// The phone shows its code.
    Comparing(Box<Comparing>),
}

pub(super) struct Comparing {
    pub(super) exchange: Exchange,
    code: [u8; crate::phone::CODE_LEN],
    confirmed: bool,
    /// What the companion asks to be linked, if it was faster than the owner.
    request: Option<ScannedQr>,
}

impl Comparing {
    /// Whether the companion has asked to be linked.
    pub(super) fn is_asked(&self) -> bool {
        self.request.is_some()
    }
}

impl World {
    /// The owner lets their passkey sign for what a companion asks: takes the options of
    /// `navigator.credentials.get` as JSON, returns the assertion as JSON. Which account's passkey it is say
    /// the options; if they leave it open, their challenge does.
    ///
    /// # Errors
    /// See [`AssertError`].
    pub fn assert_passkey(&mut self, now: Now, options: &str) -> Result<String, AssertError> {
        self.now = now;
        let options = Options::parse(options)?;
        let number = if options.allowed.is_empty() {
            self.ceremonies()
                .find(|(_, ceremony)| {
                    ceremony
                        .challenge
                        .is_some_and(|challenge| options.challenge == challenge)
                })
                .map(|(_, ceremony)| ceremony.number)
        } else {
            self.accounts
                .values()
                .find(|account| {
                    account.passkey.as_ref().is_some_and(|passkey| {
                        options.allowed.iter().any(|id| *id == passkey.credential)
                    })
                })
                .map(|account| account.number)
        };
        let passkey = number
            .and_then(|number| self.accounts.get_mut(&number))
            .and_then(|account| account.passkey.as_mut())
            .ok_or(AssertError::NoPasskey)?;
        let assertion = passkey.assertion(&options.challenge);
        self.touch();
        Ok(assertion)
    }

    /// The confirmation code a phone shows, as `ABCD-1234`.
    pub fn passkey_code(&self, number: PhoneNumber) -> Option<String> {
        self.ceremonies()
            .filter(|(_, ceremony)| ceremony.number == number)
            .filter_map(|(conn, ceremony)| match &ceremony.stage {
                Stage::Comparing(comparing) => Some((conn, displayed(&comparing.code))),
                _ => None,
            })
            .max()
            .map(|(_, code)| code)
    }

    /// The owner says on the phone whether the companion shows the same code. A refusal ends the ceremony; the
    /// companion hears nothing of it.
    ///
    /// # Errors
    /// When there is no such phone, or it shows no code that waits for its owner.
    pub fn confirm_on_phone(
        &mut self,
        now: Now,
        number: PhoneNumber,
        accept: bool,
    ) -> Result<(), ConfirmError> {
        self.now = now;
        if !self.accounts.contains_key(&number) {
            return Err(ConfirmError::NoPhone(number));
        }
        let waiting = self
            .ceremonies()
            .filter(|(_, ceremony)| ceremony.number == number)
            .filter(|(_, ceremony)| {
                matches!(&ceremony.stage, Stage::Comparing(comparing) if !comparing.confirmed)
            })
            .map(|(conn, ceremony)| (conn, ceremony.scan))
            .max_by_key(|(conn, _)| *conn);
        let (conn, scan) = waiting.ok_or(ConfirmError::NothingShown(number))?;
        self.with_conn(conn, |world, conn| {
            if accept {
                world.phone_confirms(conn, scan);
            } else {
                world.end_ceremony(conn, scan, ScanFailure::PasskeyRefused);
            }
        });
        Ok(())
    }

    /// From now on the phone guards its links like this. `false` when there is no such phone.
    pub fn set_passkey_policy(&mut self, number: PhoneNumber, policy: PasskeyPolicy) -> bool {
        self.touch();
        let Some(account) = self.accounts.get_mut(&number) else {
            return false;
        };
        account.phone.config.passkey = policy;
        true
    }

    fn ceremonies(&self) -> impl Iterator<Item = (ConnId, &Ceremony)> {
        self.conns
            .iter()
            .filter_map(|(id, conn)| Some((*id, conn.ceremony()?)))
    }

    /// Asks a companion whose code was scanned or entered for the account's passkey.
    pub(super) fn ask_passkey(
        &mut self,
        conn: &mut Conn,
        scan: ScanId,
        number: PhoneNumber,
        known: AdvSecret,
    ) {
        let policy = self.policy(number);
        let challenge = policy.inline_options.then(|| self.challenge());
        let request = Node::new("passkey_request_options");
        let options = challenge
            .as_ref()
            .map(|challenge| request.bytes(self.options(number, challenge).into_bytes()));
        let Some(registration) = conn.registration() else {
            return;
        };
        registration.linking = Linking::Passkey(Box::new(Ceremony {
            scan,
            number,
            known,
            challenge,
            reference: None,
            stage: Stage::Requested,
        }));
        self.timers.set(
            self.now.instant + self.config.passkey_timeout,
            Timer::Passkey(conn.id, scan),
        );
        self.notify_with(conn, PROLOGUE_REQUEST, options);
        self.at(conn, Step::PasskeyAsked);
    }

    pub(super) fn policy(&self, number: PhoneNumber) -> PasskeyPolicy {
        self.accounts
            .get(&number)
            .map(|account| account.phone.config.passkey)
            .unwrap_or_default()
    }

    pub(super) fn challenge(&mut self) -> [u8; CHALLENGE_LEN] {
        let mut challenge = [0; CHALLENGE_LEN];
        self.rng.fill_bytes(&mut challenge);
        challenge
    }

    /// The options with this challenge, as JSON. The first time makes the account's passkey.
    pub(super) fn options(
        &mut self,
        number: PhoneNumber,
        challenge: &[u8; CHALLENGE_LEN],
    ) -> String {
        let timeout = self.config.passkey_timeout.as_millis();
        let discoverable = self.policy(number).discoverable;
        self.touch();
        let rng = &mut self.rng;
        let Some(account) = self.accounts.get_mut(&number) else {
            return String::new();
        };
        account
            .passkey
            .get_or_insert_with(|| Passkey::generate(rng))
            .request_options(challenge, timeout, discoverable)
    }

    /// The companion has shown its nonce: the phone checks the commitment and shows its code.
    pub(super) fn show_code(&mut self, conn: &mut Conn, nonce: &[u8; 32]) {
        let Some(ceremony) = conn.ceremony_mut() else {
            return;
        };
        let (scan, number) = (ceremony.scan, ceremony.number);
        let Stage::Continuing {
            exchange, proven, ..
        } = std::mem::replace(&mut ceremony.stage, Stage::Requested)
        else {
            return;
        };
        let Some(code) = exchange.code(nonce) else {
            let rule = CeremonyError::Commitment;
            self.phone_aborts(conn, "companion_nonce", rule);
            return;
        };
        ceremony.stage = Stage::Comparing(Box::new(Comparing {
            exchange,
            code,
            confirmed: proven,
            request: None,
        }));
        let confirms = self.policy(number).confirm_ms.filter(|_| !proven);
        if let Some(ms) = confirms {
            self.timers.set(
                self.now.instant + Duration::from_millis(ms),
                Timer::Confirm(conn.id, scan),
            );
        }
    }

    /// The companion asks to be linked: now, or as soon as the owner has confirmed.
    pub(super) fn take_request(&mut self, conn: &mut Conn, keys: ScannedQr) {
        if let Some(Stage::Comparing(comparing)) =
            conn.ceremony_mut().map(|ceremony| &mut ceremony.stage)
        {
            comparing.request = Some(keys);
        }
        if let Some(scan) = conn.ceremony().map(|ceremony| ceremony.scan) {
            self.phone_will_answer(conn, scan);
        }
    }

    /// The phone's next word comes when a real phone's would: after what the server has answered the companion.
    pub(super) fn phone_will_answer(&mut self, conn: &mut Conn, scan: ScanId) {
        if self.config.phone_delay.is_zero() {
            return self.phone_answers(conn, scan);
        }
        let at = self.now.instant + self.config.phone_delay;
        self.timers.set(at, Timer::PhoneAnswer(conn.id, scan));
    }

    pub(super) fn phone_answers(&mut self, conn: &mut Conn, scan: ScanId) {
        let Some(ceremony) = conn.ceremony_mut().filter(|ceremony| ceremony.scan == scan) else {
            return;
        };
        match &mut ceremony.stage {
            Stage::Continuing { exchange, told, .. } if !*told => {
                *told = true;
                let identity = exchange.primary_identity();
                self.tell_primary_identity(conn, identity);
            }
            Stage::Comparing(_) => self.link_if_confirmed(conn),
            _ => {}
        }
    }

    /// The owner has found the same code on both screens.
    pub(super) fn phone_confirms(&mut self, conn: &mut Conn, scan: ScanId) {
        if let Some(ceremony) = conn.ceremony_mut()
            && ceremony.scan == scan
            && let Stage::Comparing(comparing) = &mut ceremony.stage
        {
            comparing.confirmed = true;
        }
        self.phone_will_answer(conn, scan);
    }

    fn link_if_confirmed(&mut self, conn: &mut Conn) {
        let Some(ceremony) = conn.ceremony_mut() else {
            return;
        };
        let (scan, number) = (ceremony.scan, ceremony.number);
        let keys = match &mut ceremony.stage {
            Stage::Comparing(comparing) if comparing.confirmed => comparing.request.take(),
            _ => None,
        };
        let Some(keys) = keys else {
            return;
        };
        if let Some(registration) = conn.registration() {
            registration.linking = Linking::Offered;
        }
        self.upload(conn, scan, number, &keys, Way::Passkey);
        self.watch_refs(conn);
    }

    /// The phone gives the ceremony up, and tells its owner only.
    pub(super) fn phone_aborts(
        &mut self,
        conn: &mut Conn,
        request: &'static str,
        rule: CeremonyError,
    ) {
        let failure = ScanFailure::Passkey {
            rule: rule.to_string(),
        };
        self.ceremony_remark(conn, request, rule);
        if let Some(scan) = conn.ceremony().map(|ceremony| ceremony.scan) {
            self.end_ceremony(conn, scan, failure);
        }
    }

    pub(super) fn end_ceremony(&mut self, conn: &mut Conn, scan: ScanId, failure: ScanFailure) {
        if conn.ceremony().is_none_or(|ceremony| ceremony.scan != scan) {
            return;
        }
        if let Some(registration) = conn.registration() {
            registration.linking = Linking::Offered;
        }
        self.scans.end(scan, ScanOutcome::Failed(failure));
        self.watch_refs(conn);
    }
}
