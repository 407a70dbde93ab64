//! The directory as its callers see it: transactions over the memory engine, one after another and against each other.

#[cfg(test)]
mod access_keys;
#[cfg(test)]
mod attachments;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod inline_policies;
#[cfg(test)]
mod people;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod server;
#[cfg(test)]
mod users;
#[cfg(test)]
mod world;
