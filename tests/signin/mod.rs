//! Signing in: what it takes, what it gives, how it ends, and what guessing costs.

mod code_guesses;
mod guessing;
mod passwords;
mod second_factor;
mod sessions;
mod sign_in;

use std::sync::Arc;

use reeve_chassis::client::{CallError, Client, Credentials};
use reeve_chassis::clock::{Clock, ManualClock, SystemClock};
use reeve_proto::iam::v1::{CreateLoginProfileRequest, CreateUserRequest};
use reeve_proto::signin::v1::{SignInRequest, SignInResponse};
use reeve_server::config::Config;
use zeroize::Zeroizing;

use crate::world::{ACCOUNT, World, refused};

/// A password that every policy takes.
pub(crate) const PASSWORD: &str = "Correct-horse-7";
/// What whoever cannot sign in is told, whatever the reason.
pub(crate) const REFUSED: &str =
    "Your authentication information is incorrect, or there were too many attempts. Please try again.";

/// A world whose clock stands still in the middle of a step, with alice and her password in it.
pub(crate) struct People {
    pub(crate) world: World,
    pub(crate) clock: Arc<ManualClock>,
    anybody: Client,
}

impl People {
    pub(crate) async fn start() -> Self {
        Self::configured(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn configured(configure: impl FnOnce(&mut Config)) -> Self {
        let now = SystemClock.now().seconds().div_euclid(30) * 30 + 15;
        let clock = Arc::new(ManualClock::at(now));
        let its = Arc::clone(&clock);
        let world = World::made(
            |config| {
                // As cheap as it may be: most of these tests are not about the cost.
                config.passwords.memory_kibibytes = 7_168;
                config.passwords.iterations = 5;
                configure(config);
            },
            async move |environment| {
                environment.clock = its;
                // Clients sign by the machine's clock, and these tests go through months.
                environment.signatures.skew_seconds_max = u32::MAX;
            },
        )
        .await;
        let anybody = world.unsigned().await;
        let people = Self { world, clock, anybody };
        people.hire("alice", false).await;
        people
    }

    /// The same people after the server was started again with other settings, on the machine's clock.
    pub(crate) async fn restarted_with(self, configure: impl FnOnce(&mut Config)) -> Self {
        let world = self.world.restarted_with(configure).await;
        Self { anybody: world.unsigned().await, world, ..self }
    }

    /// A new user with the password.
    pub(crate) async fn hire(&self, name: &str, reset_required: bool) {
        let user = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
        self.world.root().call(&user).await.unwrap();
        let profile = CreateLoginProfileRequest {
            user_name: Some(name.to_owned()),
            password: PASSWORD.to_owned(),
            password_reset_required: Some(reset_required),
        };
        self.world.root().call(&profile).await.unwrap();
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    pub(crate) async fn sign_in(&self, request: &SignInRequest) -> Result<Session, CallError> {
        self.anybody.call(request).await.map(|answer| Session::of(&self.world, answer))
    }

    /// Signs in, which must be refused in the words in which everybody is.
    pub(crate) async fn refused(&self, request: &SignInRequest) {
        let error = refused(self.sign_in(request).await);
        let told = (error.code.as_str(), error.message.as_str());
        assert_eq!(told, ("AccessDenied", REFUSED), "{request:?}");
        assert_eq!((error.grpc, error.violations.len()), (7, 0));
    }

    /// Whether somebody can sign in.
    pub(crate) async fn can(&self, request: &SignInRequest) -> bool {
        self.sign_in(request).await.is_ok()
    }
}

/// What a sign-in answered; its holder signs with it.
pub(crate) struct Session {
    pub(crate) arn: String,
    pub(crate) expiration: i64,
    /// Its holder, by the bearer token.
    pub(crate) bearer: Client,
    client: Client,
}

impl Session {
    fn of(world: &World, answer: SignInResponse) -> Self {
        let given = answer.credentials.unwrap();
        let credentials = Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: Zeroizing::new(given.secret_access_key),
            session_token: Some(given.session_token),
        };
        Self {
            bearer: world.root().bearing(&answer.bearer_token),
            client: world.client(credentials),
            arn: answer.arn,
            expiration: given.expiration.unwrap().seconds,
        }
    }
}

impl std::ops::Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// How alice signs in.
pub(crate) fn alice() -> SignInRequest {
    person("alice")
}

/// How somebody signs in with the password and no device.
pub(crate) fn person(name: &str) -> SignInRequest {
    SignInRequest {
        account: ACCOUNT.to_owned(),
        user_name: Some(name.to_owned()),
        password: PASSWORD.to_owned(),
        ..SignInRequest::default()
    }
}

/// The same with another password.
pub(crate) fn with(request: &SignInRequest, password: &str) -> SignInRequest {
    SignInRequest { password: password.to_owned(), ..request.clone() }
}

/// The same with a code.
pub(crate) fn code(request: &SignInRequest, code: &str) -> SignInRequest {
    SignInRequest { mfa_code: Some(code.to_owned()), ..request.clone() }
}
