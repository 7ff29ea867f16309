//! Where the faults of a step strike.

use super::World;
use super::conn::{Conn, Delay, Linking, Phase};
use super::timers::Timer;
use crate::fault::{Fault, Place, RemovalNotice, Step, StreamError, pause};
use crate::names::PhoneNumber;

impl World {
    /// Gives the faults of this step their chance. `false` when nothing more is to happen here.
    pub(super) fn at(&mut self, conn: &mut Conn, step: Step) -> bool {
        if !conn.is_live() {
            return false;
        }
        let mut place = Place::default();
        while let Some((next, fault)) =
            self.faults
                .take_after(place, conn.account, |fault| match fault {
                    Fault::CloseAt { step: at }
                    | Fault::SilentAt { step: at }
                    | Fault::DelayAt { step: at, .. }
                    | Fault::BadFrameAt { step: at, .. }
                    | Fault::StreamErrorAt { step: at, .. }
                    | Fault::Push { step: at, .. }
                    | Fault::UsePrekeys { step: at, .. }
                    | Fault::RemoveDevice { step: at, .. }
                        if *at == step =>
                    {
                        Some(fault.clone())
                    }
                    _ => None,
                })
        {
            place = next;
            tracing::debug!(conn = conn.id.number(), ?step, "a fault strikes");
            self.strike(conn, fault);
            if !conn.is_live() {
                return false;
            }
        }
        true
    }

    fn strike(&mut self, conn: &mut Conn, fault: Fault) {
        match fault {
            Fault::CloseAt { .. } => self.close(conn),
            Fault::SilentAt { .. } => conn.silent = true,
            Fault::DelayAt { ms, .. } => self.delay(conn, ms),
            Fault::BadFrameAt { frame, .. } => self.send_bad_frame(conn, frame),
            Fault::StreamErrorAt {
                error, keep_open, ..
            } => {
                if keep_open {
                    self.send_stream_error(conn, &error);
                } else {
                    self.end_stream(conn, &error);
                }
            }
            Fault::Push { stanza, .. } => self.push_extra(conn, &stanza),
            Fault::UsePrekeys { keep, told, .. } => {
                if let Some((number, device)) = self.linked_here(conn) {
                    self.drop_prekeys(conn, number, device, keep, told);
                }
            }
            Fault::RemoveDevice { notice, .. } => {
                if let Some((number, device)) = self.linked_here(conn) {
                    match notice {
                        RemovalNotice::Told => self.end_stream(conn, &StreamError::DeviceRemoved),
                        RemovalNotice::Closed => self.close(conn),
                        RemovalNotice::Untold => {}
                    }
                    self.remove_device(number, device);
                }
            }
            _ => {}
        }
    }

    /// The companion this connection belongs to, once it is linked.
    fn linked_here(&mut self, conn: &mut Conn) -> Option<(PhoneNumber, u16)> {
        match &conn.phase {
            Phase::Online(session) => Some((session.number, session.device)),
            Phase::Registering(registration) if matches!(registration.linking, Linking::Linked) => {
                let account = self.accounts.get(&conn.account?)?;
                let (device, _) = account
                    .devices
                    .iter()
                    .find(|(_, device)| device.noise == registration.noise)?;
                Some((account.number, *device))
            }
            _ => None,
        }
    }

    pub(super) fn take_fault<T>(
        &mut self,
        conn: &Conn,
        wanted: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        self.faults.take(conn.account, wanted)
    }

    pub(super) fn has_fault(&mut self, conn: &Conn, wanted: &Fault) -> bool {
        self.take_fault(conn, |fault| (fault == wanted).then_some(()))
            .is_some()
    }

    /// Holds back what is sent here from now on.
    fn delay(&mut self, conn: &mut Conn, ms: u64) {
        let until = self.now.instant + pause(ms);
        match &mut conn.delay {
            // A second delay can only lengthen the first: what waits keeps its order.
            Some(delay) => delay.until = delay.until.max(until),
            None => {
                conn.delay = Some(Delay {
                    until,
                    backlog: Vec::new(),
                    held_back: 0,
                });
            }
        }
        self.timers.set(until, Timer::Release(conn.id));
    }

    /// A delay may be over.
    pub(super) fn release(&mut self, conn: &mut Conn) {
        if conn
            .delay
            .as_ref()
            .is_none_or(|delay| delay.until > self.now.instant)
        {
            return;
        }
        let backlog = conn.delay.take().map(|delay| delay.backlog);
        for bytes in backlog.unwrap_or_default() {
            self.transmit(conn, bytes);
        }
    }
}
