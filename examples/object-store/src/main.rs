//! An example to copy from: an object store with one bucket in memory, which keeps no accounts, keys or policies of its own.
//! Each request that it receives it forwards to Reeve, and learns who signed it and whether they may. Any S3 client can
//! talk to it.
//!
//! `permission` is what a service needs in order to rely on Reeve; the rest is any HTTP service.

mod answer;
mod objects;
mod permission;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use clap::Parser;
use reeve_chassis::client::{Client, Credentials};
use zeroize::Zeroizing;

use crate::objects::{Objects, Wanted};
use crate::permission::Permission;

/// Largest object that is taken.
const OBJECT_BYTES_MAX: usize = 16 << 20;

/// An object store that relies on Reeve.
#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Where Reeve is.
    #[arg(long, default_value = "http://127.0.0.1:7443")]
    reeve: String,
    /// The name under which the store is registered with Reeve.
    #[arg(long, default_value = "object-store")]
    service: String,
    /// The one bucket.
    #[arg(long)]
    bucket: String,
    /// The account that owns the bucket.
    #[arg(long)]
    account: String,
    /// What the store itself signs with when it asks Reeve.
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    access_key_id: String,
    /// Its secret.
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    secret_access_key: String,
}

struct Store {
    permission: Permission,
    objects: Objects,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let credentials = Credentials {
        access_key_id: arguments.access_key_id,
        secret_access_key: Zeroizing::new(arguments.secret_access_key),
        session_token: None,
    };
    let reeve = Client::connect(&arguments.reeve).await?.signed(credentials);
    let store = Store {
        permission: Permission { reeve, service: arguments.service, account: arguments.account },
        objects: Objects::of(arguments.bucket),
    };
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    // Whoever started the store waits for this line.
    writeln!(std::io::stdout(), "the object store is ready on {}", listener.local_addr()?)?;
    axum::serve(listener, Router::new().fallback(handle).with_state(Arc::new(store))).await?;
    Ok(())
}

async fn handle(State(store): State<Arc<Store>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, OBJECT_BYTES_MAX).await else {
        return answer::refused(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        );
    };
    let Some(wanted) = Wanted::of(&parts.method, &parts.uri) else {
        return answer::refused(501, "NotImplemented", "This store gets, puts, deletes and lists objects.");
    };
    match store.permission.check(&parts, &body, &wanted).await {
        Ok(()) => store.objects.answer(&wanted, body),
        Err(refusal) => answer::refused(refusal.status, &refusal.code, &refusal.message),
    }
}
