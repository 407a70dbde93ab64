//! Identity and Access Management: users, groups, roles, policies and access keys. One file for each resource of
//! `reeve.iam.v1`.

mod access_keys;
mod account_aliases;
mod account_summary;
mod attachments;
mod boundaries;
mod groups;
mod holders;
mod inline_policies;
mod login_profiles;
mod mfa_devices;
mod not_kept;
mod open_id_connect_providers;
mod outbound_federation;
mod password_policies;
mod policies;
mod qr_code;
mod roles;
mod tags;
mod users;

use std::sync::Arc;

use prost_types::Timestamp;
use reeve_chassis::{Call, Routes};
use reeve_directory::{Error, Page};

/// The path under which everything lies.
const EVERYTHING: &str = "/";

/// The handlers of `reeve.iam.v1`.
#[derive(Debug, Default)]
pub struct Iam;

impl Iam {
    /// Adds every operation of `reeve.iam.v1`: one without its handler does not compile.
    pub fn register(self, routes: &mut Routes) {
        let handler = Arc::new(self);
        macro_rules! register {
            ($operation:ty) => {
                routes.add::<$operation, _>(&handler);
            };
        }
        reeve_proto::iam_operations!(register);
    }
}

/// The items of a page, and the marker of the page after it.
fn with_marker<T>(
    call: &Call<'_>,
    filters: &[&str],
    page: Page<T>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let marker = page.next.map(|last| call.marker(filters, &last)).transpose()?;
    Ok((page.items, marker))
}

/// Unix seconds as they are shown.
fn timestamp(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}
