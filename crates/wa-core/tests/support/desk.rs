use wa_crypto::{AdvSecret, IdentityPublic};
use wa_pair::parse_qr;
use wa_proto::{Jid, Node};

use super::code_phone::{CompanionHello, TypedCode};
use super::connection::Connection;
use super::passkey_phone::{OPTIONS, PasskeyPhone, bytes, prologue_request};
use super::phone::Tamper;
use super::service::{AfterCode, AfterPasskey, Point, Service};

/// What server and phone know of the links by code and passkey on one connection.
#[derive(Default)]
pub struct Desk {
    pub hello: Option<CompanionHello>,
    typed: Option<TypedCode>,
    /// Identity and secret the phone has learned, from a scan or a code.
    known: Option<(IdentityPublic, AdvSecret)>,
    passkey: Option<PasskeyPhone>,
}

impl Connection {
    /// The user types this code; returns the relayed `primary_hello`.
    pub fn type_in(&mut self, service: &mut Service, code: &str) -> Node {
        let hello = self.desk.hello.as_ref().expect("a companion_hello");
        let typed = hello.type_in(code, service.phone.secret(), &mut service.rng);
        let stage = typed.hello.clone();
        self.desk.typed = Some(typed);
        stage
    }

    /// The phone scans a code of an account that wants a passkey.
    pub fn scan_for_passkey(&mut self, service: &Service, qr: &str) -> Node {
        let scanned = parse_qr(qr).expect("the code on show can be read");
        assert!(self.refs.contains(&scanned.reference));
        self.desk.known = Some((scanned.identity, scanned.adv));
        prologue_request(service.ceremonies.inline_options.then_some(OPTIONS))
    }

    pub(super) fn ceremony(&mut self, service: &mut Service, iq: &Node, at: Point, result: Node) {
        let content = iq.get_children()[0].clone();
        match at {
            Point::CompanionHello => {
                let count = service.requests("link_code_companion_reg").len();
                let reference = format!("2@code-ref-{count}");
                self.desk.typed = None;
                self.desk.hello = Some(CompanionHello {
                    reference: reference.clone(),
                    iq: iq.clone(),
                });
                let reference = Node::new("link_code_pairing_ref").bytes(reference.into_bytes());
                let answer = Node::new("link_code_companion_reg").attr("stage", "companion_hello");
                self.push(&result.child(answer.child(reference)));
            }
            Point::CompanionFinish => {
                self.push(&result);
                self.finished(service, &content);
            }
            Point::PasskeyOptions => {
                let options =
                    Node::new("passkey_request_options").bytes(OPTIONS.as_bytes().to_vec());
                self.push(&result.child(options));
            }
            Point::PasskeyRef => {
                self.push(&result.child(Node::new("ref").bytes(b"2@passkey-ref".to_vec())));
            }
            Point::PasskeyPrologue => {
                let (_, known) = self
                    .desk
                    .known
                    .as_ref()
                    .expect("a scan or a code before it");
                let phone = PasskeyPhone::meet(&content, known, &mut service.rng);
                service.ceremonies.proven = phone.proven;
                service.ceremonies.device_type = phone
                    .companion
                    .device_type
                    .and_then(|kind| kind.try_into().ok());
                let continuation = phone.continuation();
                self.desk.passkey = Some(phone);
                self.push(&result);
                self.push(&continuation);
            }
            Point::PasskeyNonce => {
                let phone = self.desk.passkey.as_mut().expect("a prologue");
                phone.opened(content.get_bytes().unwrap());
                service.ceremonies.phone_code = phone.code.clone();
                self.push(&result);
            }
            _ => {
                let phone = self.desk.passkey.as_ref().expect("a prologue");
                let request = phone.read(content.get_bytes().unwrap());
                let key: [u8; 32] = request.companion_identity_key.unwrap().try_into().unwrap();
                let adv: [u8; 32] = request.adv_secret.unwrap().try_into().unwrap();
                let (identity, adv) = (IdentityPublic::from_bytes(key), AdvSecret::from_bytes(adv));
                if service.ceremonies.after_passkey == AfterPasskey::PairSuccessFirst {
                    return self.endorse(service, &identity, &adv);
                }
                self.push(&result);
                match service.ceremonies.after_passkey {
                    AfterPasskey::PairSuccess | AfterPasskey::PairSuccessFirst => {
                        self.endorse(service, &identity, &adv)
                    }
                    AfterPasskey::Nothing => service.ceremonies.endorsed = Some((identity, adv)),
                }
            }
        }
    }

    /// The phone endorses what an earlier ceremony has taught it.
    pub fn endorse_late(&mut self, service: &mut Service) -> Node {
        let (identity, adv) = service.ceremonies.endorsed.take().expect("a ceremony");
        let container = service.phone.endorse(&identity, &adv, Tamper::Nothing);
        self.linked(service, container)
    }

    fn finished(&mut self, service: &mut Service, finish: &Node) {
        let Some(typed) = &self.desk.typed else {
            return;
        };
        // A phone that cannot open the bundle tells its user and nobody else.
        let Some(opened) = typed.open(finish, service.phone.secret()) else {
            return;
        };
        match service.ceremonies.after_code {
            AfterCode::PairSuccess => self.endorse(service, &opened.identity, &opened.adv),
            AfterCode::Passkey => {
                self.desk.known = Some((opened.identity, opened.adv));
                let options = service.ceremonies.inline_options.then_some(OPTIONS);
                self.push(&prologue_request(options));
            }
            AfterCode::Nothing => {
                service.ceremonies.endorsed = Some((opened.identity, opened.adv));
            }
        }
    }

    fn endorse(&mut self, service: &mut Service, identity: &IdentityPublic, adv: &AdvSecret) {
        let container = service.phone.endorse(identity, adv, Tamper::Nothing);
        let stanza = self.linked(service, container);
        self.push(&stanza);
    }
}
