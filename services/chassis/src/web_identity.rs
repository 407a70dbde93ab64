//! Who a provider's token says that somebody is: from a token that anybody may present to an identity that a role's trust policy
//! is asked about. Which issuer is asked for its keys the account decides, by its providers, and never the token.

mod attributes;
mod claims;
mod json;

use reeve_directory::record::{FederatedIdentity, OidcProviderRecord};
use reeve_directory::resource::oidc_provider_arn;
use reeve_directory::{Error, oidc_provider};

pub use attributes::{Attributes, ClaimValue};
pub use claims::refused;

use crate::call::Call;
use crate::jose::{ErrorKind, Token};
use claims::{Claims, NOT_A_JWT};

/// What of a name that a token gives itself stands in the audit log.
const AUDITED_CHARACTERS_MAX: usize = 255;

/// Somebody for whom a provider vouches.
#[derive(Debug)]
pub struct WebIdentity {
    /// The provider's ARN.
    pub provider_arn: String,
    /// The token's `iss`.
    pub issuer_url: String,
    /// What sessions keep of the token.
    pub federated: FederatedIdentity,
    /// What its claims are good for.
    pub attributes: Attributes,
}

/// Verifies a token for a role of `account`.
///
/// # Errors
/// `InvalidIdentityToken`, `ExpiredTokenException`, `IDPCommunicationError`, `IDPRejectedClaim`.
pub async fn prove(call: &mut Call<'_>, account: &str, token: &str) -> Result<WebIdentity, Error> {
    let token = Token::parse(token).map_err(|error| malformed(error.kind()))?;
    // Nothing of it is proved yet. It chooses among the account's own providers, and names itself in the audit log.
    let claims = Claims::read(&token.payload)?;
    let provider = provider(call, account, &claims).await?;
    let now = call.now;
    if token.header.typ.as_deref().is_some_and(is_of_another_kind) {
        return Err(refused("The token is of another kind than one that says who somebody is."));
    }
    let issuers = &call.environment.issuers;
    issuers.verify(&claims.issuer, &token, now).await?;
    // From here on the claims are the issuer's word: what was verified are the very bytes that they were read from.
    claims.check_moment(now, issuers.skew_seconds_max())?;
    claims.check_audience(&provider.client_ids)?;
    let provider_arn = oidc_provider_arn(&call.environment.settings.partition, account, &provider.issuer);
    Ok(WebIdentity {
        provider_arn,
        attributes: Attributes::of(&claims, &provider)?,
        federated: FederatedIdentity {
            provider_id: provider.provider_id,
            issuer: provider.issuer,
            subject: claims.subject.clone(),
            audience: claims.audience().to_owned(),
            amr: claims.methods.clone(),
        },
        issuer_url: claims.issuer,
    })
}

/// The provider whose token it says it is. What it says of itself goes to the audit log, whatever becomes of it.
async fn provider(call: &mut Call<'_>, account: &str, said: &Claims) -> Result<OidcProviderRecord, Error> {
    let issuer = oidc_provider::issuer_of(&said.issuer).ok();
    let found = match issuer {
        Some(issuer) => oidc_provider::find(call.transaction, account, issuer).await?,
        None => None,
    };
    let partition = &call.environment.settings.partition;
    let who = match &found {
        Some(provider) => oidc_provider_arn(partition, account, &provider.issuer),
        None => said.issuer.clone(),
    };
    let who = format!("{who}:{}:{}", said.audience(), said.subject);
    call.acts_for(&who.chars().take(3 * AUDITED_CHARACTERS_MAX).collect::<String>());
    found.ok_or_else(|| {
        refused(format!("No OpenIDConnect provider found in your account for {}", said.issuer))
    })
}

/// Whether a token says by its type that it is for something else than to say who its subject is. (Source: RFC 8725, 3.11.)
fn is_of_another_kind(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    kind != "at+jwt" && kind.ends_with("+jwt")
}

/// AWS's refusal of a token of which this is wrong.
pub(crate) fn malformed(kind: &ErrorKind) -> Error {
    match kind {
        ErrorKind::InvalidSignature => refused("Token signature invalid"),
        ErrorKind::UnsupportedAlgorithm | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => {
            refused("The token is signed by an algorithm that is not accepted.")
        }
        _ => refused(NOT_A_JWT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_kinds_of_token_say_nobody_s_identity() {
        for kind in ["JWT", "jwt", "JOSE", "at+jwt", "application/at+jwt", ""] {
            assert!(!is_of_another_kind(kind), "{kind}");
        }
        for kind in ["logout+jwt", "application/LOGOUT+jwt", "secevent+jwt", "dpop+jwt"] {
            assert!(is_of_another_kind(kind), "{kind}");
        }
    }
}
