//! The one error of the product: an AWS reason with what the caller may read, and apart from it what only the operator may.
//! How a reason appears on the wire is declared at `reeve.error.v1.ErrorReason`.

use std::time::Duration;

use reeve_evaluator::{BindError, DocumentError, Fault};
use reeve_proto::error::v1::ErrorReason;

use crate::tables;

/// Shorthand for results of the product.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How long a caller should wait before it asks again, when nothing better is known.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", reason.answer().code)]
pub struct Error {
    /// Which of AWS's errors it is.
    pub reason: ErrorReason,
    /// AWS's words; sent.
    pub message: String,
    /// For the log of the operator; never sent.
    pub detail: Option<String>,
    /// Which members are at fault.
    pub violations: Vec<FieldViolation>,
    /// When the call may be made again.
    pub retry_after: Option<Duration>,
    conflict: bool,
}

/// What is wrong with one member of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The member, as the client's protocol names it.
    pub field: String,
    /// What is wrong.
    pub description: String,
}

macro_rules! reasons {
    ($($name:ident: $reason:ident,)*) => {
        impl Error {
            $(
                #[doc = concat!("[`ErrorReason::", stringify!($reason), "`].")]
                #[must_use]
                pub fn $name(message: impl Into<String>) -> Self {
                    Self::new(ErrorReason::$reason, message)
                }
            )*
        }
    };
}

reasons! {
    access_denied: AccessDenied,
    concurrent_modification: ConcurrentModification,
    delete_conflict: DeleteConflict,
    entity_already_exists: EntityAlreadyExists,
    expired_token: ExpiredToken,
    feature_disabled: FeatureDisabled,
    feature_enabled: FeatureEnabled,
    expired_token_exception: ExpiredTokenException,
    idp_rejected_claim: IdpRejectedClaim,
    incomplete_signature: IncompleteSignature,
    invalid_action: InvalidAction,
    invalid_authentication_code: InvalidAuthenticationCode,
    invalid_client_token_id: InvalidClientTokenId,
    invalid_identity_token: InvalidIdentityToken,
    invalid_input: InvalidInput,
    invalid_parameter_combination: InvalidParameterCombination,
    invalid_parameter_value: InvalidParameterValue,
    invalid_user_type: InvalidUserType,
    jwt_payload_size_exceeded: JwtPayloadSizeExceeded,
    limit_exceeded: LimitExceeded,
    malformed_policy_document: MalformedPolicyDocument,
    malformed_query_string: MalformedQueryString,
    missing_action: MissingAction,
    missing_authentication_token: MissingAuthenticationToken,
    no_such_entity: NoSuchEntity,
    outbound_web_identity_federation_disabled: OutboundWebIdentityFederationDisabled,
    packed_policy_too_large: PackedPolicyTooLarge,
    password_policy_violation: PasswordPolicyViolation,
    password_reset_required: PasswordResetRequired,
    policy_not_attachable: PolicyNotAttachable,
    request_expired: RequestExpired,
    request_timeout: RequestTimeout,
    session_duration_escalation: SessionDurationEscalation,
    signature_does_not_match: SignatureDoesNotMatch,
    throttling: Throttling,
    unmodifiable_entity: UnmodifiableEntity,
    validation_error: ValidationError,
}

impl Error {
    /// An error of `reason` that says `message`.
    #[must_use]
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            detail: None,
            violations: Vec::new(),
            retry_after: None,
            conflict: false,
        }
    }

    /// A fault of ours: the caller learns nothing but that it happened.
    #[must_use]
    pub fn internal_failure(detail: impl Into<String>) -> Self {
        Self::new(
            ErrorReason::InternalFailure,
            "The request processing has failed because of an unknown error, exception or failure.",
        )
        .with_detail(detail)
    }

    /// Too busy, or cut off from storage: the call may be made again.
    #[must_use]
    pub fn service_unavailable(detail: impl Into<String>) -> Self {
        let error = Self::new(
            ErrorReason::ServiceUnavailable,
            "The request has failed due to a temporary failure of the server.",
        );
        Self { retry_after: Some(RETRY_AFTER), ..error }.with_detail(detail)
    }

    /// A quota that is used up.
    #[must_use]
    pub fn quota(name: &str, quota: impl std::fmt::Display) -> Self {
        Self::limit_exceeded(format!("Cannot exceed quota for {name}: {quota}"))
    }

    /// The same error with words for the operator's log.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same error with one more member at fault.
    #[must_use]
    pub fn with_violation(mut self, field: impl Into<String>, description: impl Into<String>) -> Self {
        self.violations.push(FieldViolation { field: field.into(), description: description.into() });
        self
    }

    /// The same error where the member at fault has another name: the same thing is called differently by two operations.
    #[must_use]
    pub fn violation_renamed(mut self, from: &str, to: &str) -> Self {
        for violation in self.violations.iter_mut().filter(|violation| violation.field == from) {
            to.clone_into(&mut violation.field);
        }
        self
    }

    /// Whether something that was read has changed: nothing was written, and a rerun from the start may succeed.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.conflict
    }

    /// The transaction must run again.
    #[must_use]
    pub fn conflict() -> Self {
        Self { conflict: true, ..Self::service_unavailable("a key that was read has changed since") }
    }
}

impl From<reeve_storage::Error> for Error {
    fn from(error: reeve_storage::Error) -> Self {
        use reeve_storage::Error as Storage;
        match &error {
            Storage::Conflict => Self::conflict(),
            Storage::LimitReached { key } => match tables::quota_of(key) {
                Some(quota) => Self::limit_exceeded(format!("Cannot exceed quota for {quota}")),
                None => Self::internal_failure("a counter outside every quota is at its limit"),
            },
            Storage::Unavailable { .. } => Self::service_unavailable(error.to_string()),
            _ => Self::internal_failure(error.to_string()),
        }
    }
}

impl From<DocumentError> for Error {
    fn from(error: DocumentError) -> Self {
        let place = error.located().to_string();
        let reason = match error.fault {
            Fault::Malformed => ErrorReason::MalformedPolicyDocument,
            Fault::Size => ErrorReason::LimitExceeded,
        };
        Self::new(reason, error.message).with_violation("policy_document", place)
    }
}

impl From<BindError<Self>> for Error {
    fn from(error: BindError<Self>) -> Self {
        match error {
            BindError::Document(error) => error.into(),
            BindError::Resolve(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_conflicts_stay_distinguishable() {
        assert!(Error::from(reeve_storage::Error::Conflict).is_conflict());
        let key = tables::USERS_COUNT.key(&("111122223333".to_owned(),));
        let limit = Error::from(reeve_storage::Error::LimitReached { key });
        assert_eq!(limit.message, "Cannot exceed quota for UsersPerAccount");
        assert!(!limit.is_conflict());
    }

    #[test]
    fn what_the_operator_reads_is_not_what_the_caller_reads() {
        let error = Error::internal_failure("/var/lib/secret");
        assert!(!error.to_string().contains("secret"));
    }
}
