//! The public halves of signing keys, of which a JWK is made. What is not signed by here has none to show.

use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::KeyUtils;
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::jwk::{EllipticCurve, ThumbprintHash};
use ring::digest;
use ring::rsa::PublicKeyComponents;
use ring::signature::KeyPair as _;

use super::sign::{p384_key, rsa_key};

/// Bytes of a coordinate on P-384.
const P384_COORDINATE_BYTES: usize = 48;

pub(super) const KEY_UTILS: KeyUtils = KeyUtils {
    rsa_pub_components_from_private_key: rsa,
    rsa_pub_components_from_public_key: |_| Err(unsupported()),
    ec_pub_components_from_private_key: p384,
    ed_pub_components_from_private_key: |_, _| Err(unsupported()),
    compute_digest,
};

fn rsa(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let PublicKeyComponents { n, e } = PublicKeyComponents::from(rsa_key(der)?.public());
    Ok((n, e))
}

fn p384(pkcs8: &[u8], algorithm: Algorithm) -> Result<(EllipticCurve, Vec<u8>, Vec<u8>)> {
    if algorithm != Algorithm::ES384 {
        return Err(unsupported());
    }
    let key = p384_key(pkcs8)?;
    // An uncompressed point: 4, and the two coordinates.
    let point = key.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at_checked(P384_COORDINATE_BYTES).ok_or_else(unsupported)?;
    Ok((EllipticCurve::P384, x.to_vec(), y.to_vec()))
}

fn compute_digest(data: &[u8], hash: ThumbprintHash) -> Result<Vec<u8>> {
    let algorithm = match hash {
        ThumbprintHash::SHA256 => &digest::SHA256,
        ThumbprintHash::SHA384 => &digest::SHA384,
        ThumbprintHash::SHA512 => &digest::SHA512,
        _ => return Err(unsupported()),
    };
    Ok(digest::digest(algorithm, data).as_ref().to_vec())
}

fn unsupported() -> Error {
    ErrorKind::UnsupportedAlgorithm.into()
}
