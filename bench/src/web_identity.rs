//! Trading a provider's token for a session: what it costs beside `AssumeRole` and the verifying of one signature, and what a
//! service that asks for decisions notices while strangers present keys that nobody knows.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use prost::Message as _;
use reeve_chassis::client::Client;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::jose::{self, Algorithm};
use reeve_proto::Operation as _;
use reeve_proto::iam::v1::{AttachRolePolicyRequest, CreateOpenIdConnectProviderRequest, CreateRoleRequest};
use reeve_proto::sts::v1::AssumeRoleWithWebIdentityRequest;
use serde_json::{Value, json};

use crate::Outcome;
use crate::issuer::Issuer;
use crate::load::{Shape, Target};
use crate::process::{ACCOUNT, root_credentials};
use crate::rpc::median;
use crate::world::DataPlane;

const CONNECTIONS: usize = 4;
const TRADING: Shape = Shape { in_flight: 16, connections: CONNECTIONS };
/// A load that leaves processors to spare.
const ASKING: Shape = Shape { in_flight: 2, connections: 2 };
/// Tokens with unknown keys, a second.
const UNKNOWN_PER_SECOND: usize = 10_000;
/// They come in portions of so long.
const PORTION: Duration = Duration::from_millis(10);
const CLIENT: &str = "bench";
/// Verifications that the time of one is taken from, in rounds of which the best counts.
const VERIFICATIONS: u32 = 500;
const ROUNDS: usize = 20;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds; the medians over them are told
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each load is measured in each round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Two rounds of a second, for a first look
    #[arg(long)]
    quick: bool,
    /// Where the store is made; beside this program when not given
    #[arg(long)]
    directory: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) -> Outcome {
    let (rounds, seconds) =
        if arguments.quick { (2, 1.0) } else { (arguments.rounds.max(1), arguments.seconds) };
    let window = Duration::try_from_secs_f64(seconds)?;
    let directory = crate::store::scratch(arguments.directory.as_deref())?;
    let home = directory.path().join("data-plane");
    let issuer = Issuer::start(&home).await?;
    let data_plane = DataPlane::start(directory.path(), CONNECTIONS).await?;
    let server = &data_plane.server;
    let root = Client::connect(&server.endpoint()).await?.signed(root_credentials(&home)?);
    let role_arn = role(&root, &issuer).await?;
    let request = |token: String| AssumeRoleWithWebIdentityRequest {
        role_arn: role_arn.clone(),
        role_session_name: "build-1042".to_owned(),
        web_identity_token: token,
        ..Default::default()
    };
    let claims = claims(&issuer);
    let token = issuer.token(&claims)?;
    let verification = verification_seconds(&token, &issuer)?;
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        connections.push(Client::connect(&server.endpoint()).await?);
    }
    let strangers = connections.clone();
    let trade = Target::operation("web_identity", &request(token.clone()), connections);
    println!("{rounds} rounds of {seconds} s; medians");
    let (mut ratios, mut traded, mut assumed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut alone, mut beside, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let web = trade.measure(server, TRADING, window).await?.processor.as_secs_f64();
        let own = data_plane.assume_role.measure(server, TRADING, window).await?.processor.as_secs_f64();
        ratios.push(web / (own + verification));
        traded.push(web);
        assumed.push(own);
        alone.push(p99(&data_plane, window).await?);
        let flood = flood(&strangers, &token, &request, window);
        let (services, answered) = tokio::join!(p99(&data_plane, window), flood);
        beside.push(services?);
        refused.push(answered? as f64 / window.as_secs_f64());
    }
    let [ratio, web, own, alone, beside, refused] =
        [ratios, traded, assumed, alone, beside, refused].map(median);
    println!("verification_microseconds {:.1}", verification * 1e6);
    println!("server_microseconds web_identity {:.1}, assume_role {:.1}", web * 1e6, own * 1e6);
    println!(
        "unknown_keys_per_second {refused:.0}, for which the issuer was asked {} times",
        issuer.asked_for_keys()
    );
    println!("authorize_p99_microseconds {:.0}, under unknown keys {:.0}", alone * 1e6, beside * 1e6);
    println!("ratio web_identity {ratio:.2}");
    println!("ratio authorize_p99_under_unknown_keys {:.2}", beside / alone);
    data_plane.server.stop()
}

