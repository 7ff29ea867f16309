//! What a link asks of its owner besides a scan: a code to type, a passkey to use, codes to compare.

use tokio::task::JoinSet;
use wa_client::{
    ClientError, CodeEnd, CommandError, ConnectionState, Event, PairingCode, PairingCodeLive,
    PairingCodeRequest, PasskeyAssertion, PasskeyOptions,
};

use super::answers::{Answer, Answers, Wanted};
use super::simulated::SimulatedPhone;
use crate::args::{CodeArgs, PasskeyArgs};
use crate::exit::Failure;
use crate::output::{Followed, Output, cannot_print, follow};
use crate::session::Session;
use crate::signals::Interrupt;

/// Codes asked for without a word of the user; our own bound.
const MAX_CODES: u32 = 3;

/// How to link.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// By a code on this phone.
    pub(crate) code: Option<PairingCodeRequest>,
    /// The answers for a passkey, if the user is ready for one.
    pub(crate) passkey: Option<PasskeyArgs>,
    /// Whether a QR code is shown, too.
    pub(crate) shows_qr: bool,
}

/// The request the arguments describe.
pub(crate) fn code_request(number: &str, code: &CodeArgs) -> Result<PairingCodeRequest, Failure> {
    let request = PairingCodeRequest::new(number)
        .map_err(|error| Failure::Usage(format!("the number of the phone: {error}")))?;
    let request = match &code.custom_code {
        None => request,
        Some(custom) => request
            .custom(custom.expose())
            .map_err(|error| Failure::Usage(format!("--custom-code: {error}")))?,
    };
    Ok(request.push(!code.no_push))
}

/// Sees a link through: asks for codes, carries answers to the client.
pub(crate) struct Linker<'a> {
    way: Way,
    phone: Option<&'a mut SimulatedPhone>,
    asking: JoinSet<Result<PairingCodeLive, ClientError>>,
    codes_left: u32,
    /// A code was lost with its connection; ask for another on the next one.
    wants_code: bool,
    answers: Answers,
}

impl<'a> Linker<'a> {
    pub(crate) fn new(way: Way, phone: Option<&'a mut SimulatedPhone>) -> Self {
        let answers = Answers::new(way.passkey.as_ref());
        Self {
            way,
            phone,
            asking: JoinSet::new(),
            codes_left: MAX_CODES,
            wants_code: false,
            answers,
        }
    }

    /// Starts to connect, and to link if there is no link.
    pub(crate) async fn start(&mut self, session: &Session) -> Result<(), Failure> {
        session.client.start().await?;
        if !session.is_linked() {
            self.ask_for_code(session);
        }
        Ok(())
    }

    /// Starts over after a stored link has turned out to be void.
    pub(crate) fn start_anew(&mut self, session: &Session) {
        self.ask_for_code(session);
    }

    fn ask_for_code(&mut self, session: &Session) {
        self.wants_code = false;
        if let Some(request) = self.way.code.clone()
            && self.asking.is_empty()
        {
            let client = session.client.clone();
            self.asking
                .spawn(async move { client.request_pairing_code(request).await });
        }
    }

    /// The next event; what it asks for is done already.
    pub(crate) async fn next(
        &mut self,
        session: &mut Session,
        output: &mut Output,
        interrupt: &mut Interrupt,
    ) -> Result<Followed, Failure> {
        loop {
            tokio::select! {
                followed = follow(&mut session.events, output, interrupt) => {
                    let followed = followed?;
                    if let Followed::Event(event) = &followed {
                        self.react(event, session, output).await?;
                    }
                    return Ok(followed);
                }
                Some(answer) = self.asking.join_next(), if !self.asking.is_empty() => {
                    if let Ok(Err(error)) = answer {
                        self.code_refused(error, output)?;
                    }
                }
                answer = self.answers.next(), if self.answers.are_wanted() => {
                    self.answer(answer?, session, output).await?;
                }
            }
        }
    }

    async fn react(
        &mut self,
        event: &Event,
        session: &Session,
        output: &mut Output,
    ) -> Result<(), Failure> {
        match event {
            Event::Qr { text, .. } if self.way.code.is_none() => {
                if let Some(phone) = &mut self.phone {
                    phone.scan(text.expose())?;
                }
            }
            Event::PairingCode { code, .. } => {
                if let Some(phone) = &mut self.phone {
                    phone.enter(code.expose())?;
                }
            }
            Event::PairingCodeEnded(end) => self.code_ended(end, session)?,
            Event::PairingCodeRefresh { force_manual } => self.renew(*force_manual, session)?,
            Event::PasskeyRequested { options, .. } => {
                self.passkey_wanted(options, session, output).await?;
            }
            Event::PasskeyConfirmation {
                code: Some(code), ..
            } => self.confirmation_wanted(code, session, output).await?,
            Event::PasskeyEnded(end) => return Err(Failure::Passkey(end.to_string())),
            Event::State(ConnectionState::AwaitingPairing) if self.wants_code => {
                self.ask_for_code(session);
            }
            Event::Paired { .. } | Event::Online { .. } => self.answers.want(Wanted::Nothing),
            _ => {}
        }
        Ok(())
    }

