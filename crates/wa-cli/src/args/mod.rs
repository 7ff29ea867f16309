//! The command line.

mod phone;
mod unshown;
mod way;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{
    ArgAction, ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    ValueEnum,
};
use wa_client::{ClientVersion, NoiseRoot, Proxy, ProxyUrlError};

pub(crate) use self::phone::{PasskeyCommand, PhoneArgs, PhoneCommand, PhoneOn};
use self::unshown::Unshown;
pub(crate) use self::way::{CodeArgs, PairWay, PasskeyArgs, WayArgs};
use crate::exit::{EXIT_CODES_HELP, Failure};

/// Link this machine to a WhatsApp account as a companion device. Unofficial; use only accounts you own.
#[derive(Debug, Parser)]
#[command(name = "wa", version, after_help = EXIT_CODES_HELP)]
pub(crate) struct Cli {
    /// Log more to standard error: once for info, twice for debug, three times for trace.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line and the variables that stand in for its options; ends the process if they make no sense.
    pub(crate) fn from_surroundings() -> Self {
        let matches = Self::command().get_matches();
        Self::of(&matches).unwrap_or_else(|error| error.exit())
    }

    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        if let (Command::Pair(args), Some((_, matches))) = (&mut cli.command, matches.subcommand())
            && args.sim
        {
            args.keep_from_surroundings(matches)?;
        }
        Ok(cli)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Link by QR code, by a code typed on the phone, or by passkey, and end once the device has logged in.
    #[command(after_help = EXIT_CODES_HELP)]
    Pair(PairArgs),
    /// Stay connected and print events until interrupted.
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Show the accounts of the store, their state and since when.
    #[command(after_help = EXIT_CODES_HELP)]
    Status(StatusArgs),
    /// Unlink the device at the server and wipe its keys.
    #[command(after_help = EXIT_CODES_HELP)]
    Logout(LogoutArgs),
    /// Write an account to a file sealed with a passphrase.
    #[command(after_help = EXIT_CODES_HELP)]
    Export(TransferArgs),
    /// Read an account from a file written by `export`, or take over the link of another library.
    #[command(after_help = EXIT_CODES_HELP)]
    Import(ImportArgs),
    /// Run a simulated server and phone until interrupted.
    Sim(SimArgs),
    /// Do something with the simulated phone of a running `wa sim`.
    Phone(PhoneArgs),
}

impl Command {
    /// Refuses what the parser could not judge.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let server = match self {
            Self::Pair(args) => &args.server,
            Self::Run(args) => &args.server,
            Self::Logout(args) => &args.server,
            _ => return Ok(()),
        };
        match server.proxy() {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Usage(format!("--proxy: {error}"))),
        }
    }

    /// Whether standard output carries JSON lines.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Pair(args) => args.json,
            Self::Run(args) => args.json,
            Self::Status(args) => args.json,
            Self::Logout(args) => args.json,
            Self::Sim(args) => args.json,
            Self::Export(_) | Self::Import(_) | Self::Phone(_) => false,
        }
    }
}

const RUN_HELP: &str = "\
With --json: one JSON object per line on standard output, one JSON command per line on standard input
(docs/manual/09-machine-mode.md). The process then ends on {\"cmd\":\"quit\"}, on an interrupt, when nobody
reads its output any more, or, once standard input is closed, when it has nothing left to do.

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 pairing expired, 4 logged out or not linked, 5 store locked,
sealed with another key or unusable, 6 client version outdated, 7 another connection took over or the server
restricts the account.";

/// Where accounts are kept.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// Store to use instead of the per-user one.
    #[arg(long, value_name = "PATH", env = "WA_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// Key file the store is sealed with, made on first use. Default: beside --store, or in the configuration
    /// folder for the per-user store. The variables WA_STORE_KEY (key) and WA_STORE_PASSPHRASE replace the file.
    #[arg(long, value_name = "FILE", env = "WA_KEY_FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Account by label or id; not needed while the store has just one.
    #[arg(long, value_name = "LABEL")]
    pub(crate) account: Option<String>,
}

/// Which server to talk to, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArgs {
    /// WebSocket URL of the server instead of the production one.
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Root key of the server's certificate chain, 64 hexadecimal digits, instead of the production one.
    #[arg(long, value_name = "HEX", value_parser = noise_root)]
    pub(crate) noise_root: Option<NoiseRoot>,
    /// PEM file with certificate authorities to accept besides the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Go out through this proxy only: `http://[user:password@]host:port` or `socks5://…`
    #[arg(long, value_name = "URL", env = "WA_PROXY", hide_env_values = true)]
    proxy: Option<Unshown>,
    /// Client version to claim, like 2.3000.1045649367 [config file: "client_version"].
    #[arg(long, value_name = "V", env = "WA_CLIENT_VERSION")]
    pub(crate) client_version: Option<ClientVersion>,
    /// Configuration file instead of the per-user one.
    #[arg(long, value_name = "FILE", env = "WA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Name to show in the phone's list of linked devices; fixed once linked.
    #[arg(long, value_name = "NAME")]
    pub(crate) device_name: Option<String>,
}

impl ServerArgs {
    /// The proxy, if one is given.
    pub(crate) fn proxy(&self) -> Result<Option<Proxy>, ProxyUrlError> {
        self.proxy
            .as_ref()
            .map(|text| text.expose().parse())
            .transpose()
    }
}

