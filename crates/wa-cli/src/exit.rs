//! Why a command ends, and the exit code for it.

use std::path::PathBuf;
use std::process::ExitCode;

use wa_client::{BuildError, ClientError, CommandError, ConnectionState, FailReason};
use wa_store::{ExportError, ImportError, StoreError};

use crate::config::ConfigError;

pub(crate) const EXIT_CODES_HELP: &str = "\
Exit codes: 0 done, 1 failure, 2 wrong usage, 3 pairing expired, 4 logged out or not linked, 5 store locked,
sealed with another key or unusable, 6 client version outdated, 7 another connection took over or the server
restricts the account, 8 logged out here but not confirmed by the server, 130 interrupted.";

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{what} {}: {source}", .path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{0}")]
    Store(String),
    #[error(transparent)]
    Build(BuildError),
    #[error("this account is not linked; link it with `wa pair`")]
    NotLinked,
    #[error("nobody used the code in time; run the command again for a new one")]
    PairingExpired,
    #[error("{0}")]
    Code(String),
    #[error(
        "this account asks for its passkey before it takes a new device; run the command again with --passkey (in machine \
         mode answer passkey_requested)"
    )]
    PasskeyNeeded,
    #[error("linking by passkey failed: {0}; run the command again for another attempt")]
    Passkey(String),
    #[error("logged out: {0}; the keys are destroyed. Link again with `wa pair`")]
    LoggedOut(String),
    #[error(
        "the server refuses the client version{0} as outdated; give a newer one with --client-version, WA_CLIENT_VERSION or \
         \"client_version\" in the configuration file, or update this program"
    )]
    Outdated(String),
    #[error(
        "another connection uses these credentials now; stop it before you start this one again"
    )]
    Conflict,
    #[error("the server restricts this account{0}; see the phone for details")]
    Restricted(String),
    #[error("{0}")]
    Client(ClientError),
    #[error(
        "the device is logged out here, but the server did not confirm it: `wa logout` asks again, so does whatever \
         connects this account next; or remove the device on the phone under Linked devices if it is still listed"
    )]
    Unconfirmed,
    #[error("interrupted")]
    Interrupted,
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The documented code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::PairingExpired => 3,
            Self::NotLinked | Self::LoggedOut(_) => 4,
            Self::Store(_) => 5,
            Self::Outdated(_) => 6,
            Self::Conflict | Self::Restricted(_) => 7,
            Self::Unconfirmed => 8,
            Self::Interrupted => 130,
            Self::Code(_) | Self::PasskeyNeeded | Self::Passkey(_) => 1,
            Self::File { .. } | Self::Build(_) | Self::Client(_) | Self::Other(_) => 1,
        })
    }

    /// Stable name for machine mode.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Config(_) => "config",
            Self::File { .. } => "file",
            Self::Store(_) => "store",
            Self::Build(_) => "start",
            Self::NotLinked => "not_linked",
            Self::PairingExpired => "pairing_expired",
            Self::Code(_) => "pairing_code",
            Self::PasskeyNeeded => "passkey_needed",
            Self::Passkey(_) => "passkey",
            Self::LoggedOut(_) => "logged_out",
            Self::Outdated(_) => "outdated",
            Self::Conflict => "conflict",
            Self::Restricted(_) => "restricted",
            Self::Client(_) => "client",
            Self::Unconfirmed => "unconfirmed",
            Self::Interrupted => "interrupted",
            Self::Other(_) => "failed",
        }
    }

    /// What a state means for a command that wants to be online; `None` while there is hope.
    pub(crate) fn of_state(state: &ConnectionState, version: impl ToString) -> Option<Self> {
        if !state.is_at_rest() {
            return None;
        }
        Some(match state {
            ConnectionState::PairingExpired => Self::PairingExpired,
            ConnectionState::LoggedOut { reason } => Self::LoggedOut(reason.to_string()),
            ConnectionState::Outdated => Self::Outdated(format!(" {}", version.to_string())),
            ConnectionState::Conflict { .. } => Self::Conflict,
            ConnectionState::Restricted { code, .. } => Self::Restricted(
                code.map(|code| format!(" (code {code})"))
                    .unwrap_or_default(),
            ),
            ConnectionState::Failed { error } => error.into(),
            // Nothing was started, or a command stopped it: neither is a failure.
            _ => return None,
        })
    }
}

