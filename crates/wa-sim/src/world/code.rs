//! Linking by an eight-character code (pairing chapter, B, D.3 and D.4).

use std::time::Instant;

use rand_chacha::rand_core::Rng as _;
use wa_crypto::{LinkEphemeralSecret, PublicKey as _, SharedSecret};
use wa_proto::{Node, NodeRef};

use super::World;
use super::code_fields::{Finish, Hello};
use super::conn::{Conn, LiveCode};
use super::iq::Answer;
use super::linking::Way;
use super::phones::{ScanError, ScanFailure, ScanOutcome, Seen};
use super::remark::CeremonyError;
use super::timers::Timer;
use crate::account::Account;
use crate::fault::Step;
use crate::names::{ConnId, Now, PhoneNumber, ScanId};
use crate::phone::{
    BundleError, EnteredCode, ScannedQr, agreed, open_bundle, unwrap_ephemeral, wrap_ephemeral,
};

/// Most codes one connection may ask for; a further request gets 429.
pub const MAX_CODES_PER_CONNECTION: u32 = 64;

/// The type of every notification about codes.
pub(super) const LINK_CODE: &str = "link_code_companion_reg";

/// The companion_hello a phone was shown last, and what its owner made of it.
pub(crate) struct CodeSession {
    conn: ConnId,
    hello: Hello,
    reference: String,
    begun: Instant,
    attempt: Option<Attempt>,
}

/// An entered code whose companion_finish is awaited.
struct Attempt {
    scan: ScanId,
    /// `None` when a wrong code made a key that agrees to nothing.
    ephemeral: Option<SharedSecret>,
}

impl CodeSession {
    /// What the phone shows its owner of the companion.
    pub(super) fn companion(&self) -> (&str, bool) {
        (&self.hello.display, self.hello.push)
    }
}

impl World {
    /// The owner types a pairing code into the phone. It is entered after
    /// [`WorldConfig::scan_delay`](crate::WorldConfig); ask [`World::scan_outcome`] what came of it.
    ///
    /// # Errors
    /// When the text is no pairing code, or there is no such phone.
    pub fn enter_code(
        &mut self,
        now: Now,
        number: PhoneNumber,
        code: &str,
    ) -> Result<ScanId, ScanError> {
        self.now = now;
        let code = EnteredCode::parse(code)?;
        if !self.accounts.contains_key(&number) {
            return Err(ScanError::NoPhone(number));
        }
        Ok(self.look(number, Seen::Code(code)))
    }

    /// Tells the companion whose code waits for this phone that the code is to be renewed (pairing chapter, B.7).
    /// `false` when none waits.
    pub fn refresh_pairing_code(&mut self, now: Now, number: PhoneNumber, manual: bool) -> bool {
        self.now = now;
        self.tell_waiting(number, |reference| {
            let stage = Node::new(LINK_CODE)
                .attr("stage", "refresh_code")
                .child(reference_node(reference));
            if manual {
                stage.attr("force_manual_refresh", "true")
            } else {
                stage
            }
        })
    }

    /// Sends the companion whose code waits for this phone the notification without keys that can precede a
    /// passkey (pairing chapter, B.5). `false` when none waits.
    pub fn send_passkey_precursor(&mut self, now: Now, number: PhoneNumber) -> bool {
        self.now = now;
        self.tell_waiting(number, precursor)
    }

    fn tell_waiting(&mut self, number: PhoneNumber, build: impl FnOnce(&str) -> Node) -> bool {
        let waiting = self
            .accounts
            .get(&number)
            .and_then(|account| account.code.as_ref());
        let Some((conn, reference)) = waiting.map(|code| (code.conn, code.reference.clone()))
        else {
            return false;
        };
        self.with_conn(conn, |world, conn| {
            world.notify(conn, LINK_CODE, build(&reference));
        });
        true
    }

    /// A stanza of [`LINK_CODE`] that an unregistered companion sent.
    pub(super) fn answer_link_code(
        &mut self,
        conn: &mut Conn,
        iq: &NodeRef<'_>,
        code: &NodeRef<'_>,
    ) -> Answer {
        let set = iq.attr_text("type").as_deref() == Some("set");
        match (code.attr_text("stage").as_deref(), set) {
            (Some("companion_hello"), true) => self.answer_hello(conn, code),
            (Some("companion_finish"), true) => self.answer_finish(conn, iq, code),
            (Some("get_country_code"), false) => {
                let country = Node::new("country_code").attr("iso", self.config.country.clone());
                let stage = Node::new(LINK_CODE).attr("stage", "get_country_code");
                Answer::Result(vec![stage.child(country)])
            }
            _ => self.ceremony_refused(conn, LINK_CODE, CeremonyError::Value("stage")),
        }
    }

