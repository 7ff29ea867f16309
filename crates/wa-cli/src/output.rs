//! Where the events of a command go: to a person or to a program.

use std::io::{IsTerminal as _, Stdout};
use std::time::{Duration, Instant};

use wa_client::{Event, Events, Step};
use zeroize::Zeroizing;

use crate::args::QrArgs;
use crate::exit::Failure;
use crate::qr::Matrix;
use crate::qr::image::Pictures;
use crate::screen::{CodeKind, CodeOffer, Extent, Offer, Screen, Surface};
use crate::signals::Interrupt;
use crate::{machine, report};

/// How often the countdown below a code moves.
const TICK: Duration = Duration::from_secs(1);

/// What a terminal that does not tell its size is taken for.
const UNTOLD: Extent = Extent {
    columns: 80,
    rows: 24,
};

/// Where the events of a command go.
pub(crate) enum Output {
    /// To a person.
    Person(Box<Screen<Stdout>>, bool),
    /// To a program.
    Machine(Pictures),
}

impl Output {
    /// Without `shows_qr` a person is not shown QR codes, and not told to scan them.
    pub(crate) fn new(json: bool, qr: &QrArgs, shows_qr: bool) -> Self {
        let pictures = Pictures::new(qr);
        if json {
            return Self::Machine(pictures);
        }
        let screen = Screen::new(std::io::stdout(), surface, qr.invert, pictures);
        Self::Person(Box::new(screen), shows_qr)
    }

    /// A line for a person; programs do not need it.
    pub(crate) fn say(&mut self, text: &str) -> std::io::Result<()> {
        match self {
            Self::Person(screen, _) => screen.line(text),
            Self::Machine(_) => Ok(()),
        }
    }

    pub(crate) fn event(&mut self, event: &Event) -> std::io::Result<()> {
        match self {
            Self::Person(screen, shows_qr) => for_person(screen, *shows_qr, event),
            Self::Machine(pictures) => for_machine(pictures, event),
        }
    }

    fn tick(&mut self) -> std::io::Result<()> {
        match self {
            Self::Person(screen, _) => screen.tick(),
            Self::Machine(_) => Ok(()),
        }
    }

    fn is_counting_down(&self) -> bool {
        matches!(self, Self::Person(screen, _) if screen.is_showing())
    }

    pub(crate) fn blank(&mut self) -> std::io::Result<()> {
        match self {
            Self::Person(screen, _) => {
                screen.blank_code()?;
                screen.blank()
            }
            Self::Machine(pictures) => {
                pictures.remove();
                Ok(())
            }
        }
    }
}

fn for_person(screen: &mut Screen<Stdout>, shows_qr: bool, event: &Event) -> std::io::Result<()> {
    match event {
        Event::Qr { .. } if !shows_qr => return Ok(()),
        Event::Progress(Step::WaitingForScan) if !shows_qr => {
            return screen.line("Asking the server for a pairing code …");
        }
        Event::Qr { text, seq, ttl, .. } => {
            return screen.show(Offer {
                text: Zeroizing::new(text.expose().to_owned()),
                seq: *seq,
                deadline: Instant::now() + *ttl,
            });
        }
        Event::QrBlanked => return screen.blank(),
        Event::PairingCode { code, ttl, .. } => {
            return screen.show_code(CodeOffer {
                kind: CodeKind::Pairing,
                text: code.display(),
                deadline: Instant::now() + *ttl,
            });
        }
        Event::PasskeyConfirmation {
            code: Some(code),
            expires_at_unix_ms,
        } => {
            let left = expires_at_unix_ms.saturating_sub(report::unix_ms());
            return screen.show_code(CodeOffer {
                kind: CodeKind::Confirmation,
                text: code.display(),
                deadline: Instant::now() + Duration::from_millis(left),
            });
        }
        Event::PairingCodeEnded(_)
        | Event::PasskeyEnded(_)
        | Event::Paired { .. }
        | Event::Progress(Step::Verifying) => screen.blank_code()?,
        _ => {}
    }
    match report::line(event) {
        Some(line) => screen.line(&line),
        None => Ok(()),
    }
}

fn for_machine(pictures: &mut Pictures, event: &Event) -> std::io::Result<()> {
    match event {
        Event::Qr { text, .. } if !pictures.is_empty() => {
            let problems = match Matrix::encode(text.expose()) {
                Ok(matrix) => pictures.show(&matrix),
                Err(error) => vec![error.to_string()],
            };
            for problem in problems {
                machine::write(&machine::Message::error("picture", problem).into_line())?;
            }
        }
        Event::QrBlanked => pictures.remove(),
        _ => {}
    }
    match machine::line(event) {
        Some(line) => machine::write(&line),
        None => Ok(()),
    }
}

fn surface() -> Surface {
    if !std::io::stdout().is_terminal() {
        return Surface::Plain;
    }
    match terminal_size::terminal_size() {
        Some((terminal_size::Width(columns), terminal_size::Height(rows))) => {
            Surface::Terminal(Extent {
                columns: usize::from(columns),
                rows: usize::from(rows),
            })
        }
        None => Surface::Terminal(UNTOLD),
    }
}

/// What a follower waited for.
pub(crate) enum Followed {
    Event(Event),
    Interrupted,
}

/// Passes the next event to the output and returns it; keeps the countdown going meanwhile.
pub(crate) async fn follow(
    events: &mut Events,
    output: &mut Output,
    interrupt: &mut Interrupt,
) -> Result<Followed, Failure> {
    loop {
        tokio::select! {
            event = events.next() => {
                let event = event.ok_or_else(|| Failure::Other("the client ended unexpectedly".to_owned()))?;
                output.event(&event).map_err(cannot_print)?;
                return Ok(Followed::Event(event));
            }
            () = tokio::time::sleep(TICK), if output.is_counting_down() => output.tick().map_err(cannot_print)?,
            () = interrupt.received() => return Ok(Followed::Interrupted),
        }
    }
}

/// Standard output is gone or full.
pub(crate) fn cannot_print(error: std::io::Error) -> Failure {
    Failure::Other(format!("cannot write to standard output: {error}"))
}
