//! The one world all sockets share, behind a lock that is never held over a wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, mpsc, watch};

use crate::names::{ConnId, Now, ScanId};
use crate::world::{ConnInfo, ScanOutcome, World, WorldOutput};

/// What a connection's task has to do.
pub(super) enum Outgoing {
    Message(Vec<u8>),
    Close,
}

pub(super) struct Shared {
    inner: Mutex<Inner>,
    /// The next deadline may have moved.
    rescheduled: Notify,
    /// Counts up with every input, for those who wait for something to happen.
    progress: watch::Sender<u64>,
}

struct Inner {
    world: World,
    routes: HashMap<ConnId, mpsc::Sender<Outgoing>>,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self {
            inner: Mutex::new(Inner {
                world,
                routes: HashMap::new(),
            }),
            rescheduled: Notify::new(),
            progress: watch::Sender::new(0),
        }
    }

    /// Runs `step` on the world and hands its outputs to the sockets, in order.
    pub(super) fn act<T>(&self, step: impl FnOnce(&mut World, Now) -> T) -> T {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = inner.world.poll_timeout();
        let result = step(&mut inner.world, now());
        inner.deliver();
        let moved = inner.world.poll_timeout() != before;
        drop(inner);
        if moved {
            self.rescheduled.notify_one();
        }
        self.progress
            .send_modify(|steps| *steps = steps.wrapping_add(1));
        result
    }

    /// A new connection, whose outputs go to `route`.
    pub(super) fn open(&self, info: ConnInfo, route: mpsc::Sender<Outgoing>) -> ConnId {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let id = inner.world.open(now(), info);
        inner.routes.insert(id, route);
        inner.deliver();
        drop(inner);
        self.rescheduled.notify_one();
        id
    }

    pub(super) fn closed(&self, id: ConnId) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.routes.remove(&id);
        drop(inner);
        self.act(|world, now| world.handle_closed(now, id));
    }

    /// Calls the world when it wants to be called. Never returns.
    pub(super) async fn keep_time(&self) {
        loop {
            let due = self.act_quietly(|world| world.poll_timeout());
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => self.act(|world, now| world.handle_timeout(now)),
                () = self.rescheduled.notified() => {}
            }
        }
    }

    /// Waits until a scan is decided. `None` for a scan nobody remembers.
    pub(super) async fn outcome(&self, scan: ScanId) -> Option<ScanOutcome> {
        let mut progress = self.progress.subscribe();
        loop {
            match self.act_quietly(|world| world.scan_outcome(scan).cloned()) {
                Some(ScanOutcome::Pending) => {}
                decided => return decided,
            }
            if progress.changed().await.is_err() {
                return None;
            }
        }
    }

    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    /// Reads the world without counting as something that happened.
    pub(super) fn act_quietly<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        read(&inner.world)
    }
}

impl Inner {
    fn deliver(&mut self) {
        while let Some(output) = self.world.poll_output() {
            match output {
                WorldOutput::Transmit(id, message) => {
                    // A client that does not read loses its connection, not our memory.
                    let sent = self
                        .routes
                        .get(&id)
                        .map(|route| route.try_send(Outgoing::Message(message)));
                    if matches!(sent, Some(Err(_))) {
                        self.routes.remove(&id);
                    }
                }
                WorldOutput::Close(id) => {
                    if let Some(route) = self.routes.remove(&id) {
                        let _ = route.try_send(Outgoing::Close);
                    }
                }
            }
        }
    }
}

pub(super) fn now() -> Now {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        instant: Instant::now(),
        unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    }
}
