use zeroize::Zeroizing;

use crate::error::RandomError;

/// `N` bytes from the operating system.
pub(crate) fn array<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(bytes)
}

/// `N` secret bytes from the operating system.
pub(crate) fn secret<const N: usize>() -> Result<Zeroizing<[u8; N]>, RandomError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| RandomError)?;
    Ok(bytes)
}
