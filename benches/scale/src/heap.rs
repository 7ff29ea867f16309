//! Counts what the process has allocated and not freed. Memory of C libraries (SQLite, AWS-LC) is not in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static BLOCKS: AtomicUsize = AtomicUsize::new(0);

/// Bytes asked for and not given back.
pub(crate) fn live() -> usize {
    LIVE.load(Relaxed)
}

/// In how many pieces.
pub(crate) fn blocks() -> usize {
    BLOCKS.load(Relaxed)
}

/// Blocks alive of each size; those that are longer count as the longest.
static SIZES: [AtomicI32; MAX_SIZE + 1] = [const { AtomicI32::new(0) }; MAX_SIZE + 1];
const MAX_SIZE: usize = 1 << 17;

/// How many blocks of each size are alive, sizes of none left out.
pub(crate) fn sizes() -> Vec<(usize, i32)> {
    let counts = SIZES.iter().map(|count| count.load(Relaxed)).enumerate();
    counts.filter(|(_, count)| *count != 0).collect()
}

fn came(size: usize) {
    LIVE.fetch_add(size, Relaxed);
    BLOCKS.fetch_add(1, Relaxed);
    SIZES[size.min(MAX_SIZE)].fetch_add(1, Relaxed);
}

fn went(size: usize) {
    LIVE.fetch_sub(size, Relaxed);
    BLOCKS.fetch_sub(1, Relaxed);
    SIZES[size.min(MAX_SIZE)].fetch_sub(1, Relaxed);
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator as it came; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        let at = unsafe { System.alloc(layout) };
        if !at.is_null() {
            came(layout.size());
        }
        at
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        let at = unsafe { System.alloc_zeroed(layout) };
        if !at.is_null() {
            came(layout.size());
        }
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        went(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        let moved = unsafe { System.realloc(at, layout, size) };
        if !moved.is_null() {
            came(size);
            went(layout.size());
        }
        moved
    }
}
