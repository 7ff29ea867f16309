//! The way of events from the driver to the application.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wa_core::Event;

/// Events held for an application that does not read: beyond, what later events replace is given up.
pub const DEFAULT_EVENT_CAPACITY: usize = 1024;

/// The receiving end of a client's events.
///
/// At most the capacity is held. When it is reached, the oldest event that says nothing lasting is dropped:
/// progress, trouble, a code that has been replaced. Changes of state, links made and lost, and connections made
/// and lost are never dropped; if the application leaves twice the capacity of those unread, the client stops
/// reading from its server until there is room. Dropping the `Events` discards everything from then on.
#[derive(Debug)]
pub struct Events {
    queue: Arc<Queue>,
}

#[derive(Debug)]
pub(crate) struct EventSender {
    queue: Arc<Queue>,
}

#[derive(Debug)]
struct Queue {
    inner: Mutex<Inner>,
    capacity: usize,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<Event>,
    missed: u64,
    sender_gone: bool,
    receiver_gone: bool,
}

pub(crate) fn channel(capacity: usize) -> (EventSender, Events) {
    let queue = Arc::new(Queue {
        inner: Mutex::default(),
        capacity: capacity.max(1),
        filled: Notify::new(),
        drained: Notify::new(),
    });
    let sender = EventSender {
        queue: Arc::clone(&queue),
    };
    (sender, Events { queue })
}

impl Events {
    /// The next event; `None` once the client has ended and every event was read.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            {
                let mut inner = self.queue.lock();
                if let Some(event) = inner.events.pop_front() {
                    drop(inner);
                    self.queue.drained.notify_one();
                    return Some(event);
                }
                if inner.sender_gone {
                    return None;
                }
            }
            // A permit is stored when nobody waits, so nothing pushed since the look above is missed.
            self.queue.filled.notified().await;
        }
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        let event = self.queue.lock().events.pop_front();
        if event.is_some() {
            self.queue.drained.notify_one();
        }
        event
    }

    /// How many events were dropped because nobody read them in time.
    pub fn missed(&self) -> u64 {
        self.queue.lock().missed
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut inner = self.queue.lock();
        inner.receiver_gone = true;
        inner.events.clear();
        drop(inner);
        self.queue.drained.notify_one();
    }
}

impl EventSender {
    pub(crate) fn push(&self, event: Event) {
        let mut inner = self.queue.lock();
        if inner.receiver_gone {
            return;
        }
        if inner.events.len() >= self.queue.capacity {
            if let Some(oldest) = inner.events.iter().position(is_passing) {
                inner.events.remove(oldest);
                inner.missed += 1;
            } else if is_passing(&event) {
                inner.missed += 1;
                return;
            }
        }
        inner.events.push_back(event);
        drop(inner);
        self.queue.filled.notify_one();
    }

    /// Whether the application keeps up well enough to go on.
    pub(crate) fn has_room(&self) -> bool {
        let inner = self.queue.lock();
        inner.receiver_gone || inner.events.len() < 2 * self.queue.capacity
    }

    /// Waits until something was read, or the receiver is gone.
    pub(crate) async fn read(&self) {
        self.queue.drained.notified().await;
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        self.queue.lock().sender_gone = true;
        self.queue.filled.notify_one();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock can leave the queue half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether later events make this one worthless.
fn is_passing(event: &Event) -> bool {
    matches!(
        event,
        Event::Progress(_) | Event::Trouble(_) | Event::Qr { .. }
    )
}

#[cfg(test)]
mod tests {
    use wa_core::{ConnectionState, Step};

    use super::*;

    const PASSING: Event = Event::Progress(Step::Connecting);
    const LASTING: Event = Event::State(ConnectionState::Online);

    fn rest(events: &mut Events) -> Vec<Event> {
        std::iter::from_fn(|| events.try_next()).collect()
    }

    #[tokio::test]
    async fn events_come_in_order_and_then_end() {
        let (sender, mut events) = channel(8);
        sender.push(PASSING);
        sender.push(LASTING);
        drop(sender);
        assert_eq!(events.next().await, Some(PASSING));
        assert_eq!(events.next().await, Some(LASTING));
        assert_eq!(events.next().await, None);
        assert_eq!(events.next().await, None);
    }

    #[tokio::test]
    async fn passing_events_are_dropped_first_and_counted() {
        let (sender, mut events) = channel(2);
        sender.push(PASSING);
        sender.push(LASTING);
        sender.push(LASTING);
        assert_eq!(events.missed(), 1);
        sender.push(PASSING);
        assert_eq!(events.missed(), 2);
        assert_eq!(rest(&mut events), vec![LASTING, LASTING]);
    }

    #[tokio::test]
    async fn lasting_events_are_never_dropped_but_stop_the_client_at_twice_the_capacity() {
        let (sender, mut events) = channel(2);
        for _ in 0..3 {
            sender.push(LASTING);
        }
        assert!(sender.has_room());
        sender.push(LASTING);
        assert!(!sender.has_room());
        sender.push(LASTING);
        let reader = tokio::spawn(async move {
            let mut count = 0;
            while events.next().await.is_some() {
                count += 1;
            }
            count
        });
        while !sender.has_room() {
            sender.read().await;
        }
        drop(sender);
        assert_eq!(reader.await.unwrap(), 5);
    }

    #[tokio::test]
    async fn a_dropped_receiver_discards_and_makes_room() {
        let (sender, events) = channel(1);
        sender.push(LASTING);
        sender.push(LASTING);
        assert!(!sender.has_room());
        drop(events);
        sender.read().await;
        assert!(sender.has_room());
        sender.push(LASTING);
        assert!(sender.queue.lock().events.is_empty());
    }
}
