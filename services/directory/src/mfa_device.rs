//! MFA devices: which there are, whose they are, and how far each has been used. What a code proves is decided above; here
//! lies the step of the last code that was accepted, and because it lies in the record that is got and put, no two calls
//! accept the same code.

use reeve_proto::store::v1::{MarkRecord, MfaDeviceRecord, StoredTag};

use crate::limits::{MFA_DEVICE_PATH_AND_NAME_CHARS_MAX, MFA_DEVICES_PER_USER_MAX};
use crate::listing::Page;
use crate::name::{ROOT_PATH, fold};
use crate::owner::OwnerRecord;
use crate::resource::{Kind, Resource};
use crate::{Error, Result, part, tables, tag};

/// What AWS calls the quota of an account's devices, which is that of its users.
pub(crate) const DEVICES_QUOTA: &str = "MFADevices";

part! {
    /// The MFA devices of an account.
    MfaDevices
}

/// A virtual device to be created.
#[derive(Debug, Clone, Default)]
pub struct NewMfaDevice {
    /// The name, unique under its path without case.
    pub name: String,
    /// `/` when absent.
    pub path: Option<String>,
    /// Tags.
    pub tags: Vec<StoredTag>,
}

impl MfaDevices<'_, '_> {
    /// The serial number of a device to be created: its ARN.
    ///
    /// # Errors
    /// `InvalidInput` when the path and the name are too long.
    pub fn serial_number(&self, new: &NewMfaDevice) -> Result<String> {
        let path = new.path.as_deref().unwrap_or(ROOT_PATH);
        if path.len() + new.name.len() > MFA_DEVICE_PATH_AND_NAME_CHARS_MAX {
            let message = format!(
                "The path and the name are too long: together they have at most {MFA_DEVICE_PATH_AND_NAME_CHARS_MAX} characters."
            );
            return Err(Error::invalid_input(&message).with_violation("virtual_mfa_device_name", message));
        }
        Ok(self.0.arn(Kind::Mfa, path, &new.name))
    }

    /// Creates a virtual device, which is nobody's yet. The seed is sealed together with the serial number.
    ///
    /// # Errors
    /// `EntityAlreadyExists`, `LimitExceeded`, `InvalidInput` for the tags and for what is too long.
    pub async fn create(&mut self, new: NewMfaDevice, sealed_seed: Vec<u8>) -> Result<MfaDeviceRecord> {
        tag::check(&new.tags)?;
        let serial_number = self.serial_number(&new)?;
        let account = (self.0.account.to_owned(),);
        let devices_max = self.0.settings.quotas.users_per_account_max;
        if tables::MFA_DEVICES_COUNT.get(self.0.transaction, &account).await? >= devices_max {
            return Err(Error::quota(DEVICES_QUOTA, devices_max));
        }
        let device = MfaDeviceRecord {
            serial_number,
            create_date: self.0.now,
            tags: new.tags,
            sealed_seed,
            ..Default::default()
        };
        if self.at(&device.serial_number).await?.is_some() {
            let message = "MFADevice entity at the same path and name already exists.";
            return Err(Error::entity_already_exists(message));
        }
        tables::MFA_DEVICES_COUNT.add(self.0.transaction, &account, 1, devices_max);
        self.put(&device).await?;
        Ok(device)
    }

    /// The device of a serial number, which is matched with case.
    pub async fn find(&mut self, serial_number: &str) -> Result<Option<MfaDeviceRecord>> {
        let device = self.at(serial_number).await?;
        Ok(device.filter(|device| device.serial_number == serial_number))
    }

