//! How to link.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::unshown::Unshown;

/// How to link otherwise than by QR code.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WayArgs {
    /// Link by a code typed on the phone with this number, like "+1 555 123 4567", instead of a scan.
    #[arg(long = "code", value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) number: Option<String>,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    /// Show the QR code, too.
    #[arg(long, requires = "number")]
    pub(crate) qr: bool,
    /// Be ready for an account that asks for its passkey: print what to sign, take the signature, compare codes.
    #[arg(long)]
    pub(crate) passkey: bool,
    #[command(flatten)]
    pub(crate) answer: PasskeyArgs,
}

/// What a pairing code is to be like.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CodeArgs {
    /// Use this code instead of a random one: eight of the digits 1 to 9 and the letters but I, O and U.
    #[arg(long, value_name = "CODE")]
    pub(crate) custom_code: Option<Unshown>,
    /// Do not have the phone notify its owner.
    #[arg(long)]
    pub(crate) no_push: bool,
}

/// How to answer for a passkey.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PasskeyArgs {
    /// File the signature (assertion JSON) will be put into, or `-` for standard input, which is the default.
    #[arg(long, value_name = "FILE")]
    pub(crate) passkey_response: Option<PathBuf>,
    /// Compare codes with the phone even where a proof would spare it.
    #[arg(long)]
    pub(crate) compare: bool,
    /// Take the code on the phone for the same one without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Ways to link from `wa run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PairWay {
    /// By QR code.
    Qr,
    /// By a code typed on the phone with the number of --phone; the QR code is on offer, too, with --json.
    Code,
    /// By QR code, or with --phone by code, and then by the passkey of the account.
    Passkey,
}
