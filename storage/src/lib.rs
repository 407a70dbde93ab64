//! Ordered bytes for a control plane: what an engine promises, transactions over it, and typed tables.
//! This crate does not know what the bytes mean.
//!
//! # What every engine promises
//!
//! **Commits are atomic, serial and durable.** A commit carries the keys that were read with the revisions
//! found, the keys to write, and bounded adds. It is applied whole, and only if every read is still current and
//! every add stays in bounds; otherwise nothing of it is. It resolves when a crash of the machine can no longer
//! remove it. A crash may leave a commit that nobody was told of, but never a part of one.
//!
//! **Revisions only grow.** Each commit that writes gets a revision above all before it, across restarts too,
//! and marks each key it writes with it. So a key that was changed and changed back is still seen to have
//! changed. An absent key has revision 0: of absence only the instant of proof counts.
//!
//! **Reads do not wait.** A read may see a commit that is applied and not yet durable. Whoever answers from it
//! waits until it is durable first ([`Transaction::finish`]), so nobody is told of a write that a crash can
//! remove, and no answer carries a revision above the durable one.
//!
//! **Reads are not a snapshot until they are proved.** [`Engine::validate`] proves that all of them held at one
//! instant. When [`Engine::horizon`] has not moved since before the first read there is nothing to prove.
//!
//! **Scans are never proof.** A scan records nothing: neither its items nor their number is guarded. What a
//! write or a decision rests on is a key that it got, or a bounded add.
//!
//! **Adds do not conflict.** The engine checks `0 <= value + delta <= max` (the upper bound only when `delta` is
//! positive) and merges at the instant of commit. Reading a counter is not recorded.
//!
//! **Failure stops.** After a failed write or sync an engine answers [`Error::Unavailable`] until it is opened
//! again, because what reached the medium is unknown. Such a commit may or may not have happened.
//!
//! **Watching is in order and never silent.** Commits are announced once they are durable; a receiver that falls
//! behind is told so.
//!
//! An engine is what passes `suite`; [`Memory`] is the model, [`Sled`] the embedded default.
//!
//! # A transaction
//!
//! ```
//! use std::sync::Arc;
//!
//! use reeve_storage::{Counter, Memory, Result, Table, Transaction};
//!
//! #[derive(Clone, PartialEq, prost::Message)]
//! struct Book {
//!     #[prost(string, tag = "1")]
//!     title: String,
//! }
//!
//! /// Shelf and number.
//! const BOOKS: Table<(String, u32), Book> = Table::new(1, "books");
//! const BOOKS_ON_SHELF: Counter<String> = Counter::new(2, "books on shelf");
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let mut transaction = Transaction::begin(Arc::new(Memory::new()));
//! let (shelf, book) = ("history".to_owned(), Book { title: "Annals".to_owned() });
//! let key = (shelf.clone(), 7);
//! if BOOKS.get(&mut transaction, &key).await?.is_none() {
//!     BOOKS.put(&mut transaction, &key, &book).await?;
//!     BOOKS_ON_SHELF.add(&mut transaction, &shelf, 1, 100);
//! }
//! // On a conflict, begin again; at the limit, `Error::LimitReached` names the counter.
//! transaction.finish().await?;
//! # Ok(())
//! # }
//! ```

pub mod engine;
mod error;
pub mod key;
mod memory;
mod merge;
mod revision;
mod sled;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
pub mod table;
mod transaction;
mod watch;

pub use engine::{Add, Commit, Engine, Entry, KeyRange, Read, Write};
pub use error::{Error, Result};
pub use memory::Memory;
pub use revision::{ReadSet, Revision};
pub use sled::{CACHE_BYTES_DEFAULT, QUEUE_COMMITS_MAX, Sled, SledConfig};
pub use table::{Counter, Table};
pub use transaction::Transaction;
pub use watch::{Event, WATCH_COMMITS_MAX, Watch};
