//! Requests that other services received, and forward to learn who signed them. The verifier is that of Reeve's own doors,
//! under other rules: such a signature is for a host and a scope that the service registered, and never for a scope of
//! Reeve's own, so that nobody can forward what was meant for Reeve. Whether the same request was forwarded before is the
//! service's to watch.

use http::HeaderMap;
use reeve_directory::Error;
use reeve_directory::record::RelyingServiceRecord;
use reeve_directory::relying_service::is_own_scope;
use reeve_evaluator::wildcard_match;

use crate::authenticate::identify;
use crate::call::Call;
use crate::identity::Identity;
use crate::session;
use crate::signature::{
    Authorization, PathForm, Payload, Rules, SignedRequest, SigningSecret, signing_secret,
};

/// The scope whose signatures have a canonical form of their own, and may leave the payload out.
const S3: &str = "s3";

/// A request as a relying service received it.
#[derive(Clone, Copy)]
pub struct Forwarded<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path as it was received.
    pub path: &'a str,
    /// The query as it was received, without its question mark.
    pub query: &'a str,
    /// Every header, the host among them.
    pub headers: &'a HeaderMap,
    /// What stands for the payload in what was signed.
    pub payload_hash: &'a str,
}

/// The scope of a signature, and the key that its holder's secret makes of it.
pub struct ScopedKey {
    /// `YYYYMMDD`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The service.
    pub service: String,
    /// The key.
    pub key: SigningSecret,
}

impl Forwarded<'_> {
    /// Who signed the request, as things are now.
    ///
    /// # Errors
    /// What is wrong with the signature or with whom it names, in AWS's words; or a fault of ours.
    pub async fn signer(
        &self,
        call: &mut Call<'_>,
        service: &RelyingServiceRecord,
    ) -> Result<Identity, Error> {
        let authorization = Authorization::find(self.headers, self.query)?;
        let authority = self.host(service)?;
        // Refused at registration too; a record that says otherwise is not believed.
        if is_own_scope(&service.scope_service) {
            return Err(Error::internal_failure("a relying service has a scope of Reeve's own"));
        }
        let request = SignedRequest {
            method: self.method,
            path: self.path,
            query: self.query,
            authority,
            headers: self.headers,
            payload: Payload::Told(self.payload_hash),
        };
        let is_s3 = service.scope_service == S3;
        let rules = Rules {
            skew_seconds_max: call.environment.signatures.skew_seconds_max,
            service: &service.scope_service,
            region: call.environment.signatures.region.as_deref(),
            path_form: if is_s3 { PathForm::Literal } else { PathForm::Normalized },
            stated_hash_required: false,
            unsigned_token_allowed: false,
            unsigned_payload_allowed: is_s3,
        };
        let checked = authorization.check(&request, call.now, &rules)?;
        let token = authorization.security_token(self.headers);
        identify(call.environment, call.transaction, &checked, token, call.now).await
    }

    /// The signing key of a request whose signer is known.
    ///
    /// # Errors
    /// As [`Forwarded::signer`].
    pub async fn signing_key(&self, call: &mut Call<'_>) -> Result<ScopedKey, Error> {
        let authorization = Authorization::find(self.headers, self.query)?;
        let scope = authorization.scope()?;
        let key = match authorization.security_token(self.headers) {
            Some(token) => {
                let record = session::open(call.environment, token)?;
                signing_secret(&record.secret_access_key, scope.date, scope.region, scope.service)
            }
            None => {
                let keys = &call.environment.keys;
                let key = keys.find(call.environment, call.transaction, scope.access_key_id).await?;
                let key = key.ok_or_else(session::invalid)?;
                key.signing_secret(scope.date, scope.region, scope.service)
            }
        };
        let owned = str::to_owned;
        Ok(ScopedKey {
            date: owned(scope.date),
            region: owned(scope.region),
            service: owned(scope.service),
            key,
        })
    }

    /// The host that was called, which is one of the service's.
    fn host(&self, service: &RelyingServiceRecord) -> Result<&str, Error> {
        let mut hosts = self.headers.get_all(http::header::HOST).iter();
        let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
        let host = host.filter(|host| !host.is_empty() && host.bytes().all(is_of_a_host));
        let host = host.ok_or_else(|| Error::incomplete_signature("A request is sent to one host."))?;
        let lower = host.to_ascii_lowercase();
        if service.hosts.iter().any(|known| wildcard_match(&known.to_ascii_lowercase(), &lower)) {
            return Ok(host);
        }
        let message = format!("The host {host} is not one of the relying service {}.", service.name);
        Err(Error::signature_does_not_match(message))
    }
}

fn is_of_a_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_' | b'[' | b']')
}
