//! `wa import --from`: a link that another library holds.

use wa_import::{
    Imported, LeftBehind, PutError, ReadError, Service, Target, read_baileys, read_whatsmeow,
};
use wa_store::{AccountInfo, Store as _};
use wa_store_sqlite::SqliteStore;

use crate::args::{ImportArgs, Library};
use crate::exit::Failure;
use crate::store::{DEFAULT_LABEL, Place, find_account};

const STOP_FIRST: &str = "\
stop whatever holds this link before you take it over, and never run it again with what it has stored. Two holders of \
one link throw each other out (conflict), the one that lags behind offers keys that are used up, and a ratchet that \
moves in two places makes messages readable or lost for good. Once it is stopped, say so with --old-holder-stopped";

pub(crate) async fn run(library: Library, args: ImportArgs) -> Result<(), Failure> {
    if !args.old_holder_stopped {
        return Err(Failure::Usage(STOP_FIRST.to_owned()));
    }
    let service = args
        .noise_root
        .map_or_else(Service::production, Service::with_root);
    let imported = match library {
        Library::Baileys if args.jid.is_some() => {
            return Err(Failure::Usage(
                "--jid chooses one of several devices; an auth state of Baileys holds one"
                    .to_owned(),
            ));
        }
        Library::Baileys => read_baileys(&args.file, &service)?,
        Library::Whatsmeow => read_whatsmeow(&args.file, args.jid.as_deref(), &service).await?,
    };
    let said = summary(&imported);
    let store = Place::of(&args.store)?.open().await?;
    let target = target(&store, &args, &imported).await?;
    let id = imported.put_into(store.as_ref(), target).await?;
    let account = store.account(&id).await?;
    store.close().await;
    let name = match account.label.as_str() {
        "" => "an account without a label",
        label => label,
    };
    println!("Imported as {name} ({id}), stopped: {said}");
    println!(
        "Never start the old holder again. Delete what it stored once this account has been online."
    );
    Ok(())
}

/// Where it goes: a new account, or the one that is to be replaced.
async fn target(
    store: &SqliteStore,
    args: &ImportArgs,
    imported: &Imported,
) -> Result<Target, Failure> {
    let wanted = args.store.account.as_deref();
    let accounts = store.accounts().await?;
    if args.replace {
        let found = match wanted {
            Some(_) => find_account(store, wanted).await?,
            None => accounts.into_iter().find(|account| imported.is_of(account)),
        };
        return found
            .map(|account| Target::InPlaceOf(account.id))
            .ok_or_else(|| {
                Failure::Usage(
                    "no account to replace: choose one with --account, or leave out --replace"
                        .to_owned(),
                )
            });
    }
    if let Some(label) = wanted {
        refuse_taken(&accounts, label)?;
    }
    let fallback = if accounts.is_empty() {
        DEFAULT_LABEL
    } else {
        ""
    };
    Ok(Target::New {
        label: wanted.unwrap_or(fallback).to_owned(),
    })
}

/// A label for a new account must not be the name of another.
pub(super) fn refuse_taken(accounts: &[AccountInfo], label: &str) -> Result<(), Failure> {
    let mut names = accounts
        .iter()
        .flat_map(|account| [account.label.as_str(), account.id.as_str()]);
    if names.any(|name| name == label) {
        return Err(Failure::Usage(format!(
            "there is an account {label} already: choose another label, or --replace it"
        )));
    }
    Ok(())
}

fn summary(imported: &Imported) -> String {
    let report = imported.report();
    let mut text = format!(
        "{} prekeys, {} identity keys of others.",
        report.prekeys, report.peers
    );
    let left = report.left_behind.iter();
    let left: Vec<String> = left
        .map(|LeftBehind { what, count }| format!("{count} {what}"))
        .collect();
    if !left.is_empty() {
        text.push_str(" Left behind, with no place here yet: ");
        text.push_str(&left.join(", "));
        text.push('.');
    }
    text
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::SeveralDevices { .. } | ReadError::OtherDevices { .. } => {
                Self::Usage(format!("{error} (--jid)"))
            }
            ReadError::File { path, source } => Self::File {
                what: "cannot read",
                path,
                source,
            },
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<PutError> for Failure {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Store(error) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}