    fn answer_hello(&mut self, conn: &mut Conn, code: &NodeRef<'_>) -> Answer {
        const REQUEST: &str = "companion_hello";
        if !conn.shows_code() {
            return self.ceremony_refused(conn, REQUEST, CeremonyError::OutOfTurn);
        }
        let hello = match Hello::read(code) {
            Ok(hello) => hello,
            Err(rule) => return self.ceremony_refused(conn, REQUEST, rule),
        };
        let Some(registration) = conn.registration() else {
            return Answer::Error(500, "internal-server-error");
        };
        if hello.noise != registration.noise {
            return self.ceremony_refused(conn, REQUEST, CeremonyError::OtherNoiseKey);
        }
        let number = hello.number;
        if !self.accounts.contains_key(&number) {
            return Answer::Error(404, "item-not-found");
        }
        if registration.codes_asked >= MAX_CODES_PER_CONNECTION {
            return Answer::Error(429, "rate-overlimit");
        }
        registration.codes_asked += 1;
        if !self.at(conn, Step::CompanionHello) {
            return Answer::Done;
        }
        let reference = self.mint_ref();
        // Whatever code this connection asked for before, for whichever number, is void.
        self.drop_code(conn, ScanFailure::Overtaken);
        if let Some(registration) = conn.registration() {
            registration.code = Some(LiveCode {
                number,
                reference: reference.clone(),
            });
        }
        let session = CodeSession {
            conn: conn.id,
            hello,
            reference: reference.clone(),
            begun: self.now.instant,
            attempt: None,
        };
        let before = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.code.replace(session));
        self.attempt_failed(before, ScanFailure::Overtaken);
        let stage = Node::new(LINK_CODE)
            .attr("stage", REQUEST)
            .child(reference_node(&reference));
        Answer::Result(vec![stage])
    }

    /// The owner has typed the code: the phone answers the companion's hello.
    pub(super) fn enter_now(&mut self, scan: ScanId, number: PhoneNumber, code: &EnteredCode) {
        let lifetime = self.config.code_lifetime;
        let session = self
            .accounts
            .get(&number)
            .and_then(|account| account.code.as_ref());
        let conn = match session {
            None => Err(ScanFailure::NoCompanion),
            Some(session) if self.now.instant > session.begun + lifetime => {
                Err(ScanFailure::CodeExpired)
            }
            Some(session) => Ok(session.conn),
        };
        match conn {
            Err(failure) => self.scans.end(scan, ScanOutcome::Failed(failure)),
            Ok(conn) => self.with_conn(conn, |world, conn| {
                world.send_primary_hello(conn, scan, number, code);
            }),
        }
    }

    fn send_primary_hello(
        &mut self,
        conn: &mut Conn,
        scan: ScanId,
        number: PhoneNumber,
        code: &EnteredCode,
    ) {
        if !conn.shows_code() {
            let failure = ScanOutcome::Failed(ScanFailure::NoCompanion);
            self.scans.end(scan, failure);
            return;
        }
        if !self.at(conn, Step::CodeEntered) {
            let failure = ScanOutcome::Failed(ScanFailure::Closed);
            self.scans.end(scan, failure);
            return;
        }
        let (mut salt, mut iv) = ([0; 32], [0; 16]);
        self.rng.fill_bytes(&mut salt);
        self.rng.fill_bytes(&mut iv);
        let own = LinkEphemeralSecret::generate(self.config.provider, &mut self.rng);
        let wrapped = wrap_ephemeral(code, &salt, &iv, own.public());
        let Some(account) = self.accounts.get_mut(&number) else {
            return;
        };
        let Some(session) = &mut account.code else {
            return;
        };
        let theirs = unwrap_ephemeral(code, &session.hello.wrapped);
        let before = session.attempt.replace(Attempt {
            scan,
            ephemeral: agreed(&own, theirs),
        });
        let policy = account.phone.config.passkey;
        let identity = account.phone.identity.public();
        let reference = session.reference.clone();
        if let Some(before) = before {
            let failure = ScanOutcome::Failed(ScanFailure::Overtaken);
            self.scans.end(before.scan, failure);
        }
        self.timers.set(
            self.now.instant + self.config.finish_timeout,
            Timer::CodeFinish(number, scan),
        );
        if policy.after_code && policy.precursor {
            self.notify(conn, LINK_CODE, precursor(&reference));
        }
        let stage = Node::new(LINK_CODE)
            .attr("stage", "primary_hello")
            .child(reference_node(&reference))
            .child(Node::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(wrapped))
            .child(Node::new("primary_identity_pub").bytes(identity.as_bytes().to_vec()));
        self.notify(conn, LINK_CODE, stage);
        self.at(conn, Step::PrimaryHello);
    }

    fn answer_finish(&mut self, conn: &mut Conn, iq: &NodeRef<'_>, code: &NodeRef<'_>) -> Answer {
        const REQUEST: &str = "companion_finish";
        let finish = match self.check_finish(conn, code) {
            Ok(finish) => finish,
            Err(rule) => return self.ceremony_refused(conn, REQUEST, rule),
        };
        self.unacknowledged(conn, LINK_CODE);
        let conn_id = conn.id;
        let attempt = self
            .accounts
            .get_mut(&finish.number)
            .and_then(|account| account.code.as_mut())
            .filter(|session| session.conn == conn_id)
            .and_then(|session| session.attempt.take());
        let Some(attempt) = attempt else {
            // Another companion's code has taken the place of this one, or nobody has entered it.
            return Answer::Error(400, "bad-request");
        };
        if !self.at(conn, Step::CompanionFinish) {
            let failure = ScanOutcome::Failed(ScanFailure::Closed);
            self.scans.end(attempt.scan, failure);
            return Answer::Done;
        }
        self.send_result(conn, iq, Vec::new());
        self.open_finish(conn, &attempt, &finish);
        Answer::Done
    }

    fn check_finish(
        &mut self,
        conn: &mut Conn,
        code: &NodeRef<'_>,
    ) -> Result<Finish, CeremonyError> {
        let finish = Finish::read(code)?;
        if !conn.shows_code() {
            return Err(CeremonyError::OutOfTurn);
        }
        let registration = conn.registration().ok_or(CeremonyError::OutOfTurn)?;
        let live = registration
            .code
            .as_ref()
            .filter(|live| live.reference == finish.reference)
            .ok_or(CeremonyError::UnknownRef)?;
        if live.number != finish.number {
            return Err(CeremonyError::Value("jid"));
        }
        if registration.identity != finish.identity {
            return Err(CeremonyError::OtherIdentity);
        }
        Ok(finish)
    }

    /// The phone opens the bundle. If it cannot, its owner learns so, and the companion hears nothing.
    fn open_finish(&mut self, conn: &mut Conn, attempt: &Attempt, finish: &Finish) {
        let provider = self.config.provider;
        let Some(account) = self.accounts.get_mut(&finish.number) else {
            return;
        };
        let opened = match &attempt.ephemeral {
            None => Err(BundleError::Sealed),
            Some(ephemeral) => open_bundle(
                provider,
                ephemeral,
                &account.phone.identity,
                &finish.identity,
                &finish.bundle,
            ),
        };
        match opened {
            Ok(adv) => {
                let guarded = account.phone.config.passkey.after_code;
                let Some(session) = account.code.take() else {
                    return;
                };
                if let Some(registration) = conn.registration() {
                    registration.code = None;
                }
                if guarded {
                    self.ask_passkey(conn, attempt.scan, finish.number, adv);
                    return;
                }
                let keys = ScannedQr {
                    reference: session.reference,
                    noise: session.hello.noise,
                    identity: finish.identity,
                    adv,
                    client_type: None,
                };
                self.upload(conn, attempt.scan, finish.number, &keys, Way::Code);
            }
            Err(BundleError::Sealed) => {
                let failure = ScanOutcome::Failed(ScanFailure::WrongCode);
                self.scans.end(attempt.scan, failure);
            }
            Err(error) => {
                let rule = error.to_string();
                self.ceremony_remark(
                    conn,
                    "companion_finish",
                    CeremonyError::Bundle(rule.clone()),
                );
                let failure = ScanOutcome::Failed(ScanFailure::BadBundle { rule });
                self.scans.end(attempt.scan, failure);
            }
        }
    }

    pub(super) fn finish_late(&mut self, number: PhoneNumber, scan: ScanId) {
        let attempt = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.code.as_mut())
            .and_then(|session| session.attempt.take_if(|attempt| attempt.scan == scan));
        if attempt.is_some() {
            self.scans
                .end(scan, ScanOutcome::Failed(ScanFailure::NoFinish));
        }
    }

    /// Forgets the code this connection asked for.
    pub(super) fn drop_code(&mut self, conn: &mut Conn, failure: ScanFailure) {
        let id = conn.id;
        let Some(live) = conn
            .registration()
            .and_then(|registration| registration.code.take())
        else {
            return;
        };
        self.forget_code(id, live.number, failure);
    }

    pub(super) fn forget_code(&mut self, conn: ConnId, number: PhoneNumber, failure: ScanFailure) {
        let session = self
            .accounts
            .get_mut(&number)
            .and_then(|account| account.code.take_if(|session| session.conn == conn));
        self.attempt_failed(session, failure);
    }

    fn attempt_failed(&mut self, session: Option<CodeSession>, failure: ScanFailure) {
        if let Some(attempt) = session.and_then(|session| session.attempt) {
            self.scans.end(attempt.scan, ScanOutcome::Failed(failure));
        }
    }

    /// Until when the code this connection shows can be entered.
    pub(super) fn code_until(&self, conn: &mut Conn) -> Option<Instant> {
        let id = conn.id;
        let number = conn.registration()?.code.as_ref()?.number;
        let session = self.accounts.get(&number)?.code.as_ref()?;
        (session.conn == id).then(|| session.begun + self.config.code_lifetime)
    }
}

impl Account {
    /// The companion that waits for a code to be entered, and whether it wants its owner to be notified.
    pub(super) fn waiting_code(&self) -> Option<(&str, bool)> {
        self.code.as_ref().map(CodeSession::companion)
    }
}

fn reference_node(reference: &str) -> Node {
    Node::new("link_code_pairing_ref").bytes(reference.as_bytes().to_vec())
}

/// primary_hello without its keys.
fn precursor(reference: &str) -> Node {
    Node::new(LINK_CODE)
        .attr("stage", "primary_hello")
        .child(reference_node(reference))
}
