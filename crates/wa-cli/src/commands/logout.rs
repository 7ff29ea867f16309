//! `wa logout`.

use std::time::Duration;

use wa_client::{ConnectionState, Event, LogoutOptions, LogoutOutcome, RecordKind};

use crate::args::{Keep, LogoutArgs, QrArgs};
use crate::exit::Failure;
use crate::machine::{self, Message};
use crate::output::{Followed, Output, cannot_print, follow};
use crate::session::{Linking, Session};
use crate::signals::Interrupt;
use crate::store::{Place, find_account, has_unfinished_logout};

/// How long to try to reach the server before logging out without it.
const REACH_LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: LogoutArgs) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen()?;
    let mut output = Output::new(args.json, &QrArgs::default(), false);
    let store = Place::of(&args.store)?.open_existing().await?;
    let account = find_account(&store, args.store.account.as_deref())
        .await?
        .ok_or(Failure::NotLinked)?;
    let unfinished = has_unfinished_logout(&store, &account).await?;
    let mut session = Session::start(store, &account, &args.server, Linking::Stored).await?;
    let keep = LogoutOptions::keep(args.keep.iter().map(|what| kind(*what)));
    let result = if unfinished && !session.is_linked() {
        finish(&mut session, keep, &mut output, &mut interrupt).await
    } else {
        log_out(&mut session, keep, &mut output, &mut interrupt).await
    };
    session.end().await;
    let outcome = result?;
    if args.json {
        let done = Message::Done {
            cmd: "logout",
            id: None,
            server_unlinked: outcome.server_unlinked,
            round_trip_ms: None,
            live: None,
        };
        machine::write(&done.into_line()).map_err(cannot_print)?;
    }
    match outcome.server_unlinked {
        Some(true) => output
            .say("Logged out: the server has unlinked the device, its keys are destroyed.")
            .map_err(cannot_print),
        _ => Err(Failure::Unconfirmed),
    }
}

/// Asks the server once more about a logout it has not confirmed.
async fn finish(
    session: &mut Session,
    keep: LogoutOptions,
    output: &mut Output,
    interrupt: &mut Interrupt,
) -> Result<LogoutOutcome, Failure> {
    let client = session.client.clone();
    let asking = tokio::time::timeout(REACH_LIMIT, client.logout_with(keep));
    let answer = tokio::select! {
        answer = asking => answer,
        () = interrupt.received() => return Err(Failure::Interrupted),
    };
    let outcome = match answer {
        Ok(outcome) => outcome?,
        Err(_) => LogoutOutcome {
            server_unlinked: None,
        },
    };
    super::pair::drain(session, output).await?;
    Ok(outcome)
}

fn kind(keep: Keep) -> RecordKind {
    match keep {
        Keep::PeerIdentities => RecordKind::PeerIdentity,
        Keep::Version => RecordKind::Version,
    }
}

async fn log_out(
    session: &mut Session,
    keep: LogoutOptions,
    output: &mut Output,
    interrupt: &mut Interrupt,
) -> Result<LogoutOutcome, Failure> {
    if !session.is_linked() {
        return Err(Failure::NotLinked);
    }
    session.client.start().await?;
    let reached = tokio::time::timeout(REACH_LIMIT, reach(session, output, interrupt)).await;
    // Time is up or the server refuses: the keys go all the same.
    if let Ok(Err(failure)) = reached {
        return Err(failure);
    }
    if !session.is_linked() {
        return Ok(LogoutOutcome {
            server_unlinked: unlinked_already(&session.client.state()),
        });
    }
    let outcome = session.client.logout_with(keep).await?;
    super::pair::drain(session, output).await?;
    Ok(outcome)
}

/// What a link that ended before we could ask says about the server's list of devices: only a removal takes the device off
/// it. A locked or banned account, or a phone with new keys, leaves that open.
fn unlinked_already(state: &ConnectionState) -> Option<bool> {
    use wa_client::LogoutReason::{NotAuthorized, RemovedAfterPairing, RemovedOnPhone};
    match state {
        ConnectionState::LoggedOut {
            reason: RemovedOnPhone | RemovedAfterPairing { .. } | NotAuthorized,
        } => Some(true),
        _ => None,
    }
}

/// Until online, or at rest somewhere else.
async fn reach(
    session: &mut Session,
    output: &mut Output,
    interrupt: &mut Interrupt,
) -> Result<(), Failure> {
    loop {
        match follow(&mut session.events, output, interrupt).await? {
            Followed::Interrupted => return Err(Failure::Interrupted),
            Followed::Event(Event::State(ConnectionState::Online)) => return Ok(()),
            Followed::Event(Event::State(state)) if session.failure(&state).is_some() => {
                return Ok(());
            }
            Followed::Event(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unlinked_already;
    use wa_client::{ConnectionState, LogoutReason};

    #[test]
    fn only_a_removal_counts_as_confirmed() {
        let logged_out = |reason| unlinked_already(&ConnectionState::LoggedOut { reason });
        assert_eq!(logged_out(LogoutReason::RemovedOnPhone), Some(true));
        assert_eq!(logged_out(LogoutReason::NotAuthorized), Some(true));
        assert_eq!(logged_out(LogoutReason::Banned), None);
        assert_eq!(logged_out(LogoutReason::AccountLocked), None);
        assert_eq!(logged_out(LogoutReason::PrimaryIdentityChanged), None);
        assert_eq!(unlinked_already(&ConnectionState::Stopped), None);
    }
}
