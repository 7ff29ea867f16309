//! The pairing machine: QR linking, signed device identities, and the places of the code and passkey flows.
