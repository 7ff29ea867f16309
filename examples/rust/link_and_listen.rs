//! Link by QR and print events.
fn main() {}
