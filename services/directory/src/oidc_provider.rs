//! OpenID Connect providers: whose tokens an account trusts, for which audiences, and what their claims are good for. A
//! provider is known by its URL, which is what its tokens say of who issued them, letter by letter.

use reeve_proto::store::v1::{OidcProviderRecord, StoredClaimMapping, StoredTag};
use reeve_storage::Transaction;

use crate::limits::{
    CLIENT_IDS_PER_OIDC_PROVIDER_MAX, OIDC_PROVIDERS_PER_ACCOUNT_MAX, THUMBPRINTS_PER_OIDC_PROVIDER_MAX,
};
use crate::resource::{Resource, oidc_provider_arn};
use crate::{Error, Result, id, part, tables, tag};

/// What AWS calls the quota of an account's providers.
pub(crate) const PROVIDERS_QUOTA: &str = "OpenIdConnectProvidersPerAccount";
/// The only scheme there is.
const SCHEME: &str = "https://";

part! {
    /// The OpenID Connect providers of an account.
    OidcProviders
}

/// A provider to be created.
#[derive(Debug, Clone, Default)]
pub struct NewOidcProvider {
    /// `https://`, a host, perhaps a port, perhaps a path.
    pub url: String,
    /// The audiences that its tokens may be for; what stands twice is kept once.
    pub client_ids: Vec<String>,
    /// Kept, and not looked at.
    pub thumbprints: Vec<String>,
    /// Tags.
    pub tags: Vec<StoredTag>,
}

/// The provider of an issuer, its URL without `https://`; none when the account has none.
pub async fn find(
    transaction: &mut Transaction,
    account: &str,
    issuer: &str,
) -> Result<Option<OidcProviderRecord>> {
    let key = (account.to_owned(), issuer.to_owned());
    Ok(tables::OIDC_PROVIDERS.get(transaction, &key).await?)
}

/// Whether a provider is there, and not another of its name.
pub async fn is_there(
    transaction: &mut Transaction,
    account: &str,
    issuer: &str,
    provider_id: u64,
) -> Result<bool> {
    let found = find(transaction, account, issuer).await?;
    Ok(found.is_some_and(|provider| provider.provider_id == provider_id))
}

/// The URL of an issuer.
#[must_use]
pub fn url(issuer: &str) -> String {
    [SCHEME, issuer].concat()
}

/// The issuer that a URL means: what follows `https://`. There is nothing in it that means something to a policy, and nothing
/// that a token's `iss` may not hold. It begins the condition keys of its tokens, so no word of a service's, as `aws`, is one.
/// AWS advises against ports; whoever runs an issuer of their own may need one.
///
/// # Errors
/// `ValidationError`.
pub fn issuer_of(url: &str) -> Result<&str> {
    let issuer = url.strip_prefix(SCHEME).filter(|rest| is_host_and_path(rest));
    issuer.ok_or_else(|| {
        let message = "Invalid Open ID Connect Provider URL";
        Error::validation_error(message).with_violation("url", message)
    })
}

