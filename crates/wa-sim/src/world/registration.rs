//! What a connection is for: the client's payload, and the refs of an unregistered companion (client
//! payload chapter, section 7; pairing chapter, A.1 and A.4).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use rand_chacha::rand_core::Rng as _;
use wa_crypto::{AdvSecret, IdentityPublic, NoiseStaticPublic, Signature, SignedPrekeyPublic};
use wa_proto::{Jid, Node, NodeRef, pb};
use wa_signal::{PublicSignedPrekey, SignedPrekeyId};

use super::conn::{Conn, Phase, Registration};
use super::timers::Timer;
use super::{Misbehaviour, World};
use crate::fault::{FailureStanza, Fault, MAX_REFS, RefreshChild, Step, pause};
use crate::names::PhoneNumber;

/// What every ref starts with.
const REF_PREFIX: &str = "2@";
/// The type of the notification that asks for a new secret.
const REFRESH: &str = "companion_reg_refresh";
/// How long a companion may take to renew its secret and the code it shows.
const REFRESH_GRACE: Duration = Duration::from_secs(5);
/// Random bytes in a ref.
const REF_LEN: usize = 32;
/// The key type of Curve25519 keys.
const KEY_TYPE: u8 = 5;

impl World {
    pub(super) fn read_payload(
        &mut self,
        conn: &mut Conn,
        noise: NoiseStaticPublic,
        payload: &[u8],
    ) {
        // A phase of the transport, so that faults and answers find the ciphers; it is set for good below.
        conn.phase = Phase::Registering(Box::new(Registration::nobody(noise)));
        let decoded = pb::ClientPayload::decode(payload);
        if let Ok(payload) = &decoded {
            conn.account = payload
                .username
                .and_then(|username| PhoneNumber::new(username).ok())
                .filter(|number| self.accounts.contains_key(number));
        }
        if !self.at(conn, Step::ClientFinish) {
            return;
        }
        self.schedule_ping(conn);
        if let Some(failure) = self.injected_failure(conn) {
            self.send(conn, &failure);
            self.close(conn);
            return;
        }
        let Ok(payload) = decoded else {
            self.refuse(conn, 400, Misbehaviour::Payload);
            return;
        };
        if self.is_too_old(&payload) {
            self.refuse(conn, 405, Misbehaviour::OldVersion);
            return;
        }
        match (payload.username, &payload.device_pairing_data) {
            (Some(username), _) if username > 0 => self.login(conn, noise, username, &payload),
            (_, Some(data)) => match Registration::read(noise, data) {
                Ok(registration) => self.register(conn, registration),
                Err(what) => self.refuse(conn, 400, what),
            },
            _ => self.refuse(conn, 400, Misbehaviour::NeitherLoginNorRegistration),
        }
    }

    /// Answers `failure` and closes.
    pub(super) fn refuse(&mut self, conn: &mut Conn, reason: u16, what: Misbehaviour) {
        self.remark(conn, what);
        let failure = Node::new("failure")
            .attr("reason", reason.to_string())
            .attr("location", "frc");
        self.send(conn, &failure);
        self.close(conn);
    }

    fn injected_failure(&mut self, conn: &Conn) -> Option<Node> {
        self.take_fault(conn, |fault| match fault {
            Fault::Failure(failure) => Some(failure_stanza(failure)),
            _ => None,
        })
    }

    fn is_too_old(&self, payload: &pb::ClientPayload) -> bool {
        let Some(wanted) = self.config.min_version else {
            return false;
        };
        let version = payload
            .user_agent
            .as_ref()
            .and_then(|agent| agent.app_version.as_ref())
            .map(|version| [version.primary(), version.secondary(), version.tertiary()]);
        version.is_none_or(|version| version < wanted)
    }

    fn register(&mut self, conn: &mut Conn, registration: Registration) {
        conn.phase = Phase::Registering(Box::new(registration));
        if self.config.success_while_unregistered {
            let success = Node::new("success").attr("t", self.now.unix_secs().to_string());
            self.send(conn, &success);
        }
        self.offer_refs(conn);
        let window = self.take_fault(conn, |fault| match fault {
            Fault::RefWindow { ms } => Some(pause(*ms)),
            _ => None,
        });
        self.watch_refs_for(conn, window.unwrap_or(self.config.ref_window));
    }

    /// Gives the connection up after the ref window, if nothing happens until then.
    pub(super) fn watch_refs(&mut self, conn: &Conn) {
        self.watch_refs_for(conn, self.config.ref_window);
    }

