//! Calls that must not succeed.

use reeve_chassis::client::CallError;

/// Why a call was refused: its `code`, `message` and `violations`.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, CallError>) -> CallError {
    match result {
        Ok(_) => panic!("the call was answered, and ought to be refused"),
        Err(error) => error,
    }
}

/// AWS's code of a call's error; empty when it was answered.
pub(crate) fn code<T>(result: Result<T, CallError>) -> String {
    match result {
        Ok(_) => String::new(),
        Err(error) if error.code.is_empty() => panic!("not an answer of Reeve's: {error:?}"),
        Err(error) => error.code,
    }
}
