//! Access keys of users, and of the account's root. A secret is in the answer to its creation and nowhere else.

use reeve_chassis::{Call, Handle, secret_access_key};
use reeve_directory::Owner;
use reeve_directory::access_key::{NewAccessKey, not_found};
use reeve_directory::record::AccessKeyRecord;
use reeve_directory::{Error, id};
use reeve_proto::iam::v1::{
    AccessKey, AccessKeyLastUsed, AccessKeyMetadata, CreateAccessKeyRequest, CreateAccessKeyResponse,
    DeleteAccessKeyRequest, DeleteAccessKeyResponse, GetAccessKeyLastUsedRequest,
    GetAccessKeyLastUsedResponse, ListAccessKeysRequest, ListAccessKeysResponse, UpdateAccessKeyRequest,
    UpdateAccessKeyResponse,
};

use crate::users::named_or_caller;
use crate::{Iam, timestamp, with_marker};

const ACTIVE: &str = "Active";
const INACTIVE: &str = "Inactive";
/// AWS's word where nothing is known of a key's last use.
const NOT_TRACKED: &str = "N/A";

impl Handle<CreateAccessKeyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreateAccessKeyRequest,
    ) -> Result<CreateAccessKeyResponse, Error> {
        let user_name = owner_name(call, op.user_name.as_deref()).await?;
        let access_key_id = id::access_key(call.caller.account(), &mut call.random);
        let secret = secret_access_key(&mut call.random);
        let sealed_secret = call.seal_secret(&access_key_id, &secret)?;
        let new = NewAccessKey { access_key_id, sealed_secret };
        let key = call.directory().access_keys().create(owner(user_name.as_deref()), new).await?;
        let access_key = AccessKey {
            user_name: user_name.unwrap_or_default(),
            status: status(&key).to_owned(),
            access_key_id: key.access_key_id,
            secret_access_key: secret.to_string(),
            create_date: timestamp(key.create_date),
        };
        Ok(CreateAccessKeyResponse { access_key: Some(access_key) })
    }
}

impl Handle<ListAccessKeysRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListAccessKeysRequest,
    ) -> Result<ListAccessKeysResponse, Error> {
        let user_name = owner_name(call, op.user_name.as_deref()).await?;
        let filters = [user_name.as_deref().unwrap_or_default()];
        let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let mut keys = directory.access_keys();
        let found = keys.list(owner(user_name.as_deref()), page.after.as_deref(), page.limit).await?;
        let (access_key_metadata, marker) =
            with_marker(call, &filters, found.map(|key| listed(user_name.clone(), key)))?;
        Ok(ListAccessKeysResponse { access_key_metadata, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<UpdateAccessKeyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &UpdateAccessKeyRequest,
    ) -> Result<UpdateAccessKeyResponse, Error> {
        let is_active = match op.status.as_str() {
            ACTIVE => true,
            INACTIVE => false,
            other => {
                let message = format!("An access key cannot be made {other}.");
                return Err(Error::invalid_input(&message).with_violation("status", &message));
            }
        };
        let user_name = owner_name(call, op.user_name.as_deref()).await?;
        let mut directory = call.directory();
        let mut keys = directory.access_keys();
        keys.set_active(owner(user_name.as_deref()), &op.access_key_id, is_active).await?;
        Ok(UpdateAccessKeyResponse {})
    }
}

impl Handle<DeleteAccessKeyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteAccessKeyRequest,
    ) -> Result<DeleteAccessKeyResponse, Error> {
        let user_name = owner_name(call, op.user_name.as_deref()).await?;
        call.directory().access_keys().delete(owner(user_name.as_deref()), &op.access_key_id).await?;
        Ok(DeleteAccessKeyResponse {})
    }
}

impl Handle<GetAccessKeyLastUsedRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetAccessKeyLastUsedRequest,
    ) -> Result<GetAccessKeyLastUsedResponse, Error> {
        let account = call.caller.account().to_owned();
        let mut directory = call.directory();
        let user_name = match directory.access_keys().find(&op.access_key_id).await? {
            Some(key) if key.account_id == account && key.principal_id == account => None,
            Some(key) if key.account_id == account => {
                let user = directory.users().by_id(&key.principal_id).await?;
                Some(user.ok_or_else(|| not_found(&op.access_key_id))?.user_name)
            }
            _ => return Err(not_found(&op.access_key_id)),
        };
        // A call that only reads writes nothing, and so not when a key was used.
        let access_key_last_used = Some(AccessKeyLastUsed {
            last_used_date: None,
            service_name: NOT_TRACKED.to_owned(),
            region: NOT_TRACKED.to_owned(),
        });
        Ok(GetAccessKeyLastUsedResponse { user_name, access_key_last_used })
    }
}

/// Whose keys a call means, by the name that the user was given; none for the account's root.
async fn owner_name(call: &mut Call<'_>, name: Option<&str>) -> Result<Option<String>, Error> {
    match named_or_caller(call, name)? {
        Some(name) => Ok(Some(call.directory().users().get(&name).await?.user_name)),
        None => Ok(None),
    }
}

fn owner(user_name: Option<&str>) -> Owner<'_> {
    user_name.map_or(Owner::Root, Owner::User)
}

fn status(key: &AccessKeyRecord) -> &'static str {
    if key.active { ACTIVE } else { INACTIVE }
}

fn listed(user_name: Option<String>, key: AccessKeyRecord) -> AccessKeyMetadata {
    AccessKeyMetadata {
        user_name,
        status: Some(status(&key).to_owned()),
        access_key_id: Some(key.access_key_id),
        create_date: timestamp(key.create_date),
    }
}
