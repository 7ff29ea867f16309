//! The requests of a companion in a passkey ceremony (pairing chapter, C.2 and D.5).

use prost::Message as _;
use wa_crypto::constant_time_eq;
use wa_proto::{Node, NodeRef, pb};

use super::World;
use super::code_fields::{bounded, field};
use super::conn::Conn;
use super::iq::Answer;
use super::passkey::{CONTINUATION, Ceremony, PROLOGUE_REQUEST, Stage};
use super::phones::ScanFailure;
use super::remark::CeremonyError;
use crate::assertion::{Asked, MAX_ASSERTION_LEN, verify};
use crate::fault::Step;
use crate::phone::{Exchange, Prologue, ProofPolicy, proof_holds};

/// Longest prologue payload read, in bytes. A ref of 64 characters makes one of 140.
const MAX_PROLOGUE_LEN: usize = 1_024;
/// Longest credential id, in bytes (Web Authentication, section 4).
const MAX_CREDENTIAL_LEN: usize = 1_023;
/// Longest encrypted pairing request read, in bytes. It has 134 (pairing chapter, D.6).
const MAX_REQUEST_LEN: usize = 1_024;

const OPTIONS: &str = "passkey_request_options";
const PROLOGUE: &str = "passkey_prologue";
const NONCE: &str = "companion_nonce";
const REQUEST: &str = "encrypted_pairing_request";

/// The fields of a prologue.
struct Presented {
    credential_id: Vec<u8>,
    assertion: Vec<u8>,
    payload: Vec<u8>,
    proof: Option<[u8; 32]>,
}

impl Presented {
    fn read(prologue: &NodeRef<'_>) -> Result<Self, CeremonyError> {
        const PROOF: &str = "pairing_handoff_proof";
        Ok(Self {
            credential_id: bounded(prologue, "credential_id", MAX_CREDENTIAL_LEN)?,
            assertion: bounded(prologue, "webauthn_assertion", MAX_ASSERTION_LEN)?,
            payload: bounded(prologue, "prologue_payload", MAX_PROLOGUE_LEN)?,
            proof: match prologue.child(PROOF) {
                Some(_) => Some(field(prologue, PROOF)?),
                None => None,
            },
        })
    }
}