fn is_host_and_path(text: &str) -> bool {
    let (authority, path) = text.split_once('/').unwrap_or((text, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let of_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%=+,/".contains(&byte);
    (host == "localhost" || host.trim_matches('.').contains('.'))
        && host.bytes().all(of_host)
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse().is_ok_and(|port: u16| port != 0)
        && path.bytes().all(of_path)
        && !path.split('/').any(|segment| segment == "." || segment == "..")
}

impl OidcProviders<'_, '_> {
    /// Creates a provider.
    ///
    /// # Errors
    /// `ValidationError` for the URL, `EntityAlreadyExists`, `LimitExceeded`; `InvalidInput` for the thumbprints and the tags.
    pub async fn create(&mut self, new: NewOidcProvider) -> Result<OidcProviderRecord> {
        let issuer = issuer_of(&new.url)?;
        tag::check(&new.tags)?;
        let mut client_ids: Vec<String> = Vec::new();
        for client_id in new.client_ids {
            if !client_ids.contains(&client_id) {
                client_ids.push(client_id);
            }
        }
        check_client_ids(&client_ids)?;
        check_thumbprints(&new.thumbprints)?;
        let record = OidcProviderRecord {
            issuer: issuer.to_owned(),
            provider_id: id::drawn(self.0.random),
            create_date: self.0.now,
            client_ids,
            thumbprints: new.thumbprints,
            tags: new.tags,
            ..Default::default()
        };
        if self.find(issuer).await?.is_some() {
            let message = format!("Provider with url {} already exists.", new.url);
            return Err(Error::entity_already_exists(message));
        }
        let (account, max) = ((self.0.account.to_owned(),), OIDC_PROVIDERS_PER_ACCOUNT_MAX);
        if tables::OIDC_PROVIDERS_COUNT.get(self.0.transaction, &account).await? >= max {
            return Err(Error::quota(PROVIDERS_QUOTA, max));
        }
        tables::OIDC_PROVIDERS_COUNT.add(self.0.transaction, &account, 1, max);
        self.put(&record).await?;
        Ok(record)
    }

    /// The ARN of a provider.
    #[must_use]
    pub fn arn(&self, provider: &OidcProviderRecord) -> String {
        oidc_provider_arn(&self.0.settings.partition, self.0.account, &provider.issuer)
    }

    /// The provider of an issuer, its URL without `https://`.
    pub async fn find(&mut self, issuer: &str) -> Result<Option<OidcProviderRecord>> {
        find(self.0.transaction, self.0.account, issuer).await
    }

    /// The provider of an ARN.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, arn: &str) -> Result<OidcProviderRecord> {
        let parsed = Resource::parse(&self.0.settings.partition, arn);
        let found = match parsed {
            Some(Resource::OidcProvider { account, issuer }) if account == self.0.account => {
                self.find(issuer).await?
            }
            _ => None,
        };
        let missing = || Error::no_such_entity(format!("OpenIDConnect Provider not found for arn {arn}"));
        found.ok_or_else(missing)
    }

    /// The account's providers, in the order of their issuers. There are few enough to be on one page.
    pub async fn list(&mut self) -> Result<Vec<OidcProviderRecord>> {
        let account = (self.0.account.to_owned(),);
        let found = tables::OIDC_PROVIDERS.scan(self.0.transaction, &account, None, usize::MAX).await?;
        Ok(found.into_iter().map(|(_, provider)| provider).collect())
    }

    /// Adds an audience; one that is there already is no error.
    ///
    /// # Errors
    /// `NoSuchEntity`, `LimitExceeded`.
    pub async fn add_client_id(&mut self, arn: &str, client_id: &str) -> Result<()> {
        let mut provider = self.get(arn).await?;
        if !provider.client_ids.iter().any(|known| known == client_id) {
            provider.client_ids.push(client_id.to_owned());
            check_client_ids(&provider.client_ids)?;
            self.put(&provider).await?;
        }
        Ok(())
    }

    /// Takes an audience away; one that is not there is no error.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn remove_client_id(&mut self, arn: &str, client_id: &str) -> Result<()> {
        let mut provider = self.get(arn).await?;
        provider.client_ids.retain(|known| known != client_id);
        self.put(&provider).await
    }

    /// Replaces the thumbprints.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    pub async fn set_thumbprints(&mut self, arn: &str, thumbprints: &[String]) -> Result<()> {
        check_thumbprints(thumbprints)?;
        let mut provider = self.get(arn).await?;
        provider.thumbprints = thumbprints.to_vec();
        self.put(&provider).await
    }

    /// Says what the claims of its tokens are good for, in place of what was said before.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for tags that cannot stand together.
    pub async fn set_claim_mappings(
        &mut self,
        arn: &str,
        mappings: Vec<StoredClaimMapping>,
        role_session_name_claim: &str,
    ) -> Result<()> {
        check_mappings(&mappings)?;
        let mut provider = self.get(arn).await?;
        provider.claim_mappings = mappings;
        role_session_name_claim.clone_into(&mut provider.role_session_name_claim);
        self.put(&provider).await
    }

    /// Ends the trust in a provider; one that is not there is no error. What began with its tokens ends.
    pub async fn delete(&mut self, arn: &str) -> Result<()> {
        let parsed = Resource::parse(&self.0.settings.partition, arn);
        let Some(Resource::OidcProvider { account, issuer }) = parsed else { return Ok(()) };
        if account != self.0.account || self.find(issuer).await?.is_none() {
            return Ok(());
        }
        let key = self.0.key(issuer);
        tables::OIDC_PROVIDERS.delete(self.0.transaction, &key).await?;
        tables::OIDC_PROVIDERS_COUNT.add(self.0.transaction, &(key.0,), -1, i64::MAX);
        Ok(())
    }

    /// Writes a provider again.
    pub(crate) async fn put(&mut self, provider: &OidcProviderRecord) -> Result<()> {
        let key = self.0.key(&provider.issuer);
        Ok(tables::OIDC_PROVIDERS.put(self.0.transaction, &key, provider).await?)
    }
}

