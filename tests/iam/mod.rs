//! The operations of `reeve.iam.v1`, resource by resource: what AWS promises of each, asked over the wire.

mod access_keys;
mod account_aliases;
mod account_summary;
mod attachments;
mod boundaries;
mod conditions;
mod contention;
mod groups;
mod holders;
mod inline_policies;
mod login_profiles;
mod mfa_devices;
mod not_kept;
mod open_id_connect_providers;
mod outbound_federation;
mod pages;
mod password_policies;
mod password_uses;
mod policies;
mod policy_documents;
mod roles;
mod tags;
mod trust_policies;
mod users;
mod violations;

use reeve_chassis::client::CallError;
use reeve_proto::Operation;
use reeve_proto::iam::v1::Tag;

use crate::world::{World, refused};

/// Refused with this code and these very words.
#[track_caller]
fn is_refused<T>(result: Result<T, CallError>, code: &str, message: &str) {
    let error = refused(result);
    assert_eq!((error.code.as_str(), error.message.as_str()), (code, message));
}

/// Refused even to root with this code, for a reason in whose words `part` stands, and without a write.
async fn is_refused_unwritten<O: Operation>(world: &World, request: &O, code: &str, part: &str) {
    let before = world.commits();
    let error = refused(world.root().call(request).await);
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.contains(part), "{}", error.message);
    assert_eq!(world.commits(), before, "a refusal wrote");
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}
