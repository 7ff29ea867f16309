use std::time::Instant;

use tracing::{debug, info, warn};
use wa_noise::{
    AwaitServerHello, ClientHandshake, Established, FrameDecoder, HandshakeError, HandshakeFailure,
    MAX_HANDSHAKE_FRAME_LEN, Pattern,
};

use super::connected::Connected;
use super::core::Core;
use super::end::{End, Pace, Socket};
use super::login::AwaitSuccess;
use super::pairing::AwaitPairing;
use super::phase::Phase;
use super::stage::Stage;
use crate::device::Device;
use crate::error::{Awaited, DisconnectReason, FailReason};
use crate::io::{CloseCause, Endpoint, Epoch, Output};
use crate::payload::client_payload;
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
    routing: Routing,
}

/// Whether routing info was sent in front of the hello.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Routing {
    Sent,
    None,
}

impl Core {
    /// Starts the next attempt. What a new device needs to survive is persisted before the socket opens.
    pub(super) fn dial(&mut self, now: Now) -> Phase {
        let device = self.device.get_or_insert_with(|| {
            Device::generate(self.config.provider, &mut *self.rng, now.unix_secs())
        });
        if let Some(changes) = device.first_changes() {
            self.persist(changes);
        }
        self.epoch = self.epoch.next();
        debug!(epoch = self.epoch.get(), "dialling");
        self.progress(Step::Connecting);
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
        let Some(device) = &core.device else {
            return core.finish(now, no_device(), Socket::Open);
        };
        let usable = |server: &&wa_noise::ServerStatic| {
            device.is_registered() && server.usable_at(now.unix_secs())
        };
        let handshake = ClientHandshake {
            provider: core.config.provider,
            root: core.config.root.clone(),
            static_secret: device.noise().clone(),
            cached: device.server().filter(usable).copied(),
            payload: client_payload(&core.config, core.version, device, core.connects).into(),
        };
        let mut out = Vec::new();
        let started = handshake.start(&mut *core.rng, device.routing(), &mut out);
        let routing = match device.routing() {
            Some(_) => Routing::Sent,
            None => Routing::None,
        };
        match started {
            Ok(awaiting) => {
                debug!(pattern = %awaiting.offered(), "hello sent");
                core.transmit(out);
                Phase::Greeting(Box::new(AwaitHello {
                    epoch: self.epoch,
                    deadline: now.instant + core.config.timings.handshake,
                    awaiting,
                    frames: FrameDecoder::with_limit(MAX_HANDSHAKE_FRAME_LEN),
                    routing,
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
            routing,
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
                    routing,
                }));
            }
            Err(error) => {
                core.forget_routing(routing);
                return core.finish(now, End::lost(error), Socket::Open);
            }
        };
        match answer {
            Ok(established) => {
                if !out.is_empty() {
                    core.transmit(out);
                }
                establish(core, now, epoch, established, frames)
            }
            Err(error) => {
                core.forget_routing(routing);
                let end = core.handshake_end(error);
                core.finish(now, end, Socket::Open)
            }
        }
    }

    pub(super) fn closed(self, core: &mut Core, now: Now, cause: CloseCause) -> Phase {
        core.forget_routing(self.routing);
        core.finish(now, End::lost(cause), Socket::Gone)
    }

    pub(super) fn timeout(self: Box<Self>, core: &mut Core, now: Now) -> Phase {
        if now.instant < self.deadline {
            return Phase::Greeting(self);
        }
        core.forget_routing(self.routing);
        let end = End::lost(DisconnectReason::TimedOut(Awaited::ServerHello));
        core.finish(now, end, Socket::Open)
    }
}

impl Core {
    /// Routing info that led nowhere is not tried again (transport chapter, section 9).
    fn forget_routing(&mut self, routing: Routing) {
        if routing == Routing::Sent
            && let Some(device) = &mut self.device
        {
            let changes = device.set_routing(None);
            self.persist(changes);
        }
    }

    fn handshake_end(&mut self, error: HandshakeError) -> End {
        if error.is_ik_specific()
            && let Some(device) = &mut self.device
        {
            warn!(%error, "the cached server key did not work; trying without");
            let changes = device.set_server(None);
            self.persist(changes);
            return End::Lost {
                reason: error.into(),
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
        None => return core.finish(now, no_device(), Socket::Open),
        Some(device) if device.is_registered() => {
            core.progress(Step::LoggingIn);
            Stage::LoggingIn(AwaitSuccess::new(core, now, server))
        }
        Some(device) => Stage::Pairing(Box::new(AwaitPairing::new(&core.config, device, now))),
    };
    Connected::new(epoch, transport, frames, stage).go_on(core, now)
}

const fn no_device() -> End {
    End::Fail(FailReason::Internal("connected without a device"))
}
