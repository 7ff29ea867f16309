//! Brings linked devices online, holds them, and measures.

use crate::arguments::Arguments;
use crate::{Failure, heap, process, vault};
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wa_client::{Client, ConnectionState, Event, Events, NoiseRoot};
use wa_store::{AccountId, Store as _};
use wa_store_sqlite::SqliteStore;

/// What the logins themselves needed is over by then.
const SETTLE: Duration = Duration::from_secs(5);

/// What was measured.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) sessions: usize,
    pub(crate) base: Sample,
    pub(crate) online: Sample,
    pub(crate) after: Sample,
    /// Until the last of them was online.
    pub(crate) all_online_ms: f64,
    pub(crate) login_median_ms: f64,
    pub(crate) login_p99_ms: f64,
    /// CPU that bringing them online took.
    pub(crate) login_cpu_ms: f64,
    pub(crate) window_s: f64,
    pub(crate) user_ms: f64,
    pub(crate) system_ms: f64,
    pub(crate) load: String,
    /// Bytes and number of the blocks of a session, the most bytes first.
    pub(crate) largest: Vec<(usize, f64)>,
}

/// The process at one moment.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) resident: u64,
    pub(crate) anonymous: u64,
    pub(crate) heap: usize,
    pub(crate) blocks: usize,
    pub(crate) tasks: usize,
    pub(crate) descriptors: usize,
    pub(crate) sockets: usize,
    pub(crate) locks: usize,
}

impl Sample {
    fn take() -> Result<Self, Failure> {
        let (heap, blocks) = (heap::live(), heap::blocks());
        let memory = process::memory("self")?;
        let descriptors = process::descriptors()?;
        Ok(Self {
            resident: memory.resident,
            anonymous: memory.anonymous,
            heap,
            blocks,
            tasks: tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
            descriptors: descriptors.all,
            sockets: descriptors.sockets,
            locks: descriptors.locks,
        })
    }
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let store = vault::open(arguments).await?;
    let mut accounts = store.accounts().await?;
    accounts.truncate(arguments.sessions);
    let accounts: Vec<AccountId> = accounts.into_iter().map(|account| account.id).collect();
    if accounts.len() < arguments.sessions {
        return Err(Failure(format!(
            "only {} accounts are linked",
            accounts.len()
        )));
    }
    let mut sessions = Vec::with_capacity(accounts.len());
    let mut logins = Vec::with_capacity(accounts.len());

    let base = Sample::take()?;
    let sizes = heap::sizes();
    let cpu = process::cpu()?;
    let began = Instant::now();
    let mut coming = stream::iter(accounts)
        .map(|account| login(arguments, &store, account))
        .buffer_unordered(arguments.concurrency);
    while let Some(login) = coming.next().await {
        let (session, took) = login?;
        sessions.push(session);
        logins.push(took.as_secs_f64() * 1e3);
    }
    drop(coming);
    let all_online_ms = began.elapsed().as_secs_f64() * 1e3;
    let login_cpu = spent(cpu)?;

    tokio::time::sleep(SETTLE).await;
    forget_events(&mut sessions)?;
    let online = Sample::take()?;
    let (cpu, began) = (process::cpu()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(arguments.window)).await;
    let (user, system) = spent(cpu)?;
    let window = began.elapsed();
    forget_events(&mut sessions)?;
    let after = Sample::take()?;

    let largest = largest(&sizes, &heap::sizes(), sessions.len());
    logins.sort_by(f64::total_cmp);
    let held = Held {
        sessions: sessions.len(),
        base,
        online,
        after,
        all_online_ms,
        login_median_ms: quantile(&logins, 0.5),
        login_p99_ms: quantile(&logins, 0.99),
        login_cpu_ms: (login_cpu.0 + login_cpu.1).as_secs_f64() * 1e3,
        window_s: window.as_secs_f64(),
        user_ms: user.as_secs_f64() * 1e3,
        system_ms: system.as_secs_f64() * 1e3,
        load: process::environment(),
        largest,
    };
    println!("{}", serde_json::to_string(&held)?);
    stream::iter(&sessions)
        .for_each_concurrent(arguments.concurrency, |(client, _)| client.shutdown())
        .await;
    store.close().await;
    Ok(())
}

/// From the record in the store to `online`; how long it took.
async fn login(
    arguments: &Arguments,
    store: &Arc<SqliteStore>,
    account: AccountId,
) -> Result<((Client, Events), Duration), Failure> {
    let began = Instant::now();
    let (client, events) = Client::builder()
        .endpoint(&arguments.url)
        .noise_root(NoiseRoot::from_hex(&arguments.root)?)
        .shared_store(Arc::clone(store))
        .account(account)
        .build()
        .await?;
    client.connect().await?;
    Ok(((client, events), began.elapsed()))
}

/// Reads what the clients told; a session that was lost, if only for a moment, spoils the measurement.
fn forget_events(sessions: &mut [(Client, Events)]) -> Result<(), Failure> {
    for (client, events) in sessions {
        while let Some(event) = events.try_next() {
            if let Event::Disconnected { .. } = event {
                return Err(Failure(format!("a session was lost: {event:?}")));
            }
        }
        let state = client.state();
        if state != ConnectionState::Online {
            return Err(Failure(format!("a session is {}", state.name())));
        }
    }
    Ok(())
}

/// What most of a session's heap lies in: blocks of these sizes, so many of each.
fn largest(before: &[(usize, i32)], after: &[(usize, i32)], sessions: usize) -> Vec<(usize, f64)> {
    let before: HashMap<usize, i32> = before.iter().copied().collect();
    let mut grown: Vec<(usize, f64)> = after
        .iter()
        .map(|(size, count)| {
            let more = count - before.get(size).unwrap_or(&0);
            (*size, f64::from(more) / sessions as f64)
        })
        .filter(|(_, each)| *each > 0.01)
        .collect();
    grown.sort_by(|a, b| (b.0 as f64 * b.1).total_cmp(&(a.0 as f64 * a.1)));
    grown.truncate(16);
    grown
}

fn spent(since: (Duration, Duration)) -> Result<(Duration, Duration), Failure> {
    let now = process::cpu()?;
    Ok((now.0.saturating_sub(since.0), now.1.saturating_sub(since.1)))
}

fn quantile(sorted: &[f64], at: f64) -> f64 {
    let index = ((sorted.len() - 1) as f64 * at).round() as usize;
    sorted[index]
}
