//! Asks whoever sits at the terminal: passwords without echo, everything on standard error, so that what a command prints
//! stays its own.

use std::io::{BufRead as _, Read as _, Write as _};

use zeroize::Zeroizing;

use crate::terminal::Failure;

/// The longest line that is read.
const LINE_BYTES_MAX: u64 = 4096;

/// Who is asked: a person, or standard input, once.
pub(super) struct Prompt {
    password_stdin: bool,
}

impl Prompt {
    pub(super) fn new(password_stdin: bool) -> Self {
        Self { password_stdin }
    }

    /// A line that may be seen.
    pub(super) fn line(&mut self, what: &str) -> Result<String, Failure> {
        if self.password_stdin {
            return Err(Failure::Usage(format!("{what}: must be given, for nothing is asked")));
        }
        tell(&format!("{what}: "))?;
        read_line().map(|line| line.trim().to_owned())
    }

    /// A line that must not be seen.
    pub(super) fn password(&mut self, what: &str) -> Result<Zeroizing<String>, Failure> {
        if self.password_stdin {
            return read_line();
        }
        rpassword::prompt_password(format!("{what}: ")).map(Zeroizing::new).map_err(unread)
    }

    /// The code of a device, for whoever has one.
    pub(super) fn code(&mut self) -> Result<Option<String>, Failure> {
        if self.password_stdin {
            return Ok(None);
        }
        Ok(Some(self.line("MFA code, if you have a device")?).filter(|code| !code.is_empty()))
    }

    /// A new password, twice; `why` tells why.
    pub(super) fn new_password(&mut self, why: &str) -> Result<Zeroizing<String>, Failure> {
        if self.password_stdin {
            return Err(Failure::General(why.to_owned()));
        }
        tell(&format!("{why}\n"))?;
        let new = self.password("New password")?;
        if *self.password("New password again")? != *new {
            return Err(Failure::General("the two passwords differ".to_owned()));
        }
        Ok(new)
    }
}

fn tell(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stderr().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(unread)
}

fn read_line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line).map_err(unread)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn unread(error: std::io::Error) -> Failure {
    Failure::General(format!("the terminal cannot be asked: {error}"))
}
