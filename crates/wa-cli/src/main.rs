//! The `wa` command: links this machine to a WhatsApp account as a companion device, keeps it connected, shows and
//! ends the link, and runs the simulated server and phone everything is tried against.
//!
//! Unofficial; use only accounts you own.

mod args;
mod commands;
mod config;
mod exit;
mod input;
mod machine;
mod output;
mod paths;
mod private_file;
mod qr;
mod report;
mod screen;
mod session;
mod signals;
mod store;

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command};
use crate::exit::Failure;

/// Filter for the log, as `tracing` reads it; replaces `-v`.
const LOG_VARIABLE: &str = "WA_LOG";

fn main() -> ExitCode {
    let cli = Cli::from_surroundings();
    log_to_stderr(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return report(&Failure::Other(format!(
                "the program cannot start: {error}"
            )));
        }
    };
    let json = cli.command.wants_json();
    let result = runtime.block_on(run(cli.command));
    if let (true, Err(failure)) = (json, &result) {
        // Best effort: whoever reads may be gone, and that may be the very failure.
        let _ = machine::write(&machine::Message::error(failure.name(), failure).into_line());
    }
    // Nothing of ours is left running; a read from standard input that never ends must not hold us up.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    command.check()?;
    match command {
        Command::Pair(args) => commands::pair::run(args).await,
        Command::Run(args) => commands::run::run(args).await,
        Command::Status(args) => commands::status::run(args).await,
        Command::Logout(args) => commands::logout::run(args).await,
        Command::Export(args) => commands::transfer::export(args).await,
        Command::Import(args) => commands::transfer::import(args).await,
        Command::Sim(args) => commands::sim::run(args).await,
        Command::Phone(args) => commands::phone::run(args).await,
    }
}

fn report(failure: &Failure) -> ExitCode {
    eprintln!("wa: {failure}");
    failure.exit_code()
}

fn log_to_stderr(verbose: u8) {
    let default = match verbose {
        0 => "error",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
