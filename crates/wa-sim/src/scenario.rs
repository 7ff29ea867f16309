//! What a well-behaved companion comes to under each fault.

use crate::fault::{FaultScript, ScriptError};

/// What the companion is doing while the faults strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Story {
    /// It is linked by QR code and comes online.
    Link,
    /// It shows codes that nobody scans.
    Unscanned,
    /// It was linked before, without any fault, and logs in.
    Login,
}

/// A fault, or a few that belong together, and where a well-behaved companion ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What the companion is doing.
    pub story: Story,
    /// The faults, as a script.
    pub faults: &'static str,
    /// Name of the state it ends in (manual, chapter 9).
    pub ends: &'static str,
    /// What must be told on the way: the reason of a loss, of a logout or of a trouble, and its code.
    pub tells: &'static [&'static str],
}

impl Scenario {
    /// The faults.
    ///
    /// # Errors
    /// Never for [`SCENARIOS`]: a test reads them all.
    pub fn script(&self) -> Result<FaultScript, ScriptError> {
        FaultScript::parse(self.faults)
    }
}

const fn scenario(
    name: &'static str,
    story: Story,
    faults: &'static str,
    ends: &'static str,
    tells: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        story,
        faults,
        ends,
        tells,
    }
}

/// At least one for every fault there is.
pub const SCENARIOS: &[Scenario] = &[
    // Sockets and frames.
    scenario(
        "the server closes in the handshake",
        Story::Link,
        r#"[{"fault":"close_at","step":"server_hello"}]"#,
        "online",
        &["closed"],
    ),
    scenario(
        "the server falls silent after the payload",
        Story::Link,
        r#"[{"fault":"silent_at","step":"client_finish"}]"#,
        "online",
        &["timed_out"],
    ),
    scenario(
        "the server falls silent while online",
        Story::Login,
        r#"[{"fault":"silent_at","step":"online"}]"#,
        "online",
        &["keep_alive"],
    ),
    scenario(
        "answers come late",
        Story::Login,
        r#"[{"fault":"delay_at","step":"count","ms":150}]"#,
        "online",
        &[],
    ),
    scenario(
        "the handshake comes late and is followed by a close",
        Story::Login,
        r#"[{"fault":"delay_at","step":"client_hello","ms":100},{"fault":"close_at","step":"success"}]"#,
        "online",
        &["closed"],
    ),
    scenario(
        "a frame of garbage",
        Story::Login,
        r#"[{"fault":"bad_frame_at","step":"online","frame":{"kind":"garbage"}}]"#,
        "online",
        &["transport"],
    ),
    scenario(
        "garbage instead of a handshake",
        Story::Link,
        r#"[{"fault":"bad_frame_at","step":"client_hello","frame":{"kind":"garbage"}}]"#,
        "online",
        &["handshake"],
    ),
    scenario(
        "an empty frame",
        Story::Login,
        r#"[{"fault":"bad_frame_at","step":"online","frame":{"kind":"empty"}}]"#,
        "online",
        &["transport"],
    ),
    scenario(
        "a frame that never ends",
        Story::Login,
        r#"[{"fault":"bad_frame_at","step":"online","frame":{"kind":"oversize"}}]"#,
        "online",
        &["keep_alive"],
    ),
    scenario(
        "a close in the middle of a frame",
        Story::Login,
        r#"[{"fault":"bad_frame_at","step":"online","frame":{"kind":"half"}},{"fault":"close_at","step":"online"}]"#,
        "online",
        &["closed"],
    ),
    scenario(
        "a truncated node",
        Story::Login,
        r#"[{"fault":"bad_frame_at","step":"online","frame":{"kind":"truncated"}}]"#,
        "online",
        &["unreadable_stanza"],
    ),
    scenario(
        "a node nested too deep",
        Story::Link,
        r#"[{"fault":"bad_frame_at","step":"pair_device","frame":{"kind":"deep","depth":20000}}]"#,
        "online",
        &["unreadable_stanza"],
    ),
    scenario(
        "a compressed node without end",
        Story::Login,
        r#"[{"fault":"bad_frame_at","step":"online","frame":{"kind":"zip_bomb","inflated":40000000}}]"#,
        "online",
        &["unreadable_stanza"],
    ),
    scenario(
        "frames cut into small messages",
        Story::Link,
        r#"[{"fault":"split_frames","chunk":7,"times":null}]"#,
        "online",
        &[],
    ),
    scenario(
        "frames joined into one message",
        Story::Link,
        r#"[{"fault":"join_frames","times":null}]"#,
        "online",
        &[],
    ),
    // The handshake.
    scenario(
        "a certificate under another root",
        Story::Link,
        r#"[{"fault":"certificate","problem":"wrong_root"}]"#,
        "failed",
        &[],
    ),
    scenario(
        "an expired certificate",
        Story::Link,
        r#"[{"fault":"certificate","problem":"expired"}]"#,
        "online",
        &["handshake"],
    ),
    scenario(
        "a certificate of tomorrow",
        Story::Link,
        r#"[{"fault":"certificate","problem":"not_yet_valid"}]"#,
        "online",
        &["handshake"],
    ),
    scenario(
        "a certificate of another key",
        Story::Link,
        r#"[{"fault":"certificate","problem":"other_key"}]"#,
        "failed",
        &[],
    ),
    scenario(
        "a certificate that is none",
        Story::Link,
        r#"[{"fault":"certificate","problem":"undecodable"}]"#,
        "failed",
        &[],
    ),
    scenario(
        "the short handshake is refused",
        Story::Login,
        r#"[{"fault":"refuse_ik"}]"#,
        "online",
        &[],
    ),
    // Linking.
    scenario(
        "the refs run out",
        Story::Unscanned,
        r#"[{"fault":"refs","count":2}]"#,
        "pairing_expired",
        &[],
    ),
    scenario(
        "the server's patience runs out",
        Story::Unscanned,
        r#"[{"fault":"ref_window","ms":200}]"#,
        "pairing_expired",
        &[],
    ),
    scenario(
        "the secret is refreshed at the scan",
        Story::Link,
        r#"[{"fault":"refresh_on_scan"}]"#,
        "online",
        &[],
    ),
    scenario(
        "a wrong HMAC",
        Story::Link,
        r#"[{"fault":"bad_hmac"}]"#,
        "failed",
        &["pairing_failed"],
    ),
    scenario(
        "a wrong account signature",
        Story::Link,
        r#"[{"fault":"bad_account_signature"}]"#,
        "failed",
        &["pairing_failed"],
    ),
    scenario(
        "a malformed identity",
        Story::Link,
        r#"[{"fault":"identity","problem":"inner_undecodable"}]"#,
        "failed",
        &["pairing_failed"],
    ),
    scenario(
        "pair-success comes twice",
        Story::Link,
        r#"[{"fault":"duplicate","stanza":"pair_success"}]"#,
        "online",
        &[],
    ),
    scenario(
        "the restart comes before the reply",
        Story::Link,
        r#"[{"fault":"stream_error_at","step":"pair_success","error":{"kind":"code","code":515}}]"#,
        "logged_out",
        &["removed_after_pairing"],
    ),
    scenario(
        "the restart comes late",
        Story::Link,
        r#"[{"fault":"restart_delay","ms":100}]"#,
        "online",
        &[],
    ),
    scenario(
        "the restart never comes",
        Story::Link,
        r#"[{"fault":"restart_never"}]"#,
        "online",
        &[],
    ),
    scenario(
        "a restart right after success",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"success","error":{"kind":"code","code":515}}]"#,
        "online",
        &["stream_error 515"],
    ),
    scenario(
        "removed right after pairing",
        Story::Link,
        r#"[{"fault":"remove_device","step":"pair_sign","notice":"untold"}]"#,
        "logged_out",
        &["removed_after_pairing"],
    ),
    scenario(
        "removed while online",
        Story::Login,
        r#"[{"fault":"remove_device","step":"online"}]"#,
        "logged_out",
        &["removed"],
    ),
    scenario(
        "removed while away",
        Story::Login,
        r#"[{"fault":"remove_device","step":"online","notice":"closed"}]"#,
        "logged_out",
        &["closed", "logged_out"],
    ),
    scenario(
        "a phone without linked devices",
        Story::Unscanned,
        r#"[{"fault":"push","step":"pair_device","stanza":{"kind":"downgrade_webclient"}}]"#,
        "failed",
        &["pairing_failed"],
    ),
    // Stanzas that go astray.
    scenario(
        "success is lost",
        Story::Login,
        r#"[{"fault":"drop","stanza":"success"}]"#,
        "online",
        &["timed_out"],
    ),
    scenario(
        "the answer to an upload is lost",
        Story::Link,
        r#"[{"fault":"drop","stanza":"answer","request":"upload"}]"#,
        "online",
        &["timed_out"],
    ),
    scenario(
        "an answer is overtaken",
        Story::Login,
        r#"[{"fault":"hold","stanza":"answer","request":"passive"}]"#,
        "online",
        &[],
    ),
    // Prekeys.
    scenario(
        "the server runs low on prekeys",
        Story::Login,
        r#"[{"fault":"use_prekeys","step":"online","keep":3,"told":true}]"#,
        "online",
        &[],
    ),
    scenario(
        "the server has lost the prekeys",
        Story::Login,
        r#"[{"fault":"use_prekeys","step":"login","keep":0}]"#,
        "online",
        &[],
    ),
    scenario(
        "the server has no bundle",
        Story::Login,
        r#"[{"fault":"digest","problem":"missing"}]"#,
        "online",
        &[],
    ),
    scenario(
        "the server has another bundle",
        Story::Login,
        r#"[{"fault":"digest","problem":"wrong_hash"}]"#,
        "online",
        &[],
    ),
    scenario(
        "an upload meets a rate limit",
        Story::Link,
        r#"[{"fault":"iq_error","request":"upload","code":429,"backoff":1}]"#,
        "online",
        &["prekeys_refused"],
    ),
    // `failure`, login chapter, section 10.
    scenario(
        "failure 400",
        Story::Login,
        r#"[{"fault":"failure","reason":400}]"#,
        "failed",
        &["refused 400"],
    ),
    scenario(
        "failure 401",
        Story::Login,
        r#"[{"fault":"failure","reason":401,"location":"frc","logout_message_header":"You were logged out","logout_message_subtext":"Link again","logout_message_locale":"en"}]"#,
        "logged_out",
        &["logged_out"],
    ),
    scenario(
        "failure 402 with an end",
        Story::Login,
        r#"[{"fault":"failure","reason":402,"code":101,"expire":3600,"location":"cln"}]"#,
        "restricted",
        &["refused 402"],
    ),
    scenario(
        "failure 402 without code and end",
        Story::Login,
        r#"[{"fault":"failure","reason":402}]"#,
        "failed",
        &["refused 402"],
    ),
    scenario(
        "failure 403",
        Story::Login,
        r#"[{"fault":"failure","reason":403}]"#,
        "logged_out",
        &["account_locked"],
    ),
    scenario(
        "failure 405",
        Story::Login,
        r#"[{"fault":"failure","reason":405,"times":null}]"#,
        "outdated",
        &["refused 405"],
    ),
    scenario(
        "failure 406",
        Story::Login,
        r#"[{"fault":"failure","reason":406}]"#,
        "logged_out",
        &["banned"],
    ),
    scenario(
        "failure 409",
        Story::Login,
        r#"[{"fault":"failure","reason":409}]"#,
        "failed",
        &["refused 409"],
    ),
    scenario(
        "failure 411",
        Story::Login,
        r#"[{"fault":"failure","reason":411}]"#,
        "failed",
        &["refused 411"],
    ),
    scenario(
        "failure 413",
        Story::Login,
        r#"[{"fault":"failure","reason":413}]"#,
        "failed",
        &["refused 413"],
    ),
    scenario(
        "failure 414",
        Story::Login,
        r#"[{"fault":"failure","reason":414}]"#,
        "failed",
        &["refused 414"],
    ),
    scenario(
        "failure 415",
        Story::Login,
        r#"[{"fault":"failure","reason":415}]"#,
        "failed",
        &["refused 415"],
    ),
    scenario(
        "failure 418",
        Story::Login,
        r#"[{"fault":"failure","reason":418}]"#,
        "failed",
        &["refused 418"],
    ),
    scenario(
        "failure 500",
        Story::Login,
        r#"[{"fault":"failure","reason":500}]"#,
        "online",
        &["refused 500"],
    ),
    scenario(
        "failure 501",
        Story::Login,
        r#"[{"fault":"failure","reason":501}]"#,
        "failed",
        &["refused 501"],
    ),
    scenario(
        "failure 503",
        Story::Login,
        r#"[{"fault":"failure","reason":503}]"#,
        "online",
        &["refused 503"],
    ),
    scenario(
        "failure of an unknown reason",
        Story::Login,
        r#"[{"fault":"failure","reason":499,"message":"no","url":"https://example.invalid/"}]"#,
        "failed",
        &["refused 499"],
    ),
    // `stream:error`, login chapter, section 11.
    scenario(
        "replaced by another connection",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"replaced"}}]"#,
        "conflict",
        &["stream_error"],
    ),
    scenario(
        "told to be removed",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"device_removed"}}]"#,
        "logged_out",
        &["removed"],
    ),
    scenario(
        "a conflict of another type",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"conflict","conflict":"other","code":440}}]"#,
        "logged_out",
        &["forced"],
    ),
    scenario(
        "stream error 401",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":401}}]"#,
        "logged_out",
        &["logged_out"],
    ),
    scenario(
        "stream error 409",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":409}}]"#,
        "conflict",
        &["stream_error 409"],
    ),
    scenario(
        "stream error 429",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":429}}]"#,
        "online",
        &["stream_error 429"],
    ),
    scenario(
        "stream error 500",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":500}}]"#,
        "online",
        &["stream_error 500"],
    ),
    scenario(
        "stream error 503",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":503}}]"#,
        "online",
        &["stream_error 503"],
    ),
    scenario(
        "stream error 516",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":516}}]"#,
        "logged_out",
        &["forced"],
    ),
    scenario(
        "a stanza of ours was not well formed",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"not_well_formed"}}]"#,
        "online",
        &["stream_error"],
    ),
    scenario(
        "an ack that is missing",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"ack","id":"3EB0C767D097B7C7C030","class":"receipt"}}]"#,
        "online",
        &["stream_error"],
    ),
    scenario(
        "a stream error without a reason",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"bare"}}]"#,
        "online",
        &["stream_error"],
    ),
    scenario(
        "a stream error nobody knows",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"other","child":"whatever"}}]"#,
        "online",
        &["stream_error"],
    ),
    scenario(
        "the end of the stream",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"stream_end"}}]"#,
        "online",
        &["stream_error"],
    ),
    scenario(
        "a stream error and no close",
        Story::Login,
        r#"[{"fault":"stream_error_at","step":"online","error":{"kind":"code","code":503},"keep_open":true}]"#,
        "online",
        &["stream_error 503"],
    ),
    // What the server says without being asked.
    scenario(
        "new routing info",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"edge_routing","bytes":12}},{"fault":"close_at","step":"online"}]"#,
        "online",
        &["closed"],
    ),
    scenario(
        "dirty marks of every type",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"dirty","dirty":"account_sync","parts":["devices","picture"]}},
            {"fault":"push","step":"online","stanza":{"kind":"dirty","dirty":"groups"}},
            {"fault":"push","step":"online","stanza":{"kind":"dirty","dirty":"syncd_app_state"}},
            {"fault":"push","step":"online","stanza":{"kind":"dirty","dirty":"newsletter_metadata"}}]"#,
        "online",
        &[],
    ),
    scenario(
        "everything an ib can hold",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"client_expiration","after":86400}},
            {"fault":"push","step":"online","stanza":{"kind":"thread_metadata"}},
            {"fault":"push","step":"active","stanza":{"kind":"priority_offline_complete"}},
            {"fault":"push","step":"success","stanza":{"kind":"tos"}},
            {"fault":"push","step":"success","stanza":{"kind":"recovery_nonce"}}]"#,
        "online",
        &[],
    ),
    scenario(
        "a question nobody knows",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"unknown_request"}}]"#,
        "online",
        &[],
    ),
    scenario(
        "the own device list, right and wrong",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"devices"}},
            {"fault":"push","step":"online","stanza":{"kind":"devices","problem":"wrong_hash"}},
            {"fault":"push","step":"online","stanza":{"kind":"devices","problem":"no_hash"}},
            {"fault":"push","step":"online","stanza":{"kind":"devices","problem":"without_self"}},
            {"fault":"push","step":"online","stanza":{"kind":"devices","problem":"other_account"}},
            {"fault":"push","step":"online","stanza":{"kind":"devices","problem":"bad_signature"}}]"#,
        "online",
        &[],
    ),
    scenario(
        "the phone has a new identity",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"primary_identity"}}]"#,
        "logged_out",
        &["primary_identity_changed"],
    ),
    scenario(
        "told to look after prekeys",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"prekey_count","value":2}},
            {"fault":"push","step":"online","stanza":{"kind":"validate_digest"}}]"#,
        "online",
        &[],
    ),
    scenario(
        "one of every stanza that wants an ack",
        Story::Login,
        r#"[{"fault":"push","step":"online","stanza":{"kind":"stanza","class":"message"}},
            {"fault":"push","step":"online","stanza":{"kind":"stanza","class":"receipt"}},
            {"fault":"push","step":"online","stanza":{"kind":"stanza","class":"notification"}},
            {"fault":"push","step":"online","stanza":{"kind":"stanza","class":"call"}}]"#,
        "online",
        &[],
    ),
    scenario(
        "many stanzas have waited",
        Story::Login,
        r#"[{"fault":"offline_batch","class":"mixed","count":450}]"#,
        "online",
        &[],
    ),
    scenario(
        "an ack is lost",
        Story::Login,
        r#"[{"fault":"offline_batch","class":"message","count":1},{"fault":"lose_ack"},{"fault":"ack_limit","ms":300}]"#,
        "online",
        &["stream_error"],
    ),
];
