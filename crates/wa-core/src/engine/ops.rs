use super::core::Core;
use crate::error::{CommandError, EngineError};
use crate::event::Event;
use crate::io::{Command, OpId, OpOutcome};

/// Most operations under way at a time; our own bound. A stop is accepted beyond it, and so is a logout.
pub const MAX_OPS: usize = 64;

/// Logouts that are accepted beyond [`MAX_OPS`]; our own bound. A stop is answered at once and needs no bound.
const RESERVED_FOR_LOGOUTS: usize = 8;

/// Accepted commands that are not done yet.
#[derive(Debug, Default)]
pub(super) struct Ops {
    open: Vec<(OpId, Waits)>,
}

/// What an operation waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Waits {
    /// Nothing yet: it was just accepted.
    ToBeHandled,
    ForOnline,
    ForUnlink,
    ForPong,
    /// For the server to accept a pairing code. One operation at a time does.
    ForCode,
}

impl Core {
    /// Accepts a command; from here on it gets exactly one answer.
    pub(super) fn accept(&mut self, op: OpId, command: &Command) -> Result<(), EngineError> {
        if self.ops.open.iter().any(|(open, _)| *open == op) {
            return Err(EngineError::OpInUse(op));
        }
        // Whoever wants to end it must not be kept out by those who wait for it to begin.
        let limit = match command {
            Command::Stop => usize::MAX,
            Command::Logout(_) => MAX_OPS + RESERVED_FOR_LOGOUTS,
            _ => MAX_OPS,
        };
        if self.ops.open.len() >= limit {
            return Err(EngineError::TooManyOps { limit });
        }
        self.ops.open.push((op, Waits::ToBeHandled));
        Ok(())
    }

    pub(super) fn park(&mut self, op: OpId, waits: Waits) {
        for open in &mut self.ops.open {
            if open.0 == op {
                open.1 = waits;
            }
        }
    }

    /// Answers one operation, after the state it has led to.
    pub(super) fn done(&mut self, op: OpId, result: Result<OpOutcome, CommandError>) {
        let Some(at) = self.ops.open.iter().position(|(open, _)| *open == op) else {
            return;
        };
        if self.ops.open.remove(at).1 == Waits::ForCode {
            self.wanted_code = None;
            self.asked_code = None;
        }
        self.tell_after(Event::OpDone { op, result });
    }

    /// Answers every operation that waits for this.
    pub(super) fn done_all(&mut self, waits: Waits, result: &Result<OpOutcome, CommandError>) {
        for op in self.waiting(waits) {
            self.done(op, result.clone());
        }
    }

    /// Refuses every operation that waits for this.
    pub(super) fn fail_waiting(&mut self, waits: Waits, error: &CommandError) {
        self.done_all(waits, &Err(error.clone()));
    }

    /// Answers every operation, whatever it waits for.
    pub(super) fn fail_all(&mut self, error: &CommandError) {
        let all: Vec<OpId> = self.ops.open.iter().map(|(op, _)| *op).collect();
        for op in all {
            self.done(op, Err(error.clone()));
        }
    }

    /// Whether an operation waits for this.
    pub(super) fn is_awaited(&self, waits: Waits) -> bool {
        self.ops.open.iter().any(|(_, what)| *what == waits)
    }

    fn waiting(&self, waits: Waits) -> Vec<OpId> {
        let open = self.ops.open.iter();
        open.filter(|(_, what)| *what == waits)
            .map(|(op, _)| *op)
            .collect()
    }
}
