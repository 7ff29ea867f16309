//! The wa command.
fn main() {}
