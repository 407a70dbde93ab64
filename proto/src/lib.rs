//! Reeve's services and messages, and what the build derives from the options of their RPCs.
//!
//! The request type is the operation: everything true of an operation is declared at its RPC, and reaches Rust as the
//! [`Spec`] of its request type. Nothing here knows how an operation is carried out.

mod fields;
mod operation;

pub use fields::{FieldList, Fields, Member, Shape, Value};
pub use operation::{Access, Also, Answer, Gate, Operation, Spec};

include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// The encoded `FileDescriptorSet` of every file, options included: what reflection serves, and the terminal reads.
pub static DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

macro_rules! package {
    ($(#[$attribute:meta])* $name:ident, $file:literal, $doc:literal) => {
        $(#[$attribute])*
        #[doc = $doc]
        pub mod $name {
            #[doc = $doc]
            #[expect(missing_docs, reason = "generated: the members carry AWS's names and limits")]
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/", $file, ".rs"));
            }
        }
    };
}

package!(iam, "reeve.iam.v1", "Users, groups, roles, policies and access keys.");
package!(sts, "reeve.sts.v1", "Temporary credentials.");
package!(signin, "reeve.signin.v1", "Signing in with a password.");
package!(authorization, "reeve.authorization.v1", "Decisions for other services.");
package!(error, "reeve.error.v1", "Every error code that Reeve answers with.");
package!(
    #[cfg(feature = "store")]
    store,
    "reeve.store.v1",
    "What lies in storage; never served."
);
