//! An error as gRPC says it: the canonical code, AWS's message, and the details of `google.rpc`. The one place where an
//! [`Error`] becomes a status, and, for clients, a status an error again.

use std::collections::HashMap;

use reeve_directory::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// `google.rpc.ErrorInfo.domain` of every error.
pub const ERROR_DOMAIN: &str = "reeve";

/// The status that tells a client of an error. The private detail stays behind.
pub(crate) fn of(error: &Error, request_id: &str) -> Status {
    let answer = error.reason.answer();
    let mut details = ErrorDetails::with_error_info(answer.code, ERROR_DOMAIN, HashMap::new());
    if !error.violations.is_empty() {
        let violations: Vec<FieldViolation> = error
            .violations
            .iter()
            .map(|violation| FieldViolation::new(violation.field.clone(), violation.description.clone()))
            .collect();
        details.set_bad_request(violations);
    }
    if let Some(delay) = error.retry_after {
        details.set_retry_info(Some(delay));
    }
    if !request_id.is_empty() {
        details.set_request_info(request_id, "");
    }
    Status::with_error_details(Code::from_i32(answer.grpc), error.message.clone(), details)
}
