//! What is measured: operations in groups, ours beside the peers' and beside the bare primitives.
//!
//! Not published. The peers are dependencies of this crate and of `interop/`, nowhere else.

mod codec;
mod crypto;
mod noise;
mod pairing;
mod report;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use report::{environment, print};

/// One thing done, by one implementation.
pub struct Op {
    /// What is done: the rows of a group are compared with each other.
    pub group: String,
    /// By whom.
    pub row: &'static str,
    /// Doing it once.
    pub run: Box<dyn FnMut()>,
    /// What has to be ready before, if anything.
    pub ready: Option<Ready>,
}

/// Work that is no part of what is measured.
pub struct Ready {
    /// Makes ready for so many runs.
    pub prepare: Box<dyn FnMut(usize)>,
    /// For how many runs at most at a time.
    pub batch: usize,
}

impl Op {
    /// Does it so many times; how long that took.
    pub fn time(&mut self, runs: u64) -> Duration {
        let mut took = Duration::ZERO;
        let mut left = runs as usize;
        while left > 0 {
            let batch = self.prepare(left);
            let began = Instant::now();
            for _ in 0..batch {
                (self.run)();
            }
            took += began.elapsed();
            left -= batch;
        }
        took
    }

    /// Makes ready for up to so many runs; for how many.
    pub fn prepare(&mut self, runs: usize) -> usize {
        match &mut self.ready {
            Some(ready) => {
                let batch = runs.min(ready.batch);
                (ready.prepare)(batch);
                batch
            }
            None => runs,
        }
    }
}

/// How far our best row of a group should be from the best of another row.
pub struct Target {
    /// The group.
    pub group: String,
    /// Ours.
    pub row: &'static str,
    /// Whom it is compared with.
    pub against: &'static [&'static str],
    /// Our time must be at most this many times theirs.
    pub at_most: f64,
}

/// A limit in time, where there is no peer to compare with.
pub struct Limit {
    /// The group.
    pub group: String,
    /// Ours.
    pub row: &'static str,
    /// Milliseconds.
    pub at_most_ms: f64,
}

/// Everything that is measured.
pub fn operations() -> Vec<Op> {
    let mut all = codec::operations();
    all.extend(crypto::operations());
    all.extend(noise::operations());
    all.extend(pairing::operations());
    all
}

/// What we aim at, relative to others.
pub fn targets() -> Vec<Target> {
    let mut all = codec::targets();
    all.extend(crypto::targets());
    all.extend(noise::targets());
    all
}

/// What we aim at, absolutely.
pub fn limits() -> Vec<Limit> {
    vec![
        Limit {
            group: "812 prekeys".into(),
            row: "wa rust",
            at_most_ms: 8.0,
        },
        Limit {
            group: "812 prekeys".into(),
            row: "wa aws-lc",
            at_most_ms: 6.0,
        },
        Limit {
            group: pairing::GROUP.into(),
            row: "wa aws-lc",
            at_most_ms: 60.0,
        },
    ]
}

fn op(group: impl Into<String>, row: &'static str, run: impl FnMut() + 'static) -> Op {
    Op {
        group: group.into(),
        row,
        run: Box::new(run),
        ready: None,
    }
}

/// An operation on something that is used up and made anew, outside of what is measured.
fn op_on<T: 'static>(
    group: impl Into<String>,
    row: &'static str,
    batch: usize,
    state: T,
    mut prepare: impl FnMut(&mut T, usize) + 'static,
    mut run: impl FnMut(&mut T) + 'static,
) -> Op {
    let state = Rc::new(RefCell::new(state));
    let prepared = Rc::clone(&state);
    Op {
        group: group.into(),
        row,
        run: Box::new(move || run(&mut state.borrow_mut())),
        ready: Some(Ready {
            prepare: Box::new(move |runs| prepare(&mut prepared.borrow_mut(), runs)),
            batch,
        }),
    }
}

fn rng() -> rand_chacha::ChaCha20Rng {
    use rand_chacha::rand_core::SeedableRng;
    rand_chacha::ChaCha20Rng::from_seed([0x5A; 32])
}
