//! How long a linked device takes from the call that connects to being online, over loopback: our XX beside our IK
//! beside whatsapp-rust. See `benches/README.md`.

mod ours;
mod peer;
mod tap;

use std::time::{Duration, Instant};
use wa_sim::{Sim, SimOptions};

/// Resumptions of each row, unless they take longer than [`PATIENCE`] together.
const RUNS: usize = 200;

/// A resumption that waits for something that does not come; it needs no warming up.
const SLOW: Duration = Duration::from_secs(2);

/// Time for one row.
const PATIENCE: Duration = Duration::from_secs(20);

/// What went wrong, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One way of resuming. Every call is one resumption, ended again.
trait Resume {
    fn name(&self) -> &'static str;
    /// Resumes at this URL; the time from the call that connects to online.
    async fn once(&mut self, url: &str) -> Result<Duration, Failure>;
}

fn main() -> Result<(), Failure> {
    let (told, tell) = std::sync::mpsc::channel();
    // A thread and a runtime of its own, as near to another machine as one process comes.
    std::thread::spawn(move || {
        let runtime = runtime().expect("a runtime");
        runtime.block_on(async move {
            let mut options = SimOptions::default();
            // What a phone takes to react is its owner's time, not ours.
            options.world.scan_delay = Duration::ZERO;
            options.world.device_limit = None;
            let sim = Sim::start(options).await.expect("loopback is there");
            told.send(sim).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    let sim = tell.recv()?;
    runtime()?.block_on(measure(&sim))
}

async fn measure(sim: &Sim) -> Result<(), Failure> {
    println!(
        "| resume to online on loopback | median | 10th to 90th percentile | runs | round trips |"
    );
    println!("| --- | --: | --: | --: | --: |");
    let memory = ours::memory(sim).await?;
    let xx = row(sim, ours::Resumption::new(&memory, "wa, XX", true)).await?;
    let ik = row(sim, ours::Resumption::new(&memory, "wa, IK", false)).await?;
    let folder = tempfile::tempdir()?;
    let sqlite = ours::sqlite(sim, folder.path()).await?;
    row(sim, ours::Resumption::new(&sqlite, "wa, IK, SQLite", false)).await?;
    let peer = match peer::Resumption::in_memory(sim).await {
        Ok(peer) => row(sim, peer).await,
        Err(error) => Err(error),
    };
    let peer_sqlite = match peer::Resumption::in_sqlite(sim, folder.path()).await {
        Ok(peer) => row(sim, peer).await,
        Err(error) => Err(error),
    };
    println!();
    println!("| comparison | ratio |");
    println!("| --- | --: |");
    println!("| IK against XX | {:.2} |", ik / xx);
    // What is ours is told even when the peer does not get through.
    let peer = peer?;
    println!("| wa, IK against whatsapp-rust | {:.3} |", ik / peer);
    peer_sqlite.map(drop)
}

/// Measures one way and prints its row; the median in seconds.
async fn row(sim: &Sim, mut resume: impl Resume) -> Result<f64, Failure> {
    let url = sim.url();
    let first = resume.once(&url).await?;
    let warm = if first > SLOW { 0 } else { 2 };
    for _ in 0..warm {
        resume.once(&url).await?;
    }
    let tap = tap::Tap::start(&url).await?;
    resume.once(tap.url()).await?;
    let round_trips = tap.round_trips();
    let began = Instant::now();
    let mut times = Vec::with_capacity(RUNS);
    while times.len() < RUNS && (times.len() < 3 || began.elapsed() < PATIENCE) {
        times.push(resume.once(&url).await?.as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
    println!(
        "| {} | {:.2} ms | {:.2} to {:.2} ms | {} | {round_trips} |",
        resume.name(),
        at(0.5) * 1e3,
        at(0.1) * 1e3,
        at(0.9) * 1e3,
        times.len()
    );
    Ok(at(0.5))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}
