//! From the scan to the restart (pairing chapter, A.5, A.8, A.10 and D.4).

use std::time::Duration;

use wa_proto::{Jid, Node, NodeRef};

use super::code::LINK_CODE;
use super::conn::{Conn, Linking, Signing};
use super::phones::{ScanFailure, ScanOutcome, Seen};
use super::signed_reply::check_reply;
use super::timers::Timer;
use super::{Misbehaviour, SignedReplyError, World};
use crate::account::{Bundle, Device};
use crate::config::{AccountKeyInReply, PhoneAnswer};
use crate::fault::{Fault, RefreshChild, Step, StreamError, pause};
use crate::names::{ConnId, PhoneNumber, ScanId};
use crate::phone::{Companion, ScannedQr, Tamper, Upload};

/// How a phone came to know a companion's keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Scan,
    Code,
    Passkey,
}

enum Restart {
    At(Duration),
    Never,
}

impl World {
    /// The phone's owner has pointed it at the code: the phone signs and uploads.
    pub(super) fn scan_now(&mut self, scan: ScanId) {
        self.touch();
        let Some((number, seen)) = self.scans.take_seen(scan) else {
            return;
        };
        let qr = match seen {
            Seen::Qr(qr) => qr,
            Seen::Code(code) => return self.enter_now(scan, number, &code),
        };
        let Some(conn) = self.refs.get(&qr.reference).copied() else {
            // The phone has signed before the server tells it.
            let _ = self.sign(number, &qr);
            let failure = ScanOutcome::Failed(ScanFailure::UnknownRef);
            self.scans.end(scan, failure);
            return;
        };
        self.with_conn(conn, |world, conn| {
            if !world.secret_is_good(conn, &qr.adv) {
                let failure = ScanOutcome::Failed(ScanFailure::CodeRefreshed);
                world.scans.end(scan, failure);
                return;
            }
            if world.policy(number).after_qr {
                world.guard_scan(conn, scan, number, qr);
            } else {
                world.upload(conn, scan, number, &qr, Way::Scan);
            }
        });
    }

    /// The account wants its passkey before anything is signed for a scanned code.
    fn guard_scan(&mut self, conn: &mut Conn, scan: ScanId, number: PhoneNumber, qr: ScannedQr) {
        conn.account = Some(number);
        let on_show = conn.shows_code();
        let fit = match conn.registration() {
            Some(registration) if registration.noise != qr.noise => Err(ScanFailure::OtherNoiseKey),
            Some(_) if on_show => Ok(()),
            _ => Err(ScanFailure::UnknownRef),
        };
        if let Err(failure) = fit {
            self.scans.end(scan, ScanOutcome::Failed(failure));
            return;
        }
        if !self.at(conn, Step::Scanned) {
            self.scans
                .end(scan, ScanOutcome::Failed(ScanFailure::Closed));
            return;
        }
        if self.policy(number).precursor {
            self.notify(conn, LINK_CODE, Node::new(LINK_CODE));
        }
        self.ask_passkey(conn, scan, number, qr.adv);
    }

    /// The phone signs for a companion and uploads what it signed. The key index is used up, whatever comes of it.
    pub(super) fn upload(
        &mut self,
        conn: &mut Conn,
        scan: ScanId,
        number: PhoneNumber,
        keys: &ScannedQr,
        way: Way,
    ) {
        if let Some(upload) = self.sign(number, keys) {
            self.relay(conn, scan, number, upload, way);
        }
    }

    fn sign(&mut self, number: PhoneNumber, keys: &ScannedQr) -> Option<Upload> {
        self.touch();
        let tamper = self.faults.take(Some(number), |fault| match fault {
            Fault::BadHmac => Some(Tamper::Hmac),
            Fault::BadAccountSignature => Some(Tamper::AccountSignature),
            Fault::Identity { problem } => Some(Tamper::Shape(*problem)),
            _ => None,
        });
        let account = self.accounts.get_mut(&number)?;
        Some(account.phone.scan(keys, self.now, tamper, &mut self.rng))
    }

