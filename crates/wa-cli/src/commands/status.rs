//! `wa status`.

use wa_core::LinkState;
use wa_store::{AccountInfo, Store as _};

use crate::args::StatusArgs;
use crate::exit::Failure;
use crate::machine::Message;
use crate::output::cannot_print;
use crate::report::{duration, unix_ms, utc};
use crate::store::{Place, has_unfinished_logout, is_in_use};

pub(crate) async fn run(args: StatusArgs) -> Result<(), Failure> {
    let place = Place::of(&args.store)?;
    if !place.exists() {
        return print(
            args.json,
            &format!(
                "No accounts: there is no store at {}.",
                place.path().display()
            ),
        );
    }
    let store = place.open().await?;
    let mut accounts = store.accounts().await?;
    if let Some(wanted) = &args.store.account {
        accounts.retain(|account| account.label == *wanted || account.id.as_str() == wanted);
    }
    if accounts.is_empty() {
        print(args.json, "No accounts.")?;
    }
    for account in &accounts {
        let in_use = is_in_use(&store, account).await?;
        let unfinished = has_unfinished_logout(&store, account).await?;
        let line = if args.json {
            json_line(account, in_use, unfinished)
        } else {
            text_line(account, in_use, unfinished)
        };
        print(false, &line)?;
    }
    store.close().await;
    Ok(())
}

fn print(silent: bool, line: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    if silent {
        Ok(())
    } else {
        writeln!(std::io::stdout(), "{}", line.trim_end()).map_err(cannot_print)
    }
}

fn text_line(account: &AccountInfo, in_use: bool, unfinished: bool) -> String {
    let name = match account.label.as_str() {
        "" => account.id.as_str(),
        label => label,
    };
    let who = account
        .jid
        .as_deref()
        .and_then(super::pair::number_and_device);
    let who = who
        .map(|(number, device)| format!(" as +{number}, device {device}"))
        .unwrap_or_default();
    let platform = account
        .platform
        .as_deref()
        .map(|platform| format!(" ({platform})"))
        .unwrap_or_default();
    let ago = duration(unix_ms().saturating_sub(account.since_unix_ms) / 1000);
    let since = utc(account.since_unix_ms);
    let running = if in_use { "running" } else { "not running" };
    let state = match account.link {
        LinkState::Linked => "linked",
        LinkState::Unlinked => "not linked",
        LinkState::Revoked => "logged out",
        _ => "unknown",
    };
    let rest = if unfinished {
        "; the server has not confirmed the last logout, `wa logout` asks again"
    } else {
        ""
    };
    format!("{name}: {state}{who}{platform}, since {since} ({ago} ago), {running}{rest}")
}

fn json_line(account: &AccountInfo, in_use: bool, unfinished: bool) -> String {
    Message::Account {
        id: account.id.as_str(),
        label: &account.label,
        link: account.link.name(),
        desired: account.desired.name(),
        jid: account.jid.as_deref(),
        lid: account.lid.as_deref(),
        platform: account.platform.as_deref(),
        since: account.since_unix_ms,
        created: account.created_unix_ms,
        running: in_use,
        unlink_pending: unfinished,
    }
    .into_line()
}
