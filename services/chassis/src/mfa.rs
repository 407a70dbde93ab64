//! Virtual MFA devices: six digits every 30 seconds, made of a seed and the time. (Source: RFC 6238 with SHA-1.)
//!
//! **A code is accepted once.** A device remembers the step of the last code it was good for, and the call that accepts one
//! commits the next; of two calls with the same code one meets the other's write, runs again and is refused.
//!
//! **The window is small.** A code may be one step off from what the device's clock shows, so at any moment three of the
//! million are good. How far that clock is off from the server's is found out when a device is enabled or resynchronised, by
//! two codes in a row, and is at most ten minutes.
//!
//! **Wrong codes are counted here**, of their owner, whichever operation they came with: no way of trying them goes past that.

use reeve_directory::mfa_device::NewMfaDevice;
use reeve_directory::record::MfaDeviceRecord;
use reeve_directory::{Directory, Error, OwnerRecord, Random};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::call::sealing;
use crate::environment::Environment;
use crate::guessing::{Attempt, Guessed};
use crate::seal::Purpose;

/// Seconds of a step.
pub const STEP_SECONDS: i64 = 30;
/// Bytes of a seed: 64 characters in base32, as AWS's.
pub const SEED_BYTES: usize = 40;
/// Steps that a code may be off from what the device's clock shows.
pub const WINDOW_STEPS: i64 = 1;
/// Steps that a device's clock may be off from the server's.
const DRIFT_STEPS_MAX: i64 = 20;

/// The MFA devices of one account, seen through one call.
pub struct Devices<'l> {
    directory: Directory<'l>,
    environment: &'l Environment,
    source: &'l str,
}

/// The seed of a new device, shown once.
pub struct Seed(Zeroizing<[u8; SEED_BYTES]>);

impl<'l> Devices<'l> {
    /// The devices of the directory's account, whose codes come from the address `source`.
    pub fn new(directory: Directory<'l>, environment: &'l Environment, source: &'l str) -> Self {
        Self { directory, environment, source }
    }

    /// Creates a virtual device, which is nobody's yet.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput`.
    pub async fn create(&mut self, new: NewMfaDevice) -> Result<(MfaDeviceRecord, Seed), Error> {
        let seed = Seed::draw(self.directory.random);
        let serial_number = self.directory.mfa_devices().serial_number(&new)?;
        let keyring = &self.environment.keyring;
        let sealed = keyring
            .seal(Purpose::MfaSeed, serial_number.as_bytes(), seed.0.as_slice(), self.directory.random)
            .map_err(sealing)?;
        let device = self.directory.mfa_devices().create(new, sealed).await?;
        Ok((device, seed))
    }

    /// Makes a device its owner's, who shows two codes in a row.
    ///
    /// # Errors
    /// `NoSuchEntity`, `EntityAlreadyExists`, `LimitExceeded`, `InvalidAuthenticationCode`.
    pub async fn enable(
        &mut self,
        owner: &OwnerRecord,
        serial_number: &str,
        codes: [&str; 2],
    ) -> Result<(), Error> {
        let device = self.directory.mfa_devices().free(serial_number).await?;
        // That these were right says nothing of the codes of the owner's other devices: the attempt ends undecided.
        let (device, _) = self.synchronised(owner, device, codes)?;
        self.directory.mfa_devices().enable(owner, device).await
    }

    /// Follows a device's clock to where two codes in a row say that it is.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidAuthenticationCode`.
    pub async fn resync(
        &mut self,
        owner: &OwnerRecord,
        serial_number: &str,
        codes: [&str; 2],
    ) -> Result<(), Error> {
        let device = self.directory.mfa_devices().owned(owner, serial_number).await?;
        let (device, attempt) = self.synchronised(owner, device, codes)?;
        attempt.ended(true);
        self.directory.mfa_devices().put(&device).await
    }

    /// Accepts a code of the owner's device of that serial number, or of any of the owner's where none is given, and with it
    /// uses up every code of that device before. Returns the device's serial number; nothing when the code is not good,
    /// whatever the reason, too many wrong ones before it among them.
    ///
    /// The acceptance is a write of the call's transaction, and counts when that is committed.
    ///
    /// # Errors
    /// A seed cannot be opened, which is a fault of ours; or a conflict, on which the call is run again.
    pub async fn accept(
        &mut self,
        owner: &OwnerRecord,
        serial_number: Option<&str>,
        code: &str,
    ) -> Result<Option<String>, Error> {
        let mut devices = self.directory.mfa_devices();
        let candidates = match serial_number {
            Some(serial_number) => devices.find(serial_number).await?.into_iter().collect(),
            None => devices.all_of(owner).await?,
        };
        let own = candidates.into_iter().filter(|device| device.principal_id == owner.id());
        let Some(attempt) = self.attempt(owner) else { return Ok(None) };
        let accepted = self.accepting(own, code)?;
        attempt.ended(accepted.is_some());
        let Some(device) = accepted else { return Ok(None) };
        self.directory.mfa_devices().put(&device).await?;
        Ok(Some(device.serial_number))
    }

