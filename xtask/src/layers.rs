//! The arrows between the crates, and how far down I/O may reach.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::Outcome;

/// The crates that do no I/O, the lowest first.
pub(crate) const SANS_IO: [&str; 6] = [
    "wa-crypto",
    "wa-proto",
    "wa-noise",
    "wa-signal",
    "wa-pair",
    "wa-core",
];

/// What each crate stands on. It may use all that those stand on, too.
const ARROWS: [(&str, &[&str]); 13] = [
    ("wa-crypto", &[]),
    ("wa-proto", &[]),
    ("wa-noise", &["wa-crypto", "wa-proto"]),
    ("wa-signal", &["wa-crypto", "wa-proto"]),
    ("wa-pair", &["wa-crypto", "wa-proto"]),
    ("wa-core", &["wa-noise", "wa-signal", "wa-pair"]),
    ("wa-store", &["wa-core"]),
    ("wa-store-sqlite", &["wa-store"]),
    ("wa-import", &["wa-store"]),
    ("wa-client", &["wa-store", "wa-core"]),
    // The server's side of the wire must not share the client's machines, or both could be wrong alike.
    (
        "wa-sim",
        &["wa-crypto", "wa-proto", "wa-noise", "wa-signal"],
    ),
    (
        "wa-cli",
        &["wa-client", "wa-store-sqlite", "wa-import", "wa-sim"],
    ),
    ("wa-examples", &["wa-client", "wa-store-sqlite"]),
];

/// Crates that do I/O, and the only crates of ours that may reach them.
const DOORS: [(&str, &[&str]); 4] = [
    (
        "tokio",
        &[
            "wa-store-sqlite",
            "wa-import",
            "wa-client",
            "wa-sim",
            "wa-cli",
            "wa-examples",
        ],
    ),
    (
        "tungstenite",
        &["wa-client", "wa-sim", "wa-cli", "wa-examples"],
    ),
    ("rustls", &["wa-client", "wa-sim", "wa-cli", "wa-examples"]),
    (
        "sqlx",
        &["wa-store-sqlite", "wa-import", "wa-cli", "wa-examples"],
    ),
];

/// What would bring I/O, a clock, randomness or a host into a crate that has none.
const HOSTS: [&str; 6] = [
    "getrandom",
    "js-sys",
    "mio",
    "socket2",
    "wasm-bindgen",
    "web-time",
];

/// Names of packages, and what each uses outside of its tests.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Fails with every arrow that is not allowed.
pub(crate) fn check(root: &Path) -> Outcome {
    let graph = graph(root)?;
    let mut wrong = Vec::new();
    for name in graph.keys().filter(|name| name.starts_with("wa-")) {
        let Some(allowed) = below(name) else {
            wrong.push(format!("{name} has no place among the layers"));
            continue;
        };
        for used in graph.get(name).into_iter().flatten() {
            if used.starts_with("wa-") && !allowed.contains(used.as_str()) {
                wrong.push(format!("{name} must not depend on {used}"));
            }
        }
        let reached = reachable(&graph, name);
        for (door, keepers) in DOORS {
            if reached.contains(door) && !keepers.contains(&name.as_str()) {
                wrong.push(format!("{name} must not reach {door}"));
            }
        }
        if SANS_IO.contains(&name.as_str()) {
            for host in HOSTS.iter().filter(|host| reached.contains(**host)) {
                wrong.push(format!("{name} does no I/O and must not reach {host}"));
            }
        }
    }
    if wrong.is_empty() {
        println!("the layers hold");
        return Ok(());
    }
    Err(format!("the layers do not hold:\n  {}", wrong.join("\n  ")).into())
}

/// All that a crate may use.
fn below(name: &str) -> Option<BTreeSet<&'static str>> {
    let (_, direct) = ARROWS.iter().find(|(other, _)| *other == name)?;
    let mut all: BTreeSet<&str> = direct.iter().copied().collect();
    for next in *direct {
        all.extend(below(next)?);
    }
    Some(all)
}

fn reachable<'a>(graph: &'a Graph, from: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut left: Vec<&str> = vec![from];
    while let Some(name) = left.pop() {
        for used in graph.get(name).into_iter().flatten() {
            if seen.insert(used.as_str()) {
                left.push(used);
            }
        }
    }
    seen
}

/// The dependency graph as cargo resolves it, by name: versions do not matter here.
fn graph(root: &Path) -> Result<Graph, Box<dyn Error>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let metadata: Json = serde_json::from_slice(&output.stdout)?;
    let names: BTreeMap<&str, &str> = list(&metadata, "packages")
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let resolved = metadata.get("resolve").unwrap_or(&Json::Null);
    let mut graph = Graph::new();
    for node in list(resolved, "nodes") {
        let name = names
            .get(text(node, "id"))
            .ok_or("a node without a package")?;
        let used = graph.entry((*name).to_owned()).or_default();
        for dependency in list(node, "deps") {
            let outside_of_tests = list(dependency, "dep_kinds")
                .any(|kind| kind.get("kind").is_none_or(Json::is_null));
            if let (true, Some(name)) = (outside_of_tests, names.get(text(dependency, "pkg"))) {
                used.insert((*name).to_owned());
            }
        }
    }
    Ok(graph)
}

fn list<'a>(value: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    value
        .get(key)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Json, key: &str) -> &'a str {
    value.get(key).and_then(Json::as_str).unwrap_or_default()
}
