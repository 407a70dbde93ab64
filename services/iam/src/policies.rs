//! Customer managed policies and their versions.

use reeve_chassis::{Call, Handle};
use reeve_directory::policy::{NewPolicy, PolicyFilter, PolicyUsage, UsageCounts};
use reeve_directory::policy_version::{self, Version};
use reeve_directory::record::PolicyRecord;
use reeve_directory::resource::Kind;
use reeve_directory::{Directory, Error};
use reeve_proto::iam::v1::{
    CreatePolicyRequest, CreatePolicyResponse, CreatePolicyVersionRequest, CreatePolicyVersionResponse,
    DeletePolicyRequest, DeletePolicyResponse, DeletePolicyVersionRequest, DeletePolicyVersionResponse,
    GetPolicyRequest, GetPolicyResponse, GetPolicyVersionRequest, GetPolicyVersionResponse,
    ListPoliciesRequest, ListPoliciesResponse, ListPolicyVersionsRequest, ListPolicyVersionsResponse, Policy,
    PolicyVersion, SetDefaultPolicyVersionRequest, SetDefaultPolicyVersionResponse,
};

use crate::{EVERYTHING, Iam, tags, timestamp, with_marker};

impl Handle<CreatePolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreatePolicyRequest,
    ) -> Result<CreatePolicyResponse, Error> {
        let new = NewPolicy {
            name: op.policy_name.clone(),
            path: op.path.clone(),
            document: op.policy_document.clone(),
            description: op.description.clone().unwrap_or_default(),
            tags: tags::stored(&op.tags),
        };
        let mut directory = call.directory();
        let policy = directory.policies().create(new).await?;
        Ok(CreatePolicyResponse { policy: Some(shown(&directory, policy, UsageCounts::default())) })
    }
}

impl Handle<GetPolicyRequest> for Iam {
    async fn handle(&self, call: &mut Call<'_>, op: &GetPolicyRequest) -> Result<GetPolicyResponse, Error> {
        let mut directory = call.directory();
        let policy = directory.policies().get(&op.policy_arn).await?;
        let usage = directory.policies().usage(&policy).await?;
        Ok(GetPolicyResponse { policy: Some(shown(&directory, policy, usage)) })
    }
}

impl Handle<ListPoliciesRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListPoliciesRequest,
    ) -> Result<ListPoliciesResponse, Error> {
        let path = op.path_prefix.as_deref().unwrap_or(EVERYTHING);
        let (scope, used) = (op.scope.as_deref(), op.policy_usage_filter.as_deref());
        let only_attached = op.only_attached.unwrap_or_default();
        let attached = if only_attached { "attached" } else { "" };
        let filters = [path, scope.unwrap_or_default(), used.unwrap_or_default(), attached];
        let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
        if scope == Some("AWS") {
            // No policy here is AWS's.
            return Ok(ListPoliciesResponse::default());
        }
        let filter = PolicyFilter { only_attached, usage: used.map(usage) };
        let mut directory = call.directory();
        let found = directory.policies().list(path, filter, page.after.as_deref(), page.limit).await?;
        let found = found.map(|(policy, usage)| listed(&directory, policy, usage));
        let (policies, marker) = with_marker(call, &filters, found)?;
        Ok(ListPoliciesResponse { policies, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<DeletePolicyRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeletePolicyRequest,
    ) -> Result<DeletePolicyResponse, Error> {
        call.directory().policies().delete(&op.policy_arn).await?;
        Ok(DeletePolicyResponse {})
    }
}

impl Handle<CreatePolicyVersionRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreatePolicyVersionRequest,
    ) -> Result<CreatePolicyVersionResponse, Error> {
        let set_as_default = op.set_as_default.unwrap_or_default();
        let mut directory = call.directory();
        let version =
            directory.policy_versions().create(&op.policy_arn, &op.policy_document, set_as_default).await?;
        Ok(CreatePolicyVersionResponse { policy_version: Some(listed_version(&version)) })
    }
}

impl Handle<GetPolicyVersionRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetPolicyVersionRequest,
    ) -> Result<GetPolicyVersionResponse, Error> {
        let version = call.directory().policy_versions().get(&op.policy_arn, &op.version_id).await?;
        let shown = listed_version(&version);
        let policy_version = Some(PolicyVersion { document: Some(version.record.document), ..shown });
        Ok(GetPolicyVersionResponse { policy_version })
    }
}

impl Handle<ListPolicyVersionsRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListPolicyVersionsRequest,
    ) -> Result<ListPolicyVersionsResponse, Error> {
        let filters = [op.policy_arn.as_str()];
        let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found =
            directory.policy_versions().list(&op.policy_arn, page.after.as_deref(), page.limit).await?;
        let (versions, marker) = with_marker(call, &filters, found.map(|version| listed_version(&version)))?;
        Ok(ListPolicyVersionsResponse { versions, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<SetDefaultPolicyVersionRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &SetDefaultPolicyVersionRequest,
    ) -> Result<SetDefaultPolicyVersionResponse, Error> {
        call.directory().policy_versions().set_default(&op.policy_arn, &op.version_id).await?;
        Ok(SetDefaultPolicyVersionResponse {})
    }
}

impl Handle<DeletePolicyVersionRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeletePolicyVersionRequest,
    ) -> Result<DeletePolicyVersionResponse, Error> {
        call.directory().policy_versions().delete(&op.policy_arn, &op.version_id).await?;
        Ok(DeletePolicyVersionResponse {})
    }
}

/// AWS's name for how a policy is used; its shape was checked.
pub(crate) fn usage(name: &str) -> PolicyUsage {
    match name {
        "PermissionsBoundary" => PolicyUsage::Boundary,
        _ => PolicyUsage::Permissions,
    }
}

/// A policy as a listing shows it: AWS leaves out tags and description there.
fn listed(directory: &Directory<'_>, policy: PolicyRecord, usage: UsageCounts) -> Policy {
    let count = |count: i64| Some(i32::try_from(count).unwrap_or(i32::MAX));
    Policy {
        arn: Some(directory.arn(Kind::Policy, &policy.path, &policy.policy_name)),
        policy_name: Some(policy.policy_name),
        policy_id: Some(policy.policy_id),
        path: Some(policy.path),
        default_version_id: Some(policy_version::name(policy.default_version)),
        attachment_count: count(usage.attachments),
        permissions_boundary_usage_count: count(usage.boundaries),
        is_attachable: Some(true),
        description: None,
        create_date: timestamp(policy.create_date),
        update_date: timestamp(policy.update_date),
        tags: Vec::new(),
    }
}

fn shown(directory: &Directory<'_>, mut policy: PolicyRecord, usage: UsageCounts) -> Policy {
    let tags = tags::shown(std::mem::take(&mut policy.tags));
    let description =
        Some(std::mem::take(&mut policy.description)).filter(|description| !description.is_empty());
    Policy { tags, description, ..listed(directory, policy, usage) }
}

/// A version as a listing shows it, without its document.
fn listed_version(version: &Version) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(version.name()),
        is_default_version: Some(version.is_default),
        create_date: timestamp(version.record.create_date),
    }
}
