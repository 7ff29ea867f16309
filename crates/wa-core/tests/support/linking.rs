use wa_core::{
    CodeRequest, Command, Event, Input, OpId, PairingCode, PasskeyAssertion, PhoneNumber,
};

use super::code_phone::code_notification;
use super::rig::Rig;

/// What an application and the owner of the account do to link by code and by passkey.
impl Rig {
    /// A request for a random code, with a number as people write it.
    pub fn code_request() -> CodeRequest {
        CodeRequest::new(PhoneNumber::parse("+1 (202) 555-0123").unwrap())
    }

    /// Asks for a code. A process that dies over it has none.
    pub fn ask_for_code(&mut self) -> OpId {
        self.command(Command::RequestPairingCode(Self::code_request()))
    }

    pub fn ask_for_custom_code(&mut self, code: &str) -> OpId {
        let mut request = Self::code_request();
        request.custom = Some(PairingCode::from_custom(code).unwrap());
        request.push = false;
        self.command(Command::RequestPairingCode(request))
    }

    /// A device that shows a code.
    pub fn showing_code() -> (Self, String) {
        let mut rig = Self::new();
        rig.ask_for_code();
        let code = rig.code().expect("a code is on show");
        (rig, code)
    }

    /// The pairing code on show, if one is.
    pub fn code(&self) -> Option<String> {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::PairingCode { code, .. } => Some(Some(code.expose().to_owned())),
                Event::PairingCodeEnded(_) => Some(None),
                _ => None,
            })
            .flatten()
    }

    /// The owner types this on the phone.
    pub fn type_in(&mut self, code: &str) {
        let (_, connection) = self.connection.as_mut().expect("a connection");
        let stage = connection.type_in(&mut self.service, code);
        self.serve(&code_notification(stage));
    }

    /// The ref of the code that was asked for last.
    pub fn code_ref(&self) -> String {
        let (_, connection) = self.connection.as_ref().expect("a connection");
        connection.desk.hello.as_ref().unwrap().reference.clone()
    }

    /// The request for a code as the server got it.
    pub fn companion_hello(&self) -> super::CompanionHello {
        let (_, connection) = self.connection.as_ref().expect("a connection");
        connection.desk.hello.clone().expect("a companion_hello")
    }

    /// Whether a code was asked for on the connection that is open.
    pub fn is_asked_for_code(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|(_, connection)| connection.desk.hello.is_some())
    }

    /// The owner of an account with a passkey scans the code on show.
    pub fn scan_for_passkey(&mut self) {
        let qr = self.qr().expect("a code is on show");
        let (_, connection) = self.connection.as_mut().expect("a connection");
        let stanza = connection.scan_for_passkey(&self.service, &qr);
        self.serve(&stanza);
    }

    /// The options that were passed on last.
    pub fn options(&self) -> Option<String> {
        self.events.iter().rev().find_map(|event| match event {
            Event::PasskeyRequested { options, .. } => Some(options.expose().to_owned()),
            _ => None,
        })
    }

    pub fn assertion() -> PasskeyAssertion {
        PasskeyAssertion::from_parts(
            b"credential-id-of-the-owner",
            br#"{"type":"webauthn.get","challenge":"Y2hhbGxlbmdl"}"#,
            &[7; 37],
            b"signature-of-the-authenticator",
            Some(b"handle-of-the-owner"),
        )
        .unwrap()
    }

    /// The owner's authenticator signs.
    pub fn respond(&mut self) -> OpId {
        self.command(Command::RespondPasskey(Self::assertion()))
    }

    /// The code to be compared with the phone's.
    pub fn confirmation(&self) -> Option<Option<String>> {
        self.events.iter().rev().find_map(|event| match event {
            Event::PasskeyConfirmation { code, .. } => {
                Some(code.as_ref().map(|code| code.expose().to_owned()))
            }
            _ => None,
        })
    }

    /// The phone endorses the companion on the connection that is open.
    pub fn endorse(&mut self) {
        let (_, connection) = self.connection.as_mut().expect("a connection");
        let stanza = connection.endorse_late(&mut self.service);
        self.serve(&stanza);
    }

    /// Runs the jobs that were held, in order.
    pub fn run_jobs(&mut self) {
        for job in std::mem::take(&mut self.jobs) {
            self.input(Input::Computed(job.run()));
        }
    }
}
