//! Every scenario of the simulator ends where it must, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{builder_for, memory, number, qr_text, sim_with};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use wa_client::{
    Client, ClientError, CodeRefusal, CodeRefusalKind, CommandError, Event, Events,
    PairingCodeRequest, PasskeyAssertion,
};
use wa_sim::{DeviceView, PasskeyPolicy, Scenario, Sim, Story, scenarios};

/// How many scenarios run at the same time.
const AT_ONCE: usize = 8;
/// How long one may take. The waits in it are shortened below.
const PATIENCE: Duration = Duration::from_secs(20);
/// After this time the user tries again, where it is the user who tries again.
const AGAIN: Duration = Duration::from_millis(1_500);
/// How long it must stay where it has ended.
const REST: Duration = Duration::from_millis(50);
/// What the client waits for an answer.
const SHORT: Duration = Duration::from_millis(800);

/// A scenario under way.
struct Run {
    sim: Sim,
    client: Client,
    events: Events,
    told: Vec<String>,
    /// What its user does on the side: asking for codes, signing, confirming.
    doing: JoinSet<Option<String>>,
    tried: Instant,
}

impl Run {
    async fn begin(scenario: &Scenario) -> Self {
        let sim = sim_with(|options| options.world.close_linger = Duration::from_millis(20)).await;
        let build = builder_for(&sim)
            .shared_store(memory())
            .configure(|config| {
                config.reconnect.rate_limit_steps = 2;
                config.reconnect.cap = Duration::from_millis(200);
                // A pair-success that a restart has lost is waited for on the next connection.
                config.timings.pairing.passkey_pair_success = 3 * SHORT;
                if !waits(scenario) {
                    return;
                }
                let timings = &mut config.timings;
                timings.handshake = SHORT;
                timings.pair_device = SHORT;
                timings.restart = SHORT;
                timings.login = SHORT;
                timings.request = SHORT;
                timings.stream_end = SHORT;
                timings.ping_min = SHORT;
                timings.ping_max = SHORT;
                timings.ping_answer = SHORT;
                timings.pairing.first_ref = SHORT;
                timings.pairing.next_ref = SHORT;
                timings.pairing.hello_answer = SHORT;
            });
        let (client, events) = build.build().await.unwrap();
        let mut run = Self {
            sim,
            client,
            events,
            told: Vec::new(),
            doing: JoinSet::new(),
            tried: Instant::now(),
        };
        if is_guarded(scenario.story) {
            let number = number(&run.sim);
            let policy = PasskeyPolicy {
                after_qr: true,
                after_code: true,
                ..PasskeyPolicy::default()
            };
            assert!(
                run.sim
                    .act(|world, _| world.set_passkey_policy(number, policy))
            );
        }
        if scenario.story == Story::Login {
            run.client.start().await.unwrap();
            run.until("online", Story::Link, &[], false).await;
            run.settled().await;
            run.client.disconnect().await.unwrap();
            while run.devices().iter().any(|device| device.online) {
                sleep(REST).await;
            }
            run.told.clear();
        }
        let script = scenario.script().unwrap();
        assert!(run.sim.act(|world, _| world.inject_script(&script)));
        run.try_again(scenario.story).await;
        run
    }

    /// What the user does when nothing is on the way.
    async fn try_again(&mut self, story: Story) {
        self.tried = Instant::now();
        if !is_by_code(story) {
            self.client.start().await.unwrap();
            return;
        }
        let request = PairingCodeRequest::new(&number(&self.sim).to_string()).unwrap();
        let client = self.client.clone();
        self.doing.spawn(async move {
            match client.request_pairing_code(request).await {
                Err(ClientError::Command(CommandError::CodeRefused(refusal))) => {
                    Some(code_refused(&refusal))
                }
                _ => None,
            }
        });
    }

    /// The owner of the phone, who is the user too, does what an event asks for.
    fn act_upon(&mut self, event: &Event, story: Story) {
        let client = self.client.clone();
        match event {
            // A code of a connection that has just been closed is no use to the phone.
            Event::Qr { .. } if is_by_scan(story) => {
                let _ = self.sim.begin_scan(None, &qr_text(event));
            }
            Event::PairingCode { code, .. } => {
                let _ = self.sim.begin_code(None, code.expose());
            }
            Event::PasskeyRequested { options, .. } => {
                // The ceremony may be over already.
                let Ok(assertion) = self.sim.assert_passkey(options.expose()) else {
                    return;
                };
                let assertion = PasskeyAssertion::from_json(&assertion).unwrap();
                self.doing.spawn(async move {
                    let _ = client.respond_passkey(assertion).await;
                    None
                });
            }
            Event::PasskeyConfirmation { code: Some(_), .. } => {
                self.doing.spawn(async move {
                    let _ = client.confirm_passkey(true).await;
                    None
                });
            }
            _ => {}
        }
    }

