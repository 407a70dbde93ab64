//! Compiles the protos with protox (no protoc), and derives from their options one `Operation` for each RPC and one
//! `Fields` for each message that a request is made of. An RPC without its option stops the build here.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a build script reports a mistake by stopping the build"
)]

#[path = "build/options.rs"]
mod options;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use heck::{ToSnakeCase, ToUpperCamelCase};
use options::{
    bool_option, comment, enum_name, enumeration, extension, extension_value, flag, messages, number, secret,
    string_field, strings, text, with_secrets,
};
use prost_reflect::{
    Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};

fn main() {
    println!("cargo::rerun-if-changed=reeve");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut files = Vec::new();
    protos_under(Path::new("reeve"), &mut files);
    files.sort();

    let compiler = compiled(&files, true);
    let pool = compiler.descriptor_pool();
    let mut config = prost_build::Config::new();
    config.btree_map(["."]);
    config.skip_debug(with_secrets(&pool).iter().map(|message| format!(".{}", message.full_name())));
    config.compile_fds(compiler.file_descriptor_set()).expect("prost generates the messages");

    // Reflection serves what clients need: not what lies in storage, and the comments would triple it.
    files.retain(|file| !file.starts_with("reeve/store"));
    let served = compiled(&files, false).encode_file_descriptor_set();
    std::fs::write(out.join("descriptor.bin"), served).expect("OUT_DIR is writable");
    std::fs::write(out.join("operations.rs"), derived(&pool)).expect("OUT_DIR is writable");
}

fn protos_under(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the proto folder is readable") {
        let path = entry.expect("the proto folder is readable").path();
        if path.is_dir() {
            protos_under(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
}

fn compiled(files: &[PathBuf], comments: bool) -> protox::Compiler {
    let mut compiler = protox::Compiler::new(["."]).expect("the include path");
    compiler.include_source_info(comments).include_imports(true);
    compiler.open_files(files).unwrap_or_else(|error| panic!("{error}"));
    compiler
}

/// Everything that is derived, as Rust.
fn derived(pool: &DescriptorPool) -> String {
    let mut code = String::new();
    shapes(pool, &mut code);
    reasons(pool, &mut code);
    let mut requests = BTreeMap::new();
    let mut registries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for service in pool.services() {
        let prefix = text(&service.options(), pool, "prefix").unwrap_or_else(|| {
            panic!("{} lacks the option (reeve.operation.v1.prefix)", service.full_name())
        });
        for method in service.methods() {
            operation(pool, &prefix, &method, &mut code);
            reachable(&method.input(), &mut requests);
            let request = rust_path(&method.input());
            registries.entry(macro_name(&method)).or_default().push(request.clone());
            all.push(request);
        }
    }
    for message in requests.values() {
        fields(pool, message, &mut code);
    }
    for message in with_secrets(pool) {
        debug_without_secrets(pool, &message, &mut code);
    }
    for (name, requests) in registries {
        registry(&name, &requests, &mut code);
    }
    let specs: Vec<String> = all.iter().map(|request| format!("<{request} as Operation>::SPEC")).collect();
    writeln!(
        code,
        "/// Every operation there is.\npub static OPERATIONS: &[&Spec] = &[{}];",
        specs.join(", ")
    )
    .expect("strings take text");
    code
}

/// A static for each value of `Shape`, from its options.
fn shapes(pool: &DescriptorPool, code: &mut String) {
    let shape = enumeration(pool, "reeve.operation.v1.Shape");
    for value in shape.values() {
        let limits = extension(&value.options(), pool, "reeve.operation.v1.limits");
        let limit = |name: &str| match limits
            .as_ref()
            .filter(|m| m.has_field_by_name(name))
            .and_then(|m| m.get_field_by_name(name))
        {
            Some(value) => match value.as_ref() {
                Value::U32(number) => format!("Some({number})"),
                Value::I64(number) => format!("Some({number})"),
                other => panic!("limit {name} is {other:?}"),
            },
            None => "None".to_owned(),
        };
        let pattern = limits.as_ref().map_or_else(String::new, |m| string_field(m, "pattern"));
        let one_of = limits.as_ref().map_or_else(Vec::new, |m| strings(m, "one_of"));
        writeln!(
            code,
            "static {}: Shape = Shape {{ length_min: {}, length_max: {}, pattern: {pattern:?}, value_min: {}, value_max: {}, count_min: {}, count_max: {}, one_of: &{one_of:?} }};",
            value.name(), limit("length_min"), limit("length_max"), limit("value_min"), limit("value_max"), limit("count_min"), limit("count_max"),
        )
        .expect("strings take text");
    }
}

/// `ErrorReason::answer`, from the options on its values.
fn reasons(pool: &DescriptorPool, code: &mut String) {
    code.push_str("impl crate::error::v1::ErrorReason {\n/// How the reason appears on the wire.\npub const fn answer(self) -> Answer {\nmatch self {\n");
    for value in enumeration(pool, "reeve.error.v1.ErrorReason").values() {
        let name = value.name().trim_start_matches("ERROR_REASON_").to_upper_camel_case();
        let answer = extension(&value.options(), pool, "reeve.error.v1.answer");
        if answer.is_none() && value.number() != 0 {
            panic!("{} lacks the option (reeve.error.v1.answer)", value.name());
        }
        // The reason without a meaning answers as a fault of ours.
        let (code_name, grpc, http) = answer.map_or(("InternalFailure".to_owned(), 13, 500), |m| {
            (string_field(&m, "code"), number(&m, "grpc"), number(&m, "http"))
        });
        writeln!(code, "Self::{name} => Answer {{ code: {code_name:?}, grpc: {grpc}, http: {http} }},")
            .expect("strings take text");
    }
    code.push_str("}\n}\n}\n");
}

/// The options of an operation that are true or false.
const FLAGS: [&str; 8] = [
    "caller_when_absent",
    "creates",
    "granted_by_password_policy",
    "inherits_session",
    "issues_credentials",
    "open_to_user_sessions",
    "second_factor",
    "takes_identity_token",
];

/// `impl Operation` of one RPC.
fn operation(pool: &DescriptorPool, prefix: &str, method: &MethodDescriptor, code: &mut String) {
    let service = method.parent_service();
    let at = method.full_name();
    let op = extension(&method.options(), pool, "reeve.operation.v1.op")
        .unwrap_or_else(|| panic!("{at} lacks the option (reeve.operation.v1.op)"));
    let input = method.input();
    let named_by = path_to(&input, &string_field(&op, "named_by"), at);
    let [owned_by, renamed_by, moved_by] =
        ["owned_by", "renamed_by", "moved_by"].map(|field| path_to(&input, &string_field(&op, field), at));
    let also: String = messages(&op, "also")
        .iter()
        .map(|also| {
            let when = path_to(&input, &string_field(also, "when"), at);
            format!("Also {{ action: {:?}, when: &{when:?} }},", string_field(also, "action"))
        })
        .collect();
    writeln!(
        code,
        "impl Operation for {request} {{
            type Response = {response};
            const SPEC: &'static Spec = &Spec {{
                package: {package:?}, prefix: {prefix:?}, service: {service:?}, method: {name:?},
                grpc_path: \"/{service_name}/{name}\", action: \"{prefix}:{name}\", summary: {summary:?},
                access: Access::{access}, gate: Gate::{gate}, resource: {resource:?}, named_by: &{named_by:?}, owned_by: &{owned_by:?}, renamed_by: &{renamed_by:?}, moved_by: &{moved_by:?},
                {flags}, also: &[{also}],
                request: {input_name:?}, members: {members}, response: {output_name:?},
            }};
        }}",
        request = rust_path(&input),
        response = rust_path(&method.output()),
        package = service.package_name(),
        service = service.name(),
        service_name = service.full_name(),
        name = method.name(),
        summary = comment(method),
        access = enum_name(pool, &op, "access", "reeve.operation.v1.Access", "ACCESS_", at),
        gate = enum_name(pool, &op, "gate", "reeve.operation.v1.Gate", "GATE_", at),
        resource = string_field(&op, "resource"),
        flags = FLAGS.map(|name| format!("{name}: {}", flag(&op, name))).join(", "),
        input_name = input.full_name(),
        members = members_static(&input),
        output_name = method.output().full_name(),
    )
    .expect("strings take text");
}