impl From<&FailReason> for Failure {
    fn from(error: &FailReason) -> Self {
        match error {
            FailReason::Store(_) | FailReason::Restore(_) => Self::Store(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Store(_) | BuildError::Restore(_) => Self::Store(error.to_string()),
            other => Self::Build(other),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let ClientError::Command(command) = &error else {
            return Self::Client(error);
        };
        match command {
            CommandError::NotLinked => Self::NotLinked,
            CommandError::PairingExpired => Self::PairingExpired,
            CommandError::LoggedOut(reason) => Self::LoggedOut(reason.to_string()),
            CommandError::Outdated => Self::Outdated(String::new()),
            CommandError::Conflict => Self::Conflict,
            CommandError::Restricted => Self::Restricted(String::new()),
            CommandError::Failed(reason) => reason.into(),
            _ => Self::Client(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wa_client::LogoutReason;

    use super::*;

    const CHAPTER: &str = include_str!("../../../docs/manual/09-machine-mode.md");

    /// One failure of every kind, each leading to the next: a new kind does not compile until it has its place.
    fn after(failure: &Failure) -> Option<Failure> {
        Some(match failure {
            Failure::Usage(_) => Failure::Config(ConfigError::TooLong {
                path: PathBuf::new(),
                limit: 0,
            }),
            Failure::Config(_) => Failure::File {
                what: "",
                path: PathBuf::new(),
                source: std::io::ErrorKind::NotFound.into(),
            },
            Failure::File { .. } => Failure::Store(String::new()),
            Failure::Store(_) => Failure::Build(BuildError::AmbiguousAccount { count: 2 }),
            Failure::Build(_) => Failure::NotLinked,
            Failure::NotLinked => Failure::PairingExpired,
            Failure::PairingExpired => Failure::Code(String::new()),
            Failure::Code(_) => Failure::PasskeyNeeded,
            Failure::PasskeyNeeded => Failure::Passkey(String::new()),
            Failure::Passkey(_) => Failure::LoggedOut(String::new()),
            Failure::LoggedOut(_) => Failure::Outdated(String::new()),
            Failure::Outdated(_) => Failure::Conflict,
            Failure::Conflict => Failure::Restricted(String::new()),
            Failure::Restricted(_) => Failure::Client(CommandError::NotLinked.into()),
            Failure::Client(_) => Failure::Unconfirmed,
            Failure::Unconfirmed => Failure::Interrupted,
            Failure::Interrupted => Failure::Other(String::new()),
            Failure::Other(_) => return None,
        })
    }

    #[test]
    fn a_command_fails_with_the_code_of_the_state_that_kept_it_from_its_end() {
        let logged_out = ConnectionState::LoggedOut {
            reason: LogoutReason::Banned,
        };
        let failed = |error| ConnectionState::Failed { error };
        for (error, state, code) in [
            (
                CommandError::PairingExpired,
                ConnectionState::PairingExpired,
                3,
            ),
            (CommandError::LoggedOut(LogoutReason::Banned), logged_out, 4),
            (
                FailReason::Store("disk full".to_owned()).into(),
                failed(FailReason::Store("disk full".to_owned())),
                5,
            ),
            (CommandError::Outdated, ConnectionState::Outdated, 6),
            (
                FailReason::OtherServer.into(),
                failed(FailReason::OtherServer),
                1,
            ),
        ] {
            let of_state = Failure::of_state(&state, "2.3000.1").unwrap();
            let of_command = Failure::from(ClientError::Command(error));
            assert_eq!(of_command.name(), of_state.name());
            assert_eq!(of_command.exit_code(), ExitCode::from(code), "{of_command}");
            assert_eq!(of_state.exit_code(), ExitCode::from(code), "{of_state}");
        }
        for (error, code) in [
            (CommandError::NotLinked, 4),
            (CommandError::Conflict, 7),
            (CommandError::Restricted, 7),
            (CommandError::TimedOut, 1),
        ] {
            let failure = Failure::from(ClientError::Command(error));
            assert_eq!(failure.exit_code(), ExitCode::from(code), "{failure}");
        }
    }

    #[test]
    fn the_manual_lists_the_code_of_every_failure_and_no_other() {
        let (_, list) = CHAPTER
            .split_once("the failure behind the exit code:")
            .unwrap();
        let (list, _) = list.split_once('.').unwrap();
        let listed: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
        let failures =
            std::iter::successors(Some(Failure::Usage(String::new())), after).collect::<Vec<_>>();
        let named: BTreeSet<&str> = failures.iter().map(Failure::name).collect();
        assert_eq!(named.len(), failures.len(), "every kind has its own name");
        assert_eq!(listed, named);
    }
}
