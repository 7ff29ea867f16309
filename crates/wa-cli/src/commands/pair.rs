//! `wa pair`.

use wa_client::{ConnectionState, Event};

use super::linking::{Linker, Way, code_request};
use super::simulated::SimulatedPhone;
use crate::args::{PairArgs, WayArgs};
use crate::exit::Failure;
use crate::output::{Followed, Output, cannot_print};
use crate::session::{Linking, Session};
use crate::signals::Interrupt;
use crate::store::{Place, find_or_make_account};

pub(crate) async fn run(mut args: PairArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let way = way(&args)?;
    let mut output = Output::new(args.json, &args.qr, way.shows_qr);
    if !args.sim {
        let place = Place::of(&args.store)?;
        return link(&args, way, &place, None, output, interrupt).await;
    }
    let number = args.way.number.as_deref().map(simulated_number);
    let mut phone = SimulatedPhone::start(number.transpose()?, args.way.passkey).await?;
    args.server.server = Some(phone.url());
    args.server.noise_root = Some(phone.noise_root()?);
    output
        .say(&format!(
            "Simulated server and phone (+{}) started in this process.",
            phone.number()
        ))
        .map_err(cannot_print)?;
    // A trial run stays out of the user's own store; only one that was typed counts.
    let folder = temporary_folder()?;
    let place = match args.store.store {
        Some(_) => Place::of(&args.store)?,
        None => Place::within(folder.path()),
    };
    let result = link(&args, way, &place, Some(&mut phone), output, interrupt).await;
    phone.end().await;
    result
}

fn temporary_folder() -> Result<tempfile::TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("wa-sim-")
        .tempdir()
        .map_err(|error| {
            Failure::Other(format!("no temporary folder for the trial store: {error}"))
        })
}

/// How the arguments want to link.
fn way(args: &PairArgs) -> Result<Way, Failure> {
    let WayArgs {
        number,
        code,
        qr,
        passkey,
        answer,
    } = &args.way;
    let only_with = |set: bool, option: &str, other: &str| {
        if set {
            Err(Failure::Usage(format!("{option} goes with {other} only")))
        } else {
            Ok(())
        }
    };
    if number.is_none() {
        only_with(code.custom_code.is_some(), "--custom-code", "--code")?;
        only_with(code.no_push, "--no-push", "--code")?;
    }
    if !passkey {
        let file = answer.passkey_response.is_some();
        only_with(file, "--passkey-response", "--passkey")?;
        only_with(answer.yes, "--yes", "--passkey")?;
        only_with(answer.compare, "--compare", "--passkey")?;
    }
    let request = number.as_deref().map(|number| code_request(number, code));
    Ok(Way {
        code: request.transpose()?,
        passkey: passkey.then(|| answer.clone()),
        shows_qr: *qr || number.is_none() || args.qr.qr_png.is_some() || args.qr.qr_svg.is_some(),
    })
}

/// The number for the simulated phone, read as the real one would be.
fn simulated_number(text: &str) -> Result<wa_sim::PhoneNumber, Failure> {
    let number = wa_client::PhoneNumber::parse(text)
        .map_err(|error| Failure::Usage(format!("the number of the phone: {error}")))?;
    super::phone::number_from(number.expose())
}

async fn link(
    args: &PairArgs,
    way: Way,
    place: &Place,
    phone: Option<&mut SimulatedPhone>,
    mut output: Output,
    mut interrupt: Interrupt,
) -> Result<(), Failure> {
    let store = place.open().await?;
    let account = find_or_make_account(&store, args.store.account.as_deref()).await?;
    let linking = Linking::Wanted {
        require_approval: false,
        compare: args.way.answer.compare,
    };
    let mut session = Session::start(store, &account, &args.server, linking).await?;
    if phone.is_some() && session.is_linked() {
        session.end().await;
        return Err(Failure::Usage(format!(
            "the account in {} is linked; a simulator started now does not know it, would refuse its login, and that would \
             destroy the link. Leave out --store for a trial run",
            place.path().display()
        )));
    }
    let linker = Linker::new(way, phone);
    let result = until_online(&mut session, linker, &mut output, &mut interrupt).await;
    let blanked = output.blank().map_err(cannot_print);
    session.end().await;
    let linked_as = result?;
    blanked?;
    output.say(&linked_as).map_err(cannot_print)
}

async fn until_online(
    session: &mut Session,
    mut linker: Linker<'_>,
    output: &mut Output,
    interrupt: &mut Interrupt,
) -> Result<String, Failure> {
    if session.is_linked() {
        let text = "This account is linked already; logging in with the stored keys.";
        output.say(text).map_err(cannot_print)?;
    }
    linker.start(session).await?;
    loop {
        let event = match linker.next(session, output, interrupt).await? {
            Followed::Event(event) => event,
            Followed::Interrupted => return Err(Failure::Interrupted),
        };
        if session.links_anew(&event).await? {
            let text = "The stored link does not work any more; linking anew.";
            output.say(text).map_err(cannot_print)?;
            linker.start_anew(session);
            continue;
        }
        match event {
            Event::Online { jid, .. } => {
                drain(session, output).await?;
                return Ok(match number_and_device(&jid.to_string()) {
                    Some((number, device)) => format!("Linked as +{number}, device {device}"),
                    None => format!("Linked as {jid}"),
                });
            }
            Event::State(state) => {
                if let Some(failure) = session.failure(&state) {
                    drain(session, output).await?;
                    return Err(failure);
                }
                if state == ConnectionState::Stopped {
                    return Err(Failure::Interrupted);
                }
            }
            _ => {}
        }
    }
}

/// Prints what belongs to the last change of state and comes after it.
pub(crate) async fn drain(session: &mut Session, output: &mut Output) -> Result<(), Failure> {
    session.client.settled().await;
    while let Some(event) = session.events.try_next() {
        output.event(&event).map_err(cannot_print)?;
    }
    Ok(())
}

/// Phone number and device number of a JID like `15551230001:3@s.whatsapp.net`.
pub(crate) fn number_and_device(jid: &str) -> Option<(&str, &str)> {
    let (user, _) = jid.split_once('@')?;
    let (number, device) = user.split_once(':').unwrap_or((user, "0"));
    number
        .bytes()
        .all(|digit| digit.is_ascii_digit())
        .then_some((number, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_devices_are_told_apart() {
        assert_eq!(
            number_and_device("15551230001:3@s.whatsapp.net"),
            Some(("15551230001", "3"))
        );
        assert_eq!(
            number_and_device("15551230001@s.whatsapp.net"),
            Some(("15551230001", "0"))
        );
        assert_eq!(number_and_device("status@broadcast"), None);
    }
}
