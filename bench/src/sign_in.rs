//! Signing in: how many a second beside what the hashing alone would allow, what a service that asks for decisions notices of
//! it, and whether refusals differ in what they cost.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use reeve_chassis::client::Client;
use reeve_chassis::{PasswordPool, PasswordSettings};
use reeve_proto::iam::v1::{CreateLoginProfileRequest, CreateUserRequest};
use reeve_proto::signin::v1::SignInRequest;

use crate::Outcome;
use crate::load::{Shape, Target};
use crate::process::{ACCOUNT, root_credentials};
use crate::rpc::median;
use crate::world::DataPlane;

/// Users who sign in, each a few times a second.
const USERS: usize = 32;
const CONNECTIONS: usize = 4;
/// What the service's load is a share of: as many decisions as there can be.
const ALL_THERE_IS: Shape = Shape { in_flight: 64, connections: CONNECTIONS };
const PASSWORD: &str = "Correct-horse-battery-5taple";
/// Hashes of each core that the time of one is taken from; with two cores they fit into the queue.
const HASHES: usize = 20;
/// Refusals of each kind: together fewer than a place may make.
const REFUSALS: usize = 15;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds; the medians over them are told
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each load is measured in each round
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// How many decisions the service asks for, of all that the server can make
    #[arg(long, default_value_t = 0.25)]
    share: f64,
    /// One round of a second, for a first look
    #[arg(long)]
    quick: bool,
    /// Where the store is made; beside this program when not given
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// What the rounds found.
#[derive(Default)]
struct Found {
    hash_seconds: Vec<f64>,
    sign_ins: Vec<f64>,
    alone: Vec<f64>,
    beside: Vec<f64>,
    sign_ins_beside: Vec<f64>,
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
    let anybody = connections.first().ok_or("no connection")?.clone();
    let sign_in = Target::operations("sign_in", &requests, connections);
    let cores = std::thread::available_parallelism()?.get();
    let signing = Shape { in_flight: cores * 4, connections: CONNECTIONS };
    let authorize = &data_plane.authorize;
    let most = authorize.measure(server, ALL_THERE_IS, window).await?.calls_per_second;
    let rate = most * arguments.share;
    println!("{rounds} rounds of {seconds} s on {cores} cores; medians");
    println!("authorize_per_second {rate:.0}, of {most:.0} that there can be");
    let mut found = Found::default();
    for _ in 0..rounds {
        found.hash_seconds.push(hash_seconds(cores).await?);
        found.sign_ins.push(sign_in.measure(server, signing, window).await?.calls_per_second);
        found.alone.push(micros(authorize.measure_at(rate, CONNECTIONS, window).await?.p99));
        let people = sign_in.measure(server, signing, window);
        let services = authorize.measure_at(rate, CONNECTIONS, window);
        let (people, services) = tokio::join!(people, services);
        found.sign_ins_beside.push(people?.calls_per_second);
        found.beside.push(micros(services?.p99));
    }
    found.tell(cores);
    refusals(&root, &anybody, &requests).await?;
    data_plane.server.stop()
}

impl Found {
    fn tell(self, cores: usize) {
        let Self { hash_seconds, sign_ins, alone, beside, sign_ins_beside } = self;
        let all = [hash_seconds, sign_ins, alone, beside, sign_ins_beside].map(median);
        let [hash, sign_ins, alone, beside, sign_ins_beside] = all;
        println!("argon2_milliseconds {:.2}", hash * 1e3);
        println!("sign_ins_per_second {sign_ins:.1}, beside decisions {sign_ins_beside:.1}");
        println!("authorize_p99_microseconds {alone:.0}, while people sign in {beside:.0}");
        println!("ratio sign_in {:.2}", sign_ins * hash / cores as f64);
        println!("ratio authorize_p99_under_sign_in {:.2}", beside / alone);
    }
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
    Ok(as_user(&user_name))
}

fn as_user(name: &str) -> SignInRequest {
    SignInRequest {
        account: ACCOUNT.to_owned(),
        user_name: Some(name.to_owned()),
        password: PASSWORD.to_owned(),
        ..SignInRequest::default()
    }
}

/// What the hashing of one password takes, with as many at a time as there are cores, which share the memory's bandwidth. All
/// are asked for at once: threads that had to wait for the next one would clear their memory meanwhile, and count that.
async fn hash_seconds(cores: usize) -> Outcome<f64> {
    let count = HASHES * cores;
    let pool = PasswordPool::new(PasswordSettings { queue_max: count, ..PasswordSettings::default() });
    pool.verify_nothing(PASSWORD).await?;
    let begin = Instant::now();
    futures::future::try_join_all((0..count).map(|_| pool.verify_nothing(PASSWORD))).await?;
    Ok(begin.elapsed().as_secs_f64() / HASHES as f64)
}

/// What each kind of refusal takes, one after the other.
async fn refusals(root: &Client, anybody: &Client, people: &[SignInRequest]) -> Outcome {
    let keys_only = CreateUserRequest { user_name: "keys-only".to_owned(), ..Default::default() };
    root.call(&keys_only).await?;
    let wrong =
        |request: &SignInRequest| SignInRequest { password: format!("{PASSWORD}!"), ..request.clone() };
    let locked = people.first().ok_or("nobody")?;
    for _ in 0..5 {
        refused(anybody, &wrong(locked)).await?;
    }
    let kinds: [(&str, Vec<SignInRequest>); 5] = [
        ("wrong_password", people.iter().skip(1).take(REFUSALS).map(wrong).collect()),
        ("no_such_user", (0..REFUSALS).map(|number| as_user(&format!("nobody-{number}"))).collect()),
        ("no_such_account", elsewhere()),
        ("no_password", vec![as_user("keys-only"); REFUSALS]),
        // The wait may be over by now: whoever guesses on is refused either way.
        ("locked", vec![wrong(locked); REFUSALS]),
    ];
    let mut medians = Vec::new();
    for (kind, requests) in kinds {
        let mut times = Vec::with_capacity(REFUSALS);
        for request in &requests {
            times.push(micros(refused(anybody, request).await?));
        }
        let typical = median(times);
        println!("refusal_microseconds {kind} {typical:.0}");
        medians.push(typical);
    }
    let (least, most) = medians
        .iter()
        .fold((f64::MAX, 0.0), |(least, most): (f64, f64), time| (least.min(*time), most.max(*time)));
    println!("ratio refusals_slowest_to_fastest {:.2}", most / least);
    Ok(())
}

fn elsewhere() -> Vec<SignInRequest> {
    let account = |number: usize| format!("{:012}", 999_988_887_000 + number);
    let requests =
        (0..REFUSALS).map(|number| SignInRequest { account: account(number), ..as_user("person-1") });
    requests.collect()
}

/// How long it takes to be refused.
async fn refused(anybody: &Client, request: &SignInRequest) -> Outcome<Duration> {
    let begin = Instant::now();
    match anybody.call(request).await {
        Err(error) if error.code == "AccessDenied" => Ok(begin.elapsed()),
        Err(error) => Err(error.into()),
        Ok(_) => Err("somebody got in who ought not to".into()),
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
