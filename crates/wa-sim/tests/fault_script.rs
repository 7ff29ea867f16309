//! A fault script is read whole or refused with the place of what is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use wa_sim::{
    BadFrame, Fault, FaultRule, FaultScript, MAX_DEPTH, MAX_FAULT_MS, MAX_FAULTS, MAX_INFLATED,
    MAX_REFS, MAX_SCRIPT_LEN, MAX_WAITING_STANZAS, RuleError, ScriptError, ScriptFileError,
    StanzaClass, Step,
};

fn refusal(script: &str) -> String {
    FaultScript::parse(script).unwrap_err().to_string()
}

#[test]
fn an_array_and_an_object_with_a_version_are_the_same() {
    let array = FaultScript::parse(r#" [{"fault":"bad_hmac"},{"fault":"refuse_ik"}]"#).unwrap();
    let object = FaultScript::parse(
        r#"{"version":1,"faults":[{"fault":"bad_hmac"},{"fault":"refuse_ik","times":1,"skip":0,"account":null}]}"#,
    )
    .unwrap();
    assert_eq!(array, object);
    assert_eq!(array.rules()[1], Fault::RefuseIk.into());
    assert!(FaultScript::parse("[]").unwrap().rules().is_empty());
}

#[test]
fn what_is_no_script_is_refused_with_its_place() {
    assert_eq!(refusal("[\n  1,\n]"), "line 3, column 1: trailing comma");
    assert!(refusal("").starts_with("line 1, column 0: EOF"));
    assert!(refusal("7").starts_with("line 1, column 1: invalid type"));
    assert!(refusal(r#"{"version":1}"#).contains("missing field `faults`"));
    assert!(refusal(r#"{"faults":[]}"#).contains("missing field `version`"));
    assert!(refusal(r#"{"version":1,"faults":[],"more":1}"#).contains("unknown field `more`"));
    assert_eq!(
        refusal(r#"{"version":2,"faults":[]}"#),
        "the script has version 2, this program reads version 1"
    );
}

#[test]
fn a_wrong_entry_is_named_with_its_number_and_place() {
    let script = |second: &str| format!("[\n  {{\"fault\":\"bad_hmac\"}},\n    {second}\n]");
    for (entry, problem) in [
        (r#"{"fault":"bad_hmack"}"#, "unknown variant `bad_hmack`"),
        (r#"{"fault":"close_at"}"#, "missing field `step`"),
        (
            r#"{"fault":"close_at","step":"ping","stepp":1}"#,
            "unknown field `stepp`",
        ),
        (
            r#"{"fault":"bad_frame_at","step":"ping","frame":{"kind":"deep","depth":1,"width":2}}"#,
            "unknown field `frame.width`",
        ),
        (r#"{"fault":"bad_hmac","times":0}"#, "times is 0"),
        (r#"{"fault":"bad_hmac","times":-1}"#, "invalid value"),
        (
            r#"{"fault":"bad_hmac","account":"12"}"#,
            "a phone number has",
        ),
        ("3", "a fault is an object"),
        (
            r#"{"fault":"push","step":"open","stanza":{"kind":"tos"}}"#,
            "cannot strike during the handshake",
        ),
        (
            r#"{"fault":"push","step":"pair_device","stanza":{"kind":"devices"}}"#,
            "logged in",
        ),
        (
            r#"{"fault":"remove_device","step":"pair_success"}"#,
            "logged in",
        ),
        (
            r#"{"fault":"use_prekeys","step":"scanned","keep":0}"#,
            "logged in",
        ),
        (
            r#"{"fault":"refuse_ik","account":"+15551230001"}"#,
            "leave account out",
        ),
        (
            r#"{"fault":"close_at","step":"pair_device","account":"+15551230001"}"#,
            "leave account out",
        ),
        (
            r#"{"fault":"drop","stanza":"pair_device","account":"+15551230001"}"#,
            "leave account out",
        ),
        (
            r#"{"fault":"refs","count":1,"account":"+15551230001"}"#,
            "leave account out",
        ),
        (
            r#"{"fault":"ref_window","ms":1,"account":"+15551230001"}"#,
            "leave account out",
        ),
    ] {
        let refusal = refusal(&script(entry));
        assert!(
            refusal.starts_with("fault 2 (line 3, column 5): ") && refusal.contains(problem),
            "{entry}: {refusal}"
        );
    }
}

#[test]
fn a_script_has_a_longest_length_and_a_largest_count() {
    let padded = |length: usize| format!("[]{}", " ".repeat(length - 2));
    assert!(FaultScript::parse(&padded(MAX_SCRIPT_LEN)).is_ok());
    assert_eq!(
        FaultScript::parse(&padded(MAX_SCRIPT_LEN + 1)),
        Err(ScriptError::TooLong {
            limit: MAX_SCRIPT_LEN
        })
    );
    let many = |count: usize| format!("[{}]", vec![r#"{"fault":"bad_hmac"}"#; count].join(","));
    assert!(FaultScript::parse(&many(MAX_FAULTS)).is_ok());
    assert_eq!(
        FaultScript::parse(&many(MAX_FAULTS + 1)),
        Err(ScriptError::TooMany {
            got: MAX_FAULTS + 1,
            limit: MAX_FAULTS
        })
    );
}

#[test]
fn numbers_have_bounds() {
    let batch = |count| Fault::OfflineBatch {
        class: StanzaClass::Call,
        count,
    };
    let (step, ms) = (Step::Open, MAX_FAULT_MS);
    let bad = |frame| Fault::BadFrameAt { step, frame };
    for (fits, does_not) in [
        (
            Fault::DelayAt { step, ms },
            Fault::DelayAt { step, ms: ms + 1 },
        ),
        (Fault::RefWindow { ms }, Fault::RefWindow { ms: ms + 1 }),
        (
            Fault::RestartDelay { ms },
            Fault::RestartDelay { ms: ms + 1 },
        ),
        (Fault::AckLimit { ms }, Fault::AckLimit { ms: ms + 1 }),
        (
            Fault::Refs { count: MAX_REFS },
            Fault::Refs {
                count: MAX_REFS + 1,
            },
        ),
        (
            Fault::SplitFrames { chunk: 1 },
            Fault::SplitFrames { chunk: 0 },
        ),
        (
            bad(BadFrame::Deep { depth: MAX_DEPTH }),
            bad(BadFrame::Deep {
                depth: MAX_DEPTH + 1,
            }),
        ),
        (
            bad(BadFrame::ZipBomb {
                inflated: MAX_INFLATED,
            }),
            bad(BadFrame::ZipBomb {
                inflated: MAX_INFLATED + 1,
            }),
        ),
        (batch(MAX_WAITING_STANZAS), batch(MAX_WAITING_STANZAS + 1)),
        (batch(1), batch(0)),
    ] {
        assert_eq!(FaultRule::once(fits).check(), Ok(()));
        let refused = FaultRule::once(does_not.clone()).check();
        assert!(
            matches!(refused, Err(RuleError::OutOfBounds { .. })),
            "{does_not:?}"
        );
    }
}

#[test]
fn a_file_is_read_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.json");
    std::fs::write(&path, r#"[{"fault":"bad_hmac"}]"#).unwrap();
    assert_eq!(FaultScript::load(&path).unwrap().rules().len(), 1);
    std::fs::write(&path, vec![b' '; MAX_SCRIPT_LEN + 1]).unwrap();
    let error = FaultScript::load(&path).unwrap_err();
    assert!(matches!(
        error,
        ScriptFileError::Script {
            error: ScriptError::TooLong { .. },
            ..
        }
    ));
    let error = FaultScript::load(&folder.path().join("none")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the fault script")
    );
    #[cfg(target_os = "linux")]
    {
        // It has no length of its own and never ends.
        let endless = FaultScript::load(std::path::Path::new("/dev/zero")).unwrap_err();
        assert!(endless.to_string().contains("at most"), "{endless}");
    }
}