/// How to show a QR code.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct QrArgs {
    /// Keep the current QR code in this PNG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) qr_png: Option<PathBuf>,
    /// Keep the current QR code in this SVG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) qr_svg: Option<PathBuf>,
    /// Exchange dark and light, for scanners that want it.
    #[arg(long)]
    pub(crate) invert: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PairArgs {
    /// Start a simulated server and phone in this process and link against them. Uses a temporary store
    /// unless --store is given. Variables like WA_STORE and WA_PROXY and the user's configuration file do not count.
    #[arg(long, conflicts_with_all = ["server", "noise_root", "ca"])]
    pub(crate) sim: bool,
    /// Print events as JSON lines instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) way: WayArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) qr: QrArgs,
}

impl PairArgs {
    /// A trial run is the same everywhere: only the command line counts, no variable and no configuration file.
    fn keep_from_surroundings(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let is_typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if is_typed("proxy") {
            return Err(Cli::command().error(
                ErrorKind::ArgumentConflict,
                "the argument '--sim' cannot be used with '--proxy <URL>': the simulator is in this process",
            ));
        }
        self.server.proxy = None;
        if !is_typed("store") {
            self.store.store = None;
        }
        if !is_typed("key_file") {
            self.store.key_file = None;
        }
        if !is_typed("config") {
            self.server.config = None;
        }
        if !is_typed("client_version") {
            self.server.client_version = None;
        }
        if self.server.config.is_none() {
            // Settled here, so that the configuration file of the user is not looked for.
            let version = &mut self.server.client_version;
            version.get_or_insert(ClientVersion::COMPILED_IN);
        }
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Machine mode: JSON lines out, JSON commands in.
    #[arg(long)]
    pub(crate) json: bool,
    /// Link first if the account is not linked.
    #[arg(long, value_name = "WAY")]
    pub(crate) pair: Option<PairWay>,
    /// Number of the phone to type the code on, for --pair code.
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "pair",
        required_if_eq("pair", "code"),
        allow_hyphen_values = true
    )]
    pub(crate) phone: Option<String>,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    #[command(flatten)]
    pub(crate) answer: PasskeyArgs,
    /// Ask before accepting a phone (machine mode: the `approve` command).
    #[arg(long, requires = "json")]
    pub(crate) require_approval: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) qr: QrArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Print one JSON object per account and line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// What may stay in the store after a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keep {
    /// Identity keys of the people written with.
    PeerIdentities,
    /// The client version fetched last.
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// What to leave in the store; everything else of the link goes.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) keep: Vec<Keep>,
    /// Print the result as a JSON line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// The sealed file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// File whose first line is the passphrase; otherwise WA_EXPORT_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Libraries whose links can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Library {
    /// The folder of a multi-file auth state, or the single file of older versions.
    Baileys,
    /// The SQLite database.
    Whatsmeow,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// File written by `export`; with --from, what the library keeps its link in.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Take over the link that another library holds.
    #[arg(long, value_name = "LIBRARY", conflicts_with = "passphrase_file")]
    pub(crate) from: Option<Library>,
    /// Device to take over if the database holds several, by JID or phone number.
    #[arg(long, value_name = "JID", requires = "from")]
    pub(crate) jid: Option<String>,
    /// Whatever held the link before is stopped and will never run again.
    #[arg(long, requires = "from")]
    pub(crate) old_holder_stopped: bool,
    /// Root key of the server it is linked at, if that is not the production one.
    #[arg(long, value_name = "HEX", value_parser = noise_root, requires = "from")]
    pub(crate) noise_root: Option<NoiseRoot>,
    /// Put it in the place of an account of the store. No other link is ever replaced.
    #[arg(long)]
    pub(crate) replace: bool,
    /// File whose first line is the passphrase of an export; otherwise WA_EXPORT_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// Print JSON lines instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    /// Listen with TLS as well, under a certificate made for the occasion.
    #[arg(long)]
    pub(crate) tls: bool,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Address of the control port, loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) control: SocketAddr,
    /// Phones to start with.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub(crate) phones: usize,
    /// Make go wrong what this fault script says (manual, chapter 10).
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Keep the simulated world in this file over restarts. It holds private keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

fn noise_root(text: &str) -> Result<NoiseRoot, String> {
    NoiseRoot::from_hex(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_trial_run_has_no_proxy() {
        let parsed = |more: &[&str]| {
            let line = ["wa", "pair", "--sim"].iter().chain(more);
            Cli::of(&Cli::command().try_get_matches_from(line)?)
        };
        assert!(parsed(&[]).is_ok());
        let error = parsed(&["--proxy", "socks5://ann:hunter2@h:1"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn a_proxy_password_is_never_shown() {
        let parsed = |url| Cli::try_parse_from(["wa", "run", "--proxy", url]).unwrap();
        let good = parsed("socks5://ann:hunter2@h:1");
        assert!(good.command.check().is_ok());
        let bad = parsed("ftp://ann:hunter2@h:1");
        let error = bad.command.check().unwrap_err();
        assert!(!format!("{good:?} {bad:?} {error} {error:?}").contains("hunter2"));
    }
}
