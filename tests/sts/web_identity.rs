//! Assuming a role with a token of a provider's: what the token proves, what the role's trust policy sees of it, and what does
//! not get in.

mod issuers;
mod tokens;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use reeve_chassis::client::{CallError, Client};
use reeve_chassis::clock::{Clock, ManualClock, SystemClock};
use reeve_chassis::issuer::{IssuerSettings, Issuers};
use reeve_proto::iam::v1::{
    CreateOpenIdConnectProviderRequest, DeleteOpenIdConnectProviderRequest, Role,
    UpdateAssumeRolePolicyRequest,
};
use reeve_proto::sts::v1::{
    AssumeRoleResponse, AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse,
};
use serde_json::{Value, json};

use super::Session;
use crate::world::{ACCOUNT, Issuer, SigningKey, World};

/// The audience of the tokens here.
const CLIENT: &str = "client-1";
/// How old keys are here before they are looked at again, before they end, and how long nothing is asked: in seconds.
const FRESH: i64 = 60;
const LIFETIME: i64 = 300;
const INTERVAL: i64 = 10;

/// An issuer whose tokens a world trusts, and a role that trusts them.
struct Federation {
    world: World,
    issuer: Issuer,
    key: SigningKey,
    clock: Arc<ManualClock>,
    role: Role,
    nobody: Client,
}

impl Federation {
    async fn start() -> Self {
        Self::of(Issuer::start().await, SigningKey::new("key-1", "ES256")).await
    }

    async fn of(issuer: Issuer, key: SigningKey) -> Self {
        // Longer than any machine takes: nothing here ends by it.
        Self::within(Duration::from_secs(20), issuer, key).await
    }

    /// The same, where issuers have so long to answer.
    async fn within(fetch_max: Duration, issuer: Issuer, key: SigningKey) -> Self {
        issuer.publish(&[&key]);
        let clock = Arc::new(ManualClock::at(SystemClock.now().seconds()));
        let settings = IssuerSettings {
            trust_anchors: vec![issuer.authority.clone()],
            fetch_max,
            answer_bytes_max: 64 * 1024,
            fresh_seconds_max: FRESH,
            lifetime_seconds_max: LIFETIME,
            interval_seconds_min: INTERVAL,
            skew_seconds_max: 60,
        };
        let shown = Arc::clone(&clock);
        let world = World::made(
            |_| {},
            async move |environment| {
                environment.issuers = Issuers::new(settings);
                environment.clock = shown;
            },
        )
        .await;
        provide(&world, &issuer.url).await;
        let trust = trusting(issuer.name(), json!({}));
        let role = world.role("federated", &trust).await;
        let nobody = world.unsigned().await;
        Self { world, issuer, key, clock, role, nobody }
    }

    fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// The claims of a good token, with others in the place of some, and besides them.
    fn claims(&self, more: Value) -> Value {
        let now = self.now();
        let mut claims = json!({
            "iss": self.issuer.url, "sub": "user-1", "aud": CLIENT, "iat": now, "exp": now + 300,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    }

    /// A token with these claims besides those of a good one.
    fn token(&self, more: Value) -> String {
        self.key.sign(&self.claims(more))
    }

    fn request(&self, token: String) -> AssumeRoleWithWebIdentityRequest {
        AssumeRoleWithWebIdentityRequest {
            role_arn: self.role.arn.clone(),
            role_session_name: "session".to_owned(),
            web_identity_token: token,
            ..Default::default()
        }
    }

    async fn answer(&self, token: String) -> Result<AssumeRoleWithWebIdentityResponse, CallError> {
        self.nobody.call(&self.request(token)).await
    }

    /// A session of a token with these claims besides those of a good one.
    async fn session(&self, more: Value) -> Result<Session, CallError> {
        self.answer(self.token(more)).await.map(|answer| self.session_of(answer))
    }

    fn session_of(&self, answer: AssumeRoleWithWebIdentityResponse) -> Session {
        let answer = AssumeRoleResponse {
            credentials: answer.credentials,
            assumed_role_user: answer.assumed_role_user,
            packed_policy_size: answer.packed_policy_size,
            source_identity: answer.source_identity,
        };
        Session::of(&self.nobody, answer)
    }

    /// Replaces the conditions under which the role trusts the issuer.
    async fn trust_when(&self, condition: Value) {
        self.trust(&trusting(self.issuer.name(), condition)).await;
    }

    async fn trust(&self, document: &Value) {
        let update = UpdateAssumeRolePolicyRequest {
            role_name: self.role.role_name.clone(),
            policy_document: document.to_string(),
        };
        self.world.root().call(&update).await.unwrap();
    }

    fn provider_arn(&self) -> String {
        provider_arn(self.issuer.name())
    }

    async fn delete_provider(&self) {
        let delete = DeleteOpenIdConnectProviderRequest { open_id_connect_provider_arn: self.provider_arn() };
        self.world.root().call(&delete).await.unwrap();
    }

    /// Refused with this code and words that hold these, without a write, and with an event that says so.
    async fn is_refused(&self, token: String, code: &str, words: &str) {
        let before = self.world.commits();
        let error = crate::world::refused(self.answer(token).await);
        assert_eq!(error.code, code, "{}", error.message);
        assert!(error.message.contains(words), "{}", error.message);
        assert_eq!(self.world.commits(), before, "a refusal wrote");
        let event = self.world.audited(|event| event["request_id"] == error.request_id.as_str()).await;
        assert_eq!(event["error"], code, "{event}");
        assert_eq!(event["action"], "sts:AssumeRoleWithWebIdentity");
    }
}

fn provider_arn(issuer: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}")
}

/// Makes an issuer a provider of the account's.
async fn provide(world: &World, url: &str) {
    let request = CreateOpenIdConnectProviderRequest {
        url: url.to_owned(),
        client_id_list: vec![CLIENT.to_owned(), "client-2".to_owned()],
        ..Default::default()
    };
    world.root().call(&request).await.unwrap();
}

/// A trust policy that lets the issuer's subjects assume a role, tag the session and set its source identity.
fn trusting(issuer: &str, condition: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Principal": { "Federated": provider_arn(issuer) },
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": condition,
    }})
}
