//! Every fault there is has a scenario, and is in the manual.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;
use wa_sim::{
    BadCertificate, BadDeviceList, BadDigest, BadFrame, BadIdentity, Extra, Fault, FaultScript,
    IqKind, RefreshChild, RemovalNotice, StanzaClass, StanzaKind, Step, StreamError, scenarios,
};

const MANUAL: &str = include_str!("../../../docs/manual/10-simulator.md");

/// The names an enum can be read from: what it says when it is given another.
fn names<T: serde::de::DeserializeOwned>(wrong: Value) -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(wrong) else {
        panic!("the name is none");
    };
    let message = error.to_string();
    let (_, list) = message
        .split_once("expected one of")
        .or_else(|| message.split_once("expected "))
        .unwrap();
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn faults() -> BTreeSet<String> {
    names::<Fault>(json!({ "fault": "?" }))
}

fn name_of(fault: &Fault) -> String {
    let json = serde_json::to_value(fault).unwrap();
    json["fault"].as_str().unwrap().to_owned()
}

#[test]
fn every_fault_has_a_scenario() {
    let mut told = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for scenario in scenarios() {
        assert!(seen.insert(scenario.name), "{} twice", scenario.name);
        let script = scenario
            .script()
            .unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
        assert!(!script.rules().is_empty(), "{}", scenario.name);
        told.extend(script.rules().iter().map(|rule| name_of(&rule.fault)));
    }
    let missing: Vec<_> = faults().difference(&told).cloned().collect();
    assert!(missing.is_empty(), "no scenario for {missing:?}");
}

#[test]
fn every_form_of_an_answer_that_ends_the_stream_or_is_unasked_has_a_scenario() {
    let all: String = scenarios().map(|scenario| scenario.faults).collect();
    let mut kinds = names::<StreamError>(json!({ "kind": "?" }));
    kinds.extend(names::<Extra>(json!({ "kind": "?" })));
    kinds.extend(names::<BadFrame>(json!({ "kind": "?" })));
    for kind in kinds {
        assert!(
            all.contains(&format!(r#""kind":"{kind}""#)),
            "no scenario for {kind}"
        );
    }
    for reason in [
        400, 401, 402, 403, 405, 406, 409, 411, 413, 414, 415, 418, 500, 501, 503,
    ] {
        assert!(
            all.contains(&format!(r#""reason":{reason}"#)),
            "no scenario for {reason}"
        );
    }
}

/// The rows of the manual's table of faults: name and example.
fn rows() -> Vec<(String, String)> {
    let (_, section) = MANUAL.split_once("## Faults").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
            let name = cells.first()?.trim_end_matches('`').to_owned();
            let example = cells.last()?.trim_end_matches(" |").trim_matches('`');
            example
                .starts_with(r#"{"fault""#)
                .then(|| (name, example.to_owned()))
        })
        .collect()
}

#[test]
fn the_manual_has_every_fault_with_an_example_that_is_one() {
    let rows = rows();
    for (name, example) in &rows {
        let script = FaultScript::parse(&format!("[{example}]"))
            .unwrap_or_else(|error| panic!("{name}: {error}: {example}"));
        assert_eq!(name_of(&script.rules()[0].fault), *name);
    }
    let told: BTreeSet<String> = rows.into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, faults());
}

#[test]
fn the_manual_has_every_field_of_every_fault() {
    for (name, example) in rows() {
        let script = FaultScript::parse(&format!("[{example}]")).unwrap();
        let whole = serde_json::to_value(&script.rules()[0]).unwrap();
        let row = MANUAL
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .unwrap();
        for field in whole.as_object().unwrap().keys() {
            let common = ["fault", "times", "skip", "account"].contains(&field.as_str());
            assert!(
                common || row.contains(&format!("`{field}`")),
                "{name} has the field {field}"
            );
        }
    }
}

#[test]
fn the_manual_has_every_value() {
    let mut values = names::<Step>(json!("?"));
    values.extend(names::<IqKind>(json!("?")));
    values.extend(names::<StanzaKind>(json!("?")));
    values.extend(names::<RefreshChild>(json!("?")));
    values.extend(names::<BadIdentity>(json!("?")));
    values.extend(names::<BadCertificate>(json!("?")));
    values.extend(names::<BadDigest>(json!("?")));
    values.extend(names::<RemovalNotice>(json!("?")));
    values.extend(names::<StanzaClass>(json!("?")));
    values.extend(names::<BadDeviceList>(json!("?")));
    values.extend(names::<BadFrame>(json!({ "kind": "?" })));
    values.extend(names::<StreamError>(json!({ "kind": "?" })));
    values.extend(names::<Extra>(json!({ "kind": "?" })));
    assert!(values.len() > 90, "{}", values.len());
    for value in values {
        assert!(MANUAL.contains(&format!("`{value}`")), "{value}");
    }
}
