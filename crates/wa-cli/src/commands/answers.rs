//! What the owner answers: an assertion from a file or standard input, a yes or a no from standard input.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::sync::mpsc;
use wa_client::PasskeyAssertion;
use zeroize::Zeroizing;

use crate::args::PasskeyArgs;
use crate::exit::Failure;
use crate::input::{self, Line, MAX_LINE_LEN};

/// How often a file is looked for.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    #[default]
    Nothing,
    Assertion,
    Confirmation,
}

/// What came.
pub(crate) enum Answer {
    Assertion(PasskeyAssertion),
    Confirmation(bool),
    /// Nothing that can be used, and what to do instead.
    Unclear(String),
}

/// Where answers come from.
#[derive(Default)]
pub(crate) struct Answers {
    wanted: Wanted,
    file: Option<PathBuf>,
    /// What the file held when it was not an answer yet.
    stale: Option<Zeroizing<String>>,
    /// Read from when something is wanted of it, not before.
    input: Option<mpsc::Receiver<Line>>,
    /// The lines of an assertion that is not complete.
    begun: Zeroizing<String>,
}

impl Answers {
    pub(crate) fn new(passkey: Option<&PasskeyArgs>) -> Self {
        let file = passkey.and_then(|passkey| passkey.passkey_response.clone());
        Self {
            file: file.filter(|file| file != Path::new("-")),
            ..Self::default()
        }
    }

    pub(crate) fn want(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        self.begun.clear();
        if wanted == Wanted::Assertion {
            // What is there already answers another challenge.
            self.stale = self.file.as_deref().and_then(contents);
        }
    }

    pub(crate) fn are_wanted(&self) -> bool {
        self.wanted != Wanted::Nothing
    }

    /// Where the assertion belongs, as an instruction.
    pub(crate) fn place(&self) -> String {
        match &self.file {
            Some(file) => format!("Put what it prints into {}.", file.display()),
            None => "Paste what it prints here, and press Enter.".to_owned(),
        }
    }

    /// The next answer. It may be given up at any time and asked for again.
    pub(crate) async fn next(&mut self) -> Result<Answer, Failure> {
        let answer = match (self.wanted, self.file.clone()) {
            (Wanted::Nothing, _) => std::future::pending().await,
            (Wanted::Assertion, Some(file)) => self.read_file(&file).await,
            (Wanted::Assertion, None) => self.read_input().await?,
            (Wanted::Confirmation, _) => self.yes_or_no().await?,
        };
        if !matches!(answer, Answer::Unclear(_)) {
            self.wanted = Wanted::Nothing;
        }
        Ok(answer)
    }

