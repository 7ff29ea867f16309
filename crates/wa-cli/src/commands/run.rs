//! `wa run`: a person watching, or a program in charge.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wa_client::{Client, ClientError, ConnectionState, Event, PairingCodeLive, PairingCodeRequest};

use super::linking::{Linker, Way, code_request};
use super::pair::drain;
use crate::args::{PairWay, RunArgs};
use crate::exit::Failure;
use crate::input;
use crate::machine::{self, Command, LiveCode, Message, Refusal, Request};
use crate::output::{Followed, Output, cannot_print, follow};
use crate::session::{Linking, Session};
use crate::signals::Interrupt;
use crate::store::{Place, find_account, find_or_make_account};

pub(crate) async fn run(args: RunArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let may_pair = args.pair.is_some();
    let way = way(&args)?;
    let place = Place::of(&args.store)?;
    let wanted = args.store.account.as_deref();
    let (store, account) = if may_pair {
        let store = place.open().await?;
        let account = find_or_make_account(&store, wanted).await?;
        (store, account)
    } else {
        let store = place.open_existing().await?;
        let account = find_account(&store, wanted)
            .await?
            .ok_or(Failure::NotLinked)?;
        (store, account)
    };
    let linking = if may_pair {
        Linking::Wanted {
            require_approval: args.require_approval,
            compare: args.answer.compare,
        }
    } else {
        Linking::Stored
    };
    let session = Session::start(store, &account, &args.server, linking).await?;
    if !may_pair && !session.is_linked() {
        session.end().await;
        return Err(Failure::NotLinked);
    }
    if args.json {
        let hello = Message::Hello {
            program: "wa",
            version: env!("CARGO_PKG_VERSION"),
            client_version: session.client.version().version.to_string(),
            account: account.id.to_string(),
        };
        machine::write(&hello.into_line()).map_err(cannot_print)?;
        let output = Output::new(true, &args.qr, true);
        Machine::new(session, output, may_pair, way.code, interrupt)
            .run()
            .await
    } else {
        let output = Output::new(false, &args.qr, way.shows_qr);
        watch(session, way, output, interrupt).await
    }
}

/// How the arguments want to link, if they do.
fn way(args: &RunArgs) -> Result<Way, Failure> {
    let number = args.phone.as_deref();
    let request = number.map(|number| code_request(number, &args.code));
    if number.is_none() && (args.code.custom_code.is_some() || args.code.no_push) {
        let why = "--custom-code and --no-push go with --phone only";
        return Err(Failure::Usage(why.to_owned()));
    }
    Ok(Way {
        code: request.transpose()?,
        passkey: (args.pair == Some(PairWay::Passkey)).then(|| args.answer.clone()),
        shows_qr: number.is_none(),
    })
}

/// For a person: until interrupted, or until nothing more happens by itself.
async fn watch(
    mut session: Session,
    way: Way,
    mut output: Output,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let linker = Linker::new(way, None);
    let result = watch_events(&mut session, linker, &mut output, &mut interrupt).await;
    let blanked = output.blank().map_err(cannot_print);
    session.end().await;
    result?;
    blanked?;
    output.say("Disconnected.").map_err(cannot_print)
}

async fn watch_events(
    session: &mut Session,
    mut linker: Linker<'_>,
    output: &mut Output,
    interrupt: &mut Interrupt,
) -> Result<(), Failure> {
    linker.start(session).await?;
    loop {
        let event = match linker.next(session, output, interrupt).await? {
            Followed::Interrupted => return Ok(()),
            Followed::Event(event) => event,
        };
        if session.links_anew(&event).await? {
            let text = "The stored link does not work any more; linking anew.";
            output.say(text).map_err(cannot_print)?;
            linker.start_anew(session);
            continue;
        }
        match event {
            Event::Online { jid, .. } => output
                .say(&format!("Online as {jid}."))
                .map_err(cannot_print)?,
            Event::State(state) => {
                if let Some(failure) = session.failure(&state) {
                    drain(session, output).await?;
                    return Err(failure);
                }
            }
            _ => {}
        }
    }
}

/// How long the end waits for commands under way. A logout takes 3 s at a server that does not answer.
const FINISH_LIMIT: Duration = Duration::from_secs(5);

