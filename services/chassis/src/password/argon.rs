//! Argon2id itself, in memory that a thread keeps from one password to the next.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use reeve_directory::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::Verified;

/// Bytes of a salt; 16 are recommended. (Source: RFC 9106, section 4.)
pub(super) const SALT_BYTES: usize = 16;
/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// The most memory that a stored hash may ask for, whatever is configured now.
pub(super) const MEMORY_KIBIBYTES_MAX: u32 = 1024 * 1024;

/// The blocks that a thread hashes in.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// How much was filled so far, each pass over it counted.
    pub(super) filled_kibibytes: u64,
}

impl Memory {
    fn of(&mut self, blocks: usize) -> &mut [Block] {
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::new());
        }
        self.blocks.get_mut(..blocks).unwrap_or_default()
    }

    /// Removes what the last password left. Between two passwords in a row it is not needed: the second fills every block.
    pub(super) fn wipe(&mut self) {
        self.blocks.iter_mut().for_each(|block| block.zeroize());
    }
}

/// The parameters as the algorithm wants them.
pub(super) fn parameters(memory_kibibytes: u32, iterations: u32) -> Result<Params, Error> {
    Params::new(memory_kibibytes, iterations, 1, Some(HASH_BYTES)).map_err(failed)
}

/// The PHC string of a password: `$argon2id$v=19$m=...,t=...,p=1$salt$hash`.
pub(super) fn hash(
    memory: &mut Memory,
    parameters: &Params,
    password: &str,
    salt: &[u8; SALT_BYTES],
) -> Result<Zeroizing<String>, Error> {
    let hash = output(memory, parameters, password, salt)?;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(parameters).map_err(failed)?,
        salt: Some(Salt::new(salt).map_err(failed)?),
        hash: Some(hash),
    };
    Ok(Zeroizing::new(phc.to_string()))
}

/// Whether a password is the one that `phc` was made of, by the parameters that stand there. Compared in constant time. A hash
/// that cost less than one made today costs as much to compare with: what is missing is done besides, for nothing.
pub(super) fn verify(
    memory: &mut Memory,
    current: &Params,
    password: &str,
    phc: &str,
) -> Result<Verified, Error> {
    let stored = PasswordHash::new(phc).map_err(failed)?;
    let parameters = Params::try_from(&stored).map_err(failed)?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(failed("the stored hash lacks a part"));
    };
    let known = stored.algorithm == Algorithm::Argon2id.ident()
        && stored.version == Some(Version::V0x13.into())
        && expected.len() == HASH_BYTES
        && parameters.m_cost() <= MEMORY_KIBIBYTES_MAX;
    if !known {
        return Err(failed("the stored hash is of no known kind"));
    }
    let is_match = output(memory, &parameters, password, salt)? == *expected;
    if let Some(rest) = rest(&parameters, current)? {
        output(memory, &rest, password, salt)?;
    }
    if !is_match {
        return Ok(Verified::No);
    }
    let rehash = (parameters.m_cost(), parameters.t_cost()) != (current.m_cost(), current.t_cost());
    Ok(Verified::Matches { rehash })
}

/// What a hash by `stored` lacks of the work of one by `current`, of which memory times passes is the measure: as many passes
/// over less memory. None when that is less than the least there is.
fn rest(stored: &Params, current: &Params) -> Result<Option<Params>, Error> {
    let work = |of: &Params| u64::from(of.m_cost()) * u64::from(of.t_cost());
    let missing = work(current).saturating_sub(work(stored)) / u64::from(current.t_cost());
    let memory = u32::try_from(missing).unwrap_or(u32::MAX);
    if memory < Params::MIN_M_COST {
        return Ok(None);
    }
    parameters(memory, current.t_cost()).map(Some)
}

fn output(memory: &mut Memory, parameters: &Params, password: &str, salt: &[u8]) -> Result<Output, Error> {
    memory.filled_kibibytes += u64::from(parameters.m_cost()) * u64::from(parameters.t_cost());
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters.clone())
        .hash_password_into_with_memory(
            password.as_bytes(),
            salt,
            hash.as_mut_slice(),
            memory.of(parameters.block_count()),
        )
        .map_err(failed)?;
    Output::new(hash.as_slice()).map_err(failed)
}

fn failed(why: impl std::fmt::Display) -> Error {
    Error::internal_failure(format!("hashing a password: {why}"))
}
