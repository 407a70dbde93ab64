//! Policies embedded in users, groups and roles: four operations, the same for all three.

use reeve_chassis::{Call, Handle};
use reeve_directory::{Error, Kind};
use reeve_proto::iam::v1::{
    DeleteGroupPolicyRequest, DeleteGroupPolicyResponse, DeleteRolePolicyRequest, DeleteRolePolicyResponse,
    DeleteUserPolicyRequest, DeleteUserPolicyResponse, GetGroupPolicyRequest, GetGroupPolicyResponse,
    GetRolePolicyRequest, GetRolePolicyResponse, GetUserPolicyRequest, GetUserPolicyResponse,
    ListGroupPoliciesRequest, ListGroupPoliciesResponse, ListRolePoliciesRequest, ListRolePoliciesResponse,
    ListUserPoliciesRequest, ListUserPoliciesResponse, PutGroupPolicyRequest, PutGroupPolicyResponse,
    PutRolePolicyRequest, PutRolePolicyResponse, PutUserPolicyRequest, PutUserPolicyResponse,
};

use crate::{Iam, with_marker};

macro_rules! inline_policies_of {
    (
        $kind:ident, $name:ident: put $put:ident -> $was_put:ident, get $get:ident -> $got:ident,
        delete $delete:ident -> $deleted:ident, list $list:ident -> $listed:ident
    ) => {
        impl Handle<$put> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$put) -> Result<$was_put, Error> {
                let mut directory = call.directory();
                let mut policies = directory.inline_policies();
                policies.put(Kind::$kind, &op.$name, &op.policy_name, &op.policy_document).await?;
                Ok($was_put {})
            }
        }

        impl Handle<$get> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$get) -> Result<$got, Error> {
                let mut directory = call.directory();
                let found = directory.inline_policies().get(Kind::$kind, &op.$name, &op.policy_name).await?;
                let (entity, policy) = found;
                Ok($got {
                    $name: entity.name().to_owned(),
                    policy_name: policy.policy_name,
                    policy_document: policy.document,
                })
            }
        }

        impl Handle<$delete> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$delete) -> Result<$deleted, Error> {
                call.directory().inline_policies().delete(Kind::$kind, &op.$name, &op.policy_name).await?;
                Ok($deleted {})
            }
        }

        impl Handle<$list> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$list) -> Result<$listed, Error> {
                let (policy_names, marker) =
                    list(call, Kind::$kind, &op.$name, op.marker.as_deref(), op.max_items).await?;
                Ok($listed { policy_names, is_truncated: marker.is_some(), marker })
            }
        }
    };
}

inline_policies_of!(
    User, user_name: put PutUserPolicyRequest -> PutUserPolicyResponse,
    get GetUserPolicyRequest -> GetUserPolicyResponse,
    delete DeleteUserPolicyRequest -> DeleteUserPolicyResponse,
    list ListUserPoliciesRequest -> ListUserPoliciesResponse
);
inline_policies_of!(
    Group, group_name: put PutGroupPolicyRequest -> PutGroupPolicyResponse,
    get GetGroupPolicyRequest -> GetGroupPolicyResponse,
    delete DeleteGroupPolicyRequest -> DeleteGroupPolicyResponse,
    list ListGroupPoliciesRequest -> ListGroupPoliciesResponse
);
inline_policies_of!(
    Role, role_name: put PutRolePolicyRequest -> PutRolePolicyResponse,
    get GetRolePolicyRequest -> GetRolePolicyResponse,
    delete DeleteRolePolicyRequest -> DeleteRolePolicyResponse,
    list ListRolePoliciesRequest -> ListRolePoliciesResponse
);

async fn list(
    call: &mut Call<'_>,
    kind: Kind,
    name: &str,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<(Vec<String>, Option<String>), Error> {
    let page = call.page(&[name], marker, max_items)?;
    let found =
        call.directory().inline_policies().list(kind, name, page.after.as_deref(), page.limit).await?;
    with_marker(call, &[name], found)
}
