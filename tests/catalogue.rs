//! The catalogue: everything that is declared of every operation, as one text that is read in reviews. What is derived from
//! the protos is not checked in; this is, so that a change of a gate, a limit or a condition key is seen as what it is.
//! `UPDATE_EXPECT=1 cargo test -p reeve-tests catalogue` writes it anew.

use std::fmt::Write as _;

use expect_test::expect_file;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};
use reeve_proto::{Access, Gate, OPERATIONS, Spec};

#[test]
fn the_catalogue_is_as_reviewed() {
    let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
    let mut text = String::new();
    let mut specs = OPERATIONS.to_vec();
    specs.sort_by_key(|spec| spec.action);
    text.push_str(
        "# Operations: action, access level, gate, resource, members with shape and condition key\n",
    );
    for spec in specs {
        operation(&pool, spec, &mut text);
    }
    text.push_str("\n# Shapes\n\n");
    shapes(&pool, &mut text);
    text.push_str("\n# Errors: code, gRPC status, HTTP status\n\n");
    errors(&mut text);
    expect_file!["catalogue.txt"].assert_eq(&text);
}

#[test]
fn every_operation_is_served_where_its_declaration_says() {
    let pool = DescriptorPool::decode(reeve_proto::DESCRIPTOR).unwrap();
    let services = pool.services();
    let mut declared: Vec<String> =
        services.flat_map(|service| service.methods().map(|m| grpc_path(&m)).collect::<Vec<_>>()).collect();
    let mut derived: Vec<String> = OPERATIONS.iter().map(|spec| spec.grpc_path.to_owned()).collect();
    declared.sort();
    derived.sort();
    assert_eq!(derived, declared);
}

#[test]
fn actions_are_unique() {
    let mut actions: Vec<&str> = OPERATIONS.iter().map(|spec| spec.action).collect();
    actions.sort_unstable();
    actions.dedup();
    assert_eq!(actions.len(), OPERATIONS.len());
}

fn grpc_path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

fn operation(pool: &DescriptorPool, spec: &Spec, text: &mut String) {
    // Whatever a declaration comes to say besides is to be shown here too.
    let Spec {
        package: _,
        prefix: _,
        service: _,
        method: _,
        grpc_path: _,
        action,
        summary: _,
        access,
        gate,
        resource,
        named_by: _,
        owned_by: _,
        renamed_by: _,
        moved_by: _,
        caller_when_absent: _,
        creates: _,
        inherits_session,
        granted_by_password_policy,
        issues_credentials,
        open_to_user_sessions,
        second_factor,
        takes_identity_token,
        also,
        request,
        members: _,
        response: _,
    } = spec;
    let message = pool.get_message_by_name(request).unwrap();
    let access = match access {
        Access::List => "list",
        Access::Read => "read",
        Access::Write => "write",
        Access::PermissionsManagement => "permissions management",
        Access::Tagging => "tagging",
    };
    let gate = match gate {
        Gate::Policy => "policy",
        Gate::Authenticated => "any credentials",
        Gate::Open => "anybody",
    };
    let resource = if resource.is_empty() { "*" } else { resource };
    writeln!(text, "\n{action} ({access}; {gate}) on {resource}{}", naming(spec, &message)).unwrap();
    for also in *also {
        writeln!(text, "    also {} when {}", also.action, path(&message, also.when)).unwrap();
    }
    if *inherits_session {
        writeln!(text, "    what the session passes on counts as given").unwrap();
    }
    if *granted_by_password_policy {
        writeln!(text, "    granted to users by the password policy that lets them change their own")
            .unwrap();
    }
    if *issues_credentials {
        writeln!(text, "    answers with credentials, and so not to a bearer token").unwrap();
    }
    if *open_to_user_sessions {
        writeln!(text, "    open to sessions of users and roots").unwrap();
    }
    if *second_factor {
        writeln!(text, "    serial_number and token_code show MFA").unwrap();
    }
    if *takes_identity_token {
        writeln!(text, "    takes a token of an identity provider's").unwrap();
    }
    members(pool, &message, 1, text);
}

fn naming(spec: &Spec, message: &MessageDescriptor) -> String {
    let mut naming = String::new();
    if !spec.named_by.is_empty() {
        write!(naming, " {}", path(message, spec.named_by)).unwrap();
    }
    if !spec.owned_by.is_empty() {
        write!(naming, " of {}", path(message, spec.owned_by)).unwrap();
    }
    if !spec.renamed_by.is_empty() {
        write!(naming, ", and what it becomes by {}", path(message, spec.renamed_by)).unwrap();
    }
    if !spec.moved_by.is_empty() {
        write!(naming, " and {}", path(message, spec.moved_by)).unwrap();
    }
    if spec.creates {
        naming.push_str(", created");
    }
    if spec.caller_when_absent {
        naming.push_str(", the caller when absent");
    }
    naming
}