    /// What the server does with a phone's upload.
    fn relay(
        &mut self,
        conn: &mut Conn,
        scan: ScanId,
        number: PhoneNumber,
        upload: Upload,
        way: Way,
    ) {
        conn.account = Some(number);
        if way == Way::Scan && !self.at(conn, Step::Scanned) {
            self.scans
                .end(scan, ScanOutcome::Failed(ScanFailure::Closed));
            return;
        }
        if let Some(child) = self.refresh_wanted(conn) {
            self.send_refresh(conn, child);
            // Only what a QR code said is void now: a companion keeps what it has agreed upon (pairing chapter, A.4).
            if way == Way::Scan {
                self.scans
                    .end(scan, ScanOutcome::Failed(ScanFailure::CodeRefreshed));
                return;
            }
        }
        let device = match self.admit(conn, number, &upload) {
            Ok(device) => device,
            Err(failure) => {
                self.scans.end(scan, ScanOutcome::Failed(failure));
                return;
            }
        };
        let iq = Self::stanza_id(conn);
        let Some(success) = self.pair_success(&iq, number, device, &upload) else {
            return;
        };
        let Some(registration) = conn.registration() else {
            return;
        };
        let void = std::mem::take(&mut registration.refs);
        registration.linking = Linking::Signing(Box::new(Signing {
            scan,
            iq,
            number,
            device,
            upload,
        }));
        for reference in &void {
            self.refs.remove(reference);
        }
        self.drop_code(conn, ScanFailure::Overtaken);
        self.timers.set(
            self.now.instant + self.config.sign_timeout,
            Timer::SignReply(conn.id, scan),
        );
        self.send(conn, &success);
        if self.config.phone_answer == PhoneAnswer::AtUpload {
            self.phone_believes(conn);
        }
        self.at(conn, Step::PairSuccess);
    }

    fn refresh_wanted(&mut self, conn: &Conn) -> Option<RefreshChild> {
        self.take_fault(conn, |fault| match fault {
            Fault::RefreshOnScan { child } => Some(*child),
            _ => None,
        })
    }

    /// Takes a device number for the companion, if it may be linked.
    fn admit(
        &mut self,
        conn: &mut Conn,
        number: PhoneNumber,
        upload: &Upload,
    ) -> Result<u16, ScanFailure> {
        let registration = conn.registration().ok_or(ScanFailure::UnknownRef)?;
        if !matches!(registration.linking, Linking::Offered) {
            return Err(ScanFailure::UnknownRef);
        }
        if registration.noise != upload.noise {
            return Err(ScanFailure::OtherNoiseKey);
        }
        let limit = self.config.device_limit.map(usize::from);
        let account = self
            .accounts
            .get_mut(&number)
            .ok_or(ScanFailure::UnknownRef)?;
        let linked = account.devices.len() + account.pending.len();
        if let Some(limit) = limit
            && linked >= limit
        {
            return Err(ScanFailure::DeviceLimit { limit });
        }
        let device = account
            .free_device()
            .ok_or(ScanFailure::DeviceLimit { limit: linked })?;
        account.pending.push(device);
        Ok(device)
    }

    fn pair_success(
        &self,
        iq: &str,
        number: PhoneNumber,
        device: u16,
        upload: &Upload,
    ) -> Option<Node> {
        let account = self.accounts.get(&number)?;
        let mut success = Node::new("pair-success");
        if let Some(identity) = &upload.device_identity {
            success = success.child(Node::new("device-identity").bytes(identity.clone()));
        }
        success = success
            .child(
                Node::new("device")
                    .attr("jid", account.jid(device))
                    .attr("lid", account.lid_jid(device)),
            )
            .child(Node::new("platform").attr("name", account.phone.config.platform.clone()));
        if let Some(name) = &account.phone.config.business_name {
            success = success.child(Node::new("biz").attr("name", name.clone()));
        }
        if let Some(props) = &upload.client_props {
            success = success.child(Node::new("client-props").bytes(props.clone()));
        }
        Some(
            Node::new("iq")
                .attr("type", "set")
                .attr("id", iq.to_owned())
                .attr("from", Jid::server_jid())
                .attr("xmlns", "md")
                .attr("t", self.now.unix_secs().to_string())
                .child(success),
        )
    }