    fn watch_refs_for(&mut self, conn: &Conn, window: std::time::Duration) {
        self.timers
            .set(self.now.instant + window, Timer::RefWindow(conn.id));
    }

    /// Pushes a fresh pair-device; refs of an earlier one are void.
    pub(super) fn offer_refs(&mut self, conn: &mut Conn) {
        let count = self
            .take_fault(conn, |fault| match fault {
                Fault::Refs { count } => Some((*count).min(MAX_REFS)),
                _ => None,
            })
            .unwrap_or(self.config.refs);
        let refs: Vec<String> = (0..count).map(|_| self.mint_ref()).collect();
        let id = Self::stanza_id(conn);
        let Some(registration) = conn.registration() else {
            return;
        };
        let void = std::mem::replace(&mut registration.refs, refs.clone());
        registration.unacknowledged = Some(id.clone());
        for reference in &void {
            self.refs.remove(reference);
        }
        for reference in &refs {
            self.refs.insert(reference.clone(), conn.id);
        }
        let children = refs
            .into_iter()
            .map(|text| Node::new("ref").bytes(text.into_bytes()));
        let pair_device = Node::new("iq")
            .attr("type", "set")
            .attr("id", id)
            .attr("from", Jid::server_jid())
            .attr("xmlns", "md")
            .child(Node::new("pair-device").children(children));
        self.send(conn, &pair_device);
        self.at(conn, Step::PairDevice);
    }

    pub(super) fn mint_ref(&mut self) -> String {
        let mut bytes = [0; REF_LEN];
        self.rng.fill_bytes(&mut bytes);
        format!("{REF_PREFIX}{}", STANDARD.encode(bytes))
    }

    pub(super) fn ref_window_over(&mut self, conn: &mut Conn) {
        if !conn.shows_code() {
            return;
        }
        // A pairing code outlives the refs (pairing chapter, A.3).
        let until = self.code_until(conn);
        match until.filter(|until| *until > self.now.instant) {
            Some(until) => self.timers.set(until, Timer::RefWindow(conn.id)),
            None => {
                tracing::debug!(conn = conn.id.number(), "nobody scanned");
                self.close(conn);
            }
        }
    }

    /// Asks the companion to re-mint the secret behind its code.
    pub(super) fn send_refresh(&mut self, conn: &mut Conn, child: RefreshChild) {
        let child = match child {
            RefreshChild::CompanionRegRefresh => "companion_reg_refresh",
            RefreshChild::PairDeviceRotateQr => "pair-device-rotate-qr",
        };
        let now = self.now.instant;
        if let Some(registration) = conn.registration() {
            registration.void_secrets(now);
        }
        self.notify(conn, REFRESH, Node::new(child));
    }

    /// Whether a phone can go on with this secret: not when a refresh has voided it (pairing chapter, A.4).
    pub(super) fn secret_is_good(&mut self, conn: &mut Conn, secret: &AdvSecret) -> bool {
        let now = self.now.instant;
        let Some(registration) = conn.registration() else {
            return true;
        };
        let good = registration.note_secret(secret);
        // A companion that has only just been told may still show the old code.
        let told = registration
            .refreshed
            .is_some_and(|at| now.saturating_duration_since(at) >= REFRESH_GRACE);
        let acknowledged = !registration.awaits_ack(REFRESH);
        if told && !acknowledged {
            self.remark(conn, Misbehaviour::Unacknowledged { kind: REFRESH });
        }
        if !good && (told || acknowledged) {
            self.remark(conn, Misbehaviour::VoidSecret);
        }
        good
    }

    /// A stanza of an unregistered companion.
    pub(super) fn read_registering(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        if stanza.tag() == "ack" {
            self.check_ack(conn, stanza);
            return;
        }
        if stanza.tag() != "iq" {
            if stanza.tag() != "ib" && stanza.tag() != "presence" {
                self.unexpected(conn, stanza);
            }
            return;
        }
        let id = stanza.attr_text("id").unwrap_or_default();
        match stanza.attr_text("type").as_deref() {
            Some("result") if stanza.child("pair-device-sign").is_some() => {
                self.read_signed_reply(conn, stanza);
            }
            Some("result") => {
                let acknowledged = conn.registration().is_some_and(|registration| {
                    let ours = registration.unacknowledged.as_deref() == Some(&*id);
                    if ours {
                        registration.unacknowledged = None;
                    }
                    ours
                });
                if acknowledged {
                    self.at(conn, Step::PairDeviceAck);
                }
            }
            Some("error") => self.read_refusal(conn, stanza),
            Some("get" | "set") => self.read_pairing_request(conn, stanza),
            _ => self.unexpected(conn, stanza),
        }
    }