/// For a program: commands in, events out, until told to quit.
struct Machine {
    session: Session,
    may_pair: bool,
    interrupt: Interrupt,
    output: Output,
    commands: mpsc::Receiver<input::Line>,
    /// Commands under way that end soon by themselves; each yields the line that answers it.
    running: JoinSet<String>,
    /// Those that wait to be online, which may take for ever.
    connecting: JoinSet<String>,
    input_open: bool,
    /// The code to ask for with every link this run makes by itself.
    code: Option<PairingCodeRequest>,
    /// Such a link has begun, and its code is not asked for yet.
    wants_code: bool,
    /// The state last told; the client may be further already.
    state: ConnectionState,
}

/// What the program in charge, or its absence, makes of a turn.
enum Turn {
    GoOn,
    Quit,
}

impl Machine {
    fn new(
        session: Session,
        output: Output,
        may_pair: bool,
        code: Option<PairingCodeRequest>,
        interrupt: Interrupt,
    ) -> Self {
        Self {
            session,
            may_pair,
            interrupt,
            output,
            commands: input::lines(),
            running: JoinSet::new(),
            connecting: JoinSet::new(),
            input_open: true,
            code,
            wants_code: false,
            state: ConnectionState::Idle,
        }
    }

    async fn run(mut self) -> Result<(), Failure> {
        let mut result = self.turns().await;
        if result.is_ok() {
            // What was asked for before the end is done before the end, if it can be.
            let finishing = tokio::time::timeout(FINISH_LIMIT, self.finish()).await;
            result = finishing.unwrap_or(Ok(()));
        }
        self.running.shutdown().await;
        let _ = self.output.blank();
        self.session.end().await;
        result
    }

    async fn turns(&mut self) -> Result<(), Failure> {
        self.session.client.start().await?;
        self.wants_code = !self.session.is_linked();
        loop {
            self.ask_for_code().await?;
            let turn = tokio::select! {
                followed = follow(&mut self.session.events, &mut self.output, &mut self.interrupt) => match followed? {
                    Followed::Interrupted => Turn::Quit,
                    Followed::Event(event) => {
                        self.note(event).await?;
                        Turn::GoOn
                    }
                },
                line = self.commands.recv(), if self.input_open => match line {
                    None => {
                        self.input_open = false;
                        Turn::GoOn
                    }
                    Some(line) => self.take(line).await?,
                },
                Some(answer) = self.connecting.join_next(), if !self.connecting.is_empty() => {
                    self.answer(answer.ok()).await?;
                    Turn::GoOn
                }
                Some(answer) = self.running.join_next(), if !self.running.is_empty() => {
                    self.answer(answer.ok()).await?;
                    Turn::GoOn
                }
            };
            if matches!(turn, Turn::Quit) || self.is_over_without_a_master().await? {
                return Ok(());
            }
        }
    }

