//! Tags of users, roles, managed policies, MFA devices and OpenID Connect providers: three operations, the same for all five;
//! and tags between the wire and the store.

use reeve_chassis::{Call, Handle};
use reeve_directory::Error;
use reeve_directory::record::StoredTag;
use reeve_directory::tag::Tagged;
use reeve_proto::iam::v1::{
    ListMfaDeviceTagsRequest, ListMfaDeviceTagsResponse, ListOpenIdConnectProviderTagsRequest,
    ListOpenIdConnectProviderTagsResponse, ListPolicyTagsRequest, ListPolicyTagsResponse,
    ListRoleTagsRequest, ListRoleTagsResponse, ListUserTagsRequest, ListUserTagsResponse, Tag,
    TagMfaDeviceRequest, TagMfaDeviceResponse, TagOpenIdConnectProviderRequest,
    TagOpenIdConnectProviderResponse, TagPolicyRequest, TagPolicyResponse, TagRoleRequest, TagRoleResponse,
    TagUserRequest, TagUserResponse, UntagMfaDeviceRequest, UntagMfaDeviceResponse,
    UntagOpenIdConnectProviderRequest, UntagOpenIdConnectProviderResponse, UntagPolicyRequest,
    UntagPolicyResponse, UntagRoleRequest, UntagRoleResponse, UntagUserRequest, UntagUserResponse,
};

use crate::{Iam, with_marker};

macro_rules! tags_of {
    (
        $kind:ident, $name:ident: tag $tag:ident -> $tagged:ident, untag $untag:ident -> $untagged:ident,
        list $list:ident -> $listed:ident
    ) => {
        impl Handle<$tag> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$tag) -> Result<$tagged, Error> {
                call.directory().tags().add(Tagged::$kind(&op.$name), stored(&op.tags)).await?;
                Ok($tagged {})
            }
        }

        impl Handle<$untag> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$untag) -> Result<$untagged, Error> {
                call.directory().tags().remove(Tagged::$kind(&op.$name), &op.tag_keys).await?;
                Ok($untagged {})
            }
        }

        impl Handle<$list> for Iam {
            async fn handle(&self, call: &mut Call<'_>, op: &$list) -> Result<$listed, Error> {
                let filters = [op.$name.as_str()];
                let page = call.page(&filters, op.marker.as_deref(), op.max_items)?;
                let mut directory = call.directory();
                let mut tags = directory.tags();
                let found = tags.list(Tagged::$kind(&op.$name), page.after.as_deref(), page.limit).await?;
                let (tags, marker) = with_marker(call, &filters, found)?;
                Ok($listed { tags: shown(tags), is_truncated: marker.is_some(), marker })
            }
        }
    };
}

tags_of!(
    User, user_name: tag TagUserRequest -> TagUserResponse, untag UntagUserRequest -> UntagUserResponse,
    list ListUserTagsRequest -> ListUserTagsResponse
);
tags_of!(
    Role, role_name: tag TagRoleRequest -> TagRoleResponse, untag UntagRoleRequest -> UntagRoleResponse,
    list ListRoleTagsRequest -> ListRoleTagsResponse
);
tags_of!(
    Policy, policy_arn: tag TagPolicyRequest -> TagPolicyResponse, untag UntagPolicyRequest -> UntagPolicyResponse,
    list ListPolicyTagsRequest -> ListPolicyTagsResponse
);

tags_of!(
    MfaDevice, serial_number: tag TagMfaDeviceRequest -> TagMfaDeviceResponse,
    untag UntagMfaDeviceRequest -> UntagMfaDeviceResponse,
    list ListMfaDeviceTagsRequest -> ListMfaDeviceTagsResponse
);
tags_of!(
    OidcProvider, open_id_connect_provider_arn:
    tag TagOpenIdConnectProviderRequest -> TagOpenIdConnectProviderResponse,
    untag UntagOpenIdConnectProviderRequest -> UntagOpenIdConnectProviderResponse,
    list ListOpenIdConnectProviderTagsRequest -> ListOpenIdConnectProviderTagsResponse
);

/// Tags as they are stored.
pub(crate) fn stored(tags: &[Tag]) -> Vec<StoredTag> {
    tags.iter().map(|tag| StoredTag { key: tag.key.clone(), value: tag.value.clone() }).collect()
}

/// Tags as they are shown.
pub(crate) fn shown(tags: Vec<StoredTag>) -> Vec<Tag> {
    tags.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect()
}
