//! Trading a provider's token for a session: what it costs beside `AssumeRole` and the verifying of one signature, and what a
//! service that asks for decisions notices while strangers present keys that nobody knows.

use std::hint::black_box;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use reeve_chassis::client::Client;
use reeve_chassis::clock::{Clock as _, SystemClock};
use reeve_chassis::jose::{self, Token};
use reeve_proto::iam::v1::{AttachRolePolicyRequest, CreateOpenIdConnectProviderRequest, CreateRoleRequest};
use reeve_proto::sts::v1::AssumeRoleWithWebIdentityRequest;
use serde_json::{Value, json};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::Outcome;
use crate::caller::QueryCaller;
use crate::issuer::Issuer;
use crate::load::{Shape, Target, WARM, connect_unsigned, wait_until};
use crate::process::{ACCOUNT, root_credentials};
use crate::rpc::median;
use crate::world::DataPlane;

const CONNECTIONS: usize = 4;
const TRADING: Shape = Shape { in_flight: 16, connections: CONNECTIONS };
/// As many questions as there can be.
const ASKING: Shape = Shape { in_flight: 64, connections: CONNECTIONS };
/// Tokens with unknown keys, a second.
const UNKNOWN_PER_SECOND: u32 = 10_000;
/// They come over so many connections, each waiting for its answer.
const STRANGERS: u32 = 64;
const CLIENT: &str = "bench";
const SESSION_NAME: &str = "build-1042";
/// Verifications that the time of one is taken from, in rounds of which the best counts.
const VERIFICATIONS: u32 = 500;
const ROUNDS: usize = 20;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds; the medians over them are told
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// How long each load is measured in each round
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// How many decisions services ask for while strangers come, of all that the server can make
    #[arg(long, default_value_t = 0.05)]
    share: f64,
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
    let claims = claims(&issuer);
    let token = issuer.token(&claims)?;
    let request = AssumeRoleWithWebIdentityRequest {
        role_arn: role_arn.clone(),
        role_session_name: SESSION_NAME.to_owned(),
        web_identity_token: token.clone(),
        ..Default::default()
    };
    let verification = verification_seconds(&token, &issuer)?;
    let connections = connect_unsigned(&server.endpoint(), CONNECTIONS).await?;
    let trade = Target::operation("web_identity", &request, connections);
    let strangers = Strangers::gather(server.address(), &role_arn)?;
    let most = data_plane.authorize.measure(server, ASKING, window).await?.calls_per_second;
    let rate = most * arguments.share;
    println!("{rounds} rounds of {seconds} s; medians");
    println!("authorize_per_second {rate:.0}, of {most:.0} that there can be");
    let (mut ratios, mut traded, mut assumed) = (Vec::new(), Vec::new(), Vec::new());
    let (mut alone, mut beside, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let web = trade.measure(server, TRADING, window).await?.processor.as_secs_f64();
        let own = data_plane.assume_role.measure(server, TRADING, window).await?.processor.as_secs_f64();
        ratios.push(web / (own + verification));
        traded.push(web);
        assumed.push(own);
        alone.push(p99(&data_plane, rate, window).await?);
        let flood = strangers.come(&token, WARM + window);
        let (services, answered) = tokio::join!(p99(&data_plane, rate, window), flood);
        beside.push(services?);
        refused.push(answered? as f64 / (WARM + window).as_secs_f64());
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

/// What verifying one signature costs a processor while all others do the same, as they do under the calls it is compared with.
fn verification_seconds(token: &str, issuer: &Issuer) -> Outcome<f64> {
    let key = issuer.verifying_key()?;
    let best = || -> jose::Result<f64> {
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            for _ in 0..VERIFICATIONS {
                Token::parse(black_box(token))?.verify(&key)?;
            }
            best = best.min(begun.elapsed().as_secs_f64() / f64::from(VERIFICATIONS));
        }
        Ok(best)
    };
    let processors = std::thread::available_parallelism()?.get();
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(&best)).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let mut sum = 0.0;
    for seconds in found {
        sum += seconds.map_err(|_| "a thread that verifies panicked")??;
    }
    Ok(sum / processors as f64)
}

async fn p99(data_plane: &DataPlane, rate: f64, window: Duration) -> Outcome<f64> {
    let sample = data_plane.authorize.measure_at(rate, CONNECTIONS, window).await?;
    Ok(sample.p99.as_secs_f64())
}

/// Those who present keys that nobody knows, as AWS's SDKs would: in forms, over HTTP/1.1. They come from elsewhere: what they
/// themselves cost is no part of what services wait for, so they have threads of their own that take what of this machine is
/// left over.
struct Strangers {
    threads: Option<Runtime>,
    address: String,
    /// What each sends, up to the token.
    form: String,
}

impl Strangers {
    fn gather(address: SocketAddr, role_arn: &str) -> Outcome<Self> {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .on_thread_start(take_what_is_left)
            .enable_all()
            .build()?;
        let form = format!(
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role_arn}&RoleSessionName={SESSION_NAME}\
             &WebIdentityToken="
        );
        Ok(Self { threads: Some(threads), address: address.to_string(), form })
    }

    /// Presents tokens that name a key each that nobody knows, evenly, so many a second; how many were judged.
    async fn come(&self, token: &str, window: Duration) -> Outcome<usize> {
        let (_, rest) = token.split_once('.').ok_or("no token")?;
        let begun = SystemClock.now().milliseconds;
        let form = |number: u32| -> Bytes {
            let key = format!("unknown-{begun}-{number}");
            let header = jose::encoded(json!({ "alg": "RS256", "kid": key }).to_string());
            format!("{}{header}.{rest}", self.form).into()
        };
        let all = window.as_millis() * u128::from(UNKNOWN_PER_SECOND) / 1000;
        let forms: Vec<Bytes> = (0..u32::try_from(all)?).map(form).collect();
        let threads = self.threads.as_ref().ok_or("no threads")?;
        let (to_send, judged): (Vec<_>, Vec<_>) = (0..STRANGERS)
            .map(|_| {
                let (to_send, given) = mpsc::unbounded_channel();
                (to_send, threads.spawn(present(QueryCaller::new(self.address.clone(), None), given)))
            })
            .unzip();
        threads.spawn_blocking(move || {
            let (gap, first) = (Duration::from_secs(1) / UNKNOWN_PER_SECOND, Instant::now());
            for ((number, form), stranger) in (0_u32..).zip(forms).zip(to_send.iter().cycle()) {
                wait_until(first + gap * number);
                // Who has ended has failed, and says so below.
                drop(stranger.send(form));
            }
        });
        let mut count = 0;
        for judged in judged {
            count += judged.await??;
        }
        Ok(count)
    }
}

/// Presents what is given, one after the other; how many were judged.
async fn present(mut caller: QueryCaller, mut given: mpsc::UnboundedReceiver<Bytes>) -> Outcome<usize> {
    let mut count = 0;
    while let Some(form) = given.recv().await {
        match caller.call("sts", "/", form).await {
            Err(error) if error.to_string().contains("<Code>InvalidIdentityToken</Code>") => count += 1,
            answer => return Err(format!("an unknown key was answered with {answer:?}").into()),
        }
    }
    Ok(count)
}

/// Whoever else wants a processor gets it before this thread does.
fn take_what_is_left() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        eprintln!("strangers take more than what is left: {error}");
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        // Otherwise it would wait for its tasks, which nothing may do here.
        self.threads.take().map(Runtime::shutdown_background);
    }
}
