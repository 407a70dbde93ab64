//! What sealed values are for, each with a label of its own that keys and associated data are derived from. A label is
//! for ever: what was sealed under it opens under no other.

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident: $field:ident = $label:literal;)*) => {
        /// What a sealed value is for. A value sealed for one purpose never opens for another.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Purpose {
            $($(#[$doc])* $name,)*
        }

        impl Purpose {
            pub(super) fn label(self) -> &'static [u8] {
                match self {
                    $(Purpose::$name => $label,)*
                }
            }
        }

        /// One `T` for each purpose.
        pub(super) struct Each<T> {
            $($field: T,)*
        }

        impl<T> Each<T> {
            pub(super) fn make<E>(mut of: impl FnMut(Purpose) -> Result<T, E>) -> Result<Self, E> {
                Ok(Self { $($field: of(Purpose::$name)?,)* })
            }

            pub(super) fn get(&self, purpose: Purpose) -> &T {
                match purpose {
                    $(Purpose::$name => &self.$field,)*
                }
            }
        }
    };
}

purposes! {
    /// The secret of a long-term access key.
    AccessKeySecret: access_key_secret = b"reeve access-key-secret\0";
    /// The token of temporary credentials.
    SessionToken: session_token = b"reeve session-token\0";
    /// A bearer token.
    BearerToken: bearer_token = b"reeve bearer-token\0";
    /// Where a page of a listing ended.
    PageMarker: page_marker = b"reeve page-marker\0";
    /// A revision shown to clients.
    Revision: revision = b"reeve revision\0";
    /// A data key under the root key.
    DataKey: data_key = b"reeve data-key\0";
    /// The hash of a password.
    PasswordHash: password_hash = b"reeve password-hash\0";
    /// The seed of a virtual MFA device.
    MfaSeed: mfa_seed = b"reeve mfa-seed\0";
    /// A key that signs tokens for others.
    SigningKey: signing_key = b"reeve signing-key\0";
}
