//! Faults in a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use super::{FaultRule, MAX_FAULTS};

/// The version of the form a script has.
pub const SCRIPT_VERSION: u64 = 1;
/// Longest script, in bytes: as much as one control request may carry.
pub const MAX_SCRIPT_LEN: usize = 64 << 10;

/// Rules to be injected together: `{"version":1,"faults":[…]}`, or the array alone, which is version 1.
///
/// ```
/// use wa_sim::FaultScript;
///
/// let script = FaultScript::parse(
///     r#"{"version":1,"faults":[
///         {"fault":"close_at","step":"server_hello","times":3},
///         {"fault":"failure","reason":503}
///     ]}"#,
/// )?;
/// assert_eq!(script.rules().len(), 2);
///
/// let error = FaultScript::parse(r#"[{"fault":"close_at","step":"sometime"}]"#).unwrap_err();
/// assert!(error.to_string().starts_with("fault 1 (line 1, column 2): unknown variant `sometime`"));
/// # Ok::<(), wa_sim::ScriptError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultScript {
    rules: Vec<FaultRule>,
}

/// Why a text is no fault script.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// It is longer than [`MAX_SCRIPT_LEN`].
    #[error("a fault script has at most {limit} bytes")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// It is no JSON, or neither an array nor an object with `version` and `faults`.
    #[error("line {line}, column {column}: {problem}")]
    Form {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// Written for another version.
    #[error("the script has version {got}, this program reads version {known}")]
    Version {
        /// Its version.
        got: u64,
        /// The one that is read.
        known: u64,
    },
    /// More rules than can wait.
    #[error("the script has {got} faults, at most {limit} can wait")]
    TooMany {
        /// How many there are.
        got: usize,
        /// The bound.
        limit: usize,
    },
    /// One rule is wrong.
    #[error("fault {number} (line {line}, column {column}): {problem}")]
    Rule {
        /// Its place in the array, from 1.
        number: usize,
        /// Line on which it starts, from 1.
        line: usize,
        /// Column in which it starts, from 1.
        column: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why a file gives no fault script.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScriptFileError {
    /// It cannot be read.
    #[error("cannot read the fault script {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It was read and does not fit.
    #[error("the fault script {path} does not fit: {error}")]
    Script {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: ScriptError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'t> {
    version: u64,
    #[serde(borrow)]
    faults: Vec<&'t RawValue>,
}

impl FaultScript {
    /// Reads a script.
    ///
    /// # Errors
    /// See [`ScriptError`]. Nothing is taken of a script with an error.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        if text.len() > MAX_SCRIPT_LEN {
            return Err(ScriptError::TooLong {
                limit: MAX_SCRIPT_LEN,
            });
        }
        let entries = entries(text)?;
        if entries.len() > MAX_FAULTS {
            return Err(ScriptError::TooMany {
                got: entries.len(),
                limit: MAX_FAULTS,
            });
        }
        let mut rules = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let rule = FaultRule::from_json(entry.get()).map_err(|problem| {
                let (line, column) = position(text, entry.get());
                ScriptError::Rule {
                    number: index + 1,
                    line,
                    column,
                    problem,
                }
            })?;
            rules.push(rule);
        }
        Ok(Self { rules })
    }

    /// Reads a script from a file.
    ///
    /// # Errors
    /// See [`ScriptFileError`].
    pub fn load(path: &Path) -> Result<Self, ScriptFileError> {
        let unreadable = |error| ScriptFileError::Read {
            path: path.to_owned(),
            error,
        };
        let limit = u64::try_from(MAX_SCRIPT_LEN).unwrap_or(u64::MAX);
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_string(&mut text))
            .map_err(unreadable)?;
        Self::parse(&text).map_err(|error| ScriptFileError::Script {
            path: path.to_owned(),
            error,
        })
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[FaultRule] {
        &self.rules
    }
}

impl From<FaultScript> for Vec<FaultRule> {
    fn from(script: FaultScript) -> Self {
        script.rules
    }
}

impl FaultRule {
    /// Reads one rule, refusing fields it does not have and rules that can never strike.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let given: Value = serde_json::from_str(text).map_err(|error| without_place(&error))?;
        if !given.is_object() {
            return Err("a fault is an object with the field `fault`".to_owned());
        }
        let rule: Self =
            serde_json::from_value(given.clone()).map_err(|error| without_place(&error))?;
        let known = serde_json::to_value(&rule).map_err(|error| error.to_string())?;
        if let Some(field) = unknown_field(&given, &known) {
            return Err(format!("unknown field `{field}`"));
        }
        rule.check().map_err(|error| error.to_string())?;
        Ok(rule)
    }
}

fn entries(text: &str) -> Result<Vec<&RawValue>, ScriptError> {
    let form = |error: serde_json::Error| ScriptError::Form {
        line: error.line(),
        column: error.column(),
        problem: without_place(&error),
    };
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(form);
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(form)?;
    if envelope.version != SCRIPT_VERSION {
        return Err(ScriptError::Version {
            got: envelope.version,
            known: SCRIPT_VERSION,
        });
    }
    Ok(envelope.faults)
}

/// A field that was given and means nothing: what was read writes all its fields, so it is one that is not
/// written again.
fn unknown_field(given: &Value, known: &Value) -> Option<String> {
    let (Value::Object(given), Value::Object(known)) = (given, known) else {
        return None;
    };
    given
        .iter()
        .find_map(|(name, value)| match known.get(name) {
            None => Some(name.clone()),
            Some(known) => unknown_field(value, known).map(|inner| format!("{name}.{inner}")),
        })
}

/// Line and column, from 1, at which a part of the text starts.
fn position(text: &str, part: &str) -> (usize, usize) {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The message without the place, which is told apart from it.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(at) => message.get(..at).unwrap_or_default().to_owned(),
        None => message,
    }
}
