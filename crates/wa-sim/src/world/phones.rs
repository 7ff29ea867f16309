//! The phones and what their owners do with them; what can be seen of the whole.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::World;
use super::remark::shorten;
use super::timers::Timer;
use crate::account::Account;
use crate::fault::StreamError;
use crate::names::{Now, PhoneNumber, ScanId};
use crate::phone::{
    EnteredCode, EnteredCodeError, Phone, PhoneConfig, QrForms, QrParseError, ScannedQr, parse_qr,
};

/// Most accounts of one world.
pub const MAX_ACCOUNTS: usize = 100_000;
/// Most outcomes of scans remembered.
const MAX_SCANS: usize = 4_096;
/// A LID has 15 digits, the first of them a 1.
const LID_BASE: u64 = 100_000_000_000_000;

/// Why a phone was not added.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddPhoneError {
    /// The number has one.
    #[error("{0} is in use")]
    InUse(PhoneNumber),
    /// There are [`MAX_ACCOUNTS`].
    #[error("there are {limit} phones, more are not kept")]
    TooMany {
        /// The bound.
        limit: usize,
    },
}

/// Why a phone does not even try to link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The text is no linking code.
    #[error("not a linking code: {0}")]
    Code(#[from] QrParseError),
    /// The text is no pairing code.
    #[error("not a pairing code: {0}")]
    Entered(#[from] EnteredCodeError),
    /// No phone has this number.
    #[error("no phone has the number {0}")]
    NoPhone(PhoneNumber),
    /// There is no phone at all.
    #[error("there is no phone; add one first")]
    NoPhones,
}

/// Why a companion was not unlinked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnlinkError {
    /// No phone has this number.
    #[error("no phone has the number {0}")]
    NoPhone(PhoneNumber),
    /// The account has no such companion.
    #[error("{number} has no device {device}")]
    NoDevice {
        /// The account.
        number: PhoneNumber,
        /// The device number asked for.
        device: u16,
    },
}

/// What became of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScanOutcome {
    /// Not decided yet.
    Pending,
    /// The companion is linked.
    Linked {
        /// Its JID.
        jid: String,
        /// Its device number.
        device: u16,
        /// The key index it was given.
        key_index: u32,
    },
    /// It is not.
    Failed(ScanFailure),
}

/// Why a link failed after the phone had tried.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ScanFailure {
    /// No connection offers this ref: the code is old, or of another server.
    #[error("the server does not know this code: it is too old, or belongs to another server")]
    UnknownRef,
    /// The key in the code is not that of the connection.
    #[error("the noise key in the code is not the one the companion connected with")]
    OtherNoiseKey,
    /// The account has as many companions as it may have.
    #[error("the account has {limit} companions and may not have more")]
    DeviceLimit {
        /// How many it may have.
        limit: usize,
    },
    /// The server had the companion re-mint its secret; the code it shows now is good.
    #[error("the code was refreshed, scan the one shown now")]
    CodeRefreshed,
    /// The companion refused.
    #[error("the companion refused: {code} {text}")]
    Refused {
        /// Code of its error.
        code: u16,
        /// Text of its error.
        text: String,
    },
    /// The companion's signed reply breaks a rule.
    #[error("the companion's reply is wrong: {rule}")]
    BadReply {
        /// Which rule.
        rule: String,
    },
    /// The companion did not reply in time.
    #[error("the companion did not reply in time")]
    NoReply,
    /// The companion's connection ended before it replied.
    #[error("the companion's connection ended before it replied")]
    Closed,
    /// No companion waits for a code of this number, or its code was replaced.
    #[error("no companion waits for a code of this number")]
    NoCompanion,
    /// The code is older than codes may be.
    #[error("the code has expired")]
    CodeExpired,
    /// The companion does not know the code that was entered.
    #[error("the code is wrong")]
    WrongCode,
    /// Another code, or another attempt to enter it, has taken the place of this one.
    #[error("another code or another attempt has taken its place")]
    Overtaken,
    /// The companion did not answer the code.
    #[error("the companion did not answer the code in time")]
    NoFinish,
    /// The companion knows the code and says something wrong with it.
    #[error("the companion's answer to the code is wrong: {rule}")]
    BadBundle {
        /// Which rule it breaks.
        rule: String,
    },
    /// The passkey ceremony was not brought to its end.
    #[error("the passkey ceremony took too long")]
    PasskeyTimeout,
    /// The owner saw two different codes, or wanted no link.
    #[error("the owner did not confirm the code")]
    PasskeyRefused,
    /// The passkey ceremony broke off.
    #[error("the passkey ceremony broke off: {rule}")]
    Passkey {
        /// Why.
        rule: String,
    },
}

/// What an owner has pointed a phone at, or typed into it.
pub(super) enum Seen {
    Qr(ScannedQr),
    Code(EnteredCode),
}

/// The scans of late, with their codes until they happen.
#[derive(Default)]
pub(super) struct Scans {
    last: u64,
    seen: BTreeMap<ScanId, (PhoneNumber, Seen)>,
    outcomes: BTreeMap<ScanId, ScanOutcome>,
}

impl Scans {
    fn begin(&mut self, number: PhoneNumber, seen: Seen) -> ScanId {
        self.last += 1;
        let id = ScanId(self.last);
        self.seen.insert(id, (number, seen));
        self.outcomes.insert(id, ScanOutcome::Pending);
        while self.outcomes.len() > MAX_SCANS {
            if let Some((old, _)) = self.outcomes.pop_first() {
                self.seen.remove(&old);
            }
        }
        id
    }

