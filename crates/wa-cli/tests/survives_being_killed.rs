#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]
//! `SIGKILL` at random moments of a pairing, again and again, on one store against one long-lived simulator.
//!
//! After every kill the command runs again on the same store. If the phone believes in a device, its keys must be
//! there: it comes online with no code. If it does not, the store must not stand in the way: the same command shows
//! a code and links. `WA_KILLS` sets how often.

mod common;

use std::time::{Duration, Instant};

use common::{PATIENCE, Running, World};
use serde_json::Value;

const DEFAULT_KILLS: u32 = 25;

/// Enough for choosing moments, and the same moments for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// After what to kill.
#[derive(Debug)]
enum Moment {
    /// So long after the start.
    Start(Duration),
    /// So long after that line.
    Line(u64, Duration),
    /// So long after the phone has scanned the code: within it the link is stored, told and believed.
    Scan(Duration),
}

/// Lines of a pairing, from `hello` to `online`; a moment beyond them lets it finish.
const LINES: u64 = 19;

/// The time from the scan to the signed reply is a few milliseconds.
const AROUND_THE_SCAN: u64 = 8_000;

impl Moment {
    fn random(dice: &mut Dice, whole: Duration) -> Self {
        let whole = u64::try_from(whole.as_micros()).unwrap();
        match dice.below(4) {
            0 => Self::Start(Duration::from_micros(dice.below(whole * 5 / 4))),
            1 => Self::Line(
                dice.below(LINES),
                Duration::from_micros(dice.below(whole / 20)),
            ),
            _ => Self::Scan(Duration::from_micros(dice.below(AROUND_THE_SCAN))),
        }
    }
}

fn start(world: &World) -> Running {
    Running::start(world.online("run").args(["--json", "--pair", "qr"]))
}

/// Runs a pairing that is killed at the moment; scans the code if it gets that far.
fn kill_at(world: &World, moment: &Moment) {
    let begun = Instant::now();
    let mut run = start(world);
    let mut deadline = match moment {
        Moment::Start(delay) => begun + *delay,
        Moment::Line(..) | Moment::Scan(_) => begun + PATIENCE,
    };
    let mut lines = 0;
    while let Some(line) = run.line_within(deadline.saturating_duration_since(Instant::now())) {
        lines += 1;
        let message: Value = serde_json::from_str(&line).unwrap();
        if message["type"] == "qr" {
            world.scan(message["code"].as_str().unwrap());
            if let Moment::Scan(delay) = moment {
                deadline = Instant::now() + *delay;
            }
        }
        if let Moment::Line(wanted, delay) = moment
            && lines > *wanted
        {
            deadline = deadline.min(Instant::now() + *delay);
        }
        if message["type"] == "online" {
            break;
        }
    }
    run.kill();
}

/// Waits until the server has taken in whatever the killed process had sent.
fn let_the_dust_settle(world: &World) {
    let deadline = Instant::now() + PATIENCE;
    while world.sim.read(|world| world.connections()) != 0 {
        assert!(
            Instant::now() < deadline,
            "the server notices that the process is gone"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the run after a kill found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// A link that works.
    Link,
    /// A link that the phone never heard of.
    HalfLink,
    /// Nothing.
    NoLink,
}

/// Runs the same command once more, to the end: online, logged out, gone.
fn recover(world: &World) -> Found {
    let mut run = start(world);
    let mut found = Found::Link;
    loop {
        let message = run.message();
        match message["type"].as_str().unwrap() {
            "logged_out" => found = Found::HalfLink,
            "qr" => {
                if found == Found::Link {
                    found = Found::NoLink;
                }
                world.scan(message["code"].as_str().unwrap());
            }
            "online" => break,
            "error" => panic!("the store stands in the way: {message}"),
            "state" if message["state"] == "failed" => {
                panic!("the store stands in the way: {message}")
            }
            _ => {}
        }
    }
    run.send(r#"{"cmd":"logout"}"#);
    assert_eq!(run.wait_for("done")["server_unlinked"], true);
    run.send(r#"{"cmd":"quit"}"#);
    assert_eq!(run.end().code(), Some(0));
    found
}

/// How long an undisturbed pairing takes here.
fn measure(world: &World) -> Duration {
    let begun = Instant::now();
    kill_at(world, &Moment::Line(LINES + 1, Duration::ZERO));
    let whole = begun.elapsed();
    let_the_dust_settle(world);
    assert_eq!(recover(world), Found::Link, "an undisturbed pairing links");
    whole
}

#[test]
fn the_phone_and_the_store_agree_after_every_kill() {
    let kills = std::env::var("WA_KILLS").map_or(DEFAULT_KILLS, |text| {
        text.parse().expect("WA_KILLS is a number")
    });
    let seed = std::env::var("WA_KILL_SEED").map_or_else(
        |_| u64::from(std::process::id()) << 20 ^ Instant::now().elapsed().as_nanos() as u64,
        |text| text.parse().expect("WA_KILL_SEED is a number"),
    );
    let mut dice = Dice(seed);
    let world = World::with(|options| options.control_listen = None);
    let whole = measure(&world);
    let (mut links, mut half_links, mut believed) = (0, 0, 0);
    for turn in 1..=kills {
        let moment = Moment::random(&mut dice, whole);
        kill_at(&world, &moment);
        let_the_dust_settle(&world);
        let companions = world.companions();
        let found = recover(&world);
        let what = format!(
            "turn {turn}, seed {seed}, {moment:?}: the phone had {companions} companions, found {found:?}"
        );
        match companions {
            0 => {}
            1 => assert_eq!(found, Found::Link, "keys are lost: {what}"),
            _ => panic!("companions pile up: {what}"),
        }
        assert_eq!(
            world.companions(),
            0,
            "the link is undone for the next turn: {what}"
        );
        believed += companions;
        links += usize::from(found == Found::Link);
        half_links += usize::from(found == Found::HalfLink);
    }
    println!(
        "{kills} kills (seed {seed}, a pairing takes {whole:?}): the phone believed in {believed} devices, \
         {links} came back, {half_links} half-made links were replaced"
    );
    if kills >= 50 {
        assert!(
            believed > 0 && believed < kills as usize,
            "the moments cover both sides of the link"
        );
    }
}