fn path(message: &MessageDescriptor, indices: &[usize]) -> String {
    let mut message = message.clone();
    let mut names = Vec::new();
    for index in indices {
        let field = message.fields().nth(*index).unwrap();
        names.push(field.name().to_owned());
        if let Kind::Message(inner) = field.kind() {
            message = inner;
        }
    }
    names.join(".")
}

fn members(pool: &DescriptorPool, message: &MessageDescriptor, depth: usize, text: &mut String) {
    for field in message.fields() {
        let kind = match field.kind() {
            Kind::Message(inner) => inner.name().to_owned(),
            Kind::String => "text".to_owned(),
            Kind::Int32 => "number".to_owned(),
            Kind::Bool => "flag".to_owned(),
            other => panic!("{}: a request has no {other:?}", field.full_name()),
        };
        let presence = match (field.is_list(), field.supports_presence()) {
            (true, _) => "repeated ",
            (_, true) => "optional ",
            (_, false) => "",
        };
        let marks = marks(pool, &field);
        writeln!(text, "{}{} {presence}{kind}{marks}", "    ".repeat(depth), field.name()).unwrap();
        if let Kind::Message(inner) = field.kind() {
            members(pool, &inner, depth + 1, text);
        }
    }
}

/// What the options of a field say.
fn marks(pool: &DescriptorPool, field: &FieldDescriptor) -> String {
    let options = field.options();
    let mut marks = String::new();
    for name in ["shape", "required", "context_key", "context_default", "request_tags", "wire_name", "secret"]
    {
        let extension = pool.get_extension_by_name(&format!("reeve.operation.v1.{name}")).unwrap();
        if !options.has_extension(&extension) {
            continue;
        }
        match options.get_extension(&extension).as_ref() {
            Value::EnumNumber(number) => {
                let shapes = pool.get_enum_by_name("reeve.operation.v1.Shape").unwrap();
                let shape = shapes.get_value(*number).unwrap();
                write!(marks, ", {}", shape.name().trim_start_matches("SHAPE_")).unwrap();
            }
            Value::I64(number) => write!(marks, ", {name}: {number}").unwrap(),
            Value::Bool(is) => write!(marks, ", {name}: {is}").unwrap(),
            Value::String(value) => write!(marks, ", {name}: {value}").unwrap(),
            other => panic!("{}: {name} is {other:?}", field.full_name()),
        }
    }
    marks
}

fn shapes(pool: &DescriptorPool, text: &mut String) {
    let limits = pool.get_extension_by_name("reeve.operation.v1.limits").unwrap();
    let shapes = pool.get_enum_by_name("reeve.operation.v1.Shape").unwrap();
    let mut lines: Vec<String> = shapes
        .values()
        .filter(|shape| shape.number() != 0)
        .map(|shape| {
            let value = shape.options().get_extension(&limits).into_owned();
            format!("{}{}", shape.name().trim_start_matches("SHAPE_"), limits_of(value.as_message().unwrap()))
        })
        .collect();
    lines.sort();
    writeln!(text, "{}", lines.join("\n")).unwrap();
}

fn limits_of(limits: &DynamicMessage) -> String {
    let mut text = String::new();
    for field in limits.descriptor().fields().filter(|field| limits.has_field(field)) {
        match limits.get_field(&field).as_ref() {
            Value::U32(number) => write!(text, " {}={number}", field.name()).unwrap(),
            Value::I64(number) => write!(text, " {}={number}", field.name()).unwrap(),
            Value::String(pattern) => write!(text, " {pattern}").unwrap(),
            Value::List(values) => {
                let values: Vec<&str> = values.iter().map(|value| value.as_str().unwrap()).collect();
                write!(text, " {}", values.join("|")).unwrap();
            }
            other => panic!("{} is {other:?}", field.name()),
        }
    }
    text
}

fn errors(text: &mut String) {
    let mut lines: Vec<String> = crate::tidy::reasons()
        .map(|reason| {
            let answer = reason.answer();
            format!("{} {} {}", answer.code, answer.grpc, answer.http)
        })
        .collect();
    lines.sort();
    writeln!(text, "{}", lines.join("\n")).unwrap();
}
