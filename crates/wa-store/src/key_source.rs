use std::path::{Path, PathBuf};

use crate::error::RandomError;
use crate::key_file;
use crate::passphrase::{MIN_PASSPHRASE_CHARS, Stretch, StretchError};
use crate::secret::{KeyTextError, SecretText, StoreKey};

/// Where the master key of a store comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeySource {
    /// A file of this user alone (mode 0600) that holds the key; made with a fresh key for a new store.
    KeyFile(PathBuf),
    /// A key as text, 64 hex digits or base64, usually the value of an environment variable.
    Env(SecretText),
    /// A passphrase, stretched by Argon2id.
    Passphrase(SecretText),
}

impl KeySource {
    /// The value of an environment variable, which must be a key.
    pub fn from_env(name: &str) -> Result<Self, KeyError> {
        let value = std::env::var(name).map_err(|_| KeyError::EnvMissing {
            name: name.to_owned(),
        })?;
        Ok(Self::Env(value.into()))
    }

    /// The key file beside a store: its name with `.key` behind.
    #[must_use]
    pub fn beside(store: &Path) -> Self {
        let mut name = store.as_os_str().to_owned();
        name.push(".key");
        Self::KeyFile(PathBuf::from(name))
    }

    /// The key for a new store, and how to come by it again. Makes a key file.
    pub(crate) fn create(&self) -> Result<(StoreKey, Scheme), KeyError> {
        match self {
            Self::KeyFile(path) => Ok((key_file::read_or_create(path)?, Scheme::Key)),
            Self::Env(text) => Ok((StoreKey::from_text(text.expose())?, Scheme::Key)),
            Self::Passphrase(passphrase) => {
                check_passphrase(passphrase)?;
                let stretch = Stretch::fresh()?;
                Ok((stretch.derive(passphrase)?, Scheme::Passphrase(stretch)))
            }
        }
    }

    /// The key for a store that exists. Makes nothing: a fresh key could not open it.
    pub(crate) fn open(&self, scheme: &Scheme) -> Result<StoreKey, KeyError> {
        match (self, scheme) {
            (Self::KeyFile(path), Scheme::Key) => {
                key_file::read(path)?.ok_or_else(|| KeyError::FileMissing { path: path.clone() })
            }
            (Self::Env(text), Scheme::Key) => Ok(StoreKey::from_text(text.expose())?),
            (Self::Passphrase(passphrase), Scheme::Passphrase(stretch)) => {
                Ok(stretch.derive(passphrase)?)
            }
            _ => Err(KeyError::OtherSource {
                expected: scheme.name(),
                got: self.name(),
            }),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::KeyFile(_) => "a key file",
            Self::Env(_) => "a key",
            Self::Passphrase(_) => "a passphrase",
        }
    }
}

/// Refuses a new passphrase that is too short to be one.
pub(crate) fn check_passphrase(passphrase: &SecretText) -> Result<(), KeyError> {
    let got = passphrase.expose().chars().count();
    if got < MIN_PASSPHRASE_CHARS {
        return Err(KeyError::PassphraseTooShort { got });
    }
    Ok(())
}

/// What kind of key opens a store, as its header says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// 32 bytes, from a file or as text.
    Key,
    /// A passphrase stretched this way.
    Passphrase(Stretch),
}

impl Scheme {
    fn name(&self) -> &'static str {
        match self {
            Self::Key => "a key file or a key",
            Self::Passphrase(_) => "a passphrase",
        }
    }
}

/// Why a store's key could not be had, or does not fit. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store exists, its key file does not.
    #[error(
        "the key file {} is missing: put it back from your backup. Without it nobody can read this store; to start \
         anew, move the store away too", path.display()
    )]
    FileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others may read or write the key file.
    #[error("the key file {} has mode {mode:03o}, others can use it: run `chmod 600` on it", path.display())]
    FileOpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file holds no key.
    #[error("the key file {} holds no key ({why}): put it back from your backup", path.display())]
    FileMalformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system refused.
    #[error("cannot {action} the key file {} ({why}): check the path and the permissions", path.display())]
    FileIo {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The operating system's words.
        why: String,
    },
    /// The environment variable is not set, or not text.
    #[error(
        "the environment variable {name} is not set: set it to a key made with `openssl rand -hex 32`"
    )]
    EnvMissing {
        /// Its name.
        name: String,
    },
    /// The text is no usable key.
    #[error(transparent)]
    Text(#[from] KeyTextError),
    /// The passphrase is too short for a new store or export.
    #[error(
        "the passphrase has {got} characters, at least {MIN_PASSPHRASE_CHARS} are needed: choose a longer one"
    )]
    PassphraseTooShort {
        /// Characters it has.
        got: usize,
    },
    /// The store's passphrase costs are out of bounds.
    #[error(transparent)]
    Costs(#[from] StretchError),
    /// The store is opened by something else.
    #[error("this store is opened with {expected}, not with {got}")]
    OtherSource {
        /// What opens it.
        expected: &'static str,
        /// What was given.
        got: &'static str,
    },
    /// The key is not the one of this store.
    #[error(
        "wrong key: this store was made with another key file, key or passphrase. Nothing was changed"
    )]
    WrongKey,
    /// The store's header is of a newer version.
    #[error(
        "the sealing of this store has version {found}, this program knows {known}: use a newer version of it"
    )]
    NewerHeader {
        /// Version found.
        found: u16,
        /// Newest version known.
        known: u16,
    },
    /// The store's header is damaged.
    #[error(
        "the header of this store is damaged and its key cannot be told: move the store away and link again"
    )]
    DamagedHeader,
    /// No randomness to be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}
