//! `wa export` and `wa import`.

use std::path::Path;

use wa_store::{
    AccountExport, ExportKey, MAX_EXPORT_LEN, OnExisting, SealedExport, SecretText, Store as _,
    import as import_export,
};

use crate::args::{ImportArgs, TransferArgs};
use crate::exit::Failure;
use crate::private_file;
use crate::store::{Place, find_account};

const PASSPHRASE_VARIABLE: &str = "WA_EXPORT_PASSPHRASE";

/// Longest passphrase file read; our own bound.
const MAX_PASSPHRASE_FILE_LEN: u64 = 64 * 1024;

pub(crate) async fn export(args: TransferArgs) -> Result<(), Failure> {
    let passphrase = passphrase(&args)?;
    let store = Place::of(&args.store)?.open_existing().await?;
    let account = find_account(&store, args.store.account.as_deref())
        .await?
        .ok_or(Failure::NotLinked)?;
    let lock = store.lock(&account.id).await?;
    let export = AccountExport::read(store.as_ref(), &lock).await?;
    let sealed = export.seal(&ExportKey::Passphrase(passphrase))?;
    private_file::write_new(&args.file, &sealed)
        .map_err(|source| cannot("cannot write", &args.file, source))?;
    drop(lock);
    store.close().await;
    println!(
        "Exported to {}. The account is still here: never run it in two places, they throw each other out.",
        args.file.display()
    );
    Ok(())
}

pub(crate) async fn import(args: ImportArgs) -> Result<(), Failure> {
    let passphrase = passphrase(&args.transfer)?;
    let file = &args.transfer.file;
    let length = std::fs::metadata(file)
        .map_err(|source| cannot("cannot read", file, source))?
        .len();
    if length > u64::try_from(MAX_EXPORT_LEN).unwrap_or(u64::MAX) {
        return Err(Failure::Other(format!(
            "{} is too long for an export",
            file.display()
        )));
    }
    let sealed = std::fs::read(file).map_err(|source| cannot("cannot read", file, source))?;
    let key = ExportKey::Passphrase(passphrase);
    let export = SealedExport::parse(&sealed).and_then(|sealed| sealed.open(&key))?;
    let store = Place::of(&args.transfer.store)?.open().await?;
    let existing = if args.replace {
        OnExisting::Replace
    } else {
        OnExisting::Refuse
    };
    let id = import_export(store.as_ref(), export, existing).await?;
    let account = store.account(&id).await?;
    store.close().await;
    println!(
        "Imported as {} ({id}). Stop it where it came from before you start it here.",
        if account.label.is_empty() {
            "an account without a label"
        } else {
            account.label.as_str()
        }
    );
    Ok(())
}

fn passphrase(args: &TransferArgs) -> Result<SecretText, Failure> {
    let Some(path) = &args.passphrase_file else {
        return std::env::var(PASSPHRASE_VARIABLE)
            .map(SecretText::from)
            .map_err(|_| {
                Failure::Usage(format!(
                    "set {PASSPHRASE_VARIABLE} or give --passphrase-file FILE with a passphrase"
                ))
            });
    };
    let failed = |source| cannot("cannot read", path, source);
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_PASSPHRASE_FILE_LEN {
        return Err(Failure::Usage(format!(
            "{} is too long for a passphrase",
            path.display()
        )));
    }
    let mut text = std::fs::read_to_string(path).map_err(failed)?;
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    text.truncate(end);
    Ok(text.into())
}

fn cannot(what: &'static str, path: &Path, source: std::io::Error) -> Failure {
    Failure::File {
        what,
        path: path.to_owned(),
        source,
    }
}
