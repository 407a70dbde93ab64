//! Somebody is hired: a temporary password, a policy that allows nothing until MFA is shown, a device, work, a lost device,
//! and the last day. The policy is AWS's documented one. (Source: "AWS: Allows MFA-authenticated IAM users to manage their own
//! credentials" of the IAM User Guide.)

use reeve_chassis::client::{Client, Credentials};
use reeve_proto::iam::v1::{
    AccessKey, AttachUserPolicyRequest, ChangePasswordRequest, CreateAccessKeyRequest,
    CreateLoginProfileRequest, CreatePolicyRequest, CreateUserRequest, CreateVirtualMfaDeviceRequest,
    DeactivateMfaDeviceRequest, DeleteAccessKeyRequest, DeleteLoginProfileRequest, DeleteUserRequest,
    DeleteVirtualMfaDeviceRequest, DetachUserPolicyRequest, ListAccessKeysRequest,
};
use reeve_proto::signin::v1::SignInRequest;
use reeve_proto::sts::v1::GetSessionTokenRequest;

use crate::signin::{People, Session, code, person};
use crate::sts::who;
use crate::world::{Authenticator, code as code_of, credentials, refused};

/// Everything about one's own credentials, and nothing else whatever until MFA is shown: the page's example, word for word.
const OWN_CREDENTIALS_UNTIL_MFA: &str = include_str!("own_credentials_until_mfa.json");

/// Dana, before her first day: a user with a temporary password, and the policy that is to be hers.
struct Dana {
    people: People,
    policy_arn: String,
    /// How she signs in.
    by_password: SignInRequest,
}

const TEMPORARY: &str = "Welcome-2-Reeve";

fn name() -> Option<String> {
    Some("dana".to_owned())
}

/// Her keys: what she may see with MFA alone.
fn keys() -> ListAccessKeysRequest {
    ListAccessKeysRequest { user_name: name(), ..Default::default() }
}

impl Dana {
    async fn hired() -> Self {
        let people = People::start().await;
        let root = people.world.root();
        root.call(&CreateUserRequest { user_name: "dana".to_owned(), ..Default::default() }).await.unwrap();
        let policy = CreatePolicyRequest {
            policy_name: "own-credentials-until-mfa".to_owned(),
            policy_document: OWN_CREDENTIALS_UNTIL_MFA.to_owned(),
            ..Default::default()
        };
        let policy_arn = root.call(&policy).await.unwrap().policy.unwrap().arn.unwrap();
        let profile = CreateLoginProfileRequest {
            user_name: name(),
            password: TEMPORARY.to_owned(),
            password_reset_required: Some(true),
        };
        root.call(&profile).await.unwrap();
        let by_password = SignInRequest { password: "Own-Secret-Words-7".to_owned(), ..person("dana") };
        Self { people, policy_arn, by_password }
    }

    /// Another password, and then the policy. The other way round it is as the page's note says: "does not allow users to reset
    /// a password while signing in".
    async fn first_day(&self) {
        let first = SignInRequest { password: TEMPORARY.to_owned(), ..person("dana") };
        assert_eq!(refused(self.people.sign_in(&first).await).code, "PasswordResetRequired");
        let new_password = Some(self.by_password.password.clone());
        let chosen = SignInRequest { new_password, ..first.clone() };
        self.attach().await;
        let early = refused(self.people.sign_in(&chosen).await);
        assert_eq!(early.code, "AccessDenied");
        assert!(early.message.contains("iam:ChangePassword"), "{}", early.message);
        self.detach().await;
        self.people.sign_in(&chosen).await.unwrap();
        self.people.refused(&first).await;
        self.attach().await;
    }

    async fn attach(&self) {
        let policy_arn = self.policy_arn.clone();
        let attach = AttachUserPolicyRequest { user_name: "dana".to_owned(), policy_arn };
        self.people.world.root().call(&attach).await.unwrap();
    }

    async fn detach(&self) {
        let policy_arn = self.policy_arn.clone();
        let detach = DetachUserPolicyRequest { user_name: "dana".to_owned(), policy_arn };
        self.people.world.root().call(&detach).await.unwrap();
    }

