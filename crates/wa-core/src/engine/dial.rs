use std::time::Instant;

use tracing::{debug, info, warn};
use wa_crypto::NoiseStaticSecret;
use wa_noise::{
    AwaitServerHello, ClientHandshake, Established, FrameDecoder, HandshakeError, HandshakeFailure,
    MAX_HANDSHAKE_FRAME_LEN, Pattern,
};

use super::connected::Connected;
use super::core::{Core, Resume};
use super::end::{End, Pace, Socket};
use super::login::AwaitSuccess;
use super::pairing::AwaitPairing;
use super::phase::Phase;
use super::settle::AwaitSettle;
use super::stage::Stage;
use crate::error::{Awaited, DisconnectReason, FailReason};
use crate::io::{CloseCause, Endpoint, Epoch, Output};
use crate::payload::{client_payload, unlink_payload};
use crate::state::Step;
use crate::time::Now;

/// The driver is dialling.
pub(super) struct AwaitSocket {
    pub(super) epoch: Epoch,
    pub(super) deadline: Instant,
}

/// ClientHello is sent.
pub(super) struct AwaitHello {
    pub(super) epoch: Epoch,
    pub(super) deadline: Instant,
    awaiting: AwaitServerHello,
    frames: FrameDecoder,
    used: Shortcuts,
}

/// What a handshake relied on that an earlier connection has taught. If it fails, that is not relied on again.
#[derive(Clone, Copy)]
pub(super) struct Shortcuts {
    routing: Routing,
    /// As offered, and once there is an answer, as it came about.
    pattern: Pattern,
}

/// Whether routing info was sent in front of the hello.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Routing {
    Sent,
    None,
}

impl Core {
    /// Starts the next attempt. What a new device needs to survive was persisted by the start.
    pub(super) fn dial(&mut self, now: Now) -> Phase {
        self.epoch = self.epoch.next();
        debug!(epoch = self.epoch.get(), "dialling");
        if !self.settles_unseen() {
            self.progress(Step::Connecting);
        }
        self.outputs.push_back(Output::Open(Endpoint {
            url: self.config.endpoint.clone(),
            epoch: self.epoch,
        }));
        Phase::Dialing(AwaitSocket {
            epoch: self.epoch,
            deadline: now.instant + self.config.timings.connect,
        })
    }
}

impl AwaitSocket {
    /// Sends preamble, header and ClientHello in one message.
    pub(super) fn opened(self, core: &mut Core, now: Now) -> Phase {
        let Some((handshake, routing_info)) = core.handshake(now) else {
            return core.finish(now, no_device(), Socket::Open);
        };
        let mut out = Vec::new();
        let started = handshake.start(&mut *core.rng, routing_info.as_deref(), &mut out);
        let routing = match routing_info {
            Some(_) => Routing::Sent,
            None => Routing::None,
        };
        core.round_trips = 1;
        match started {
            Ok(awaiting) => {
                let pattern = awaiting.offered();
                debug!(%pattern, "hello sent");
                core.transmit(out);
                Phase::Greeting(Box::new(AwaitHello {
                    epoch: self.epoch,
                    deadline: now.instant + core.config.timings.handshake,
                    awaiting,
                    frames: FrameDecoder::with_limit(MAX_HANDSHAKE_FRAME_LEN),
                    used: Shortcuts { routing, pattern },
                }))
            }
            Err(_) => {
                let reason = FailReason::Internal("the login payload does not fit a frame");
                core.finish(now, End::Fail(reason), Socket::Open)
            }
        }
    }

    pub(super) fn closed(self, core: &mut Core, now: Now, cause: CloseCause) -> Phase {
        let end = match cause {
            CloseCause::OpenFailed(failure) if !failure.is_retryable() => {
                End::Fail(FailReason::Open(failure))
            }
            cause => End::lost(cause),
        };
        core.finish(now, end, Socket::Gone)
    }

    pub(super) fn timeout(self, core: &mut Core, now: Now) -> Phase {
        if now.instant < self.deadline {
            return Phase::Dialing(self);
        }
        let end = End::lost(DisconnectReason::TimedOut(Awaited::Socket));
        core.finish(now, end, Socket::Open)
    }
}

impl AwaitHello {
    pub(super) fn bytes(self: Box<Self>, core: &mut Core, now: Now, bytes: &[u8]) -> Phase {
        let Self {
            epoch,
            deadline,
            awaiting,
            mut frames,
            used,
        } = *self;
        frames.push(bytes);
        let mut out = Vec::new();
        let answer = match frames.next_frame() {
            Ok(Some(body)) => awaiting.read(body, now.unix_secs(), &mut out),
            Ok(None) => {
                return Phase::Greeting(Box::new(Self {
                    epoch,
                    deadline,
                    awaiting,
                    frames,
                    used,
                }));
            }
            Err(error) => {
                core.handshake_failed(used);
                return core.finish(now, End::lost(error), Socket::Open);
            }
        };
        match answer {
            Ok(established) => {
                if !out.is_empty() {
                    core.round_trips += 1;
                    core.transmit(out);
                }
                core.resume = Resume::Offered;
                let used = Shortcuts {
                    pattern: established.pattern,
                    ..used
                };
                establish(core, now, epoch, established, frames, used)
            }
            Err(error) => {
                core.handshake_failed(used);
                let end = core.handshake_end(error);
                core.finish(now, end, Socket::Open)
            }
        }
    }

