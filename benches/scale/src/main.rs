//! Many linked devices in one process: what a session costs in memory, CPU, tasks and descriptors, and how long all
//! of them take to come online after a restart. See `benches/README.md`.
//!
//! `wa-scale` starts `wa sim` as a process of its own and runs itself twice over: once to link (not measured), then
//! in a fresh process that holds the links. A quarter of the sessions is held first: what the second run needs more
//! is what further sessions cost.

mod arguments;
mod heap;
mod hold;
mod link;
mod process;
mod report;
mod sim;
mod vault;

use arguments::{Arguments, Role};
use std::process::{Command, ExitCode, Stdio};

/// Something went wrong; said in words and given up.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn main() -> ExitCode {
    let done = Arguments::read().and_then(|arguments| match arguments.role {
        Role::Lead => lead(&arguments),
        Role::Link => runtime()?.block_on(link::run(&arguments)),
        Role::Hold => runtime()?.block_on(hold::run(&arguments)),
        Role::Keep => runtime()?.block_on(vault::run(&arguments)),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(why)) => {
            eprintln!("wa-scale: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the simulator and one process after the other, and prints.
fn lead(arguments: &Arguments) -> Result<(), Failure> {
    let environment = process::environment();
    println!("{environment}");
    // A socket and a lock file for each session, and some for everything else.
    let wanted = arguments.sessions as u64 * 2 + 512;
    let allowed = process::allow_descriptors(wanted)?;
    if allowed < wanted {
        return Err(Failure(format!(
            "{} sessions need {wanted} descriptors and the system allows {allowed}",
            arguments.sessions
        )));
    }
    let sim = sim::Sim::start(&arguments.wa)?;
    let child = |role: Role, sessions: usize, window: u64| -> Result<String, Failure> {
        let output = Command::new(std::env::current_exe()?)
            .args(arguments.for_child(role, sessions, window, &sim))
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(Failure(format!("{role:?} ended with {}", output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    child(Role::Link, arguments.sessions, 0)?;
    let few = (arguments.sessions / 4).max(1);
    // Long enough for every session's first ping to be answered.
    let small: hold::Held = serde_json::from_str(&child(Role::Hold, few, 35)?)?;
    let large: hold::Held =
        serde_json::from_str(&child(Role::Hold, arguments.sessions, arguments.window)?)?;
    let kept: vault::Kept = serde_json::from_str(&child(Role::Keep, few.min(50), 0)?)?;
    report::print(arguments, &small, &large, &kept);
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}
