//! Events as lines.

use wa_client::{CodeEnd, ConnectionState, Event, LinkedDevice, PairingCode, PasskeyEnd};

use super::{Device, Message};

/// The line for an event; `None` for one this schema does not know.
pub(crate) fn line(event: &Event) -> Option<String> {
    let message = match event {
        Event::State(state) => state_line(state),
        Event::Progress(step) => Message::Progress { step: step.name() },
        Event::Qr {
            text,
            seq,
            ttl,
            expires_at_unix_ms,
        } => Message::Qr {
            code: text.expose(),
            seq: *seq,
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            expires_at: *expires_at_unix_ms,
        },
        Event::QrBlanked => Message::QrBlanked,
        Event::ApprovalNeeded(candidate) => Message::ApprovalNeeded {
            jid: candidate.jid.to_string(),
            lid: candidate.lid.as_ref().map(ToString::to_string),
            platform: candidate.platform.clone(),
        },
        Event::Paired {
            jid,
            lid,
            platform,
            business_name,
            key_index,
        } => Message::Paired {
            jid: jid.to_string(),
            lid: lid.as_ref().map(ToString::to_string),
            platform: platform.as_deref(),
            business_name: business_name.as_deref(),
            key_index: *key_index,
        },
        Event::Online {
            jid,
            lid,
            push_name,
        } => Message::Online {
            jid: jid.to_string(),
            lid: lid.as_ref().map(ToString::to_string),
            push_name: push_name.as_deref(),
        },
        Event::Disconnected {
            reason,
            code,
            retry_at_unix_ms,
        } => Message::Disconnected {
            reason: reason.name(),
            message: reason.to_string(),
            code: *code,
            retry_at: *retry_at_unix_ms,
        },
        Event::LoggedOut {
            reason,
            server_unlinked,
        } => Message::LoggedOut {
            reason: reason.name(),
            message: reason.to_string(),
            server_unlinked: *server_unlinked,
        },
        Event::PairingFailed(failure) => Message::PairingFailed {
            message: failure.to_string(),
        },
        Event::PairingCode {
            code,
            ttl,
            expires_at_unix_ms,
        } => {
            let message = Message::PairingCode {
                code: code.expose(),
                code_formatted: &code.display(),
                ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
                expires_at: *expires_at_unix_ms,
            };
            return Some(message.into_line());
        }
        Event::PairingCodeEnded(end) => Message::PairingCodeEnded {
            reason: code_end(end),
            message: end.to_string(),
        },
        Event::PairingCodeRefresh { force_manual } => Message::PairingCodeRefresh {
            force_manual: *force_manual,
        },
        Event::PasskeyRequested {
            options,
            expires_at_unix_ms,
        } => Message::PasskeyRequested {
            // Checked to be an object before it was told.
            options: serde_json::from_str(options.expose()).unwrap_or_default(),
            options_json: options.expose(),
            expires_at: *expires_at_unix_ms,
        },
        Event::PasskeyConfirmation {
            code,
            expires_at_unix_ms,
        } => {
            let formatted = code.as_ref().map(PairingCode::display);
            let message = Message::PasskeyConfirmation {
                code: code.as_ref().map(PairingCode::expose),
                code_formatted: formatted.as_ref().map(|code| code.as_str()),
                expires_at: *expires_at_unix_ms,
            };
            return Some(message.into_line());
        }
        Event::PasskeyEnded(end) => Message::PasskeyEnded {
            reason: passkey_end(end),
            message: end.to_string(),
        },
        Event::Devices { devices, signed } => Message::Devices {
            devices: devices.iter().map(device).collect(),
            signed: *signed,
        },
        Event::CaughtUp { stanzas, complete } => Message::CaughtUp {
            stanzas: *stanzas,
            complete: *complete,
        },
        Event::UnlinkFinished { server_unlinked } => Message::UnlinkFinished {
            server_unlinked: *server_unlinked,
        },
        Event::Trouble(trouble) => Message::error(trouble.name(), trouble),
        _ => return None,
    };
    Some(message.into_line())
}

fn device(device: &LinkedDevice) -> Device {
    Device {
        jid: device.jid.to_string(),
        key_index: device.key_index,
        is_self: device.is_self,
        is_primary: device.is_primary,
    }
}

/// Why a pairing code has ended; documented names.
fn code_end(end: &CodeEnd) -> &'static str {
    match end {
        CodeEnd::Expired => "expired",
        CodeEnd::Cancelled => "cancelled",
        CodeEnd::NoPairSuccess => "not_finished",
        CodeEnd::FinishRefused { .. } => "refused",
        CodeEnd::TooManyAttempts => "too_many_attempts",
        CodeEnd::ReplacedByServer => "withdrawn",
        CodeEnd::PasskeyBegan => "passkey_began",
        CodeEnd::ConnectionEnded => "connection_ended",
        _ => "other",
    }
}

/// Why linking by passkey has ended; documented names.
fn passkey_end(end: &PasskeyEnd) -> &'static str {
    match end {
        PasskeyEnd::TimedOut { .. } => "timed_out",
        PasskeyEnd::Refused => "refused",
        PasskeyEnd::RequestRefused { .. } => "request_refused",
        PasskeyEnd::BadOptions(_) => "bad_options",
        PasskeyEnd::BadRef => "bad_ref",
        PasskeyEnd::BadPrimaryIdentity => "bad_primary_identity",
        PasskeyEnd::ConnectionEnded => "connection_ended",
        _ => "other",
    }
}

fn state_line(state: &ConnectionState) -> Message<'_> {
    let (mut step, mut reason, mut message) = (None, None, None);
    let (mut code, mut attempt, mut retry_at) = (None, None, None);
    match state {
        ConnectionState::Linking { step: at } | ConnectionState::Connecting { step: at } => {
            step = Some(at.name())
        }
        ConnectionState::Reconnecting {
            retry_at_unix_ms,
            attempt: number,
        } => {
            retry_at = Some(*retry_at_unix_ms);
            attempt = Some(*number);
        }
        ConnectionState::Conflict { retry_at_unix_ms } => retry_at = *retry_at_unix_ms,
        ConnectionState::Restricted {
            code: kind,
            expires_at_unix_ms,
        } => {
            code = *kind;
            retry_at = *expires_at_unix_ms;
        }
        ConnectionState::LoggedOut { reason: why } => {
            reason = Some(why.name().to_owned());
            message = Some(why.to_string());
        }
        ConnectionState::Failed { error } => {
            reason = Some(error.name().to_owned());
            message = Some(error.to_string());
        }
        _ => {}
    }
    Message::State {
        state: state.name(),
        step,
        reason,
        message,
        code,
        attempt,
        retry_at,
    }
}
