//! `wa phone`.

use std::io::Read as _;
use std::path::Path;

use wa_sim::{
    CodeRequest, ConfirmRequest, ControlClient, ControlError, MAX_OPTIONS_LEN, PhoneNumber,
    ScanOutcome, ScanReply, ScanRequest,
};

use crate::args::{PasskeyCommand, PhoneArgs, PhoneCommand, PhoneOn};
use crate::exit::Failure;

/// How long to wait for the link: reply, verification and a phone that takes its time.
const WAIT_MS: u64 = 30_000;

pub(crate) async fn run(args: PhoneArgs) -> Result<(), Failure> {
    match args.command {
        PhoneCommand::Scan {
            qr,
            control,
            number,
            four_fields,
            no_wait,
        } => {
            let request = ScanRequest {
                qr,
                phone: optional_number(number)?,
                wait_ms: wait(no_wait),
                four_fields,
            };
            let reply = ask(control, move |sim| sim.scan(&request)).await?;
            tell("Scanned", reply)
        }
        PhoneCommand::Code { code, on, no_wait } => {
            let request = CodeRequest {
                code,
                phone: optional_number(on.number)?,
                wait_ms: wait(no_wait),
            };
            let reply = ask(on.control, move |sim| sim.enter_code(&request)).await?;
            tell("Entered", reply)
        }
        PhoneCommand::Passkey { command } => passkey(command).await,
    }
}

async fn passkey(command: PasskeyCommand) -> Result<(), Failure> {
    match command {
        PasskeyCommand::Sign { options, control } => {
            let options = read(&options)?;
            let assertion = ask(control, move |sim| sim.assert_passkey(&options)).await?;
            println!("{assertion}");
        }
        PasskeyCommand::Code(PhoneOn { control, number }) => {
            let phone = optional_number(number)?;
            match ask(control, move |sim| sim.passkey_code(phone)).await? {
                Some(code) => println!("{code}"),
                None => {
                    let why = "the phone shows no confirmation code";
                    return Err(Failure::Other(why.to_owned()));
                }
            }
        }
        PasskeyCommand::Confirm(on) => confirm(on, true).await?,
        PasskeyCommand::Refuse(on) => confirm(on, false).await?,
    }
    Ok(())
}

async fn confirm(on: PhoneOn, accept: bool) -> Result<(), Failure> {
    let request = ConfirmRequest {
        phone: optional_number(on.number)?,
        accept,
    };
    ask(on.control, move |sim| sim.confirm_on_phone(&request)).await?;
    println!("{}", if accept { "Confirmed." } else { "Refused." });
    Ok(())
}

/// The control port answers when it has something to say; meanwhile nothing else is held up.
async fn ask<T: Send + 'static>(
    control: String,
    act: impl FnOnce(&ControlClient) -> Result<T, ControlError> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(move || act(&ControlClient::new(&control)?))
        .await
        .map_err(other)?
        .map_err(other)
}

fn tell(done: &str, reply: ScanReply) -> Result<(), Failure> {
    match reply.outcome {
        ScanOutcome::Linked { jid, device, .. } => println!("Linked {jid} as device {device}."),
        ScanOutcome::Pending => println!("{done}; the link is not decided yet."),
        ScanOutcome::Failed(failure) => {
            return Err(Failure::Other(format!("not linked: {failure}")));
        }
        _ => println!("{done}."),
    }
    Ok(())
}

fn wait(no_wait: bool) -> u64 {
    if no_wait { 0 } else { WAIT_MS }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |source| Failure::File {
        what: "cannot read the options",
        path: path.to_owned(),
        source,
    };
    let limit = u64::try_from(MAX_OPTIONS_LEN).unwrap_or(u64::MAX) + 1;
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .map_err(failed)?
            .take(limit)
            .read_to_string(&mut text)
    };
    read.map_err(failed)?;
    Ok(text)
}

fn optional_number(text: Option<String>) -> Result<Option<PhoneNumber>, Failure> {
    text.as_deref().map(number_from).transpose()
}

/// A number of a simulated phone.
pub(crate) fn number_from(text: &str) -> Result<PhoneNumber, Failure> {
    let digits = text
        .strip_prefix('+')
        .unwrap_or(text)
        .parse()
        .map_err(|_| ());
    let number = digits.and_then(|digits| PhoneNumber::new(digits).map_err(|_| ()));
    number.map_err(|()| {
        Failure::Usage(format!(
            "{text} is no phone number; write it like +15551230001"
        ))
    })
}

fn other(error: impl ToString) -> Failure {
    Failure::Other(error.to_string())
}
