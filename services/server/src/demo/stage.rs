//! What the audience sees: numbered steps, and under each what was expected and whether it held.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use reeve_chassis::client::CallError;

/// Prints the steps and counts what held.
pub(crate) struct Stage<'o> {
    output: &'o mut dyn Write,
    step: u32,
    held: u32,
    failed: Vec<String>,
}

impl<'o> Stage<'o> {
    pub(crate) fn new(output: &'o mut dyn Write) -> Self {
        Self { output, step: 0, held: 0, failed: Vec::new() }
    }

    /// Begins a step: what is done.
    pub(crate) fn step(&mut self, title: &str) -> io::Result<()> {
        self.step += 1;
        writeln!(self.output, "\n{:2}. {title}", self.step)
    }

    /// Tells what stands there.
    pub(crate) fn note(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.output, "       {text}")
    }

    /// Checks an expectation: what it proves, and what was found.
    pub(crate) fn expect(&mut self, proves: &str, holds: bool, found: impl Display) -> io::Result<()> {
        if holds {
            self.held += 1;
            writeln!(self.output, "  ok   {proves}")?;
        } else {
            self.failed.push(format!("step {}: {proves}", self.step));
            writeln!(self.output, "  FAIL {proves}")?;
        }
        writeln!(self.output, "       {found}")
    }

    /// Checks that a call was answered.
    pub(crate) fn answered<T>(&mut self, proves: &str, answer: &Result<T, CallError>) -> io::Result<()> {
        match answer {
            Ok(_) => self.expect(proves, true, "answered"),
            Err(error) => self.expect(proves, false, error),
        }
    }

    /// Checks that a call was refused with that code.
    pub(crate) fn refused<T>(
        &mut self,
        proves: &str,
        answer: &Result<T, CallError>,
        code: &str,
    ) -> io::Result<()> {
        match answer {
            Ok(_) => self.expect(proves, false, format!("answered, where {code} was expected")),
            Err(error) => self.expect(proves, error.code == code, error),
        }
    }

    /// Tells how it came out; whether everything held.
    pub(crate) fn end(self, took: Duration) -> io::Result<bool> {
        let Self { output, step, held, failed, .. } = self;
        if failed.is_empty() {
            writeln!(output, "\nAll {held} expectations of {step} steps held, in {} ms.", took.as_millis())?;
        } else {
            writeln!(
                output,
                "\n{} of {} expectations did not hold:",
                failed.len(),
                failed.len() as u64 + u64::from(held)
            )?;
            failed.iter().try_for_each(|failed| writeln!(output, "  {failed}"))?;
        }
        output.flush()?;
        Ok(failed.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_hold_is_named_at_the_end() {
        let mut output = Vec::new();
        let mut stage = Stage::new(&mut output);
        stage.step("one").unwrap();
        stage.expect("it holds", true, "found").unwrap();
        stage.refused("it is refused", &Ok::<(), CallError>(()), "AccessDenied").unwrap();
        assert!(!stage.end(Duration::ZERO).unwrap());
        let text = String::from_utf8(output).unwrap();
        assert!(text.contains("  ok   it holds") && text.contains("  FAIL it is refused"), "{text}");
        assert!(text.ends_with("1 of 2 expectations did not hold:\n  step 1: it is refused\n"), "{text}");
    }
}
