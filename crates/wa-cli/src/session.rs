//! A client for a command: built from the command line, ended in order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wa_client::{
    BuildError, Client, ClientBuilder, ConnectionState, Event, Events, Handoff, LogoutReason,
    TlsRoots, VersionChoice,
};
use wa_store::{AccountInfo, Store as _, StoreError, read_bounded};
use wa_store_sqlite::SqliteStore;

use crate::args::ServerArgs;
use crate::config::ConfigFile;
use crate::exit::Failure;
use crate::paths::UserFolders;

/// Largest file of certificate authorities read; our own bound, several times what an operating system brings.
const MAX_CA_LEN: usize = 4 * 1024 * 1024;

/// How long a locked account is waited for, and how often it is tried.
const LOCK_PATIENCE: Duration = Duration::from_millis(300);
const LOCK_PAUSE: Duration = Duration::from_millis(30);

/// A running client and the store it lives in.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) events: Events,
    store: Arc<SqliteStore>,
    relink: Relink,
}

/// Whether a stored link that turns out to be void may be replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relink {
    /// Nobody asked for a link, or the present one has worked: whoever ended it meant it.
    No,
    /// A link was asked for, and the stored one has yet to show that it works. A process that was killed between
    /// storing the link and telling the phone leaves one that never did.
    Once,
}

impl Relink {
    /// Whether the event shows that the stored link is void, in a way that calls for another.
    fn is_called_for(&mut self, event: &Event) -> bool {
        match event {
            Event::Online { .. } => *self = Self::No,
            Event::State(ConnectionState::LoggedOut { reason }) => {
                // Every other reason is somebody's decision, the user's own logout among them.
                let unknown = matches!(
                    reason,
                    LogoutReason::NotAuthorized | LogoutReason::RemovedAfterPairing { .. }
                );
                return std::mem::replace(self, Self::No) == Self::Once && unknown;
            }
            _ => {}
        }
        false
    }
}

/// What a command may do about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linking {
    /// Use the stored one.
    Stored,
    /// Make one if there is none that works.
    Wanted {
        /// Ask before accepting a phone.
        require_approval: bool,
        /// Have codes compared even where a proof would spare it.
        compare: bool,
    },
}

impl Linking {
    fn requires_approval(self) -> bool {
        matches!(
            self,
            Self::Wanted {
                require_approval: true,
                ..
            }
        )
    }

    fn handoff(self) -> Handoff {
        match self {
            Self::Wanted { compare: true, .. } => Handoff::Withhold,
            _ => Handoff::Send,
        }
    }
}

impl Session {
    /// Starts a client; nothing is connected yet.
    pub(crate) async fn start(
        store: Arc<SqliteStore>,
        account: &AccountInfo,
        server: &ServerArgs,
        linking: Linking,
    ) -> Result<Self, Failure> {
        let choice = client_version(server)?;
        let mut builder = Client::builder()
            .shared_store(Arc::clone(&store))
            .account(account.id)
            .version(choice)
            .require_approval(linking.requires_approval())
            .handoff(linking.handoff());
        if let Some(url) = &server.server {
            builder = builder.endpoint(url);
        }
        if let Some(root) = &server.noise_root {
            builder = builder.noise_root(*root);
        }
        if let Some(path) = &server.ca {
            builder = builder.tls_roots(TlsRoots::WebPkiAnd(authorities(path)?));
        }
        if let Some(proxy) = server
            .proxy()
            .map_err(|error| Failure::Usage(error.to_string()))?
        {
            builder = builder.proxy(proxy);
        }
        if let Some(name) = &server.device_name {
            builder = builder.device_name(name);
        }
        let (client, events) = build(builder).await?;
        Ok(Self {
            relink: match linking {
                Linking::Wanted { .. } if client.credentials().is_some() => Relink::Once,
                _ => Relink::No,
            },
            client,
            events,
            store,
        })
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.client.credentials().is_some()
    }

    /// Starts linking anew, once, if a link was asked for and the server does not know the stored one; whether it did.
    pub(crate) async fn links_anew(&mut self, event: &Event) -> Result<bool, Failure> {
        let anew = self.relink.is_called_for(event);
        if anew {
            self.client.start().await?;
        }
        Ok(anew)
    }

    /// Ends the client and closes the store.
    pub(crate) async fn end(self) {
        self.client.shutdown().await;
        self.store.close().await;
    }

    /// What a state at rest means for a command that wants to be online.
    pub(crate) fn failure(&self, state: &ConnectionState) -> Option<Failure> {
        Failure::of_state(state, self.client.version().version)
    }
}

/// Builds the client. An account is also in use for a moment while `wa status` looks at it, or after a process that
/// used it was killed: only what stays locked is an error.
async fn build(builder: ClientBuilder<Arc<SqliteStore>>) -> Result<(Client, Events), Failure> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match builder.clone().build().await {
            Err(BuildError::Store(StoreError::Locked { .. })) if Instant::now() < deadline => {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            result => return Ok(result?),
        }
    }
}

/// The file of `--ca`.
fn authorities(path: &Path) -> Result<Vec<u8>, Failure> {
    let pem = read_bounded(path, MAX_CA_LEN).map_err(|source| Failure::File {
        what: "cannot read the CA file",
        path: path.to_owned(),
        source,
    })?;
    Ok(pem.to_vec())
}

/// Flag and environment first, then the configuration file, then what is compiled in.
fn client_version(server: &ServerArgs) -> Result<VersionChoice, Failure> {
    if let Some(version) = server.client_version {
        return Ok(version.into());
    }
    let config = match &server.config {
        Some(path) => ConfigFile::read(path, true)?,
        None => match UserFolders::from_environment() {
            Some(folders) => ConfigFile::read(&folders.config_file(), false)?,
            None => ConfigFile::default(),
        },
    };
    Ok(config
        .client_version
        .map_or(VersionChoice::Auto, VersionChoice::Pinned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_the_server_does_not_know_is_replaced_and_only_once() {
        let logged_out = |reason| Event::State(ConnectionState::LoggedOut { reason });
        let unknown = logged_out(LogoutReason::NotAuthorized);
        for reason in [
            LogoutReason::Requested,
            LogoutReason::RemovedOnPhone,
            LogoutReason::AccountLocked,
            LogoutReason::Banned,
            LogoutReason::Forced,
            LogoutReason::PrimaryIdentityChanged,
        ] {
            let mut relink = Relink::Once;
            assert!(!relink.is_called_for(&logged_out(reason)), "{reason}");
            assert!(!relink.is_called_for(&unknown), "after {reason}");
        }
        let young = logged_out(LogoutReason::RemovedAfterPairing { seconds: 3 });
        for void in [&unknown, &young] {
            let mut relink = Relink::Once;
            assert!(relink.is_called_for(void));
            assert!(!relink.is_called_for(void));
        }
        assert!(!Relink::No.is_called_for(&unknown));
    }

    #[test]
    fn the_file_of_authorities_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, vec![b'#'; MAX_CA_LEN]).unwrap();
        assert_eq!(authorities(&path).unwrap().len(), MAX_CA_LEN);
        std::fs::write(&path, vec![b'#'; MAX_CA_LEN + 1]).unwrap();
        let error = authorities(&path).unwrap_err();
        assert!(
            matches!(&error, Failure::File { source, .. } if source.kind() == std::io::ErrorKind::FileTooLarge),
            "{error}"
        );
        #[cfg(unix)]
        assert!(authorities(Path::new("/dev/zero")).is_err());
    }
}
