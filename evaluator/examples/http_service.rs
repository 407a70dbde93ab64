//! The evaluator inside a small HTTP service, without a server of Reeve's: a file store that asks before it serves.
//!
//! ```text
//! cargo run -p reeve-evaluator --example http_service &
//! curl -H 'x-user: alice' -H 'x-team: blue' http://127.0.0.1:8081/files/alice/notes      200
//! curl -H 'x-user: alice' -H 'x-team: blue' http://127.0.0.1:8081/files/bob/notes        403, and why
//! ```
//!
//! Who asks is taken from headers here, to keep to the point; a real service takes it from what it has authenticated.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use reeve_evaluator::{Context, Kind, Policies, Policy, PolicySet, Principal, Request, decide};

const ACCOUNT: &str = "111122223333";

/// Everyone's policy: their own folder, from the office or from here, and nothing that is marked.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "OwnFiles", "Effect": "Allow", "Action": ["files:Get", "files:Put"],
     "Resource": "arn:aws:files:::${aws:username}/*",
     "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}}},
    {"Sid": "TeamReads", "Effect": "Allow", "Action": "files:Get", "Resource": "arn:aws:files:::teams/${aws:PrincipalTag/team}/*"},
    {"Sid": "NothingMarked", "Effect": "Deny", "Action": "files:*", "Resource": "arn:aws:files:::*/secret"}]}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    let service = service(policies()?).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

/// Compiled once; a service with many users keeps one for each, and shares the compiled documents between them.
fn policies() -> Result<Policies, reeve_evaluator::DocumentError> {
    let everyone = Policy::compile(POLICY, Kind::Identity)?.named("everyone");
    Ok(Policies { identity: PolicySet::new([everyone]), ..Policies::default() })
}

fn service(policies: Policies) -> Router {
    Router::new().route("/files/{*path}", any(serve)).with_state(Arc::new(policies))
}

async fn serve(
    State(policies): State<Arc<Policies>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    method: Method,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, String) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(user) = header("x-user") else {
        return (StatusCode::UNAUTHORIZED, "who are you?\n".to_owned());
    };
    let action = if method == Method::GET { "files:Get" } else { "files:Put" };
    let (resource, source) = (format!("arn:aws:files:::{path}"), from.ip().to_string());
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");

    let mut context = Context::new();
    context.insert("aws:SourceIp", &source);
    // What describes the caller comes last, so that nothing a request says can stand before it.
    context.insert("aws:username", user);
    if let Some(team) = header("x-team") {
        context.insert_tag("aws:PrincipalTag/", "team", team);
    }
    let principal = Principal::User { arn: &arn, id: "" };
    let request = Request::new(principal, action, &resource, &context).owned_by(ACCOUNT);

    let decision = decide(&policies, &request);
    if decision.is_allowed() {
        return (StatusCode::OK, format!("{path}, for {user}\n"));
    }
    (StatusCode::FORBIDDEN, format!("{user} may not {action} {resource} {}\n", decision.clause(action)))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn it_serves_what_the_policy_allows_and_says_why_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service(policies().unwrap()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        for (method, path, headers, status, says) in [
            ("GET", "alice/notes", "x-user: alice\r\n", "200", "alice/notes, for alice"),
            ("PUT", "alice/notes", "x-user: alice\r\n", "200", "for alice"),
            (
                "GET",
                "alice/secret",
                "x-user: alice\r\n",
                "403",
                "with an explicit deny in an identity-based policy",
            ),
            (
                "GET",
                "bob/notes",
                "x-user: alice\r\n",
                "403",
                "no identity-based policy allows the files:Get action",
            ),
            ("GET", "*/notes", "x-user: *\r\n", "200", "for *"),
            ("GET", "bob/notes", "x-user: *\r\n", "403", "no identity-based policy"),
            ("GET", "teams/blue/plan", "x-user: alice\r\nx-team: blue\r\n", "200", "for alice"),
            ("PUT", "teams/blue/plan", "x-user: alice\r\nx-team: blue\r\n", "403", "files:Put"),
            ("GET", "teams/blue/plan", "x-user: alice\r\n", "403", "no identity-based policy"),
            ("GET", "alice/notes", "", "401", "who are you?"),
        ] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let request =
                format!("{method} /files/{path} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(says),
                "{path} {headers}: {answer}"
            );
        }
    }
}