fn check_client_ids(client_ids: &[String]) -> Result<()> {
    if client_ids.len() <= CLIENT_IDS_PER_OIDC_PROVIDER_MAX {
        return Ok(());
    }
    Err(Error::quota("ClientIdsPerOpenIdConnectProvider", CLIENT_IDS_PER_OIDC_PROVIDER_MAX))
}

fn check_thumbprints(thumbprints: &[String]) -> Result<()> {
    let refused =
        |message: &str| Err(Error::invalid_input(message).with_violation("thumbprint_list", message));
    if thumbprints.len() > THUMBPRINTS_PER_OIDC_PROVIDER_MAX {
        return refused("Thumbprint list must contain at most 5 entries.");
    }
    if !thumbprints.iter().all(|print| print.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return refused("A thumbprint is 40 hexadecimal digits.");
    }
    Ok(())
}

fn check_mappings(mappings: &[StoredClaimMapping]) -> Result<()> {
    let field = "claim_mappings";
    let tags: Vec<StoredTag> = mappings
        .iter()
        .filter(|mapping| !mapping.tag_key.is_empty())
        .map(|mapping| StoredTag { key: mapping.tag_key.clone(), value: String::new() })
        .collect();
    tag::check(&tags).map_err(|error| error.violation_renamed("tags", field))?;
    if mappings.iter().any(|mapping| mapping.transitive && mapping.tag_key.is_empty()) {
        let message = "A claim is passed on as a tag, and one of these has no tag key.";
        return Err(Error::invalid_input(message).with_violation(field, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_host_and_a_path() {
        for issuer in [
            "oidc.example.com",
            "oidc.example.com/",
            "localhost:4433",
            "127.0.0.1:4433",
            "login.example.com/tenant-1/v2.0",
            "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
            "idp.example.com/realms/one%20two",
        ] {
            assert_eq!(issuer_of(&url(issuer)).ok(), Some(issuer));
        }
        for url in [
            "",
            "https://",
            "https:///path",
            "https://aws",
            "https://sts/a.b",
            "https://.aws.",
            "http://oidc.example.com",
            "HTTPS://oidc.example.com",
            "oidc.example.com",
            "https://oidc.example.com?tenant=1",
            "https://oidc.example.com/#top",
            "https://user@oidc.example.com",
            "https://oidc.example.com:0",
            "https://oidc.example.com:65536",
            "https://oidc.example.com:",
            "https://oidc.example.com:+1",
            "https://oidc.example.com/a/../b",
            "https://oidc.example.com/*",
            "https://oidc.example.com/a b",
            "https://oidc.exämple.com",
            "https://[::1]/",
        ] {
            assert!(issuer_of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn mapped_tags_stand_together_or_not_at_all() {
        let mapping = |tag_key: &str, transitive| StoredClaimMapping {
            claim: "c".to_owned(),
            tag_key: tag_key.to_owned(),
            transitive,
        };
        assert!(check_mappings(&[mapping("a", true), mapping("b", false), mapping("", false)]).is_ok());
        for refused in [
            vec![mapping("a", false), mapping("A", false)],
            vec![mapping("aws:x", false)],
            vec![mapping("", true)],
        ] {
            let error = check_mappings(&refused).unwrap_err();
            assert_eq!(error.violations[0].field, "claim_mappings", "{refused:?}");
        }
    }
}
