//! An authenticator as people carry it: RFC 6238 written down once more, so that the server is not compared with itself.

use reeve_proto::iam::v1::{CreateVirtualMfaDeviceRequest, EnableMfaDeviceRequest, VirtualMfaDevice};
use reeve_proto::sts::v1::GetSessionTokenRequest;
use ring::hmac;

use super::World;

/// Seconds of a step.
const STEP_SECONDS: i64 = 30;

/// A device and its seed.
pub(crate) struct Authenticator {
    /// The device's ARN.
    pub(crate) serial_number: String,
    /// As it was shown.
    pub(crate) base32_seed: String,
    key: hmac::Key,
}

impl Authenticator {
    /// Of a device that was just created.
    pub(crate) fn of(device: &VirtualMfaDevice) -> Self {
        let base32_seed = String::from_utf8(device.base32_string_seed.clone().unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &from_base32(&base32_seed));
        Self { serial_number: device.serial_number.clone(), base32_seed, key }
    }

    /// A new device that is nobody's.
    pub(crate) async fn created(world: &World, name: &str) -> Self {
        let request =
            CreateVirtualMfaDeviceRequest { virtual_mfa_device_name: name.to_owned(), ..Default::default() };
        let answer = world.root().call(&request).await.unwrap();
        Self::of(&answer.virtual_mfa_device.unwrap())
    }

    /// A new device of a user's, enabled by the codes of the two steps that end at `now`.
    pub(crate) async fn enabled(world: &World, user_name: &str, name: &str, now: i64) -> Self {
        let device = Self::created(world, name).await;
        world.root().call(&device.enable(Some(user_name), now)).await.unwrap();
        device
    }

    /// What enables the device by the codes of the two steps that end at `now`.
    pub(crate) fn enable(&self, user_name: Option<&str>, now: i64) -> EnableMfaDeviceRequest {
        EnableMfaDeviceRequest {
            user_name: user_name.map(str::to_owned),
            serial_number: self.serial_number.clone(),
            authentication_code1: self.code(now - STEP_SECONDS),
            authentication_code2: self.code(now),
        }
    }

    /// What asks for a session that shows the device by a code.
    pub(crate) fn shown(&self, code: &str) -> GetSessionTokenRequest {
        GetSessionTokenRequest {
            serial_number: Some(self.serial_number.clone()),
            token_code: Some(code.to_owned()),
            ..Default::default()
        }
    }

    /// The code at a time: Unix seconds.
    pub(crate) fn code(&self, at: i64) -> String {
        let step = u64::try_from(at.div_euclid(STEP_SECONDS)).unwrap();
        let mac = hmac::sign(&self.key, &step.to_be_bytes());
        let mac = mac.as_ref();
        let start = usize::from(mac[19] & 15);
        let four: [u8; 4] = mac[start..start + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
    }
}

fn from_base32(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter).unwrap();
        (bits, count) = (bits << 5 | u32::try_from(digit).unwrap(), count + 5);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    bytes
}
