//! What is declared at an RPC, as Rust sees it.

use crate::{Fields, Member};

/// A request message: the type is the operation.
pub trait Operation: Fields + prost::Message + Default + Clone + Send + Sync + 'static {
    /// What the operation answers with.
    type Response: prost::Message + Default + Send + 'static;
    /// What its RPC declares.
    const SPEC: &'static Spec;
}

/// What an RPC declares.
#[derive(Debug)]
pub struct Spec {
    /// The proto package, `reeve.iam.v1`.
    pub package: &'static str,
    /// The prefix of the action, which is the service name that a signature's scope must carry.
    pub prefix: &'static str,
    /// The gRPC service in its package, `UserService`.
    pub service: &'static str,
    /// The RPC, `CreateUser`.
    pub method: &'static str,
    /// `/reeve.iam.v1.UserService/CreateUser`.
    pub grpc_path: &'static str,
    /// `iam:CreateUser`.
    pub action: &'static str,
    /// The RPC's comment.
    pub summary: &'static str,
    /// AWS's access level.
    pub access: Access,
    /// Who may call it.
    pub gate: Gate,
    /// The kind of resource it acts on; empty for `*`.
    pub resource: &'static str,
    /// The path to the field that names the resource, as indices of members; empty when none does.
    pub named_by: &'static [usize],
    /// The path to the field that names the resource's account; empty when none does.
    pub owned_by: &'static [usize],
    /// The member that gives the resource a new name; empty when none does.
    pub renamed_by: &'static [usize],
    /// The member that gives the resource a new path; empty when none does.
    pub moved_by: &'static [usize],
    /// The caller is meant when that field is absent.
    pub caller_when_absent: bool,
    /// The resource does not exist yet.
    pub creates: bool,
    /// What the caller's session passes on counts as given by the request.
    pub inherits_session: bool,
    /// An account whose password policy lets users change their own password grants it to each of its users.
    pub granted_by_password_policy: bool,
    /// It answers with credentials.
    pub issues_credentials: bool,
    /// Of STS: sessions of users and of roots may call it.
    pub open_to_user_sessions: bool,
    /// The members `serial_number` and `token_code` show MFA for the call.
    pub second_factor: bool,
    /// It takes a token of an identity provider's.
    pub takes_identity_token: bool,
    /// Permissions needed besides the operation's own.
    pub also: &'static [Also],
    /// The full name of the request message.
    pub request: &'static str,
    /// The members of the request message.
    pub members: &'static [Member],
    /// The full name of the response message.
    pub response: &'static str,
}

impl Spec {
    /// Whether the operation leaves the store as it is.
    pub fn is_read_only(&self) -> bool {
        matches!(self.access, Access::List | Access::Read)
    }
}

/// A further permission, on the same resource, needed when a member is present.
#[derive(Debug)]
pub struct Also {
    /// For example `iam:TagUser`.
    pub action: &'static str,
    /// The path to the member whose presence asks for it.
    pub when: &'static [usize],
}

/// AWS's access levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Lists resources.
    List,
    /// Reads one.
    Read,
    /// Creates, changes or deletes.
    Write,
    /// Grants or takes permissions.
    PermissionsManagement,
    /// Changes tags alone.
    Tagging,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// A policy must allow it.
    Policy,
    /// Any valid credentials.
    Authenticated,
    /// Anybody: the operation proves by itself who calls.
    Open,
}

/// How an error reason appears on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// AWS's error code.
    pub code: &'static str,
    /// The canonical gRPC status, as google.rpc.Code numbers it.
    pub grpc: i32,
    /// The HTTP status that AWS answers with.
    pub http: u16,
}
