use std::time::Duration;

/// How a SQLite store behaves. The default suits nearly everybody.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a write waits for another process before it is [`Busy`](wa_store::StoreError::Busy). Default 10 s.
    pub busy_timeout: Duration,
    /// Connections that read beside the one that writes. Default 2.
    pub readers: u32,
    /// The database never grows above so many bytes; a commit that would need more is
    /// [`Full`](wa_store::StoreError::Full). Default: as large as the disk allows.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
            readers: 2,
            max_bytes: None,
        }
    }
}