    /// The phone takes the companion for linked.
    fn phone_believes(&mut self, conn: &mut Conn) {
        let added_at = self.now.unix_secs();
        let Some(Linking::Signing(signing)) = conn.registration().map(|reg| &reg.linking) else {
            return;
        };
        let companion = Companion {
            device: signing.device,
            key_index: signing.upload.key_index,
            identity: signing.upload.identity,
            added_at,
        };
        if let Some(account) = self.accounts.get_mut(&signing.number) {
            account.phone.linked(companion);
        }
    }

    /// The companion answered pair-success, or says it did.
    pub(super) fn read_signed_reply(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        let Some(registration) = conn.registration() else {
            return;
        };
        let checked = match &registration.linking {
            Linking::Signing(signing) => check_reply(stanza, registration, signing),
            Linking::Linked => {
                self.remark(conn, Misbehaviour::SecondReply);
                return;
            }
            Linking::Offered | Linking::Failed | Linking::Passkey(_) => {
                self.unexpected(conn, stanza);
                return;
            }
        };
        match checked {
            Ok(reply) if reply.account_key && !self.tolerates_account_key() => {
                self.reply_refused(conn, SignedReplyError::AccountKey);
            }
            Ok(reply) => {
                if reply.account_key {
                    self.remark(conn, Misbehaviour::AccountKeyInReply);
                }
                self.link(conn, reply.signed_identity);
            }
            Err(error) => self.reply_refused(conn, error),
        }
    }

    fn tolerates_account_key(&self) -> bool {
        self.config.account_key_in_reply == AccountKeyInReply::Tolerated
    }

    fn reply_refused(&mut self, conn: &mut Conn, error: SignedReplyError) {
        self.remark(conn, Misbehaviour::SignedReply(error));
        if let Some(signing) = take_signing(conn, Linking::Failed) {
            self.link_failed(
                &signing,
                ScanFailure::BadReply {
                    rule: error.to_string(),
                },
            );
        }
        self.close(conn);
    }

    /// The companion is linked: both the server and the phone keep it, then comes the restart.
    fn link(&mut self, conn: &mut Conn, signed_identity: Vec<u8>) {
        self.touch();
        self.phone_believes(conn);
        let Some(signing) = take_signing(conn, Linking::Linked) else {
            return;
        };
        let Some(registration) = conn.registration() else {
            return;
        };
        let now = self.now.unix_secs();
        let device = Device {
            key_index: signing.upload.key_index,
            noise: registration.noise,
            identity: registration.identity,
            registration: registration.registration,
            props: std::mem::take(&mut registration.props),
            signed_identity,
            linked_at: now,
            bundle: Some(Bundle {
                signed: registration.signed_prekey,
                one_time: Default::default(),
            }),
            used_prekeys: Default::default(),
            routing: None,
            logins: 0,
            last_seen: now,
            online: None,
            waiting: Default::default(),
        };
        let Some(account) = self.accounts.get_mut(&signing.number) else {
            return;
        };
        account.pending.retain(|pending| *pending != signing.device);
        account.devices.insert(signing.device, device);
        account.key_list = Some(signing.upload.key_list);
        let jid = account.jid(signing.device);
        tracing::info!(account = %signing.number.redacted(), device = signing.device, "linked");
        self.scans.end(
            signing.scan,
            ScanOutcome::Linked {
                jid: jid.to_string(),
                device: signing.device,
                key_index: signing.upload.key_index,
            },
        );
        self.announce_devices(signing.number);
        if self.at(conn, Step::PairSign) {
            self.restart(conn);
        }
    }

