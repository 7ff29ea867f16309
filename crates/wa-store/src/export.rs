use std::fmt;

use wa_core::{AccountSummary, LinkState, Record, RecordKind};
use wa_crypto::hkdf_sha256;
use zeroize::Zeroizing;

use crate::account::{AccountId, AccountInfo};
use crate::clock::unix_ms_now;
use crate::codec::{Reader, Writer, field_len, optional_text_len};
use crate::error::{RandomError, StoreError};
use crate::import::ImportError;
use crate::key_source::{KeyError, check_passphrase};
use crate::limits::{MAX_LABEL_LEN, MAX_RECORD_KEY_LEN, MAX_RECORD_VALUE_LEN};
use crate::lock::AccountLock;
use crate::passphrase::{Stretch, StretchError};
use crate::secret::{SecretText, StoreKey};
use crate::store::Store;
use crate::xaes::XaesKey;

/// Largest export, in bytes. Ours: an account with a hundred thousand sessions stays below it.
pub const MAX_EXPORT_LEN: usize = 64 * 1024 * 1024;

pub(crate) const MAGIC: &[u8; 8] = b"WAEXPORT";
pub(crate) const EXPORT_VERSION: u16 = 1;
pub(crate) const SCHEME_KEY: u8 = 1;
pub(crate) const SCHEME_PASSPHRASE: u8 = 2;

/// What opens an export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExportKey {
    /// A passphrase, stretched by Argon2id.
    Passphrase(SecretText),
    /// A key.
    Key(StoreKey),
}

/// Seals an account with all its records into a file of its own.
///
/// The caller holds the account's lock, so nothing changes meanwhile and nothing is connected. Keep it that way: two
/// holders of one device throw each other out, and a copy that lags behind breaks its sessions.
///
/// A passphrase takes a good part of a second of computing: where that matters, use [`AccountExport::read`] and
/// [`AccountExport::seal`] and give the second to a blocking thread.
pub async fn export_sealed<S: Store>(
    store: &S,
    lock: &AccountLock,
    key: &ExportKey,
) -> Result<Vec<u8>, ExportError> {
    AccountExport::read(store, lock).await?.seal(key)
}

/// An account outside any store. Holds keys: wiped on drop, `Debug` shows counts only.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountExport {
    /// Its id where it came from.
    pub account: AccountId,
    /// The user's own name for it.
    pub label: String,
    /// Whether it was linked.
    pub link: LinkState,
    /// Who it is, once linked.
    pub identity: Option<AccountSummary>,
    /// When it was made, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// When it was exported.
    pub exported_unix_ms: u64,
    /// All its records, ordered by kind, then key, each key once.
    pub records: Vec<Record>,
}

impl AccountExport {
    /// Takes an account out of a store, which keeps it.
    pub async fn read<S: Store>(store: &S, lock: &AccountLock) -> Result<Self, ExportError> {
        let (info, records) = store.snapshot(lock.account()).await?;
        Ok(Self {
            account: info.id,
            identity: identity_of(&info).map_err(|()| ExportError::Identity)?,
            label: info.label,
            link: info.link,
            created_unix_ms: info.created_unix_ms,
            exported_unix_ms: unix_ms_now(),
            records,
        })
    }

    /// Seals the account. A passphrase takes a good part of a second of computing.
    pub fn seal(&self, key: &ExportKey) -> Result<Vec<u8>, ExportError> {
        let plain = self.encode()?;
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&EXPORT_VERSION.to_be_bytes());
        let master = match key {
            ExportKey::Key(key) => {
                out.push(SCHEME_KEY);
                key.clone()
            }
            ExportKey::Passphrase(passphrase) => {
                check_passphrase(passphrase)?;
                let stretch = Stretch::fresh()?;
                out.push(SCHEME_PASSPHRASE);
                out.extend_from_slice(&stretch.encode());
                stretch.derive(passphrase)?
            }
        };
        let header = out.clone();
        export_key(&master).seal(&header, &plain, &mut out)?;
        if out.len() > MAX_EXPORT_LEN {
            return Err(ExportError::TooLarge { got: out.len() });
        }
        Ok(out)
    }

    /// Reads the opened contents of an export. Never panics, never allocates more than a few times the input.
    pub fn decode(plain: &[u8]) -> Result<Self, ImportError> {
        let mut reader = Reader::new(plain);
        let export = read_export(&mut reader)?;
        if !reader.remaining().is_empty() {
            return Err(malformed("end"));
        }
        Ok(export)
    }

    /// The contents [`decode`](Self::decode) reads.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, ExportError> {
        let identity = self.identity.as_ref();
        let texts = [
            identity.map(|identity| identity.jid.to_string()),
            identity.and_then(|identity| identity.lid.as_ref().map(ToString::to_string)),
            identity.and_then(|identity| identity.platform.clone()),
        ];
        let head = AccountId::LEN
            + field_len(self.label.as_bytes())
            + field_len(self.link.name().as_bytes())
            + texts
                .iter()
                .map(|text| optional_text_len(text.as_deref()))
                .sum::<usize>()
            + 8
            + 8
            + 4;
        let body: usize = self
            .records
            .iter()
            .map(|record| 2 + field_len(&record.key) + field_len(record.value.expose()))
            .sum();
        if head + body > MAX_EXPORT_LEN {
            return Err(ExportError::TooLarge { got: head + body });
        }
        let mut out = Writer::with_capacity(head + body);
        out.bytes(self.account.as_str().as_bytes());
        out.field(self.label.as_bytes());
        out.field(self.link.name().as_bytes());
        for text in &texts {
            out.optional_text(text.as_deref());
        }
        out.bytes(&self.created_unix_ms.to_be_bytes());
        out.bytes(&self.exported_unix_ms.to_be_bytes());
        let count = u32::try_from(self.records.len())
            .map_err(|_| ExportError::TooLarge { got: usize::MAX })?;
        out.bytes(&count.to_be_bytes());
        for record in &self.records {
            out.bytes(&record.kind.code().to_be_bytes());
            out.field(&record.key);
            out.field(record.value.expose());
        }
        Ok(out.finish())
    }
}

