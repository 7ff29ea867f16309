//! The configuration file: JSON, every field optional.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wa_client::ClientVersion;
use wa_store::read_bounded;

/// Largest configuration file read; our own bound.
const MAX_LEN: usize = 64 * 1024;

/// What the file may set. Flags and environment variables come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// Client version to claim.
    #[serde(default, deserialize_with = "version")]
    pub(crate) client_version: Option<ClientVersion>,
}

/// Why the configuration file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration file {} could not be read: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the configuration file {} is longer than {limit} bytes", .path.display())]
    TooLong { path: PathBuf, limit: usize },
    #[error("the configuration file {} is wrong: {source}", .path.display())]
    Content {
        path: PathBuf,
        source: serde_json::Error,
    },
}

impl ConfigFile {
    /// Reads `path`; a missing file is an empty one unless `required`.
    pub(crate) fn read(path: &Path, required: bool) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let text = match read_bounded(path, MAX_LEN) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {
                return Ok(Self::default());
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(ConfigError::TooLong {
                    path: path.to_owned(),
                    limit: MAX_LEN,
                });
            }
            found => found.map_err(unreadable)?,
        };
        serde_json::from_slice(&text).map_err(|source| ConfigError::Content {
            path: path.to_owned(),
            source,
        })
    }
}

fn version<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ClientVersion>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        ConfigFile::read(&path, true)
    }

    #[test]
    fn the_version_is_read_and_checked() {
        let file = read(r#"{"client_version": "2.3000.7"}"#).unwrap();
        assert_eq!(file.client_version, Some(ClientVersion::new(2, 3000, 7)));
        assert_eq!(read("{}").unwrap(), ConfigFile::default());
        assert!(matches!(
            read(r#"{"client_version": "new"}"#),
            Err(ConfigError::Content { .. })
        ));
        assert!(matches!(
            read(r#"{"client-version": "2.3000.7"}"#),
            Err(ConfigError::Content { .. })
        ));
    }

    #[test]
    fn a_missing_file_is_fine_unless_it_was_asked_for() {
        let path = Path::new("/nonexistent/config.json");
        assert_eq!(
            ConfigFile::read(path, false).unwrap(),
            ConfigFile::default()
        );
        assert!(matches!(
            ConfigFile::read(path, true),
            Err(ConfigError::Read { .. })
        ));
    }

    #[test]
    fn the_length_is_bounded() {
        let padded = |len: usize| format!("{{}}{}", " ".repeat(len - 2));
        assert!(read(&padded(MAX_LEN)).is_ok());
        assert!(matches!(
            read(&padded(MAX_LEN + 1)),
            Err(ConfigError::TooLong { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_end_is_too_long() {
        assert!(matches!(
            ConfigFile::read(Path::new("/dev/zero"), true),
            Err(ConfigError::TooLong { .. })
        ));
    }
}
