//! JIDs from text.

use std::str::FromStr;

use super::{DeviceForm, Jid, Place, Server};
use crate::packed::Digits;

/// Why a text is no JID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseJidError {
    /// There is no server, or one without a user that nobody knows.
    #[error("a JID needs a server")]
    NoServer,
    /// More than one `@`.
    #[error("a JID has one @ at most")]
    ManyAts,
    /// What follows the `:` is no number up to 65535.
    #[error("the device of a JID is a number up to 65535")]
    Device,
    /// What precedes the `-` of an interop user is no number up to 65535.
    #[error("the integrator of a JID is a number up to 65535")]
    Integrator,
    /// The old `user_agent` form, with an agent other than 0.
    #[error("JIDs with an agent are not supported")]
    Agent,
    /// A device without a user.
    #[error("a device needs a user")]
    NoUser,
}

impl FromStr for Jid {
    type Err = ParseJidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((user, name)) = text.split_once('@') else {
            return match Server::from_name(text) {
                Server::Other => Err(ParseJidError::NoServer),
                server => Ok(Self::bare(server)),
            };
        };
        if name.contains('@') {
            return Err(ParseJidError::ManyAts);
        }
        if name.is_empty() {
            return Err(ParseJidError::NoServer);
        }
        let server = Server::from_name(name);
        if server.device_form() == DeviceForm::None {
            return Ok(Self::from_parts(user, Place::of(server), name));
        }
        let (user, device) = match user.split_once(':') {
            Some((user, device)) => (user, small(device).ok_or(ParseJidError::Device)?),
            None => (user, 0),
        };
        let (user, integrator) = match user.split_once('-') {
            Some((integrator, user)) if server == Server::Interop => {
                (user, small(integrator).ok_or(ParseJidError::Integrator)?)
            }
            _ => (user, 0),
        };
        if user.is_empty() && (device > 0 || integrator > 0) {
            return Err(ParseJidError::NoUser);
        }
        let user = without_agent(user)?;
        let place = Place {
            server,
            device,
            integrator,
        };
        Ok(Self::from_parts(user, place, name))
    }
}

fn small(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `12025550123_0` is `12025550123`; what other agents meant is history.
fn without_agent(user: &str) -> Result<&str, ParseJidError> {
    match user.rsplit_once('_') {
        Some((digits, agent))
            if Digits::from_text(digits.as_bytes()).is_some()
                && Digits::from_text(agent.as_bytes()).is_some() =>
        {
            if agent == "0" {
                Ok(digits)
            } else {
                Err(ParseJidError::Agent)
            }
        }
        _ => Ok(user),
    }
}