    fn code_refused(&mut self, error: ClientError, output: &mut Output) -> Result<(), Failure> {
        match error {
            ClientError::Command(CommandError::CodeRefused(refusal)) => {
                let wait = refusal
                    .backoff
                    .map(|backoff| format!(" (not before {} s are over)", backoff.as_secs()))
                    .unwrap_or_default();
                let why = format!("no pairing code: {refusal}{wait}");
                if self.way.shows_qr {
                    return output.say(&why).map_err(cannot_print);
                }
                Err(Failure::Code(why))
            }
            ClientError::Command(CommandError::ConnectionEnded(_)) => {
                self.wants_code = true;
                Ok(())
            }
            // Whatever else keeps a code away, the state tells, or the link is made already.
            _ => Ok(()),
        }
    }

    fn code_ended(&mut self, end: &CodeEnd, session: &Session) -> Result<(), Failure> {
        match end {
            CodeEnd::Expired if !self.way.shows_qr => Err(Failure::PairingExpired),
            CodeEnd::ConnectionEnded => {
                self.wants_code = true;
                Ok(())
            }
            CodeEnd::NoPairSuccess | CodeEnd::TooManyAttempts => self.renew(false, session),
            CodeEnd::FinishRefused { .. } => Err(Failure::Code(end.to_string())),
            _ => Ok(()),
        }
    }

    fn renew(&mut self, force_manual: bool, session: &Session) -> Result<(), Failure> {
        self.codes_left = self.codes_left.saturating_sub(1);
        if force_manual || self.codes_left == 0 {
            let why =
                "the pairing code was not used up to a link; run the command again for a new one";
            return Err(Failure::Code(why.to_owned()));
        }
        self.ask_for_code(session);
        Ok(())
    }

    async fn passkey_wanted(
        &mut self,
        options: &PasskeyOptions,
        session: &Session,
        output: &mut Output,
    ) -> Result<(), Failure> {
        if let Some(phone) = &self.phone {
            let assertion = phone.sign(options.expose())?;
            let assertion = PasskeyAssertion::from_json(&assertion)
                .map_err(|error| Failure::Passkey(error.to_string()))?;
            let signed = "The simulated owner has used the passkey.";
            output.say(signed).map_err(cannot_print)?;
            return Ok(session.client.respond_passkey(assertion).await?);
        }
        if self.way.passkey.is_none() {
            return Err(Failure::PasskeyNeeded);
        }
        for line in instructions(options, &self.answers.place()) {
            output.say(&line).map_err(cannot_print)?;
        }
        self.answers.want(Wanted::Assertion);
        Ok(())
    }

    async fn confirmation_wanted(
        &mut self,
        code: &PairingCode,
        session: &Session,
        output: &mut Output,
    ) -> Result<(), Failure> {
        if let Some(phone) = &self.phone {
            let same = phone.shows(&code.display());
            return Ok(session.client.confirm_passkey(same).await?);
        }
        match &self.way.passkey {
            None => Err(Failure::PasskeyNeeded),
            Some(passkey) if passkey.yes => Ok(session.client.confirm_passkey(true).await?),
            Some(_) => {
                self.answers.want(Wanted::Confirmation);
                output
                    .say("Does the phone show the same code? Type y or n, and Enter.")
                    .map_err(cannot_print)
            }
        }
    }

    async fn answer(
        &mut self,
        answer: Answer,
        session: &Session,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let sent = match answer {
            Answer::Unclear(why) => return output.say(&why).map_err(cannot_print),
            Answer::Assertion(assertion) => session.client.respond_passkey(assertion).await,
            Answer::Confirmation(accept) => session.client.confirm_passkey(accept).await,
        };
        match sent {
            // It came too late; the event that says so is on its way.
            Ok(()) | Err(ClientError::Command(CommandError::NoPasskeyAsked)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the owner has to do with the options.
fn instructions(options: &PasskeyOptions, place: &str) -> Vec<String> {
    vec![
        "This account asks for its passkey before it takes a new device. What to do:".to_owned(),
        "1. Where the passkey can be used, open https://web.whatsapp.com in a browser, and the console of its \
         developer tools."
            .to_owned(),
        "2. Run this there, with the line below in place of OPTIONS:".to_owned(),
        "   console.log(JSON.stringify((await navigator.credentials.get({publicKey: \
         PublicKeyCredential.parseRequestOptionsFromJSON(OPTIONS)})).toJSON()))"
            .to_owned(),
        options.expose().to_owned(),
        format!("3. {place}"),
    ]
}
