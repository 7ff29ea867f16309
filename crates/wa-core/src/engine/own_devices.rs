use tracing::{debug, info, warn};
use wa_proto::NodeRef;

use super::connected::Line;
use super::core::Core;
use super::end::End;
use super::stage::Answer;
use crate::device::{OwnDevices, OwnDevicesError, Registered, Succession};
use crate::event::Event;
use crate::iq::Purpose;
use crate::stanza;
use crate::time::Now;

/// Most dirty marks that wait for the device list.
const MAX_WAITING_MARKS: usize = 4;

/// Longest type or time of a dirty mark; real ones have a few letters and digits.
const MAX_MARK_LEN: usize = 64;

/// A dirty mark, as it is cleaned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    pub(super) kind: String,
    pub(super) timestamp: String,
}

/// Keeps the own account's device list (pairing chapter, F.4): one question to the server at a time.
#[derive(Default)]
pub(super) struct DeviceList {
    query: DeviceQuery,
    /// Cleaned once the list is here.
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum DeviceQuery {
    #[default]
    Idle,
    Asked,
    /// Another notice came meanwhile.
    AskedAndAgain,
}

impl Mark {
    pub(super) fn read(dirty: &NodeRef<'_>) -> Option<Self> {
        let text = |name| {
            let text = dirty.attr_text(name)?;
            (text.len() <= MAX_MARK_LEN).then(|| text.into_owned())
        };
        Some(Self {
            kind: text("type")?,
            timestamp: text("timestamp")?,
        })
    }
}

impl DeviceList {
    /// A notification about devices of the own account. Of other accounts nothing is kept.
    pub(super) fn notice(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        notification: &NodeRef<'_>,
    ) -> Result<(), End> {
        let kind = notification.attr_text("type");
        let from = notification.attr_jid("from");
        let Some(own) = core.registered() else {
            return Ok(());
        };
        if !from.is_some_and(|from| own.is_own(&from)) {
            return Ok(());
        }
        match kind.as_deref() {
            Some("account_sync") => {
                let Some(devices) = notification.child("devices") else {
                    return Ok(());
                };
                match OwnDevices::from_notice(&devices, own) {
                    Ok(list) if list.is_signed() => match take_over(core, list) {
                        Succession::OtherEpoch => self.ask(core, line, now),
                        Succession::Next | Succession::Stale => Ok(()),
                    },
                    Ok(_) => self.ask(core, line, now),
                    Err(error) => {
                        forget(core, &error);
                        self.ask(core, line, now)
                    }
                }
            }
            // It names one device; the server is asked for all of them.
            Some("devices") => self.ask(core, line, now),
            _ => Ok(()),
        }
    }

    /// Asks for the list, and cleans the mark when it is here.
    pub(super) fn ask_for(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        mark: Mark,
    ) -> Result<(), End> {
        if self.marks.len() < MAX_WAITING_MARKS && !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
        self.ask(core, line, now)
    }

    /// Asks for the list. What comes while a question is under way leads to one more.
    pub(super) fn ask(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
        if self.query != DeviceQuery::Idle {
            self.query = DeviceQuery::AskedAndAgain;
            return Ok(());
        }
        let Some(user) = core.registered().map(|own| own.jid.to_non_device()) else {
            return Ok(());
        };
        if !line.requests.has_room() {
            return Ok(());
        }
        self.query = DeviceQuery::Asked;
        line.request(core, now, Purpose::Devices, |id| stanza::devices(id, &user))
    }

    pub(super) fn answer(
        &mut self,
        core: &mut Core,
        line: &mut Line,
        now: Now,
        answer: Answer<'_>,
    ) -> Result<(), End> {
        let again = std::mem::take(&mut self.query) == DeviceQuery::AskedAndAgain;
        match answer {
            Answer::Result(iq) => match core.registered().map(|own| read(iq, own)) {
                Some(Ok(list)) => {
                    let believed = take_over(core, list) == Succession::Next;
                    if believed && !again {
                        self.clean(core, line, now)?;
                    }
                }
                Some(Err(error)) => forget(core, &error),
                None => {}
            },
            Answer::Error(code) => debug!(code, "the server does not tell the own devices"),
        }
        if again {
            return self.ask(core, line, now);
        }
        // What could not be fetched stays marked; the server says so again at the next login.
        self.marks.clear();
        Ok(())
    }

    fn clean(&mut self, core: &mut Core, line: &mut Line, now: Now) -> Result<(), End> {
        for mark in std::mem::take(&mut self.marks) {
            clean(core, line, now, &mark)?;
        }
        Ok(())
    }
}

/// Tells the server that what a mark names is not stale any more.
pub(super) fn clean(core: &mut Core, line: &mut Line, now: Now, mark: &Mark) -> Result<(), End> {
    if !line.requests.has_room() {
        return Ok(());
    }
    line.request(core, now, Purpose::Clean, |id| {
        stanza::clean(id, &mark.kind, &mark.timestamp)
    })
}

fn read(iq: &NodeRef<'_>, own: &Registered) -> Result<OwnDevices, OwnDevicesError> {
    let users = iq
        .child("usync")
        .and_then(|usync| usync.child("list"))
        .ok_or(OwnDevicesError::Empty)?;
    for user in users.children().filter(|child| child.tag() == "user") {
        if let Some(jid) = user.attr_jid("jid").filter(|jid| own.is_own(jid))
            && let Some(devices) = user.child("devices")
        {
            return OwnDevices::from_usync(&devices, &jid, own);
        }
    }
    Err(OwnDevicesError::Empty)
}

/// Keeps a list that holds, unless the one that is kept is worth more.
fn take_over(core: &mut Core, list: OwnDevices) -> Succession {
    let Some(own) = core.registered() else {
        return Succession::Stale;
    };
    let known = core.own_devices.as_ref();
    let succession = known.map_or(Succession::Next, |known| list.succeeds(known));
    match succession {
        Succession::Next => {}
        Succession::Stale => {
            debug!(
                signed = list.is_signed(),
                "a device list that is worth less than the kept one"
            );
            return succession;
        }
        Succession::OtherEpoch => {
            warn!("the account's device list is of another epoch");
            core.own_devices = None;
            core.persist(OwnDevices::forgotten());
            return succession;
        }
    }
    let devices = list.linked(own);
    if !devices.iter().any(|device| device.is_self) {
        // The unlink follows by itself (pairing chapter, F.4).
        warn!("the own device is not on the account's list");
    }
    if known.is_some_and(|known| list.adds_nothing_to(known)) {
        return succession;
    }
    let is_news = !known.is_some_and(|known| known.names_the_same(&list));
    core.persist(list.keep());
    let signed = list.is_signed();
    core.own_devices = Some(list);
    if is_news {
        info!(count = devices.len(), signed, "own devices");
        core.tell(Event::Devices { devices, signed });
    }
    succession
}

fn forget(core: &mut Core, error: &OwnDevicesError) {
    warn!(%error, "the account's device list is not believed");
    if core.own_devices.take().is_some() {
        core.persist(OwnDevices::forgotten());
    }
}
