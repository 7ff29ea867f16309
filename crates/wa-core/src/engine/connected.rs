use std::time::{Duration, Instant};

use tracing::{debug, trace, warn};
use wa_noise::{FrameDecoder, MAX_FRAME_LEN, Opener, Sealer, Transport};
use wa_pair::PairRequest;
use wa_proto::{Decoder, Node, NodeRef};

use super::core::Core;
use super::dial::Shortcuts;
use super::end::{End, Socket};
use super::phase::Phase;
use super::stage::Stage;
use super::unlink::cut_short;
use crate::config::Timings;
use crate::error::{Awaited, CommandError, DisconnectReason, Trouble};
use crate::event::Event;
use crate::io::{CloseCause, Epoch};
use crate::iq::{Purpose, Requests};
use crate::state::ConnectionState;
use crate::time::{Now, earlier};

/// An established connection: what comes in, what goes out, and how far the talk has come.
pub(super) struct Connected {
    pub(super) epoch: Epoch,
    used: Shortcuts,
    reader: Reader,
    line: Line,
    stage: Stage,
}

struct Reader {
    frames: FrameDecoder,
    opener: Opener,
    decoder: Decoder,
}

/// The sending side of a connection and the requests on it.
pub(super) struct Line {
    sealer: Sealer,
    pub(super) requests: Requests,
}

impl Connected {
    /// `frames` may hold what came together with the last message of the handshake.
    pub(super) fn new(
        epoch: Epoch,
        transport: Transport,
        mut frames: FrameDecoder,
        used: Shortcuts,
        stage: Stage,
    ) -> Self {
        let (sealer, opener) = transport.split();
        frames.set_limit(MAX_FRAME_LEN);
        Self {
            epoch,
            used,
            reader: Reader {
                frames,
                opener,
                decoder: Decoder::new(),
            },
            line: Line {
                sealer,
                requests: Requests::default(),
            },
            stage,
        }
    }

    pub(super) fn bytes(mut self: Box<Self>, core: &mut Core, now: Now, bytes: &[u8]) -> Phase {
        self.reader.frames.push(bytes);
        self.go_on(core, now)
    }

    /// Handles the frames that are there.
    pub(super) fn go_on(self, core: &mut Core, now: Now) -> Phase {
        let Self {
            epoch,
            used,
            mut reader,
            mut line,
            mut stage,
        } = self;
        let was_online = stage.is_online();
        let mut unlinking = stage.is_unlinking();
        let end = loop {
            let body = match reader.frames.next_frame() {
                Ok(Some(body)) => body,
                Ok(None) => {
                    // The answers to a login are longer than most of what follows.
                    if stage.is_online() && !was_online {
                        reader.rest();
                    }
                    return Phase::Connected(Box::new(Self {
                        epoch,
                        used,
                        reader,
                        line,
                        stage,
                    }));
                }
                Err(error) => break End::lost(error),
            };
            let plaintext = match reader.opener.open_frame(body) {
                Ok(plaintext) => plaintext,
                Err(error) if error.is_key_mismatch() => break core.keys_differ(used),
                Err(error) => break End::lost(error),
            };
            core.health.last_frame_unix_ms = Some(now.unix_ms);
            stage.frame_came();
            let stanza = match reader.decoder.decode(plaintext) {
                Ok(stanza) => stanza,
                Err(error) => {
                    warn!(%error, "dropped a stanza that cannot be read");
                    core.tell(Event::Trouble(Trouble::UnreadableStanza(error)));
                    continue;
                }
            };
            trace_stanza("received", &stanza);
            match stage.stanza(core, &mut line, now, &stanza) {
                Ok(next) => stage = next,
                Err(end) => break end,
            }
            unlinking = stage.is_unlinking();
            let state = stage.state(core);
            core.report(now, state);
        };
        line.abandon(core);
        let end = if unlinking { cut_short(end) } else { end };
        core.finish(now, end, Socket::Open)
    }

    /// Lets the stage take a step that is not caused by a stanza.
    pub(super) fn step(
        mut self: Box<Self>,
        core: &mut Core,
        now: Now,
        step: impl FnOnce(Stage, &mut Core, &mut Line) -> Result<Stage, End>,
    ) -> Phase {
        let unlinking = self.stage.is_unlinking();
        match step(self.stage, core, &mut self.line) {
            Ok(stage) => Phase::Connected(Box::new(Self { stage, ..*self })),
            Err(end) => {
                self.line.abandon(core);
                let end = if unlinking { cut_short(end) } else { end };
                core.finish(now, end, Socket::Open)
            }
        }
    }

