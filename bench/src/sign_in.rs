//! Signing in: how many a second beside what the hashing alone would allow, and what a service that asks for decisions
//! notices of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use reeve_chassis::client::Client;
use reeve_chassis::{PasswordPool, PasswordSettings};
use reeve_proto::iam::v1::{CreateLoginProfileRequest, CreateUserRequest};
use reeve_proto::signin::v1::SignInRequest;

use crate::Outcome;
use crate::load::{Sample, Shape, Target};
use crate::process::{ACCOUNT, root_credentials};
use crate::world::DataPlane;

/// Users who sign in, each a few times a second.
const USERS: usize = 32;
const CONNECTIONS: usize = 4;
/// Decisions asked for while people sign in: a load that leaves processors to spare, as a service does that is not
/// overloaded.
const ASKING: Shape = Shape { in_flight: 2, connections: 2 };
const PASSWORD: &str = "Correct-horse-battery-5taple";
/// Hashes that the time of one is taken from.
const HASHES: u32 = 20;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds; the medians over them are told
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each load is measured in each round
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// One round of a second, for a first look
    #[arg(long)]
    quick: bool,
    /// Where the store is made; beside this program when not given
    #[arg(long)]
    directory: Option<PathBuf>,
}

pub(crate) async fn run(arguments: &Arguments) -> Outcome {
    let (rounds, seconds) =
        if arguments.quick { (1, 1.0) } else { (arguments.rounds.max(1), arguments.seconds) };
    let window = Duration::try_from_secs_f64(seconds)?;
    let directory = crate::store::scratch(arguments.directory.as_deref())?;
    let data_plane = DataPlane::start(directory.path(), CONNECTIONS).await?;
    let server = &data_plane.server;
    let root = Client::connect(&server.endpoint())
        .await?
        .signed(root_credentials(&directory.path().join("data-plane"))?);
    let mut requests = Vec::with_capacity(USERS);
    for number in 0..USERS {
        requests.push(person(&root, number).await?);
    }
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        connections.push(Client::connect(&server.endpoint()).await?);
    }
    let sign_in = Target::operations("sign_in", &requests, connections);
    let cores = std::thread::available_parallelism()?.get();
    let signing = Shape { in_flight: cores * 4, connections: CONNECTIONS };
    println!("{rounds} rounds of {seconds} s on {cores} cores; medians");
    let (mut hashes, mut signed_in, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        hashes.push(hash_seconds().await?);
        signed_in.push(sign_in.measure(server, signing, window).await?.calls_per_second);
        alone.push(p99(data_plane.authorize.measure(server, ASKING, window).await?));
        let people = sign_in.measure(server, signing, window);
        let services = data_plane.authorize.measure(server, ASKING, window);
        let (people, services) = tokio::join!(people, services);
        people?;
        beside.push(p99(services?));
    }
    let [hash, signed_in, alone, beside] = [hashes, signed_in, alone, beside].map(crate::rpc::median);
    println!("argon2_milliseconds {:.2}", hash * 1e3);
    println!("sign_ins_per_second {signed_in:.1}");
    println!("authorize_p99_microseconds {alone:.0}, while people sign in {beside:.0}");
    println!("ratio sign_in {:.2}", signed_in * hash / cores as f64);
    println!("ratio authorize_p99_under_sign_in {:.2}", beside / alone);
    data_plane.server.stop()
}

/// Somebody with a password, and how they sign in.
async fn person(root: &Client, number: usize) -> Outcome<SignInRequest> {
    let user_name = format!("person-{number}");
    root.call(&CreateUserRequest { user_name: user_name.clone(), ..Default::default() }).await?;
    let profile = CreateLoginProfileRequest {
        user_name: Some(user_name.clone()),
        password: PASSWORD.to_owned(),
        ..Default::default()
    };
    root.call(&profile).await?;
    Ok(SignInRequest {
        account: ACCOUNT.to_owned(),
        user_name: Some(user_name),
        password: PASSWORD.to_owned(),
        ..SignInRequest::default()
    })
}

/// What the hashing of one password takes, with as many at a time as there are cores: they share the memory's bandwidth.
async fn hash_seconds() -> Outcome<f64> {
    let pool = PasswordPool::new(PasswordSettings::default());
    pool.verify_nothing(PASSWORD).await?;
    let cores = std::thread::available_parallelism()?.get();
    let begin = Instant::now();
    for _ in 0..HASHES {
        let together = (0..cores).map(|_| pool.verify_nothing(PASSWORD));
        futures::future::try_join_all(together).await?;
    }
    Ok(begin.elapsed().as_secs_f64() / f64::from(HASHES))
}

fn p99(sample: Sample) -> f64 {
    sample.p99.as_secs_f64() * 1e6
}
