use std::time::Duration;

/// Longest wait between two upload attempts (signal chapter, section 3: 610 s).
pub const MAX_UPLOAD_BACKOFF: Duration = Duration::from_secs(610);

/// Wait after the `failures`-th failed upload in a row, counted from 1: 1, 2, 3, 5, 8 … 610 s.
/// 0 failures wait not at all.
pub fn upload_backoff(failures: u32) -> Duration {
    let limit = MAX_UPLOAD_BACKOFF.as_secs();
    let Some(steps) = failures.checked_sub(1) else {
        return Duration::ZERO;
    };
    let (mut previous, mut seconds) = (1_u64, 1_u64);
    for _ in 0..steps {
        (previous, seconds) = (seconds, (previous + seconds).min(limit));
        if seconds == limit {
            break;
        }
    }
    Duration::from_secs(seconds)
}