    /// What the policy keeps from whoever has not shown MFA, and gives to whoever has.
    async fn is_kept_out(&self, session: &Session) -> bool {
        let change = ChangePasswordRequest {
            old_password: self.by_password.password.clone(),
            new_password: "short".to_owned(),
        };
        let changed = code_of(session.call(&change).await);
        let listed = code_of(session.call(&keys()).await);
        match (changed.as_str(), listed.as_str()) {
            ("AccessDenied", "AccessDenied") => true,
            ("PasswordPolicyViolation", "") => false,
            other => panic!("{other:?}"),
        }
    }

    /// A device, without which nothing can be done; and the session that shows it.
    async fn enroll(&self) -> (Authenticator, Session) {
        let without = self.people.sign_in(&self.by_password).await.unwrap();
        assert!(self.is_kept_out(&without).await);
        let create = CreateVirtualMfaDeviceRequest {
            virtual_mfa_device_name: "dana".to_owned(),
            ..Default::default()
        };
        let device = without.call(&create).await.unwrap().virtual_mfa_device.unwrap();
        let device = Authenticator::of(&device);
        without.call(&device.enable(Some("dana"), self.people.now())).await.unwrap();
        assert!(self.is_kept_out(&without).await, "it was begun without the device");
        self.people.refused(&self.by_password).await;
        let session = self.people.sign_in(&code(&self.by_password, &self.next_code(&device))).await.unwrap();
        assert!(!self.is_kept_out(&session).await);
        (device, session)
    }

    fn next_code(&self, device: &Authenticator) -> String {
        self.people.clock.advance(30);
        device.code(self.people.now())
    }

    /// Work from programs: the key, and a session of it that shows the device.
    async fn work(&self, key: &AccessKey, device: &Authenticator) -> [Client; 2] {
        let by_key = self.people.world.client(credentials(key));
        assert_eq!(code_of(by_key.call(&keys()).await), "AccessDenied", "a key shows nothing: BoolIfExists");
        let bare = self.session(&by_key, &GetSessionTokenRequest::default()).await;
        assert_eq!(code_of(bare.call(&keys()).await), "AccessDenied");
        let shown = GetSessionTokenRequest {
            serial_number: Some(device.serial_number.clone()),
            token_code: Some(self.next_code(device)),
            ..Default::default()
        };
        let shown = self.session(&by_key, &shown).await;
        assert_eq!(shown.call(&keys()).await.unwrap().access_key_metadata.len(), 1);
        [by_key, shown]
    }

    async fn session(&self, client: &Client, request: &GetSessionTokenRequest) -> Client {
        let given = client.call(request).await.unwrap().credentials.unwrap();
        self.people.world.client(Credentials {
            access_key_id: given.access_key_id,
            secret_access_key: given.secret_access_key.into(),
            session_token: Some(given.session_token),
        })
    }

    /// An administrator takes a device away.
    async fn without(&self, device: &Authenticator) {
        let root = self.people.world.root();
        let serial_number = device.serial_number.clone();
        let deactivate = DeactivateMfaDeviceRequest { user_name: name(), serial_number };
        root.call(&deactivate).await.unwrap();
        let delete = DeleteVirtualMfaDeviceRequest { serial_number: device.serial_number.clone() };
        root.call(&delete).await.unwrap();
    }
}

async fn ended(client: &Client) -> bool {
    who(client).await == Err("InvalidClientTokenId".to_owned())
}

#[tokio::test]
async fn from_the_first_day_to_the_last() {
    let dana = Dana::hired().await;
    let root = dana.people.world.root();
    dana.first_day().await;
    let (device, session) = dana.enroll().await;
    let key = session.call(&CreateAccessKeyRequest { user_name: name() }).await.unwrap().access_key.unwrap();
    let [by_key, shown] = dana.work(&key, &device).await;

    // The device is lost.
    dana.without(&device).await;
    dana.people.refused(&code(&dana.by_password, &dana.next_code(&device))).await;
    let (device, session) = dana.enroll().await;

    // The last day. With the password every session has ended that began with it.
    root.call(&DeleteLoginProfileRequest { user_name: name() }).await.unwrap();
    assert!(ended(&session).await && ended(&session.bearer).await);
    dana.people.refused(&code(&dana.by_password, &dana.next_code(&device))).await;
    assert!(!ended(&shown).await, "the key's session rests on the key");
    root.call(&DeleteAccessKeyRequest { user_name: name(), access_key_id: key.access_key_id }).await.unwrap();
    assert!(ended(&by_key).await && ended(&shown).await);
    dana.without(&device).await;
    dana.detach().await;
    root.call(&DeleteUserRequest { user_name: "dana".to_owned() }).await.unwrap();
}
