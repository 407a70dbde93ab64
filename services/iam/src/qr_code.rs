//! The QR code that an authenticator reads its seed from.

use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};
use reeve_directory::Error;

/// Light modules around the code. (Source: ISO/IEC 18004.)
const QUIET_MODULES: i32 = 4;
/// Pixels on each side of a module.
const MODULE_PIXELS: i32 = 4;

/// The address by which an authenticator learns a seed, in AWS's form.
pub(crate) fn address(device_name: &str, account_name: &str, base32_seed: &str) -> String {
    format!("otpauth://totp/{device_name}@{account_name}?secret={base32_seed}")
}

/// A QR code that says `text`, as a PNG of one bit a pixel.
pub(crate) fn png(text: &str) -> Result<Vec<u8>, Error> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).map_err(failed)?;
    let side_pixels = (code.size() + 2 * QUIET_MODULES) * MODULE_PIXELS;
    let side = u32::try_from(side_pixels).map_err(failed)?;
    let mut image = Vec::new();
    let mut encoder = Encoder::new(&mut image, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels(&code, side_pixels)).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(image)
}

/// Eight pixels a byte, from the top left, a row at a time; light is 1.
fn pixels(code: &QrCode, side_pixels: i32) -> Vec<u8> {
    let is_light = |x: i32, y: i32| {
        let module = |pixel: i32| pixel / MODULE_PIXELS - QUIET_MODULES;
        !code.get_module(module(x), module(y))
    };
    let mut bytes = Vec::new();
    for y in 0..side_pixels {
        for start in (0..side_pixels).step_by(8) {
            let byte = (start..start + 8).fold(0, |byte, x| byte << 1 | u8::from(is_light(x, y)));
            bytes.push(byte);
        }
    }
    bytes
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal_failure(format!("drawing a QR code: {error}"))
}