    pub(super) fn closed(mut self, core: &mut Core, now: Now, cause: CloseCause) -> Phase {
        self.line.abandon(core);
        let end = self.stage.closed(core, now, cause);
        core.finish(now, end, Socket::Gone)
    }

    pub(super) fn timeout(mut self: Box<Self>, core: &mut Core, now: Now) -> Phase {
        // It comes as often as the pings, which is seldom enough for a busy connection.
        self.reader.rest();
        self.step(core, now, |mut stage, core, line| {
            while let Some(purpose) = line.requests.take_expired(now.instant) {
                stage = stage.unanswered(core, line, now, purpose)?;
            }
            stage.timeout(core, line, now)
        })
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn deadline(&self, timings: &Timings) -> Option<Instant> {
        earlier(self.line.requests.deadline(), self.stage.deadline(timings))
    }

    pub(super) fn state(&self, core: &Core) -> ConnectionState {
        self.stage.state(core)
    }
}

impl Reader {
    /// Gives back what only a stanza under way needs.
    fn rest(&mut self) {
        self.frames.rest();
        self.decoder.rest();
    }
}

impl Line {
    /// Seals and sends one stanza.
    pub(super) fn send(&mut self, core: &mut Core, stanza: &Node) -> Result<(), End> {
        debug!(tag = stanza.tag_str(), "sending");
        let mut frame = Vec::new();
        let sealed = self
            .sealer
            .seal_frame_with(&mut frame, |out| stanza.encode_into(out));
        match sealed {
            Ok(()) => core.transmit(frame),
            Err(wa_noise::SealError::Write(error)) => {
                tracing::error!(%error, tag = stanza.tag_str(), "a stanza of ours cannot be encoded");
            }
            Err(wa_noise::SealError::Transport(error)) => return Err(End::lost(error)),
        }
        Ok(())
    }

    /// Sends a request and waits for its answer.
    pub(super) fn request(
        &mut self,
        core: &mut Core,
        now: Now,
        purpose: Purpose,
        stanza: impl FnOnce(&str) -> Node,
    ) -> Result<(), End> {
        let limit = match purpose {
            Purpose::KeepAlive | Purpose::Ping(_) => core.config.timings.ping_answer,
            _ => core.config.timings.request,
        };
        self.request_within(core, now, purpose, limit, stanza)
    }

    /// Sends a request of the pairing, which knows how long its answer is worth waiting for.
    pub(super) fn pair_request(
        &mut self,
        core: &mut Core,
        now: Now,
        request: PairRequest,
        stanza: Node,
        limit: Duration,
    ) -> Result<(), End> {
        self.request_within(core, now, Purpose::Pair(request), limit, |id| {
            stanza.attr("id", id)
        })
    }

    fn request_within(
        &mut self,
        core: &mut Core,
        now: Now,
        purpose: Purpose,
        limit: Duration,
        stanza: impl FnOnce(&str) -> Node,
    ) -> Result<(), End> {
        let id = core.ids.next();
        let stanza = stanza(&id);
        if self
            .requests
            .expect(id, purpose, now.instant, limit)
            .is_err()
        {
            // A server that leaves this many requests unanswered does not answer any more.
            return Err(End::lost(DisconnectReason::TimedOut(Awaited::Answer)));
        }
        self.send(core, &stanza)
    }

    /// Answers the operations whose requests get no answer any more.
    fn abandon(&mut self, core: &mut Core) {
        for purpose in self.requests.drain() {
            if let Purpose::Ping(op) = purpose {
                core.done(op, Err(CommandError::NotConnected));
            }
        }
    }
}

/// Tag and attribute names only: values and contents can be secrets or personal.
fn trace_stanza(what: &'static str, stanza: &NodeRef<'_>) {
    trace!(
        tag = %stanza.tag(),
        attrs = ?AttrNames(stanza),
        children = stanza.children().count(),
        "{what}"
    );
}

struct AttrNames<'n>(&'n NodeRef<'n>);

impl std::fmt::Debug for AttrNames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.attrs().map(|(name, _)| name.to_cow().into_owned()))
            .finish()
    }
}
