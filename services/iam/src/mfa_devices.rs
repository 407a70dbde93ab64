//! Virtual MFA devices. A seed is in the answer to its device's creation and nowhere else.

use reeve_chassis::{Call, Handle};
use reeve_directory::mfa_device::NewMfaDevice;
use reeve_directory::record::MfaDeviceRecord;
use reeve_directory::{Error, OwnerRecord};
use reeve_proto::iam::v1::{
    CreateVirtualMfaDeviceRequest, CreateVirtualMfaDeviceResponse, DeactivateMfaDeviceRequest,
    DeactivateMfaDeviceResponse, DeleteVirtualMfaDeviceRequest, DeleteVirtualMfaDeviceResponse,
    EnableMfaDeviceRequest, EnableMfaDeviceResponse, GetMfaDeviceRequest, GetMfaDeviceResponse,
    ListMfaDevicesRequest, ListMfaDevicesResponse, ListVirtualMfaDevicesRequest,
    ListVirtualMfaDevicesResponse, MfaDevice, ResyncMfaDeviceRequest, ResyncMfaDeviceResponse,
    VirtualMfaDevice,
};

use crate::users::{self, owner};
use crate::{Iam, qr_code, tags, timestamp, with_marker};

impl Handle<CreateVirtualMfaDeviceRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &CreateVirtualMfaDeviceRequest,
    ) -> Result<CreateVirtualMfaDeviceResponse, Error> {
        let new = NewMfaDevice {
            name: op.virtual_mfa_device_name.clone(),
            path: op.path.clone(),
            tags: tags::stored(&op.tags),
        };
        let (device, seed) = call.mfa_devices().create(new).await?;
        let base32_seed = seed.to_base32();
        let account = call.caller.account();
        let address = qr_code::address(&op.virtual_mfa_device_name, account, &base32_seed);
        let virtual_mfa_device = VirtualMfaDevice {
            serial_number: device.serial_number,
            base32_string_seed: Some(base32_seed.as_bytes().to_vec()),
            qr_code_png: Some(qr_code::png(&address)?),
            tags: tags::shown(device.tags),
            ..Default::default()
        };
        Ok(CreateVirtualMfaDeviceResponse { virtual_mfa_device: Some(virtual_mfa_device) })
    }
}

impl Handle<EnableMfaDeviceRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &EnableMfaDeviceRequest,
    ) -> Result<EnableMfaDeviceResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        let codes = [op.authentication_code1.as_str(), op.authentication_code2.as_str()];
        call.mfa_devices().enable(&owner, &op.serial_number, codes).await?;
        Ok(EnableMfaDeviceResponse {})
    }
}

impl Handle<ResyncMfaDeviceRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ResyncMfaDeviceRequest,
    ) -> Result<ResyncMfaDeviceResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        let codes = [op.authentication_code1.as_str(), op.authentication_code2.as_str()];
        call.mfa_devices().resync(&owner, &op.serial_number, codes).await?;
        Ok(ResyncMfaDeviceResponse {})
    }
}

impl Handle<DeactivateMfaDeviceRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeactivateMfaDeviceRequest,
    ) -> Result<DeactivateMfaDeviceResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        call.directory().mfa_devices().deactivate(&owner, &op.serial_number).await?;
        Ok(DeactivateMfaDeviceResponse {})
    }
}

impl Handle<DeleteVirtualMfaDeviceRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &DeleteVirtualMfaDeviceRequest,
    ) -> Result<DeleteVirtualMfaDeviceResponse, Error> {
        call.directory().mfa_devices().delete(&op.serial_number).await?;
        Ok(DeleteVirtualMfaDeviceResponse {})
    }
}

impl Handle<GetMfaDeviceRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &GetMfaDeviceRequest,
    ) -> Result<GetMfaDeviceResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        let device = call.directory().mfa_devices().owned(&owner, &op.serial_number).await?;
        Ok(GetMfaDeviceResponse {
            user_name: owner.user_name().map(str::to_owned),
            serial_number: device.serial_number,
            enable_date: timestamp(device.enable_date),
        })
    }
}

impl Handle<ListMfaDevicesRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListMfaDevicesRequest,
    ) -> Result<ListMfaDevicesResponse, Error> {
        let owner = owner(call, op.user_name.as_deref()).await?;
        let user_name = owner.user_name().unwrap_or_default();
        let page = call.page(&[user_name], op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found = directory.mfa_devices().list_of(&owner, page.after.as_deref(), page.limit).await?;
        let found = found.map(|device| MfaDevice {
            user_name: user_name.to_owned(),
            serial_number: device.serial_number,
            enable_date: timestamp(device.enable_date),
        });
        let (mfa_devices, marker) = with_marker(call, &[user_name], found)?;
        Ok(ListMfaDevicesResponse { mfa_devices, is_truncated: marker.is_some(), marker })
    }
}

impl Handle<ListVirtualMfaDevicesRequest> for Iam {
    async fn handle(
        &self,
        call: &mut Call<'_>,
        op: &ListVirtualMfaDevicesRequest,
    ) -> Result<ListVirtualMfaDevicesResponse, Error> {
        let status = op.assignment_status.as_deref().unwrap_or("Any");
        let assigned = match status {
            "Assigned" => Some(true),
            "Unassigned" => Some(false),
            _ => None,
        };
        let page = call.page(&[status], op.marker.as_deref(), op.max_items)?;
        let mut directory = call.directory();
        let found = directory.mfa_devices().list(assigned, page.after.as_deref(), page.limit).await?;
        let (devices, marker) = with_marker(call, &[status], found)?;
        let mut virtual_mfa_devices = Vec::with_capacity(devices.len());
        for device in devices {
            virtual_mfa_devices.push(listed(call, device).await?);
        }
        Ok(ListVirtualMfaDevicesResponse { virtual_mfa_devices, is_truncated: marker.is_some(), marker })
    }
}

/// A device as a listing shows it: AWS leaves out its tags there.
async fn listed(call: &mut Call<'_>, device: MfaDeviceRecord) -> Result<VirtualMfaDevice, Error> {
    let user = match call.directory().owner_by_id(&device.principal_id).await? {
        Some(OwnerRecord::User(user)) => Some(users::listed(&call.directory(), user)),
        Some(OwnerRecord::Root(_)) => Some(users::root(call).await?),
        None => None,
    };
    Ok(VirtualMfaDevice {
        enable_date: user.as_ref().and_then(|_| timestamp(device.enable_date)),
        serial_number: device.serial_number,
        user,
        ..Default::default()
    })
}