/// `impl Fields` of a message: its members and how to read them.
fn fields(pool: &DescriptorPool, message: &MessageDescriptor, code: &mut String) {
    let mut members = String::new();
    let mut arms = String::new();
    for (index, field) in message.fields().enumerate() {
        let options = field.options();
        let shape = extension_value(&options, pool, "reeve.operation.v1.shape")
            .and_then(|value| value.as_enum_number())
            .unwrap_or(0);
        let shape =
            enumeration(pool, "reeve.operation.v1.Shape").get_value(shape).expect("the compiler checked it");
        let required = bool_option(&options, pool, "required")
            || (!field.supports_presence() && !field.is_list() && field.kind() == Kind::String);
        let wire = text(&options, pool, "wire_name").unwrap_or_else(|| field.name().to_upper_camel_case());
        // AWS's validation messages begin it small.
        let query = wire.get(..1).unwrap_or_default().to_lowercase() + wire.get(1..).unwrap_or_default();
        writeln!(
            members,
            "Member {{ name: {:?}, number: {}, members: {}, wire_name: {wire:?}, query_name: {query:?}, required: {required}, shape: &{}, context_key: {:?}, context_default: {:?}, request_tags: {}, secret: {} }},",
            field.name(), field.number(),
            field.kind().as_message().map_or("&[]".to_owned(), members_static), shape.name(), text(&options, pool, "context_key").unwrap_or_default(),
            extension_value(&options, pool, "reeve.operation.v1.context_default").and_then(|value| value.as_i64()),
            bool_option(&options, pool, "request_tags"), secret(pool, &field),
        )
        .expect("strings take text");
        writeln!(arms, "{index} => {},", reader(message, &field)).expect("strings take text");
    }
    let body = if arms.is_empty() {
        "Value::Absent".to_owned()
    } else {
        format!("match index {{ {arms} _ => Value::Absent }}")
    };
    let index = if arms.is_empty() { "_" } else { "index" };
    writeln!(
        code,
        "static {all}: &[Member] = &[{members}];
        impl Fields for {} {{
            fn members(&self) -> &'static [Member] {{ {all} }}
            fn get(&self, {index}: usize) -> Value<'_> {{ {body} }}
        }}",
        rust_path(message),
        all = members_static(message),
    )
    .expect("strings take text");
}