    pub(super) fn take_seen(&mut self, id: ScanId) -> Option<(PhoneNumber, Seen)> {
        self.seen.remove(&id)
    }

    pub(super) fn end(&mut self, id: ScanId, mut outcome: ScanOutcome) {
        if let ScanOutcome::Failed(
            ScanFailure::Refused { text, .. }
            | ScanFailure::BadReply { rule: text }
            | ScanFailure::BadBundle { rule: text }
            | ScanFailure::Passkey { rule: text },
        ) = &mut outcome
        {
            shorten(text);
        }
        if let Some(known) = self.outcomes.get_mut(&id) {
            *known = outcome;
        }
    }
}

impl World {
    /// Adds a phone, and with it an account.
    ///
    /// # Errors
    /// When the number is in use, or there are too many.
    pub fn add_phone(
        &mut self,
        now: Now,
        number: PhoneNumber,
        config: PhoneConfig,
    ) -> Result<(), AddPhoneError> {
        self.now = now;
        if self.accounts.len() >= MAX_ACCOUNTS {
            return Err(AddPhoneError::TooMany {
                limit: MAX_ACCOUNTS,
            });
        }
        if self.accounts.contains_key(&number) {
            return Err(AddPhoneError::InUse(number));
        }
        let provider = self.config.provider;
        let phone = Phone::new(number, config, provider, now, &mut self.rng);
        let lid = LID_BASE + self.rng.next_u64() % LID_BASE;
        self.add_account(phone, lid, now.unix_secs());
        Ok(())
    }

    /// Adds a phone under the first free number of [`WorldConfig::first_number`](crate::WorldConfig) on.
    ///
    /// # Errors
    /// When there are too many.
    pub fn add_next_phone(
        &mut self,
        now: Now,
        config: PhoneConfig,
    ) -> Result<PhoneNumber, AddPhoneError> {
        let taken: BTreeSet<u64> = self.accounts.keys().map(|number| number.digits()).collect();
        let number = (self.config.first_number..)
            .take(MAX_ACCOUNTS + 1)
            .filter(|digits| !taken.contains(digits))
            .find_map(|digits| PhoneNumber::new(digits).ok())
            .ok_or(AddPhoneError::TooMany {
                limit: MAX_ACCOUNTS,
            })?;
        self.add_phone(now, number, config).map(|()| number)
    }

    pub(super) fn add_account(&mut self, phone: Phone, lid: u64, created_at: u64) {
        self.touch();
        let number = phone.number;
        self.accounts.insert(
            number,
            Account {
                number,
                lid,
                created_at,
                phone,
                key_list: None,
                devices: BTreeMap::new(),
                pending: Vec::new(),
                code: None,
                passkey: None,
            },
        );
    }

    /// Points a phone at a code. It scans after [`WorldConfig::scan_delay`](crate::WorldConfig); ask
    /// [`World::scan_outcome`] what came of it.
    ///
    /// # Errors
    /// When the text is no linking code, or there is no such phone.
    pub fn scan(&mut self, now: Now, number: PhoneNumber, code: &str) -> Result<ScanId, ScanError> {
        let forms = self.config.qr_forms;
        self.scan_in_form(now, number, code, forms)
    }

    /// The same with a phone that takes these forms, whatever the world's configuration says.
    ///
    /// # Errors
    /// As [`World::scan`].
    pub fn scan_in_form(
        &mut self,
        now: Now,
        number: PhoneNumber,
        code: &str,
        forms: QrForms,
    ) -> Result<ScanId, ScanError> {
        self.now = now;
        let qr = parse_qr(code, forms)?;
        if !self.accounts.contains_key(&number) {
            return Err(ScanError::NoPhone(number));
        }
        Ok(self.look(number, Seen::Qr(qr)))
    }

    /// The owner has begun; the phone follows when they are done.
    pub(super) fn look(&mut self, number: PhoneNumber, seen: Seen) -> ScanId {
        let scan = self.scans.begin(number, seen);
        self.timers
            .set(self.now.instant + self.config.scan_delay, Timer::Scan(scan));
        scan
    }

    /// What came of a scan. `None` for one that was forgotten.
    pub fn scan_outcome(&self, scan: ScanId) -> Option<&ScanOutcome> {
        self.scans.outcomes.get(&scan)
    }

    /// The owner removes a companion in the phone's list of linked devices.
    ///
    /// # Errors
    /// When there is no such phone or companion.
    pub fn unlink(
        &mut self,
        now: Now,
        number: PhoneNumber,
        device: u16,
    ) -> Result<(), UnlinkError> {
        self.now = now;
        let account = self
            .accounts
            .get(&number)
            .ok_or(UnlinkError::NoPhone(number))?;
        let linked = account
            .devices
            .get(&device)
            .ok_or(UnlinkError::NoDevice { number, device })?;
        if let Some(online) = linked.online {
            self.with_conn(online, |world, conn| {
                world.end_stream(conn, &StreamError::DeviceRemoved);
                world.close(conn);
            });
        }
        self.remove_device(number, device);
        Ok(())
    }

    /// The device is gone: the phone forgets it and publishes what remains.
    pub(super) fn remove_device(&mut self, number: PhoneNumber, device: u16) {
        self.touch();
        let Some(account) = self.accounts.get_mut(&number) else {
            return;
        };
        account.devices.remove(&device);
        let list = account.phone.forget(
            |companion| companion.device == device,
            self.now,
            &mut self.rng,
        );
        account.key_list = Some(list);
        tracing::info!(account = %number.redacted(), device, "unlinked");
        self.announce_devices(number);
    }
}