    async fn read_file(&mut self, file: &Path) -> Answer {
        loop {
            let found = contents(file).filter(|text| Some(text) != self.stale.as_ref());
            if let Some(text) = found
                && !is_incomplete(&text)
            {
                let answer = assertion(&text);
                self.stale = Some(text);
                return answer;
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    async fn read_input(&mut self) -> Result<Answer, Failure> {
        loop {
            let line = match self.line().await? {
                Ok(line) => line,
                Err(why) => return Ok(Answer::Unclear(format!("{why}; try again"))),
            };
            self.begun.push_str(&line);
            if self.begun.trim().is_empty() {
                self.begun.clear();
            } else if self.begun.len() > MAX_LINE_LEN {
                self.begun.clear();
                return Ok(Answer::Unclear(
                    "that is too long for an assertion; try again".to_owned(),
                ));
            } else if !is_incomplete(&self.begun) {
                let answer = assertion(&self.begun);
                self.begun.clear();
                return Ok(answer);
            }
        }
    }

    async fn yes_or_no(&mut self) -> Result<Answer, Failure> {
        let line = self.line().await?;
        let word = line.map(|line| line.trim().to_lowercase());
        Ok(match word.as_deref() {
            Ok("y" | "yes") => Answer::Confirmation(true),
            Ok("n" | "no") => Answer::Confirmation(false),
            _ => Answer::Unclear("Type y or n, and Enter.".to_owned()),
        })
    }

    async fn line(&mut self) -> Result<Line, Failure> {
        let input = self.input.get_or_insert_with(input::lines);
        input.recv().await.ok_or_else(|| {
            Failure::Usage(
                "standard input ended before the answer; use --passkey-response FILE and --yes"
                    .to_owned(),
            )
        })
    }
}

fn contents(file: &Path) -> Option<Zeroizing<String>> {
    let limit = u64::try_from(MAX_LINE_LEN).unwrap_or(u64::MAX);
    let found = std::fs::metadata(file).ok()?;
    if !found.is_file() || found.len() > limit {
        return None;
    }
    std::fs::read_to_string(file).ok().map(Zeroizing::new)
}

/// Whether more has to come before it is JSON.
fn is_incomplete(text: &str) -> bool {
    text.trim().is_empty()
        || serde_json::from_str::<IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

fn assertion(text: &str) -> Answer {
    match PasskeyAssertion::from_json(text) {
        Ok(assertion) => Answer::Assertion(assertion),
        Err(error) => Answer::Unclear(format!("That is no assertion: {error}. Try again.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSERTION: &str = r#"{"id":"AQ","rawId":"AQ","type":"public-key","response":
        {"clientDataJSON":"Ag","authenticatorData":"Aw","signature":"BA","userHandle":null}}"#;

    fn on_input(lines: &[&str]) -> Answers {
        let (sender, receiver) = mpsc::channel(16);
        for line in lines {
            let line = Zeroizing::new((*line).to_owned());
            sender.try_send(Ok(line)).unwrap();
        }
        Answers {
            input: Some(receiver),
            ..Answers::default()
        }
    }

    #[tokio::test]
    async fn an_assertion_may_take_several_lines_and_several_attempts() {
        let mut lines = vec!["", "nonsense\n", "{\"type\":\"x\"}\n"];
        lines.extend(ASSERTION.split_inclusive('\n'));
        let mut answers = on_input(&lines);
        answers.want(Wanted::Assertion);
        for _ in 0..2 {
            assert!(matches!(answers.next().await, Ok(Answer::Unclear(_))));
            assert!(answers.are_wanted());
        }
        assert!(matches!(answers.next().await, Ok(Answer::Assertion(_))));
        assert!(!answers.are_wanted());
    }

    #[tokio::test]
    async fn yes_and_no_are_understood_and_nothing_else_is_taken_for_either() {
        let mut answers = on_input(&["maybe\n", "Y\n", "no\n"]);
        answers.want(Wanted::Confirmation);
        assert!(matches!(answers.next().await, Ok(Answer::Unclear(_))));
        assert!(matches!(
            answers.next().await,
            Ok(Answer::Confirmation(true))
        ));
        answers.want(Wanted::Confirmation);
        assert!(matches!(
            answers.next().await,
            Ok(Answer::Confirmation(false))
        ));
        answers.want(Wanted::Confirmation);
        assert!(matches!(answers.next().await, Err(Failure::Usage(_))));
    }

    #[tokio::test]
    async fn a_file_counts_from_the_challenge_on_and_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answer.json");
        std::fs::write(&file, ASSERTION.replace("\"BA\"", "\"BB\"")).unwrap();
        let mut answers = Answers::new(Some(&PasskeyArgs {
            passkey_response: Some(file.clone()),
            yes: true,
            compare: false,
        }));
        answers.want(Wanted::Assertion);
        let early = tokio::time::timeout(Duration::from_millis(20), answers.next()).await;
        assert!(early.is_err(), "what was there before answers nothing");
        std::fs::write(&file, &ASSERTION[..40]).unwrap();
        let half = tokio::time::timeout(2 * LOOK_PAUSE, answers.next()).await;
        assert!(half.is_err(), "half an answer is none");
        std::fs::write(&file, ASSERTION).unwrap();
        assert!(matches!(answers.next().await, Ok(Answer::Assertion(_))));
    }
}
