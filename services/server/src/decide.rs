//! `reeve decide`: lines of JSON in, one decision a line out, without a server, so that policies are tested in anyone's CI.
//!
//! A line is read by [`line`], its documents are compiled by [`layers`] and shared between lines, and what comes out is
//! written by [`answer`].

mod answer;
mod layers;
mod line;
mod principal;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use reeve_chassis::authorize::effect_name;
use reeve_evaluator::{Context, Request, decide, explain};

use answer::{Answer, reasons};
use layers::Layers;
use line::{Line, Question};
use principal::Who;

/// The longest line that is read; one that is longer is an error, and the next goes on.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Decides questions that are read as JSON, one a line, and prints one decision a line. No server takes part.
///
/// A line holds `request` (`principal`, `role`, `action`, `resource`, `resource_account`, `context`) and the policies that
/// apply: `identity_policies`, `group_policies`, `permissions_boundary`, `session_policies`, `resource_policy`,
/// `service_control_policies` and `resource_control_policies` (lists of levels, the organization's root first). A policy is
/// a document, or {"name": ..., "document": ...}. With "expect" a line is a test: the exit status is 1 when a line was not
/// decided as expected, or could not be decided.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// File of JSON lines; standard input when absent or -
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Tell for every line what each statement made of the request
    #[arg(long)]
    explain: bool,
}

/// How the lines of an input came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were read, empty ones apart.
    pub lines: u64,
    /// Lines that were not decided as they expect.
    pub mismatches: u64,
    /// Lines that could not be decided.
    pub errors: u64,
}

impl Summary {
    /// Whether every line was decided, and as it expects.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.mismatches == 0 && self.errors == 0
    }
}

/// Reads what `arguments` name, and prints the decisions to standard output; fails unless every line was decided, and as it
/// expects.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let told = match decided(arguments) {
        Ok(summary) if summary.is_clean() => return ExitCode::SUCCESS,
        Ok(Summary { lines, mismatches, errors }) => format!(
            "of {lines} lines, {mismatches} were not decided as expected, and {errors} could not be decided"
        ),
        // Whoever reads the decisions has had enough of them.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::FAILURE,
        Err(error) => error.to_string(),
    };
    let _ = writeln!(io::stderr(), "reeve: {told}");
    ExitCode::FAILURE
}

fn decided(arguments: &Arguments) -> io::Result<Summary> {
    let output = BufWriter::new(io::stdout().lock());
    match arguments.file.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            let file = File::open(path).map_err(named)?;
            decide_lines(BufReader::new(file), output, arguments.explain)
        }
        None => decide_lines(BufReader::new(io::stdin().lock()), output, arguments.explain),
    }
}

/// Decides every line of `input`.
///
/// # Errors
/// `input` cannot be read, or `output` cannot be written.
pub fn decide_lines(
    input: BufReader<impl Read>,
    mut output: impl Write,
    explained: bool,
) -> io::Result<Summary> {
    let mut lines = Lines { input, line: Vec::new() };
    let mut layers = Layers::default();
    let mut summary = Summary::default();
    let mut number = 0_u64;
    while let Some(found) = lines.read()? {
        number += 1;
        let text = lines.line.trim_ascii();
        if found == Found::Line && text.is_empty() {
            continue;
        }
        let answer = match found {
            Found::Line => answer(text, &mut layers, explained),
            Found::TooLong => Answer::error(format!("the line is longer than {LINE_BYTES_MAX} bytes")),
        };
        summary.lines += 1;
        summary.mismatches += u64::from(answer.is_mismatch());
        summary.errors += u64::from(answer.is_error());
        answer.write(number, &mut output)?;
        if lines.input.buffer().is_empty() {
            // Whoever writes one line at a time waits for its answer.
            output.flush()?;
        }
    }
    output.flush()?;
    Ok(summary)
}

fn answer<'t>(text: &'t [u8], layers: &mut Layers, explained: bool) -> Answer<'t> {
    let line: Line<'t> = match serde_json::from_slice(text) {
        Ok(line) => line,
        Err(error) => return Answer::error(error.to_string()),
    };
    let answer = judged(&line, layers, explained).unwrap_or_else(Answer::error);
    answer.to(line.id)
}

/// The decision of one line, without its id.
fn judged<'t>(line: &Line<'t>, layers: &mut Layers, explained: bool) -> Result<Answer<'t>, String> {
    let question = &line.request;
    let who = Who::of(question)?;
    let is_trust = question.asks_trust_policy();
    let policies = layers.policies(line, is_trust)?;
    let mut context = Context::with_capacity(question.context.len());
    question.describe(&mut context);
    let request = request(question, &who, &context);
    let decision = decide(&policies, &request);
    if let Some(invalid) = decision.invalid {
        return Err(invalid.to_string());
    }
    let effect = effect_name(decision.effect);
    let expected = line.expect.filter(|expected| expected.name() != effect);
    let told = explained || expected.is_some();
    let reasons = told.then(|| reasons(explain(&policies, &request).statements));
    Ok(Answer::decided(&decision, &policies, expected, reasons))
}

fn request<'r>(question: &'r Question<'_>, who: &'r Who<'_>, context: &'r Context<'r>) -> Request<'r> {
    let standing = who.standing(question);
    let mut request = Request::new(who.principal(), &question.action, &question.resource, context);
    request.resource_account = question.resource_account.as_deref();
    request.standing = standing;
    request
}

/// Reads lines of bounded length.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Line,
    TooLong,
}

impl<R: Read> Lines<R> {
    /// Reads the next line into `line`.
    fn read(&mut self) -> io::Result<Option<Found>> {
        self.line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        if self.input.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.len() <= LINE_BYTES_MAX || self.line.last() == Some(&b'\n') {
            return Ok(Some(Found::Line));
        }
        self.line.clear();
        self.input.skip_until(b'\n')?;
        Ok(Some(Found::TooLong))
    }
}

#[cfg(test)]
mod tests;