    fn check_ack(&mut self, conn: &mut Conn, stanza: &NodeRef<'_>) {
        let id = stanza.attr_text("id").unwrap_or_default();
        let kind = conn
            .registration()
            .and_then(|registration| registration.acknowledged(&id));
        let Some(kind) = kind else {
            self.remark(conn, Misbehaviour::AckOfNothing);
            return;
        };
        for (attribute, expected) in [
            ("class", "notification"),
            ("type", kind),
            ("to", "s.whatsapp.net"),
        ] {
            if stanza.attr_text(attribute).as_deref() != Some(expected) {
                let class = "notification".to_owned();
                self.remark(conn, Misbehaviour::AckShape { class, attribute });
            }
        }
    }

    pub(super) fn unexpected(&mut self, conn: &Conn, stanza: &NodeRef<'_>) {
        let tag = stanza.tag().to_string();
        self.remark(conn, Misbehaviour::UnexpectedStanza { tag });
    }
}

impl Registration {
    /// A registration that has not said anything yet.
    fn nobody(noise: NoiseStaticPublic) -> Self {
        let signed_prekey = PublicSignedPrekey {
            id: SignedPrekeyId::FIRST,
            key: SignedPrekeyPublic::from_bytes([0; 32]),
            signature: Signature::from_bytes([0; 64]),
        };
        let identity = IdentityPublic::from_bytes([0; 32]);
        Self::new(noise, identity, 0, signed_prekey, Vec::new())
    }

    /// Checks a registration as the server does.
    fn read(
        noise: NoiseStaticPublic,
        data: &pb::client_payload::DevicePairingRegistrationData,
    ) -> Result<Self, Misbehaviour> {
        let registration = field::<4>("eRegid", data.e_regid.as_deref())?;
        if field::<1>("eKeytype", data.e_keytype.as_deref())? != [KEY_TYPE] {
            return Err(Misbehaviour::RegistrationValue { field: "eKeytype" });
        }
        let identity = IdentityPublic::from_bytes(field::<32>("eIdent", data.e_ident.as_deref())?);
        let id = SignedPrekeyId::from_be_bytes(field::<3>("eSkeyId", data.e_skey_id.as_deref())?)
            .ok_or(Misbehaviour::RegistrationValue { field: "eSkeyId" })?;
        let signed_prekey = PublicSignedPrekey {
            id,
            key: SignedPrekeyPublic::from_bytes(field("eSkeyVal", data.e_skey_val.as_deref())?),
            signature: Signature::from_bytes(field("eSkeySig", data.e_skey_sig.as_deref())?),
        };
        signed_prekey
            .verify(&identity)
            .map_err(|_| Misbehaviour::SignedPrekeySignature)?;
        field::<16>("buildHash", data.build_hash.as_deref())?;
        let props = data.device_props.clone().unwrap_or_default();
        pb::DeviceProps::decode(props.as_slice()).map_err(|_| Misbehaviour::RegistrationValue {
            field: "deviceProps",
        })?;
        let registration = u32::from_be_bytes(registration);
        Ok(Self::new(
            noise,
            identity,
            registration,
            signed_prekey,
            props,
        ))
    }
}

fn field<const N: usize>(
    field: &'static str,
    value: Option<&[u8]>,
) -> Result<[u8; N], Misbehaviour> {
    let bytes = value.unwrap_or_default();
    bytes
        .try_into()
        .map_err(|_| Misbehaviour::RegistrationLength {
            field,
            expected: N,
            got: bytes.len(),
        })
}

fn failure_stanza(failure: &FailureStanza) -> Node {
    Node::new("failure")
        .attr("reason", failure.reason.to_string())
        .attr_if("code", failure.code.map(|code| code.to_string()))
        .attr_if("expire", failure.expire.map(|secs| secs.to_string()))
        .attr_if("location", failure.location.clone())
        .attr_if("message", failure.message.clone())
        .attr_if("url", failure.url.clone())
        .attr_if(
            "logout_message_header",
            failure.logout_message_header.clone(),
        )
        .attr_if(
            "logout_message_subtext",
            failure.logout_message_subtext.clone(),
        )
        .attr_if(
            "logout_message_locale",
            failure.logout_message_locale.clone(),
        )
}
