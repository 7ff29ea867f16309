//! `wa export` and `wa import`.

use std::path::Path;

use wa_store::{
    AccountExport, ExportKey, MAX_EXPORT_LEN, OnExisting, SealedExport, SecretText, Store as _,
    import as import_export, read_bounded,
};
use wa_store_sqlite::SqliteStore;

use super::takeover;
use crate::args::{ImportArgs, TransferArgs};
use crate::exit::Failure;
use crate::private_file;
use crate::store::{Place, find_account};

const PASSPHRASE_VARIABLE: &str = "WA_EXPORT_PASSPHRASE";

/// Longest passphrase file read; our own bound.
const MAX_PASSPHRASE_FILE_LEN: usize = 64 * 1024;

pub(crate) async fn export(args: TransferArgs) -> Result<(), Failure> {
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
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
    if let Some(library) = args.from {
        return takeover::run(library, args).await;
    }
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
    let sealed = read_bounded(&args.file, MAX_EXPORT_LEN)
        .map_err(|source| cannot("cannot read", &args.file, source))?;
    let key = ExportKey::Passphrase(passphrase);
    let mut export = SealedExport::parse(&sealed).and_then(|sealed| sealed.open(&key))?;
    let store = Place::of(&args.store)?.open().await?;
    name_as_asked(&store, &args, &mut export).await?;
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

/// `--account` is the label of a new account; with `--replace` it says which account is meant, and that has to be the
/// one in the file.
async fn name_as_asked(
    store: &SqliteStore,
    args: &ImportArgs,
    export: &mut AccountExport,
) -> Result<(), Failure> {
    let Some(wanted) = args.store.account.as_deref() else {
        return Ok(());
    };
    if !args.replace {
        takeover::refuse_taken(&store.accounts().await?, wanted)?;
        wanted.clone_into(&mut export.label);
        return Ok(());
    }
    match find_account(store, Some(wanted)).await? {
        Some(account) if account.id == export.account => Ok(()),
        Some(account) => Err(Failure::Usage(format!(
            "{wanted} is account {}, the file holds account {}: leave out --account, or choose that one",
            account.id, export.account
        ))),
        None => Err(Failure::Usage(format!(
            "there is no account {wanted} to replace: leave out --account, or --replace"
        ))),
    }
}

fn passphrase(file: Option<&Path>) -> Result<SecretText, Failure> {
    let Some(path) = file else {
        return std::env::var(PASSPHRASE_VARIABLE)
            .map(SecretText::from)
            .map_err(|_| {
                Failure::Usage(format!(
                    "set {PASSPHRASE_VARIABLE} or give --passphrase-file FILE with a passphrase"
                ))
            });
    };
    let failed = |source| cannot("cannot read", path, source);
    let bytes = read_bounded(path, MAX_PASSPHRASE_FILE_LEN).map_err(failed)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| failed(std::io::Error::other("it is no UTF-8 text")))?;
    let line = text.split(['\r', '\n']).next().unwrap_or_default();
    Ok(line.to_owned().into())
}

fn cannot(what: &'static str, path: &Path, source: std::io::Error) -> Failure {
    Failure::File {
        what,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(content: &[u8]) -> Result<SecretText, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, content).unwrap();
        passphrase(Some(&path))
    }

    #[test]
    fn the_first_line_is_the_passphrase() {
        for content in ["open sesame", "open sesame\n", "open sesame\r\nmore\n"] {
            assert_eq!(in_file(content.as_bytes()).unwrap().expose(), "open sesame");
        }
        let error = in_file(b"open \xff").unwrap_err().to_string();
        assert!(
            error.contains("UTF-8") && !error.contains("open "),
            "{error}"
        );
    }

    #[test]
    fn the_length_of_the_file_is_bounded() {
        let mut content = b"open sesame\n".to_vec();
        content.resize(MAX_PASSPHRASE_FILE_LEN, b'x');
        assert!(in_file(&content).is_ok());
        content.push(b'x');
        let error = in_file(&content).unwrap_err();
        assert!(
            matches!(&error, Failure::File { source, .. } if source.kind() == std::io::ErrorKind::FileTooLarge),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_end_is_no_passphrase_file() {
        assert!(passphrase(Some(Path::new("/dev/zero"))).is_err());
    }
}