/// What the issuer says of a build, as the session tags of the bench's AssumeRole are.
fn claims(issuer: &Issuer) -> Value {
    let now = SystemClock.now().seconds();
    json!({
        "iss": issuer.url, "sub": "repo:acme/service:ref:refs/heads/main", "aud": CLIENT, "iat": now,
        "exp": now + 3600, "repository": "acme/service", "run_id": "1042",
        "https://aws.amazon.com/tags": {
            "principal_tags": { "team": ["payments"], "cost-center": ["4711"] },
            "transitive_tag_keys": ["team"],
        },
    })
}

/// A provider, and a role that trusts it on the conditions of the bench's other role.
async fn role(root: &Client, issuer: &Issuer) -> Outcome<String> {
    let provider = CreateOpenIdConnectProviderRequest {
        url: issuer.url.clone(),
        client_id_list: vec![CLIENT.to_owned()],
        ..Default::default()
    };
    let provider = root.call(&provider).await?.open_id_connect_provider_arn;
    let trust = json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": { "Federated": provider },
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
        "Condition": {
            "StringLike": { format!("{}:sub", issuer.name()): "repo:acme/*" },
            "StringEquals": { "aws:RequestTag/team": ["payments", "logistics"] },
        },
    }});
    let request = CreateRoleRequest {
        role_name: "build-federated".to_owned(),
        assume_role_policy_document: trust.to_string(),
        ..Default::default()
    };
    let role = root.call(&request).await?.role.ok_or("no role")?;
    let attach = AttachRolePolicyRequest {
        role_name: "build-federated".to_owned(),
        policy_arn: format!("arn:aws:iam::{ACCOUNT}:policy/artifacts"),
    };
    root.call(&attach).await?;
    Ok(role.arn)
}

fn verification_seconds(token: &str, issuer: &Issuer) -> Outcome<f64> {
    let key = issuer.verifying_key()?;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..VERIFICATIONS {
            jose::verify(black_box(token), &key, Algorithm::RS256)?;
        }
        best = best.min(begun.elapsed().as_secs_f64() / f64::from(VERIFICATIONS));
    }
    Ok(best)
}

async fn p99(data_plane: &DataPlane, window: Duration) -> Outcome<f64> {
    let sample = data_plane.authorize.measure(&data_plane.server, ASKING, window).await?;
    Ok(sample.p99.as_secs_f64())
}

/// Presents tokens that name a key each that nobody knows, so many a second; how many were answered.
async fn flood(
    strangers: &[Client],
    token: &str,
    request: &impl Fn(String) -> AssumeRoleWithWebIdentityRequest,
    window: Duration,
) -> Outcome<usize> {
    let (_, rest) = token.split_once('.').ok_or("no token")?;
    let portion = UNKNOWN_PER_SECOND * usize::try_from(PORTION.as_millis())? / 1000;
    let portions = window.as_millis() / PORTION.as_millis();
    let mut every = tokio::time::interval(PORTION);
    let mut answers = tokio::task::JoinSet::new();
    let mut number = SystemClock.now().milliseconds;
    for _ in 0..portions {
        every.tick().await;
        for place in 0..portion {
            number += 1;
            let header =
                jose::encoded(json!({ "alg": "RS256", "kid": format!("unknown-{number}") }).to_string());
            let message: Bytes = request(format!("{header}.{rest}")).encode_to_vec().into();
            let stranger = strangers.get(place % strangers.len().max(1)).ok_or("no connection")?.clone();
            answers.spawn(async move {
                let spec = AssumeRoleWithWebIdentityRequest::SPEC;
                stranger.call_bytes(spec.prefix, spec.grpc_path, message).await.err().map(|error| error.code)
            });
        }
    }
    let mut answered = 0;
    while let Some(answer) = answers.join_next().await {
        match answer?.as_deref() {
            Some("InvalidIdentityToken") => answered += 1,
            other => return Err(format!("an unknown key was answered with {other:?}").into()),
        }
    }
    Ok(answered)
}