impl World {
    /// A request of a ceremony; `None` when it is none.
    pub(super) fn answer_passkey(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Option<Answer> {
        let set = iq.attr_text("type").as_deref() == Some("set");
        let has = |tag: &str| iq.child(tag);
        Some(match set {
            false if has(OPTIONS).is_some() => self.answer_options(conn),
            false if has("ref").is_some() => self.answer_ref(conn),
            true if has(NONCE).is_some() => self.answer_nonce(conn, iq),
            true if has(REQUEST).is_some() => self.answer_request(conn, iq),
            true => self.answer_prologue(conn, iq, &has(PROLOGUE)?),
            false => return None,
        })
    }

    fn answer_options(&mut self, conn: &mut Conn) -> Answer {
        if !is_at(conn, |stage| matches!(stage, Stage::Requested)) {
            return self.attempt_refused(conn, OPTIONS, CeremonyError::OutOfTurn);
        }
        self.unacknowledged(conn, PROLOGUE_REQUEST);
        if !self.at(conn, Step::PasskeyOptions) {
            return Answer::Done;
        }
        let challenge = self.challenge();
        let Some(ceremony) = conn.ceremony_mut() else {
            return Answer::Error(500, "internal-server-error");
        };
        ceremony.challenge = Some(challenge);
        let options = self.options(ceremony.number, &challenge);
        Answer::Result(vec![Node::new(OPTIONS).bytes(options.into_bytes())])
    }

    fn answer_ref(&mut self, conn: &mut Conn) -> Answer {
        if !is_at(conn, |stage| matches!(stage, Stage::Requested)) {
            return self.attempt_refused(conn, "ref", CeremonyError::OutOfTurn);
        }
        self.unacknowledged(conn, PROLOGUE_REQUEST);
        if !self.at(conn, Step::PasskeyRef) {
            return Answer::Done;
        }
        let reference = self.mint_ref();
        if let Some(ceremony) = conn.ceremony_mut() {
            ceremony.reference = Some(reference.clone());
        }
        Answer::Result(vec![Node::new("ref").bytes(reference.into_bytes())])
    }

    fn answer_prologue(
        &mut self,
        conn: &mut Conn,
        iq: &NodeRef<'_>,
        prologue: &NodeRef<'_>,
    ) -> Answer {
        if !is_at(conn, |stage| matches!(stage, Stage::Requested)) {
            return self.attempt_refused(conn, PROLOGUE, CeremonyError::OutOfTurn);
        }
        let presented = match Presented::read(prologue) {
            Ok(presented) => presented,
            Err(rule) => return self.attempt_refused(conn, PROLOGUE, rule),
        };
        if !self.at(conn, Step::PasskeyPrologue) {
            return Answer::Done;
        }
        let prologue = match self.check_prologue(conn, &presented) {
            Ok(prologue) => prologue,
            Err(rule) => return self.attempt_refused(conn, PROLOGUE, rule),
        };
        let declared = conn
            .registration()
            .and_then(|registration| pb::DeviceProps::decode(registration.props.as_slice()).ok())
            .and_then(|props| props.platform_type)
            .unwrap_or_default();
        if declared != prologue.device_type {
            self.ceremony_remark(conn, PROLOGUE, CeremonyError::DeviceType);
        }
        self.send_result(conn, iq, Vec::new());
        self.continue_ceremony(conn, &presented, prologue);
        Answer::Done
    }

    /// What the server checks: the assertion, and that the payload is for the ref it gave.
    fn check_prologue(
        &mut self,
        conn: &mut Conn,
        presented: &Presented,
    ) -> Result<Prologue, CeremonyError> {
        let ceremony = conn.ceremony_mut().ok_or(CeremonyError::OutOfTurn)?;
        let challenge = ceremony
            .challenge
            .take()
            .ok_or(CeremonyError::NoChallenge)?;
        let asked = Asked {
            challenge: &challenge,
            discoverable: self.policy(ceremony.number).discoverable,
        };
        let passkey = self
            .accounts
            .get_mut(&ceremony.number)
            .and_then(|account| account.passkey.as_mut())
            .ok_or(CeremonyError::NoChallenge)?;
        let verified = verify(
            passkey,
            &asked,
            &presented.credential_id,
            &presented.assertion,
        );
        self.touch();
        verified.map_err(CeremonyError::Assertion)?;
        let prologue = Prologue::decode(&presented.payload)
            .map_err(|error| CeremonyError::Prologue(error.to_string()))?;
        if ceremony.reference.as_ref() != Some(&prologue.reference) {
            return Err(CeremonyError::UnknownRef);
        }
        Ok(prologue)
    }

    /// The phone takes the prologue: it checks the proof and shows its own key.
    fn continue_ceremony(&mut self, conn: &mut Conn, presented: &Presented, prologue: Prologue) {
        let Some(ceremony) = conn.ceremony() else {
            return;
        };
        let scan = ceremony.scan;
        let policy = self.policy(ceremony.number).proof;
        let proven = match &presented.proof {
            Some(proof) => Some(proof_holds(&ceremony.known, &presented.payload, proof)),
            None if policy == ProofPolicy::Required => {
                let rule = CeremonyError::Missing("pairing_handoff_proof");
                return self.phone_aborts(conn, PROLOGUE, rule);
            }
            None => None,
        };
        if proven == Some(false) {
            return self.phone_aborts(conn, PROLOGUE, CeremonyError::HandoffProof);
        }
        let exchange = Exchange::new(prologue, self.config.provider, &mut self.rng);
        if let Some(ceremony) = conn.ceremony_mut() {
            ceremony.stage = Stage::Continuing {
                exchange,
                proven: proven.is_some() && policy != ProofPolicy::Confirmed,
                told: false,
            };
        }
        self.phone_will_answer(conn, scan);
    }

    /// The phone's key goes to the companion.
    pub(super) fn tell_primary_identity(&mut self, conn: &mut Conn, identity: Vec<u8>) {
        let identity = Node::new("primary_ephemeral_identity").bytes(identity);
        self.notify_with(conn, CONTINUATION, Some(identity));
        self.at(conn, Step::PasskeyContinuation);
    }

    fn answer_nonce(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Answer {
        if !is_at(conn, |stage| {
            matches!(stage, Stage::Continuing { told: true, .. })
        }) {
            return self.attempt_refused(conn, NONCE, CeremonyError::OutOfTurn);
        }
        let nonce = match field(iq, NONCE) {
            Ok(nonce) => nonce,
            Err(rule) => return self.attempt_refused(conn, NONCE, rule),
        };
        self.unacknowledged(conn, CONTINUATION);
        if !self.at(conn, Step::PasskeyNonce) {
            return Answer::Done;
        }
        self.send_result(conn, iq, Vec::new());
        self.show_code(conn, &nonce);
        Answer::Done
    }

    fn answer_request(&mut self, conn: &mut Conn, iq: &NodeRef<'_>) -> Answer {
        let waits =
            |stage: &Stage| matches!(stage, Stage::Comparing(comparing) if !comparing.is_asked());
        if !is_at(conn, waits) {
            return self.attempt_refused(conn, REQUEST, CeremonyError::OutOfTurn);
        }
        let envelope = match bounded(iq, REQUEST, MAX_REQUEST_LEN) {
            Ok(envelope) => envelope,
            Err(rule) => return self.attempt_refused(conn, REQUEST, rule),
        };
        if !self.at(conn, Step::PasskeyRequest) {
            return Answer::Done;
        }
        self.send_result(conn, iq, Vec::new());
        let opened = match conn.ceremony().map(|ceremony| &ceremony.stage) {
            Some(Stage::Comparing(comparing)) => comparing.exchange.open(&envelope),
            _ => return Answer::Done,
        };
        match opened {
            Ok(keys) => {
                let identity = conn
                    .registration()
                    .map(|registration| registration.identity);
                if identity != Some(keys.identity) {
                    self.ceremony_remark(conn, REQUEST, CeremonyError::OtherIdentity);
                }
                let known = conn
                    .ceremony()
                    .map(|ceremony| ceremony.known.expose_bytes().as_slice());
                if known.is_some_and(|known| constant_time_eq(known, keys.adv.expose_bytes())) {
                    self.phone_aborts(conn, REQUEST, CeremonyError::OldSecret);
                    return Answer::Done;
                }
                self.take_request(conn, keys);
            }
            Err(error) => {
                let rule = CeremonyError::Request(error.to_string());
                self.phone_aborts(conn, REQUEST, rule);
            }
        }
        Answer::Done
    }

    /// The server refuses a request, which ends the attempt.
    fn attempt_refused(
        &mut self,
        conn: &mut Conn,
        request: &'static str,
        rule: CeremonyError,
    ) -> Answer {
        if let Some(scan) = conn.ceremony().map(|ceremony| ceremony.scan) {
            let failure = ScanFailure::Passkey {
                rule: rule.to_string(),
            };
            self.end_ceremony(conn, scan, failure);
        }
        self.ceremony_refused(conn, request, rule)
    }
}

fn is_at(conn: &Conn, wanted: impl Fn(&Stage) -> bool) -> bool {
    conn.ceremony()
        .is_some_and(|Ceremony { stage, .. }| wanted(stage))
}
