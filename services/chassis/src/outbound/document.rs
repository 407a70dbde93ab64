//! What an issuer publishes: its configuration, and the keys that its tokens are signed by. (Source: OpenID Connect
//! Discovery 1.0; the members are those that AWS's issuers show, and one that the standard requires besides.)

use std::sync::Arc;

use bytes::Bytes;
use reeve_directory::{Error, outbound_federation};
use reeve_storage::Transaction;
use serde_json::json;

use super::key::SigningAlgorithm;
use super::{CLOCK_SECONDS_MAX, TOKEN_SECONDS_MAX, keys};
use crate::environment::Environment;

const CONFIGURATION: &str = "/.well-known/openid-configuration";
const KEY_SET: &str = "/.well-known/jwks.json";
/// How often a document is read before it is given up: what it is made of keeps changing.
const ATTEMPTS_MAX: usize = 5;

/// The document at `path`; none where there is none, or where its account is not enabled.
///
/// # Errors
/// The store fails.
pub(crate) async fn find(environment: &Environment, path: &str) -> Result<Option<Bytes>, Error> {
    for _ in 0..ATTEMPTS_MAX {
        let mut transaction = Transaction::begin(Arc::clone(&environment.engine));
        match read(environment, &mut transaction, path).await {
            Err(error) if error.is_conflict() => continue,
            Err(error) => return Err(error),
            Ok(found) => match transaction.finish().await.map_err(Error::from) {
                Err(error) if error.is_conflict() => continue,
                Err(error) => return Err(error),
                Ok(_) => return Ok(found),
            },
        }
    }
    Err(Error::service_unavailable("what an issuer publishes keeps changing"))
}

async fn read(
    environment: &Environment,
    transaction: &mut Transaction,
    path: &str,
) -> Result<Option<Bytes>, Error> {
    let Some((issuer_id, asked @ (CONFIGURATION | KEY_SET))) = environment.outbound.asked(path) else {
        return Ok(None);
    };
    let now = environment.clock.now().seconds();
    let federation = outbound_federation::of_issuer(transaction, issuer_id).await?;
    // Tokens that were given before the account was disabled are good until they expire, and have to be verified until then.
    let is_published = federation.is_some_and(|federation| {
        federation.disable_date == 0
            || now < federation.disable_date.saturating_add(TOKEN_SECONDS_MAX + CLOCK_SECONDS_MAX)
    });
    if !is_published {
        return Ok(None);
    }
    if asked == KEY_SET {
        return Ok(Some(keys::current(environment, transaction).await?.published.clone()));
    }
    let issuer = environment.outbound.url(issuer_id)?;
    let configuration = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{KEY_SET}"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::name),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "jti", "https://sts.amazonaws.com/"],
    });
    Ok(Some(Bytes::from(configuration.to_string())))
}
