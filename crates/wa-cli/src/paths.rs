//! Where things are kept when nobody says otherwise.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folders of the user: data and configuration of `wa`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserFolders {
    pub(crate) data: PathBuf,
    pub(crate) config: PathBuf,
}

impl UserFolders {
    /// From the environment; `None` when the user has no home.
    pub(crate) fn from_environment() -> Option<Self> {
        Self::find(std::env::home_dir(), |name| std::env::var_os(name))
    }

    fn find(home: Option<PathBuf>, variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        // The base directory specification: relative values are to be ignored.
        let folder = |name| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let under_home = |parts: &[&str]| {
            home.as_ref().map(|home| {
                parts
                    .iter()
                    .fold(home.clone(), |path, part| path.join(part))
            })
        };
        let (data, config) = if cfg!(windows) {
            (folder("LOCALAPPDATA"), folder("APPDATA"))
        } else if cfg!(target_os = "macos") {
            let support = under_home(&["Library", "Application Support"]);
            (
                folder("XDG_DATA_HOME").or(support.clone()),
                folder("XDG_CONFIG_HOME").or(support),
            )
        } else {
            (
                folder("XDG_DATA_HOME").or_else(|| under_home(&[".local", "share"])),
                folder("XDG_CONFIG_HOME").or_else(|| under_home(&[".config"])),
            )
        };
        Some(Self {
            data: data?.join("wa"),
            config: config?.join("wa"),
        })
    }

    /// The store used without `--store`.
    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("wa.db")
    }

    /// Its key, in another folder: a copy of the data folder alone opens nothing.
    pub(crate) fn key(&self) -> PathBuf {
        self.config.join("wa.key")
    }

    /// The configuration file.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.config.join("config.json")
    }
}

/// The key file of a store given by path: beside it, with `.key` added to its name.
pub(crate) fn key_beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn the_base_directories_are_followed() {
        let found = UserFolders::find(Some("/home/ann".into()), |_| None).unwrap();
        assert_eq!(found.store(), Path::new("/home/ann/.local/share/wa/wa.db"));
        assert_eq!(found.key(), Path::new("/home/ann/.config/wa/wa.key"));
        let found = UserFolders::find(None, |name| Some(format!("/x/{name}").into())).unwrap();
        assert_eq!(found.data, Path::new("/x/XDG_DATA_HOME/wa"));
        assert_eq!(
            found.config_file(),
            Path::new("/x/XDG_CONFIG_HOME/wa/config.json")
        );
    }

    #[test]
    fn relative_values_are_ignored_and_no_home_is_no_answer() {
        let found = UserFolders::find(Some("/h".into()), |_| Some("relative".into())).unwrap();
        assert_eq!(found.data, Path::new("/h/.local/share/wa"));
        assert_eq!(UserFolders::find(None, |_| None), None);
    }

    #[test]
    fn a_key_lies_beside_its_store() {
        assert_eq!(key_beside(Path::new("a/b.db")), Path::new("a/b.db.key"));
    }
}