    async fn ask_for_code(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.wants_code)
            && let Some(request) = self.code.clone()
        {
            let command = Command::PairingCode(request);
            self.begin(Request { command, id: None }).await?;
        }
        Ok(())
    }

    /// Tells what has happened so far, and waits for the commands under way that end by themselves.
    async fn finish(&mut self) -> Result<(), Failure> {
        self.connecting.shutdown().await;
        while let Some(answer) = self.running.join_next().await {
            self.answer(answer.ok()).await?;
        }
        drain(&mut self.session, &mut self.output).await
    }

    /// Writes the answer to a command, after the events that led to it.
    async fn answer(&mut self, answer: Option<String>) -> Result<(), Failure> {
        while let Some(event) = self.session.events.try_next() {
            self.output.event(&event).map_err(cannot_print)?;
            self.note(event).await?;
        }
        match answer {
            Some(answer) => machine::write(&answer).map_err(cannot_print),
            None => Ok(()),
        }
    }

    async fn note(&mut self, event: Event) -> Result<(), Failure> {
        let links_anew = self.session.links_anew(&event).await?;
        if links_anew {
            self.wants_code = true;
        } else if let Event::State(state) = event {
            self.state = state;
        }
        Ok(())
    }

    /// With standard input closed nobody can start again what has come to rest.
    async fn is_over_without_a_master(&mut self) -> Result<bool, Failure> {
        if self.input_open || !self.running.is_empty() || !self.connecting.is_empty() {
            return Ok(false);
        }
        match self.session.failure(&self.state) {
            None => Ok(matches!(self.state, ConnectionState::Stopped)),
            Some(failure) => {
                drain(&mut self.session, &mut self.output).await?;
                Err(failure)
            }
        }
    }

    async fn take(&mut self, line: input::Line) -> Result<Turn, Failure> {
        let request =
            match line.map_err(|problem| Message::error("bad_command", problem).into_line()) {
                Ok(line) if line.trim().is_empty() => return Ok(Turn::GoOn),
                Ok(line) => machine::parse_command(&line),
                Err(answer) => Err(answer),
            };
        match request {
            Err(answer) => machine::write(&answer).map_err(cannot_print)?,
            Ok(Request {
                command: Command::Quit,
                ..
            }) => return Ok(Turn::Quit),
            Ok(request) => self.begin(request).await?,
        }
        Ok(Turn::GoOn)
    }

    async fn begin(&mut self, request: Request) -> Result<(), Failure> {
        let allowed = self.may_pair || self.session.is_linked();
        let client = self.session.client.clone();
        let under_way = match request.command {
            Command::Connect | Command::PairingCode(_) => &mut self.connecting,
            _ => &mut self.running,
        };
        let mut carried_out = Box::pin(perform(client, request, allowed));
        // A first step here and now keeps commands in the order of their lines.
        let answer = poll_fn(|cx| Poll::Ready(carried_out.as_mut().poll(cx))).await;
        match answer {
            Poll::Ready(answer) => self.answer(Some(answer)).await?,
            Poll::Pending => drop(under_way.spawn(carried_out)),
        }
        Ok(())
    }
}

/// What a command has brought, besides being done.
#[derive(Default)]
struct Outcome {
    server_unlinked: Option<bool>,
    round_trip_ms: Option<u64>,
    live: Option<PairingCodeLive>,
}

/// Carries a command out and returns the line that answers it.
async fn perform(client: Client, Request { command, id }: Request, may_connect: bool) -> String {
    let name = command.name();
    let needs_permission = matches!(command, Command::Connect | Command::PairingCode(_));
    if needs_permission && !may_connect {
        return Refusal::new("command_failed", Failure::NotLinked.to_string()).into_line(name, id);
    }
    match carry_out(&client, command).await {
        Ok(outcome) => done(name, id, &outcome),
        Err(error) => Refusal::from(&error).into_line(name, id),
    }
}

async fn carry_out(client: &Client, command: Command) -> Result<Outcome, ClientError> {
    let mut outcome = Outcome::default();
    match command {
        Command::Connect => client.connect().await?,
        Command::Disconnect => client.disconnect().await?,
        Command::Approve(accept) => client.approve_pairing(accept).await?,
        Command::Logout => outcome.server_unlinked = client.logout().await?.server_unlinked,
        Command::Ping => {
            outcome.round_trip_ms = u64::try_from(client.ping().await?.as_millis()).ok();
        }
        Command::PairingCode(request) => {
            outcome.live = Some(client.request_pairing_code(request).await?);
        }
        Command::CancelPairingCode => client.cancel_pairing_code().await?,
        Command::PasskeyResponse(assertion) => client.respond_passkey(assertion).await?,
        Command::PasskeyConfirm(accept) => client.confirm_passkey(accept).await?,
        // Handled where the loop can end.
        Command::Quit => return Err(ClientError::Ended),
    }
    Ok(outcome)
}

fn done(cmd: &str, id: Option<Value>, outcome: &Outcome) -> String {
    let live = outcome.live.as_ref();
    let formatted = live.map(|live| live.code.display());
    Message::Done {
        cmd,
        id,
        server_unlinked: outcome.server_unlinked,
        round_trip_ms: outcome.round_trip_ms,
        live: live
            .zip(formatted.as_ref())
            .map(|(live, formatted)| LiveCode {
                code: live.code.expose(),
                code_formatted: formatted,
                expires_at: live.expires_at_unix_ms,
            }),
    }
    .into_line()
}
