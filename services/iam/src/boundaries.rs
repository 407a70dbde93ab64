//! Permissions boundaries of users and roles: two operations, the same for both.

use reeve_chassis::{Call, Handle};
use reeve_directory::{Error, Kind};
use reeve_proto::iam::v1::{
    DeleteRolePermissionsBoundaryRequest, DeleteRolePermissionsBoundaryResponse,
    DeleteUserPermissionsBoundaryRequest, DeleteUserPermissionsBoundaryResponse,
    PutRolePermissionsBoundaryRequest, PutRolePermissionsBoundaryResponse, PutUserPermissionsBoundaryRequest,
    PutUserPermissionsBoundaryResponse,
};

use crate::Iam;

macro_rules! boundaries_of {
    ($kind:ident, $name:ident: put $put:ident -> $was_put:ident, delete $delete:ident -> $deleted:ident) => {
        impl Handle<$put> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$put) -> Result<$was_put, Error> {
                call.directory().boundaries().set(Kind::$kind, &op.$name, &op.permissions_boundary).await?;
                Ok($was_put {})
            }
        }

        impl Handle<$delete> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$delete) -> Result<$deleted, Error> {
                call.directory().boundaries().clear(Kind::$kind, &op.$name).await?;
                Ok($deleted {})
            }
        }
    };
}

boundaries_of!(
    User, user_name: put PutUserPermissionsBoundaryRequest -> PutUserPermissionsBoundaryResponse,
    delete DeleteUserPermissionsBoundaryRequest -> DeleteUserPermissionsBoundaryResponse
);
boundaries_of!(
    Role, role_name: put PutRolePermissionsBoundaryRequest -> PutRolePermissionsBoundaryResponse,
    delete DeleteRolePermissionsBoundaryRequest -> DeleteRolePermissionsBoundaryResponse
);