/// The static that the members of a message are in.
fn members_static(message: &MessageDescriptor) -> String {
    format!("{}_MEMBERS", message.full_name().replace('.', "_").to_uppercase())
}

/// The expression that reads a field as a `Value`.
fn reader(message: &MessageDescriptor, field: &FieldDescriptor) -> String {
    let name = rust_field(field);
    let list = field.cardinality() == Cardinality::Repeated;
    match field.kind() {
        Kind::String if list => format!("Value::Texts(&self.{name})"),
        Kind::Message(_) if list => format!("Value::Messages(&self.{name})"),
        Kind::String if field.supports_presence() => {
            format!("self.{name}.as_deref().map_or(Value::Absent, Value::Text)")
        }
        Kind::String => {
            format!("if self.{name}.is_empty() {{ Value::Absent }} else {{ Value::Text(&self.{name}) }}")
        }
        Kind::Int32 if field.supports_presence() => {
            format!("self.{name}.map_or(Value::Absent, |n| Value::Integer(n.into()))")
        }
        Kind::Bool if field.supports_presence() => {
            format!("self.{name}.map_or(Value::Absent, Value::Boolean)")
        }
        Kind::Bool => format!("Value::Boolean(self.{name})"),
        Kind::Message(_) => format!("self.{name}.as_ref().map_or(Value::Absent, |m| Value::Message(m))"),
        kind => panic!("{}.{name}: {kind:?} has no place in a request yet", message.full_name()),
    }
}

/// `impl Debug` of a message that holds secrets, which shows that they are there and no more.
fn debug_without_secrets(pool: &DescriptorPool, message: &MessageDescriptor, code: &mut String) {
    let shown: String = message
        .fields()
        .map(|field| {
            let name = rust_field(&field);
            if secret(pool, &field) {
                format!(".field({:?}, &\"(secret)\")", field.name())
            } else {
                format!(".field({:?}, &self.{name})", field.name())
            }
        })
        .collect();
    let path = rust_path(message);
    let gate = if message.package_name() == "reeve.store.v1" { "#[cfg(feature = \"store\")]\n" } else { "" };
    writeln!(
        code,
        "{gate}impl std::fmt::Debug for {path} {{ fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{ f.debug_struct({:?}){shown}.finish() }} }}",
        message.name(),
    )
    .expect("strings take text");
}

/// A macro that names every operation of a package: what it is given must handle each, or it does not compile.
fn registry(name: &str, requests: &[String], code: &mut String) {
    let calls: String = requests
        .iter()
        .map(|request| format!("$register!($($argument,)* {});", request.replacen("crate::", "$crate::", 1)))
        .collect();
    writeln!(
        code,
        "/// Expands `$register!(arguments..., Request)` for each operation of the package.\n#[macro_export]\nmacro_rules! {name} {{ ($register:ident $(, $argument:expr)*) => {{ {calls} }}; }}",
    )
    .expect("strings take text");
}

fn macro_name(method: &MethodDescriptor) -> String {
    let package = method.parent_service().package_name().to_owned();
    format!("{}_operations", package.trim_start_matches("reeve.").trim_end_matches(".v1").to_snake_case())
}

fn reachable(message: &MessageDescriptor, found: &mut BTreeMap<String, MessageDescriptor>) {
    if found.insert(message.full_name().to_owned(), message.clone()).is_none() {
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                reachable(&inner, found);
            }
        }
    }
}

/// `list.field` as the indices of its fields.
fn path_to(message: &MessageDescriptor, path: &str, at: &str) -> Vec<usize> {
    let mut indices = Vec::new();
    let mut message = message.clone();
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let (index, field) = message
            .fields()
            .enumerate()
            .find(|(_, field)| field.name() == name)
            .unwrap_or_else(|| panic!("{at}: {path}: there is no field {name}"));
        indices.push(index);
        if let Kind::Message(inner) = field.kind() {
            message = inner;
        }
    }
    indices
}

/// The path of a message's Rust type, named as prost names it.
fn rust_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().trim_start_matches("reeve.").replace('.', "::");
    format!("crate::{package}::{}", message.name().to_upper_camel_case())
}

fn rust_field(field: &FieldDescriptor) -> String {
    match field.name().to_snake_case() {
        name if matches!(name.as_str(), "type" | "match" | "ref" | "use" | "where") => format!("r#{name}"),
        name => name,
    }
}
