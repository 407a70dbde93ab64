//! Reeve as a process: how it starts, how it stops, and what is left when it is killed. One binary, so that it is linked
//! once.

#[cfg(test)]
mod drain;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod place;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod start;
#[cfg(test)]
mod store;
#[cfg(test)]
mod wire;
