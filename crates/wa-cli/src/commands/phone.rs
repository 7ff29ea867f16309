//! `wa phone`.

use wa_sim::{ControlClient, PhoneNumber, ScanOutcome, ScanRequest};

use crate::args::{PhoneArgs, PhoneCommand};
use crate::exit::Failure;

/// How long to wait for the link: reply, verification and a phone that takes its time.
const WAIT_MS: u64 = 30_000;

pub(crate) async fn run(args: PhoneArgs) -> Result<(), Failure> {
    let PhoneCommand::Scan {
        qr,
        control,
        number,
        four_fields,
        no_wait,
    } = args.command;
    let phone = match number {
        None => None,
        Some(text) => Some(number_from(&text)?),
    };
    let request = ScanRequest {
        qr,
        phone,
        wait_ms: if no_wait { 0 } else { WAIT_MS },
        four_fields,
    };
    let scan = tokio::task::spawn_blocking(move || ControlClient::new(&control)?.scan(&request));
    let reply = scan.await.map_err(other)?.map_err(other)?;
    match reply.outcome {
        ScanOutcome::Linked { jid, device, .. } => println!("Linked {jid} as device {device}."),
        ScanOutcome::Pending => println!("Scanned; the link is not decided yet."),
        ScanOutcome::Failed(failure) => {
            return Err(Failure::Other(format!("not linked: {failure}")));
        }
        _ => println!("Scanned."),
    }
    Ok(())
}

fn number_from(text: &str) -> Result<PhoneNumber, Failure> {
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