    /// Reads events until all has come about.
    async fn until(&mut self, ends: &str, story: Story, tells: &[&str], struck: bool) {
        loop {
            let has_struck = !struck
                || self.sim.read(|world| {
                    let mut left = world.faults().iter();
                    left.all(|rule| rule.times.is_none())
                        && world.untouched_faults().next().is_none()
                });
            let said = |wanted: &&str| self.told.iter().any(|said| said.contains(wanted));
            if has_struck && self.client.state().name() == ends && tells.iter().all(said) {
                return;
            }
            while let Some(done) = self.doing.try_join_next() {
                self.told.extend(done.unwrap());
            }
            if is_tried_again(story) && self.tried.elapsed() > AGAIN && self.doing.is_empty() {
                self.try_again(story).await;
            }
            // A fault can be used up without an event.
            let Ok(event) = timeout(Duration::from_millis(50), self.events.next()).await else {
                continue;
            };
            let event = event.expect("the client lives");
            self.act_upon(&event, story);
            self.told.extend(told(&event));
        }
    }

    fn devices(&self) -> Vec<DeviceView> {
        let number = number(&self.sim);
        self.sim
            .read(|world| world.account(number).unwrap().devices)
    }

    /// Until the one companion owes the server nothing: it has prekeys, and every stanza is acknowledged.
    async fn settled(&self) {
        while !matches!(&self.devices()[..], [device] if device.prekeys >= 5 && device.waiting == 0)
        {
            sleep(REST).await;
        }
    }
}

/// Whether the client has to lose patience. The others get all the time they want: on a busy machine a fault must not
/// be used up by a connection that is given up for another reason.
fn waits(scenario: &Scenario) -> bool {
    let tells = |what: &str| scenario.tells.contains(&what);
    let does = |what: &str| scenario.faults.contains(what);
    scenario.story == Story::Unscanned
        || tells("timed_out")
        || tells("keep_alive")
        || tells("code_refused no_answer")
        || does("restart_never")
        || does("stream_end")
}

/// What an event says of a loss, a logout or a trouble, as scenarios name it.
fn told(event: &Event) -> Option<String> {
    let with = |name: &str, code: Option<u16>| match code {
        Some(code) => format!("{name} {code}"),
        None => name.to_owned(),
    };
    Some(match event {
        Event::Disconnected { reason, code, .. } => with(reason.name(), *code),
        Event::LoggedOut { reason, .. } => format!("logged_out {}", reason.name()),
        Event::Trouble(trouble) => trouble.name().to_owned(),
        Event::PairingFailed(_) => "pairing_failed".to_owned(),
        Event::Devices { .. } => "devices".to_owned(),
        Event::PairingCodeEnded(_) => "pairing_code_ended".to_owned(),
        Event::PasskeyEnded(_) => "passkey_ended".to_owned(),
        _ => return None,
    })
}

async fn run(scenario: &'static Scenario) -> Result<(), String> {
    let begun = Instant::now();
    let started = timeout(PATIENCE, Run::begin(scenario)).await;
    let mut run = started.map_err(|_| format!("{}: did not begin", scenario.name))?;
    let over = timeout(PATIENCE, async {
        run.until(scenario.ends, scenario.story, scenario.tells, true)
            .await;
        if scenario.ends == "online" {
            run.settled().await;
        }
        sleep(REST).await;
    })
    .await;
    let state = run.client.state().name();
    let wrong = if over.is_err() {
        Some(format!("did not end where it must: {state}"))
    } else {
        (state != scenario.ends).then(|| format!("did not stay: {state}"))
    };
    run.client.shutdown().await;
    match wrong {
        None => Ok(()),
        Some(wrong) => Err(format!(
            "{} ({} ms): {wrong}; {:?}, told {:?}, faults {:?}, remarks {:?}",
            scenario.name,
            begun.elapsed().as_millis(),
            run.devices(),
            run.told,
            run.sim.read(|world| world.faults().to_vec()),
            run.sim.read(|world| world
                .remarks()
                .map(|remark| remark.what.to_string())
                .collect::<Vec<_>>()),
        )),
    }
}

fn is_by_code(story: Story) -> bool {
    matches!(story, Story::Code | Story::CodeAndPasskey)
}

fn is_by_scan(story: Story) -> bool {
    matches!(story, Story::Link | Story::Passkey | Story::Login)
}

fn is_guarded(story: Story) -> bool {
    matches!(story, Story::Passkey | Story::CodeAndPasskey)
}

/// Linking by code and by passkey is tried again by the user, who has been told what went wrong.
fn is_tried_again(story: Story) -> bool {
    is_by_code(story) || is_guarded(story)
}

fn code_refused(refusal: &CodeRefusal) -> String {
    let kind = match refusal.kind {
        CodeRefusalKind::BadRequest => "bad_request",
        CodeRefusalKind::Forbidden => "forbidden",
        CodeRefusalKind::RateLimited => "rate_limited",
        CodeRefusalKind::NotAvailable => "not_available",
        CodeRefusalKind::Server => "server",
        CodeRefusalKind::NoAnswer => "no_answer",
        _ => "unclassified",
    };
    match refusal.backoff {
        Some(backoff) => format!("code_refused {kind} {}", backoff.as_secs()),
        None => format!("code_refused {kind}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_ends_where_it_must() {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    for scenario in scenarios() {
        let places = Arc::clone(&places);
        runs.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            run(scenario).await
        });
    }
    let failures: Vec<String> = runs
        .join_all()
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
