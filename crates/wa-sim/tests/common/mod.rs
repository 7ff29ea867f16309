//! A scripted companion and a laboratory with a clock we move. Each test file uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod ceremony;
pub mod device;
pub mod lab;
pub mod payload;
pub mod socket;
