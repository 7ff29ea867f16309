//! The arguments of `wa phone`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct PhoneArgs {
    #[command(subcommand)]
    pub(crate) command: PhoneCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PhoneCommand {
    /// Scan a QR code given as text.
    Scan {
        /// The text of the code.
        #[arg(value_name = "QR", allow_hyphen_values = true)]
        qr: String,
        /// Control address printed by `wa sim`.
        #[arg(long, value_name = "URL", env = "WA_SIM_CONTROL")]
        control: String,
        /// Number of the phone that scans; default: the first one.
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// Take also the older form of the code, without the client type.
        #[arg(long)]
        four_fields: bool,
        /// Return at once instead of waiting until the device is linked.
        #[arg(long)]
        no_wait: bool,
    },
    /// Type a pairing code into the phone.
    Code {
        /// The code, like ABCD-1234.
        #[arg(value_name = "CODE")]
        code: String,
        #[command(flatten)]
        on: PhoneOn,
        /// Return at once instead of waiting until the device is linked.
        #[arg(long)]
        no_wait: bool,
    },
    /// Use the owner's passkey, and confirm what the phone shows.
    Passkey {
        #[command(subcommand)]
        command: PasskeyCommand,
    },
}

/// Which phone of which simulator.
#[derive(Debug, Args)]
pub(crate) struct PhoneOn {
    /// Control address printed by `wa sim`.
    #[arg(long, value_name = "URL", env = "WA_SIM_CONTROL")]
    pub(crate) control: String,
    /// Number of the phone; default: the first one.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) number: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PasskeyCommand {
    /// Sign: read the options a device was given, print the assertion. Both are JSON.
    Sign {
        /// File with the options, or `-` for standard input.
        #[arg(value_name = "FILE", default_value = "-")]
        options: PathBuf,
        /// Control address printed by `wa sim`.
        #[arg(long, value_name = "URL", env = "WA_SIM_CONTROL")]
        control: String,
    },
    /// Print the confirmation code the phone shows.
    Code(PhoneOn),
    /// Say on the phone that the device shows the same code.
    Confirm(PhoneOn),
    /// Say on the phone that it does not.
    Refuse(PhoneOn),
}
