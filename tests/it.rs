//! Reeve as its callers see it: the real server, started anew for every test, over real gRPC. One binary, so that it is
//! linked once.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod authorization;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod door;
#[cfg(test)]
mod iam;
#[cfg(test)]
mod models;
#[cfg(test)]
mod signin;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod sts;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod world;