    pub(super) fn closed(self, core: &mut Core, now: Now, cause: CloseCause) -> Phase {
        core.handshake_failed(self.used);
        core.finish(now, End::lost(cause), Socket::Gone)
    }

    pub(super) fn timeout(self: Box<Self>, core: &mut Core, now: Now) -> Phase {
        if now.instant < self.deadline {
            return Phase::Greeting(self);
        }
        core.handshake_failed(self.used);
        let end = End::lost(DisconnectReason::TimedOut(Awaited::ServerHello));
        core.finish(now, end, Socket::Open)
    }
}

impl Core {
    /// The handshake of the next connection, and the routing info to send in front of it.
    fn handshake(&self, now: Now) -> Option<(ClientHandshake, Option<Vec<u8>>)> {
        let handshake = |secret: &NoiseStaticSecret, cached, payload: Vec<u8>| ClientHandshake {
            provider: self.config.provider,
            root: self.config.root,
            static_secret: secret.clone(),
            cached,
            payload: payload.into(),
        };
        if self.settling.is_some() {
            let stone = self.tombstone.as_ref()?;
            let payload = unlink_payload(&self.config, self.version, &stone.jid);
            return Some((handshake(&stone.noise, None, payload), None));
        }
        let device = self.device.as_ref()?;
        let usable = |server: &&wa_noise::ServerStatic| {
            self.resume == Resume::Offered
                && device.is_registered()
                && server.usable_at(now.unix_secs())
        };
        let cached = device.server().filter(usable).copied();
        let payload = client_payload(&self.config, self.version, device, self.connects);
        let routing = device.routing().map(<[u8]>::to_vec);
        Some((handshake(device.noise(), cached, payload), routing))
    }

    /// Routing info that led nowhere is not tried again (transport chapter, section 9), and the cached server
    /// key not until a handshake has succeeded without it (section 5). The key itself is kept: a close or a
    /// silence says nothing about it.
    fn handshake_failed(&mut self, used: Shortcuts) {
        if used.pattern == Pattern::Ik {
            self.resume = Resume::Failed;
        }
        if used.routing == Routing::Sent
            && let Some(device) = &mut self.device
        {
            let changes = device.set_routing(None);
            self.persist(changes);
        }
    }

    /// The first frame after the handshake does not open: the two sides hold different keys, so the handshake
    /// has failed after all (transport chapter, section 9).
    pub(super) fn keys_differ(&mut self, used: Shortcuts) -> End {
        self.handshake_failed(used);
        let reason = DisconnectReason::KeysDiffer;
        if used.pattern == Pattern::Ik {
            self.forget_server(&reason);
            return End::Lost {
                reason,
                pace: Pace::AtOnce,
            };
        }
        End::lost(reason)
    }

    fn forget_server(&mut self, reason: &DisconnectReason) {
        warn!(%reason, "the cached server key did not work; trying without");
        if let Some(device) = &mut self.device {
            let changes = device.set_server(None);
            self.persist(changes);
        }
    }

    fn handshake_end(&mut self, error: HandshakeError) -> End {
        if error.is_ik_specific() {
            let reason = error.into();
            self.forget_server(&reason);
            return End::Lost {
                reason,
                pace: Pace::AtOnce,
            };
        }
        let wrong_server = matches!(error.failure, HandshakeFailure::Certificate(_));
        if wrong_server && !error.is_clock() && self.registered().is_none() {
            // A linked device outlives a bad network; somebody who is linking wants to know.
            return End::Fail(FailReason::Server(error));
        }
        End::lost(error)
    }
}

/// Keys are agreed; what follows depends on whether the device is linked.
fn establish(
    core: &mut Core,
    now: Now,
    epoch: Epoch,
    established: Established,
    frames: FrameDecoder,
    used: Shortcuts,
) -> Phase {
    let Established {
        transport,
        server,
        pattern,
        ..
    } = established;
    debug!(%pattern, "handshake done");
    if pattern == Pattern::XxFallback {
        info!("the server has a new key");
    }
    let stage = match &core.device {
        _ if core.settling.is_some() => Stage::Settling(AwaitSettle::new(core, now)),
        None => return core.finish(now, no_device(), Socket::Open),
        Some(device) if device.is_registered() => {
            core.progress(Step::LoggingIn);
            Stage::LoggingIn(AwaitSuccess::new(core, now, server))
        }
        Some(device) => {
            let mut pairing = Box::new(AwaitPairing::new(
                &core.config,
                device,
                core.awaited_link,
                now,
            ));
            pairing.ask_for_wanted_code(core, now);
            Stage::Pairing(pairing)
        }
    };
    Connected::new(epoch, transport, frames, used, stage).go_on(core, now)
}

const fn no_device() -> End {
    End::Fail(FailReason::Internal("connected without a device"))
}
