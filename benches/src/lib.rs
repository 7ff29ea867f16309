//! What is measured: operations in groups, ours beside the peers' and beside the bare primitives.
//!
//! Not published. The peers are dependencies of this crate and of `interop/`, nowhere else.

mod codec;
mod crypto;
mod noise;
mod pairing;
mod report;

pub use report::print;

/// One thing done, by one implementation.
pub struct Op {
    /// What is done: the rows of a group are compared with each other.
    pub group: String,
    /// By whom.
    pub row: &'static str,
    /// Doing it once.
    pub run: Box<dyn FnMut()>,
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
    }
}

fn rng() -> rand_chacha::ChaCha20Rng {
    use rand_chacha::rand_core::SeedableRng;
    rand_chacha::ChaCha20Rng::from_seed([0x5A; 32])
}
