//! Events as lines a person reads.

use std::time::{SystemTime, UNIX_EPOCH};

use wa_client::{CodeEnd, ConnectionState, Event, LinkedDevice, Step};

/// The line for an event, if a person should see one.
pub(crate) fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::Progress(step) => progress(*step)?.to_owned(),
        Event::ApprovalNeeded(candidate) => format!("A phone wants to link: {}.", candidate.jid),
        Event::Paired { platform, .. } => match platform {
            Some(platform) => format!("The phone ({platform}) has accepted this device."),
            None => "The phone has accepted this device.".to_owned(),
        },
        Event::Disconnected {
            reason,
            retry_at_unix_ms,
            ..
        } => match retry_at_unix_ms {
            Some(at) => format!("Disconnected: {reason}. Trying again in {}.", until(*at)),
            None => format!("Disconnected: {reason}."),
        },
        Event::LoggedOut { reason, .. } => format!("Logged out: {reason}."),
        Event::Devices { devices, .. } => linked_devices(devices),
        Event::PairingCodeEnded(CodeEnd::PasskeyBegan) => return None,
        Event::PairingCodeEnded(end) => format!("The pairing code is over: {end}."),
        Event::PairingCodeRefresh { .. } => "The server wants another pairing code.".to_owned(),
        Event::PasskeyConfirmation { code: None, .. } => {
            "The phone has confirmed by itself: no codes to compare.".to_owned()
        }
        Event::PasskeyEnded(end) => format!("Linking by passkey failed: {end}."),
        Event::UnlinkFinished {
            server_unlinked: true,
        } => "An earlier logout is finished: the server has unlinked that device.".to_owned(),
        Event::UnlinkFinished {
            server_unlinked: false,
        } => "An earlier logout was not confirmed: remove that device on the phone under Linked devices if it is \
              still listed."
            .to_owned(),
        Event::PairingFailed(failure) => format!("Linking failed: {failure}."),
        Event::Trouble(trouble) => format!("Trouble: {trouble}."),
        Event::State(ConnectionState::Restricted {
            expires_at_unix_ms: Some(at),
            ..
        }) => format!(
            "The server restricts this account. Trying again in {}.",
            until(*at)
        ),
        Event::State(ConnectionState::Conflict {
            retry_at_unix_ms: Some(at),
        }) => format!(
            "Another connection uses these credentials. Trying once more in {}.",
            until(*at)
        ),
        _ => return None,
    })
}

/// A foreign device has to be visible.
fn linked_devices(devices: &[LinkedDevice]) -> String {
    let name = |device: &LinkedDevice| {
        let number = device.jid.device();
        if device.is_self {
            format!("{number} (this one)")
        } else {
            number.to_string()
        }
    };
    let linked = devices.iter().filter(|device| !device.is_primary);
    let names: Vec<String> = linked.map(name).collect();
    format!("Linked devices of this account: {}.", names.join(", "))
}

fn progress(step: Step) -> Option<&'static str> {
    Some(match step {
        Step::Connecting => "Connecting …",
        Step::WaitingForScan => {
            "Waiting for the scan: on the phone open WhatsApp, Settings, Linked devices, Link a device."
        }
        Step::Verifying => "Verifying the phone's answer …",
        Step::Restarting => "Restarting the connection …",
        Step::LoggingIn => "Logging in …",
        Step::UploadingKeys => "Uploading keys …",
        _ => return None,
    })
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn until(at_unix_ms: u64) -> String {
    duration(at_unix_ms.saturating_sub(unix_ms()).div_ceil(1000))
}

/// Seconds in the largest two units that say something.
pub(crate) fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A moment as date and time in UTC.
pub(crate) fn utc(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000;
    let (year, month, day) = date(seconds / 86400);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: years are counted from March,
/// so that the leap day comes last and months have a fixed start within them.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_PER_ERA: u64 = 146_097;
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use wa_client::DisconnectReason;

    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_399_999), "2000-02-28 23:59 UTC");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_795_218_000_000), "2026-11-20 23:40 UTC");
        assert_eq!(utc(4_107_542_400_000), "2100-03-01 00:00 UTC");
    }

    #[test]
    fn durations_are_short() {
        let texts = [0, 59, 61, 3600, 90_000].map(duration);
        assert_eq!(texts, ["0 s", "59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]);
    }

    #[test]
    fn a_disconnect_says_why_and_when_it_goes_on() {
        let event = Event::Disconnected {
            reason: DisconnectReason::KeepAlive,
            code: None,
            retry_at_unix_ms: Some(unix_ms() + 4_500),
        };
        let text = line(&event).unwrap();
        assert!(text.ends_with("Trying again in 5 s."), "{text}");
        assert!(text.contains("pings stay unanswered"));
    }
}