    /// The device of a serial number.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn get(&mut self, serial_number: &str) -> Result<MfaDeviceRecord> {
        self.find(serial_number).await?.ok_or_else(|| {
            let message = format!("VirtualMFADevice with serial number {serial_number} doesn't exist.");
            Error::no_such_entity(message)
        })
    }

    /// The device of a serial number, which must be nobody's.
    ///
    /// # Errors
    /// `NoSuchEntity`; `EntityAlreadyExists` when it is somebody's.
    pub async fn free(&mut self, serial_number: &str) -> Result<MfaDeviceRecord> {
        let device = self.get(serial_number).await?;
        if device.principal_id.is_empty() {
            return Ok(device);
        }
        Err(Error::entity_already_exists("MFA Device is already in use."))
    }

    /// The device of a serial number, which must be its owner's.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub async fn owned(&mut self, owner: &OwnerRecord, serial_number: &str) -> Result<MfaDeviceRecord> {
        let device = self.get(serial_number).await?;
        if device.principal_id == owner.id() {
            return Ok(device);
        }
        Err(Error::no_such_entity("MFA Device invalid for user."))
    }

    /// The owner's devices, in the order of their names. That the owner's record was got proves that there are no others.
    pub async fn all_of(&mut self, owner: &OwnerRecord) -> Result<Vec<MfaDeviceRecord>> {
        let under = self.0.under(owner.id());
        let marks = tables::PRINCIPAL_MFA_DEVICES.scan(self.0.transaction, &under, None, usize::MAX).await?;
        let mut devices = Vec::with_capacity(marks.len());
        for ((account, _, place), _) in marks {
            devices.extend(tables::MFA_DEVICES.get(self.0.transaction, &(account, place)).await?);
        }
        Ok(devices)
    }

    /// The owner's devices.
    pub async fn list_of(
        &mut self,
        owner: &OwnerRecord,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<MfaDeviceRecord>> {
        let devices = self.all_of(owner).await?;
        Ok(Page::of_all(devices, |device: &MfaDeviceRecord| place(&device.serial_number), after, limit))
    }

    /// The account's devices; only those that are somebody's, or nobody's, where `assigned` says so.
    pub async fn list(
        &mut self,
        assigned: Option<bool>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<MfaDeviceRecord>> {
        let account = (self.0.account.to_owned(),);
        let after = after.map(|after| self.0.key(after));
        let devices_max = usize::try_from(self.0.settings.quotas.users_per_account_max).unwrap_or(usize::MAX);
        let found =
            tables::MFA_DEVICES.scan(self.0.transaction, &account, after.as_ref(), devices_max).await?;
        let fits = |device: &MfaDeviceRecord| {
            assigned.is_none_or(|assigned| assigned != device.principal_id.is_empty())
        };
        let devices = found.into_iter().map(|(_, device)| device).filter(fits).collect();
        Ok(Page::of_all(devices, |device: &MfaDeviceRecord| place(&device.serial_number), None, limit))
    }

    /// Makes a device that was nobody's its owner's.
    ///
    /// # Errors
    /// `LimitExceeded`.
    pub async fn enable(&mut self, owner: &OwnerRecord, mut device: MfaDeviceRecord) -> Result<()> {
        // The owner's record was got before, and is put below: so the count holds when this is committed.
        if self.all_of(owner).await?.len() >= MFA_DEVICES_PER_USER_MAX {
            return Err(Error::quota("MFADevicesPerUser", MFA_DEVICES_PER_USER_MAX));
        }
        owner.id().clone_into(&mut device.principal_id);
        device.enable_date = self.0.now;
        let mark = self.0.hanging(owner.id(), &place(&device.serial_number));
        tables::PRINCIPAL_MFA_DEVICES.put(self.0.transaction, &mark, &MarkRecord {}).await?;
        self.put(&device).await?;
        owner.touch(self.0).await
    }

    /// Takes a device from its owner. It remembers how far it was used, so that no code counts again for the next one.
    ///
    /// # Errors
    /// `NoSuchEntity`, also when the device is somebody else's.
    pub async fn deactivate(&mut self, owner: &OwnerRecord, serial_number: &str) -> Result<()> {
        let device = self.owned(owner, serial_number).await?;
        let mark = self.0.hanging(owner.id(), &place(serial_number));
        tables::PRINCIPAL_MFA_DEVICES.delete(self.0.transaction, &mark).await?;
        self.put(&MfaDeviceRecord { principal_id: String::new(), enable_date: 0, ..device }).await?;
        owner.touch(self.0).await
    }

    /// Deletes a device that is nobody's.
    ///
    /// # Errors
    /// `NoSuchEntity`; `DeleteConflict` while it is somebody's.
    pub async fn delete(&mut self, serial_number: &str) -> Result<()> {
        let device = self.get(serial_number).await?;
        if !device.principal_id.is_empty() {
            return Err(Error::delete_conflict("MFA VirtualDevice in use. Must deactivate first."));
        }
        let key = self.0.key(&place(serial_number));
        tables::MFA_DEVICES.delete(self.0.transaction, &key).await?;
        let account = (self.0.account.to_owned(),);
        tables::MFA_DEVICES_COUNT.add(self.0.transaction, &account, -1, i64::MAX);
        Ok(())
    }

    /// Writes a device again: a code was accepted, or its tags are others.
    pub async fn put(&mut self, device: &MfaDeviceRecord) -> Result<()> {
        let key = self.0.key(&place(&device.serial_number));
        Ok(tables::MFA_DEVICES.put(self.0.transaction, &key, device).await?)
    }

    /// What lies where a device of this serial number would, whatever its case.
    async fn at(&mut self, serial_number: &str) -> Result<Option<MfaDeviceRecord>> {
        let parsed = Resource::parse(&self.0.settings.partition, serial_number);
        let Some(Resource::Named { kind: Kind::Mfa, account, .. }) = parsed else { return Ok(None) };
        if account != self.0.account {
            return Ok(None);
        }
        let key = self.0.key(&place(serial_number));
        Ok(tables::MFA_DEVICES.get(self.0.transaction, &key).await?)
    }
}

/// Where a device lies among those of its account: its folded path and name, which end its ARN.
fn place(serial_number: &str) -> String {
    let resource = serial_number.splitn(6, ':').last().unwrap_or_default();
    fold(resource.strip_prefix(Kind::Mfa.as_str()).unwrap_or(resource))
}
