//! Managed policies attached to users, groups and roles: three operations, the same for all three.

use reeve_chassis::{Call, Handle};
use reeve_directory::record::PolicyRecord;
use reeve_directory::{Directory, Error, Kind, resource};
use reeve_proto::iam::v1::{
    AttachGroupPolicyRequest, AttachGroupPolicyResponse, AttachRolePolicyRequest, AttachRolePolicyResponse,
    AttachUserPolicyRequest, AttachUserPolicyResponse, AttachedPolicy, DetachGroupPolicyRequest,
    DetachGroupPolicyResponse, DetachRolePolicyRequest, DetachRolePolicyResponse, DetachUserPolicyRequest,
    DetachUserPolicyResponse, ListAttachedGroupPoliciesRequest, ListAttachedGroupPoliciesResponse,
    ListAttachedRolePoliciesRequest, ListAttachedRolePoliciesResponse, ListAttachedUserPoliciesRequest,
    ListAttachedUserPoliciesResponse,
};

use crate::{EVERYTHING, Iam, with_marker};

macro_rules! attachments_of {
    (
        $kind:ident, $name:ident: attach $attach:ident -> $attached:ident, detach $detach:ident -> $detached:ident,
        list $list:ident -> $listed:ident
    ) => {
        impl Handle<$attach> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$attach) -> Result<$attached, Error> {
                call.directory().attachments().attach(Kind::$kind, &op.$name, &op.policy_arn).await?;
                Ok($attached {})
            }
        }

        impl Handle<$detach> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$detach) -> Result<$detached, Error> {
                call.directory().attachments().detach(Kind::$kind, &op.$name, &op.policy_arn).await?;
                Ok($detached {})
            }
        }

        impl Handle<$list> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$list) -> Result<$listed, Error> {
                let (path, marker) = (op.path_prefix.as_deref(), op.marker.as_deref());
                let (attached_policies, marker) =
                    list(call, Kind::$kind, &op.$name, path, marker, op.max_items).await?;
                Ok($listed { attached_policies, is_truncated: marker.is_some(), marker })
            }
        }
    };
}

attachments_of!(
    User, user_name: attach AttachUserPolicyRequest -> AttachUserPolicyResponse,
    detach DetachUserPolicyRequest -> DetachUserPolicyResponse,
    list ListAttachedUserPoliciesRequest -> ListAttachedUserPoliciesResponse
);
attachments_of!(
    Group, group_name: attach AttachGroupPolicyRequest -> AttachGroupPolicyResponse,
    detach DetachGroupPolicyRequest -> DetachGroupPolicyResponse,
    list ListAttachedGroupPoliciesRequest -> ListAttachedGroupPoliciesResponse
);
attachments_of!(
    Role, role_name: attach AttachRolePolicyRequest -> AttachRolePolicyResponse,
    detach DetachRolePolicyRequest -> DetachRolePolicyResponse,
    list ListAttachedRolePoliciesRequest -> ListAttachedRolePoliciesResponse
);

async fn list(
    call: &mut Call<'_>,
    kind: Kind,
    name: &str,
    path_prefix: Option<&str>,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<(Vec<AttachedPolicy>, Option<String>), Error> {
    let path = path_prefix.unwrap_or(EVERYTHING);
    let page = call.page(&[name, path], marker, max_items)?;
    let mut directory = call.directory();
    let found = directory.attachments().list(kind, name, path, page.after.as_deref(), page.limit).await?;
    let found = found.map(|policy| shown(&directory, policy));
    with_marker(call, &[name, path], found)
}

fn shown(directory: &Directory<'_>, policy: PolicyRecord) -> AttachedPolicy {
    AttachedPolicy {
        policy_arn: Some(directory.arn(resource::Kind::Policy, &policy.path, &policy.policy_name)),
        policy_name: Some(policy.policy_name),
    }
}