impl fmt::Debug for AccountExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountExport")
            .field("account", &self.account)
            .field("link", &self.link)
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// Why an account could not be exported. The store is unchanged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The passphrase is too short.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The passphrase cannot be stretched.
    #[error(transparent)]
    Costs(#[from] StretchError),
    /// More than an export may hold.
    #[error("the export has {got} bytes, more than the {MAX_EXPORT_LEN} it may have")]
    TooLarge {
        /// Bytes it would have.
        got: usize,
    },
    /// The store names an identity that is none.
    #[error("the account's row in the store does not hold a device JID: link it again")]
    Identity,
    /// No randomness to be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The key that seals an export under this master key. A store under the same master key seals with others.
pub(crate) fn export_key(master: &StoreKey) -> XaesKey {
    let mut key = Zeroizing::new([0; 32]);
    hkdf_sha256(
        master.expose(),
        &[],
        b"wa-store/1/export",
        key.as_mut_slice(),
    );
    XaesKey::new(&key)
}

fn identity_of(info: &AccountInfo) -> Result<Option<AccountSummary>, ()> {
    summary(
        info.jid.as_deref(),
        info.lid.as_deref(),
        info.platform.clone(),
    )
}

fn summary(
    jid: Option<&str>,
    lid: Option<&str>,
    platform: Option<String>,
) -> Result<Option<AccountSummary>, ()> {
    let Some(jid) = jid else {
        return Ok(None);
    };
    Ok(Some(AccountSummary {
        jid: jid.parse().map_err(|_| ())?,
        lid: lid.map(str::parse).transpose().map_err(|_| ())?,
        platform,
    }))
}

fn read_export(reader: &mut Reader<'_>) -> Result<AccountExport, ImportError> {
    let account = reader
        .bytes(AccountId::LEN)
        .and_then(|id| std::str::from_utf8(id).ok()?.parse().ok())
        .ok_or(malformed("account id"))?;
    let label = reader.text().ok_or(malformed("label"))?;
    if label.len() > MAX_LABEL_LEN {
        return Err(malformed("label"));
    }
    let link = reader
        .text()
        .and_then(|name| LinkState::from_name(&name))
        .ok_or(malformed("link state"))?;
    let jid = reader.optional_text().ok_or(malformed("JID"))?;
    let lid = reader.optional_text().ok_or(malformed("LID"))?;
    let platform = reader.optional_text().ok_or(malformed("platform"))?;
    let identity =
        summary(jid.as_deref(), lid.as_deref(), platform).map_err(|()| malformed("JID"))?;
    let created_unix_ms = reader.u64().ok_or(malformed("creation time"))?;
    let exported_unix_ms = reader.u64().ok_or(malformed("export time"))?;
    let count = reader.u32().ok_or(malformed("record count"))?;
    Ok(AccountExport {
        account,
        label,
        link,
        identity,
        created_unix_ms,
        exported_unix_ms,
        records: read_records(reader, count)?,
    })
}

fn read_records(reader: &mut Reader<'_>, count: u32) -> Result<Vec<Record>, ImportError> {
    let mut records: Vec<Record> = Vec::new();
    for _ in 0..count {
        let code = reader.u16().ok_or(malformed("record"))?;
        let key = reader.field().ok_or(malformed("record key"))?;
        let value = reader.field().ok_or(malformed("record value"))?;
        let kind = RecordKind::from_code(code).ok_or(ImportError::UnknownKind { code })?;
        if key.len() > MAX_RECORD_KEY_LEN || value.len() > MAX_RECORD_VALUE_LEN {
            return Err(malformed("record"));
        }
        let ordered = records
            .last()
            .is_none_or(|last| (last.kind, last.key.as_slice()) < (kind, key));
        if !ordered {
            return Err(malformed("record order"));
        }
        records.push(Record::new(kind, key, value.to_vec()));
    }
    Ok(records)
}

fn malformed(what: &'static str) -> ImportError {
    ImportError::Malformed { what }
}