    /// The first of the devices that a code is good for, as it is after that.
    fn accepting(
        &self,
        devices: impl Iterator<Item = MfaDeviceRecord>,
        code: &str,
    ) -> Result<Option<MfaDeviceRecord>, Error> {
        for device in devices {
            let shown_step = self.now_step().saturating_add(device.drift_steps);
            let found = self.generator(&device)?.step_of(code, shown_step, WINDOW_STEPS);
            if let Some(last_step) = found.filter(|step| *step > device.last_step) {
                return Ok(Some(MfaDeviceRecord { last_step, ..device }));
            }
        }
        Ok(None)
    }

    /// The device as it is after two codes in a row, and the attempt that they were.
    fn synchronised(
        &self,
        owner: &OwnerRecord,
        device: MfaDeviceRecord,
        codes: [&str; 2],
    ) -> Result<(MfaDeviceRecord, Attempt), Error> {
        let wrong = || Error::invalid_authentication_code("Authentication code for device is not valid.");
        let attempt = self.attempt(owner).ok_or_else(wrong)?;
        let now_step = self.now_step();
        let found = self.generator(&device)?.step_of_pair(codes, now_step, DRIFT_STEPS_MAX);
        let Some(last_step) = found.filter(|step| *step - 1 > device.last_step) else {
            attempt.ended(false);
            return Err(wrong());
        };
        // What fits into the window is the time it takes to type, and no drift.
        let off_by = last_step - now_step;
        let drift_steps = if off_by.abs() <= WINDOW_STEPS { 0 } else { off_by };
        Ok((MfaDeviceRecord { last_step, drift_steps, ..device }, attempt))
    }

    /// A guess at the owner's codes; none while too many were wrong.
    fn attempt(&self, owner: &OwnerRecord) -> Option<Attempt> {
        let guessed = Guessed::codes(self.directory.account, owner.id());
        self.environment.guesses.at_code(guessed, owner.user_name(), self.source, self.directory.now)
    }

    fn now_step(&self) -> i64 {
        self.directory.now.div_euclid(STEP_SECONDS)
    }

    fn generator(&self, device: &MfaDeviceRecord) -> Result<Generator, Error> {
        let serial_number = &device.serial_number;
        let opened =
            self.environment.keyring.open(Purpose::MfaSeed, serial_number.as_bytes(), &device.sealed_seed);
        let seed = opened
            .map_err(|error| Error::internal_failure(format!("the seed of {serial_number}: {error}")))?;
        Generator::new(&seed)
    }
}

impl Seed {
    fn draw(random: &mut dyn Random) -> Self {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        random.fill(seed.as_mut_slice());
        Self(seed)
    }

    /// As it is typed into a device: 64 characters of base32.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(Secret::from(self.0.to_vec()).to_base32())
    }
}

/// Makes the codes of one seed.
pub struct Generator(Totp);

impl Generator {
    /// Of a seed of at least 16 bytes.
    ///
    /// # Errors
    /// The seed is shorter, which is a fault of ours.
    pub fn new(seed: &[u8]) -> Result<Self, Error> {
        let seconds = STEP_SECONDS.unsigned_abs();
        let made = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(0)
            .with_step_duration(seconds)
            .with_secret(seed.to_vec())
            .build();
        made.map(Self).map_err(|error| Error::internal_failure(format!("a seed: {error}")))
    }

    /// The step that a code is of, at most `window` away from `around`. All are tried, whichever it is.
    #[must_use]
    pub fn step_of(&self, code: &str, around: i64, window: i64) -> Option<i64> {
        let steps = around.saturating_sub(window)..=around.saturating_add(window);
        steps.fold(None, |found, step| if self.is_of(code, step) { Some(step) } else { found })
    }

    /// The step of the second of two codes in a row.
    fn step_of_pair(&self, [first, second]: [&str; 2], around: i64, window: i64) -> Option<i64> {
        let steps = around.saturating_sub(window)..around.saturating_add(window);
        steps.fold(None, |found, step| {
            if self.is_of(first, step) & self.is_of(second, step + 1) { Some(step + 1) } else { found }
        })
    }

    /// Compared in constant time.
    fn is_of(&self, code: &str, step: i64) -> bool {
        let seconds = step.checked_mul(STEP_SECONDS).and_then(|seconds| u64::try_from(seconds).ok());
        seconds.is_some_and(|seconds| self.0.check(code, seconds).is_some())
    }
}

#[cfg(test)]
mod tests;
