//! What AWS hangs on users and roles and Reeve does not keep: there is no way to make one, so every list of them is empty.
//! Tools ask for them before they delete whom they would hang on.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_proto::iam::v1::{
    ListInstanceProfilesForRoleRequest, ListInstanceProfilesForRoleResponse,
    ListServiceSpecificCredentialsRequest, ListServiceSpecificCredentialsResponse,
    ListSigningCertificatesRequest, ListSigningCertificatesResponse, ListSshPublicKeysRequest,
    ListSshPublicKeysResponse,
};

use crate::Iam;
use crate::users::named_or_caller;

impl Handle<ListInstanceProfilesForRoleRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListInstanceProfilesForRoleRequest,
    ) -> Result<ListInstanceProfilesForRoleResponse, Error> {
        first_page(call, op.marker.as_deref())?;
        call.directory().roles().get(&op.role_name).await?;
        Ok(ListInstanceProfilesForRoleResponse::default())
    }
}

impl Handle<ListSshPublicKeysRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListSshPublicKeysRequest,
    ) -> Result<ListSshPublicKeysResponse, Error> {
        first_page(call, op.marker.as_deref())?;
        exists(call, op.user_name.as_deref()).await?;
        Ok(ListSshPublicKeysResponse::default())
    }
}

impl Handle<ListSigningCertificatesRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListSigningCertificatesRequest,
    ) -> Result<ListSigningCertificatesResponse, Error> {
        first_page(call, op.marker.as_deref())?;
        exists(call, op.user_name.as_deref()).await?;
        Ok(ListSigningCertificatesResponse::default())
    }
}

impl Handle<ListServiceSpecificCredentialsRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListServiceSpecificCredentialsRequest,
    ) -> Result<ListServiceSpecificCredentialsResponse, Error> {
        first_page(call, op.marker.as_deref())?;
        let of_all_users = op.all_users.unwrap_or_default() && op.user_name.is_none();
        if !of_all_users {
            exists(call, op.user_name.as_deref()).await?;
        }
        Ok(ListServiceSpecificCredentialsResponse::default())
    }
}

/// An empty list has one page: no marker was ever given out.
fn first_page(call: &Call<'_>, marker: Option<&str>) -> Result<(), Error> {
    call.page(&[], marker, None).map(|_| ())
}

async fn exists(call: &mut Call<'_>, user_name: Option<&str>) -> Result<(), Error> {
    if let Some(name) = named_or_caller(call, user_name)? {
        call.directory().users().get(&name).await?;
    }
    Ok(())
}
