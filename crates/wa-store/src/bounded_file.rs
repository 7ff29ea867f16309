use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Room made for a source that does not tell its length.
const FIRST_ROOM: usize = 4096;

/// Reads a whole file that somebody named, of at most `limit` bytes.
///
/// The limit holds for what is read, not for what the file system says: a pipe has no length, a device none that is
/// true, and a file can grow meanwhile. What was read is wiped on drop, as are the buffers it outgrew, since some of
/// these files hold secrets. A pipe is waited for until somebody writes to it.
///
/// # Errors
///
/// [`io::ErrorKind::FileTooLarge`] when there is more, and whatever opening and reading come to.
pub fn read_bounded(path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let told = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    read_all(file, told.max(FIRST_ROOM), limit)
}

/// Reads to the end, at most `limit` bytes; `room` is how many are expected.
pub(crate) fn read_all(
    mut from: impl Read,
    room: usize,
    limit: usize,
) -> io::Result<Zeroizing<Vec<u8>>> {
    // One byte beyond the limit tells a file of that length from a longer one.
    let most = limit.saturating_add(1);
    let mut buffer = Zeroizing::new(vec![0; room.saturating_add(1).min(most)]);
    let mut filled = 0;
    loop {
        if filled > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is longer than {limit} bytes"),
            ));
        }
        if filled == buffer.len() {
            let larger = buffer.len().saturating_mul(2).min(most);
            let mut next = Zeroizing::new(Vec::with_capacity(larger));
            next.extend_from_slice(&buffer);
            next.resize(larger, 0);
            buffer = next;
        }
        match from.read(buffer.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time and does not say how many there are.
    struct Trickle(usize);

    impl Read for Trickle {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = into.len().min(self.0).min(7);
            into[..count].fill(b'x');
            self.0 -= count;
            Ok(count)
        }
    }

    #[test]
    fn the_limit_is_kept_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for limit in [0, 1, 100, FIRST_ROOM, 3 * FIRST_ROOM] {
            std::fs::write(&path, vec![7; limit]).unwrap();
            assert_eq!(*read_bounded(&path, limit).unwrap(), vec![7; limit]);
            std::fs::write(&path, vec![7; limit + 1]).unwrap();
            let error = read_bounded(&path, limit).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
            assert!(error.to_string().contains(&limit.to_string()), "{error}");
        }
    }

    #[test]
    fn what_comes_in_pieces_is_whole_and_bounded() {
        for room in [0, 1, 64, 1000] {
            assert_eq!(
                *read_all(Trickle(1000), room, 1000).unwrap(),
                vec![b'x'; 1000]
            );
            let error = read_all(Trickle(1001), room, 1000).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_end_is_bounded() {
        let error = read_bounded(Path::new("/dev/zero"), 4096).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(
            read_bounded(Path::new("/dev/null"), 4096)
                .unwrap()
                .is_empty()
        );
    }
}