    fn restart(&mut self, conn: &mut Conn) {
        let fault = self.take_fault(conn, |fault| match fault {
            Fault::RestartDelay { ms } => Some(Restart::At(pause(*ms))),
            Fault::RestartNever => Some(Restart::Never),
            _ => None,
        });
        match fault {
            None => self.restart_now(conn),
            Some(Restart::At(delay)) => {
                self.timers
                    .set(self.now.instant + delay, Timer::Restart(conn.id));
            }
            Some(Restart::Never) => {}
        }
    }

    pub(super) fn restart_now(&mut self, conn: &mut Conn) {
        if conn.is_live() {
            self.end_stream(conn, &StreamError::Code { code: 515 });
        }
    }

    /// The companion refuses the link.
    pub(super) fn read_refusal(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        let (code, text) = error_of(stanza);
        self.remark(
            conn,
            Misbehaviour::LinkRefused {
                code,
                text: text.clone(),
            },
        );
        if let Some(signing) = take_signing(conn, Linking::Failed) {
            self.link_failed(&signing, ScanFailure::Refused { code, text });
            self.close(conn);
        }
    }

    pub(super) fn sign_reply_late(&mut self, conn: &mut Conn, scan: ScanId) {
        let waits = matches!(
            conn.registration().map(|registration| &registration.linking),
            Some(Linking::Signing(signing)) if signing.scan == scan
        );
        if !waits {
            return;
        }
        self.remark(conn, Misbehaviour::Late("signed reply"));
        if let Some(signing) = take_signing(conn, Linking::Failed) {
            self.link_failed(&signing, ScanFailure::NoReply);
        }
        if conn.is_live() {
            self.close(conn);
        }
    }

    /// Undoes what was done for a companion that did not sign. Its key index stays used up.
    pub(super) fn link_failed(&mut self, signing: &Signing, failure: ScanFailure) {
        self.touch();
        self.scans.end(signing.scan, ScanOutcome::Failed(failure));
        let Some(account) = self.accounts.get_mut(&signing.number) else {
            return;
        };
        account.pending.retain(|pending| *pending != signing.device);
        if self.config.phone_answer == PhoneAnswer::AtUpload {
            let gone = |companion: &Companion| companion.device == signing.device;
            account.key_list = Some(account.phone.forget(gone, self.now, &mut self.rng));
        }
    }

    /// Sends a refresh to every connection that shows a code. Returns how many.
    pub fn refresh_codes(&mut self, now: crate::names::Now, child: RefreshChild) -> usize {
        self.now = now;
        let showing = self.showing();
        for id in &showing {
            self.with_conn(*id, |world, conn| world.send_refresh(conn, child));
        }
        showing.len()
    }

    /// Pushes fresh refs to every connection that shows a code. Returns how many.
    pub fn renew_refs(&mut self, now: crate::names::Now) -> usize {
        self.now = now;
        let showing = self.showing();
        for id in &showing {
            self.with_conn(*id, Self::offer_refs);
        }
        showing.len()
    }

    fn showing(&self) -> Vec<ConnId> {
        self.conns
            .iter()
            .filter(|(_, conn)| conn.shows_code())
            .map(|(id, _)| *id)
            .collect()
    }
}

fn take_signing(conn: &mut Conn, next: Linking) -> Option<Signing> {
    let registration = conn.registration()?;
    match std::mem::replace(&mut registration.linking, next) {
        Linking::Signing(signing) => Some(*signing),
        other => {
            registration.linking = other;
            None
        }
    }
}

/// Code and text of an iq error; 0 and nothing when they are missing.
fn error_of(stanza: &NodeRef<'_>) -> (u16, String) {
    let Some(error) = stanza.child("error") else {
        return (0, String::new());
    };
    let code = error
        .attr_u64("code")
        .and_then(|code| u16::try_from(code).ok());
    let text = error.attr_text("text").map(std::borrow::Cow::into_owned);
    (code.unwrap_or_default(), text.unwrap_or_default())
}
