//! Virtual MFA devices: made, enabled by two codes in a row, and good for each code once.

use std::sync::Arc;

use reeve_chassis::clock::{Clock, ManualClock, SystemClock};
use reeve_proto::iam::v1::{
    CreateUserRequest, CreateVirtualMfaDeviceRequest, DeactivateMfaDeviceRequest, DeleteUserRequest,
    DeleteVirtualMfaDeviceRequest, EnableMfaDeviceRequest, GetMfaDeviceRequest, ListMfaDeviceTagsRequest,
    ListMfaDevicesRequest, ListVirtualMfaDevicesRequest, ResyncMfaDeviceRequest, TagMfaDeviceRequest,
    UntagMfaDeviceRequest, VirtualMfaDevice,
};

use super::{is_refused, is_refused_unwritten, tag};
use crate::world::{ACCOUNT, Authenticator, OTHER_ACCOUNT, World, allow, code, refused};

const NOT_VALID: &str = "Authentication code for device is not valid.";

fn create(name: &str) -> CreateVirtualMfaDeviceRequest {
    CreateVirtualMfaDeviceRequest { virtual_mfa_device_name: name.to_owned(), ..Default::default() }
}

fn deactivate(user: &str, device: &Authenticator) -> DeactivateMfaDeviceRequest {
    DeactivateMfaDeviceRequest {
        user_name: Some(user.to_owned()),
        serial_number: device.serial_number.clone(),
    }
}

fn delete(serial_number: &str) -> DeleteVirtualMfaDeviceRequest {
    DeleteVirtualMfaDeviceRequest { serial_number: serial_number.to_owned() }
}

fn resync(user: &str, device: &Authenticator, first: &str, second: &str) -> ResyncMfaDeviceRequest {
    ResyncMfaDeviceRequest {
        user_name: Some(user.to_owned()),
        serial_number: device.serial_number.clone(),
        authentication_code1: first.to_owned(),
        authentication_code2: second.to_owned(),
    }
}

async fn listed(world: &World, status: Option<&str>) -> Vec<VirtualMfaDevice> {
    let request =
        ListVirtualMfaDevicesRequest { assignment_status: status.map(str::to_owned), ..Default::default() };
    world.root().call(&request).await.unwrap().virtual_mfa_devices
}

/// A world whose clock stands still in the middle of a step, with its time.
async fn still() -> (World, Arc<ManualClock>, i64) {
    let now = SystemClock.now().seconds().div_euclid(30) * 30 + 15;
    let clock = Arc::new(ManualClock::at(now));
    let its = Arc::clone(&clock);
    let world = World::made(|_| {}, async move |environment| environment.clock = its).await;
    world
        .root()
        .call(&CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() })
        .await
        .unwrap();
    (world, clock, now)
}

#[tokio::test]
async fn a_device_shows_its_seed_once() {
    let world = World::start().await;
    let request = CreateVirtualMfaDeviceRequest {
        path: Some("/phones/".to_owned()),
        tags: vec![tag("team", "blue")],
        ..create("Alice")
    };
    let created = world.root().call(&request).await.unwrap().virtual_mfa_device.unwrap();
    assert_eq!(created.serial_number, world.arn("mfa/phones/Alice"));
    assert_eq!(created.tags, [tag("team", "blue")]);
    let device = Authenticator::of(&created);
    assert_eq!(device.base32_seed.len(), 64);
    let png = created.qr_code_png.clone().unwrap();
    assert_eq!(read_qr_code(&png), format!("otpauth://totp/Alice@{ACCOUNT}?secret={}", device.base32_seed));
    assert!(!format!("{created:?}").contains(&device.base32_seed), "a seed is printed nowhere");
    let long = "a@".repeat(91);
    let created_too = world.root().call(&create(&long)).await.unwrap().virtual_mfa_device.unwrap();
    let said = read_qr_code(&created_too.qr_code_png.unwrap());
    assert!(said.starts_with(&format!("otpauth://totp/{long}@{ACCOUNT}?secret=")), "{said}");
    world.root().call(&delete(&created_too.serial_number)).await.unwrap();
    let found = listed(&world, None).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].serial_number, created.serial_number);
    assert!(
        found[0].base32_string_seed.is_none() && found[0].qr_code_png.is_none() && found[0].tags.is_empty()
    );
}

/// As a camera would.
fn read_qr_code(png: &[u8]) -> String {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut gray = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut gray).unwrap();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| gray[y * width + x]);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[tokio::test]
async fn devices_are_unique_by_path_and_name_without_case() {
    let world = World::start().await;
    world.root().call(&create("Alice")).await.unwrap();
    let because = "MFADevice entity at the same path and name already exists.";
    is_refused_unwritten(&world, &create("aLICE"), "EntityAlreadyExists", because).await;
    let elsewhere = CreateVirtualMfaDeviceRequest { path: Some("/b/".to_owned()), ..create("Alice") };
    world.root().call(&elsewhere).await.unwrap();
    let missing = |serial: &str| format!("VirtualMFADevice with serial number {serial} doesn't exist.");
    let other_case = world.arn("mfa/alice");
    is_refused(world.root().call(&delete(&other_case)).await, "NoSuchEntity", &missing(&other_case));
    world.root().call(&delete(&world.arn("mfa/Alice"))).await.unwrap();
    world.root().call(&create("alice")).await.unwrap();
    let long = CreateVirtualMfaDeviceRequest {
        path: Some(format!("/{}/", "p".repeat(200))),
        ..create(&"n".repeat(100))
    };
    is_refused_unwritten(&world, &long, "InvalidInput", "at most 184 characters").await;
}

#[tokio::test]
async fn two_codes_in_a_row_make_a_device_a_users() {
    let (world, _, now) = still().await;
    let device = Authenticator::created(&world, "phone").await;
    let enable = device.enable(Some("Alice"), now);
    let swapped = EnableMfaDeviceRequest {
        authentication_code1: enable.authentication_code2.clone(),
        authentication_code2: enable.authentication_code1.clone(),
        ..enable.clone()
    };
    let one_twice = EnableMfaDeviceRequest {
        authentication_code2: enable.authentication_code1.clone(),
        ..enable.clone()
    };
    let apart = EnableMfaDeviceRequest { authentication_code1: device.code(now - 60), ..enable.clone() };
    let day = 86_400;
    let late = device.enable(Some("alice"), now - day);
    let early = device.enable(Some("alice"), now + day);
    for wrong in [swapped, one_twice, apart, late, early] {
        is_refused_unwritten(&world, &wrong, "InvalidAuthenticationCode", NOT_VALID).await;
    }
    assert_eq!(listed(&world, Some("Unassigned")).await.len(), 1);
    assert!(listed(&world, Some("Assigned")).await.is_empty());
    world.root().call(&enable).await.unwrap();
    assert!(listed(&world, Some("Unassigned")).await.is_empty());
    let assigned = listed(&world, Some("Assigned")).await;
    assert_eq!(assigned[0].user.as_ref().unwrap().user_name, "alice");
    assert!(assigned[0].enable_date.is_some());
    let list = ListMfaDevicesRequest { user_name: Some("alice".to_owned()), ..Default::default() };
    let own = world.root().call(&list).await.unwrap().mfa_devices;
    assert_eq!((own.len(), own[0].serial_number.as_str()), (1, device.serial_number.as_str()));
    let get = GetMfaDeviceRequest {
        serial_number: device.serial_number.clone(),
        user_name: Some("alice".to_owned()),
    };
    assert_eq!(world.root().call(&get).await.unwrap().user_name.as_deref(), Some("alice"));
    let in_use = "MFA Device is already in use.";
    world.user("bob").await;
    let bobs = device.enable(Some("bob"), now + 60);
    is_refused_unwritten(&world, &bobs, "EntityAlreadyExists", in_use).await;
    let get = GetMfaDeviceRequest { user_name: Some("bob".to_owned()), ..get };
    is_refused(world.root().call(&get).await, "NoSuchEntity", "MFA Device invalid for user.");
}

#[tokio::test]
async fn devices_carry_tags() {
    let world = World::start().await;
    let device = Authenticator::created(&world, "phone").await;
    let serial_number = || device.serial_number.clone();
    let add =
        TagMfaDeviceRequest { serial_number: serial_number(), tags: vec![tag("a", "1"), tag("b", "2")] };
    world.root().call(&add).await.unwrap();
    let remove = UntagMfaDeviceRequest { serial_number: serial_number(), tag_keys: vec!["A".to_owned()] };
    world.root().call(&remove).await.unwrap();
    let list = ListMfaDeviceTagsRequest { serial_number: serial_number(), ..Default::default() };
    assert_eq!(world.root().call(&list).await.unwrap().tags, [tag("b", "2")]);
    // And policies see them.
    let bob = world.user("bob").await;
    let mut own = allow("iam:DeleteVirtualMFADevice", "*");
    own["Condition"] = serde_json::json!({ "StringEquals": { "aws:ResourceTag/b": "${aws:username}" } });
    world.allow(&bob, &own).await;
    assert_eq!(code(bob.call(&delete(&device.serial_number)).await), "AccessDenied");
    let add = TagMfaDeviceRequest { serial_number: serial_number(), tags: vec![tag("b", "bob")] };
    world.root().call(&add).await.unwrap();
    bob.call(&delete(&device.serial_number)).await.unwrap();
    is_refused(
        world.root().call(&list).await,
        "NoSuchEntity",
        &format!("VirtualMFADevice with serial number {} doesn't exist.", device.serial_number),
    );
}

#[tokio::test]
async fn codes_are_six_digits() {
    let (world, _, now) = still().await;
    let device = Authenticator::created(&world, "phone").await;
    for wrong in ["12345", "1234567", "12345a", "", "１２３４５６", " 12345", "+12345"] {
        let request = EnableMfaDeviceRequest {
            authentication_code1: wrong.to_owned(),
            ..device.enable(Some("alice"), now)
        };
        let error = refused(world.root().call(&request).await);
        assert_eq!(error.code, "ValidationError", "{wrong}");
    }
}

#[tokio::test]
async fn no_code_enables_twice() {
    let (world, clock, now) = still().await;
    world.user("bob").await;
    let device = Authenticator::enabled(&world, "alice", "phone", now).await;
    world.root().call(&deactivate("alice", &device)).await.unwrap();
    let again = device.enable(Some("bob"), now);
    is_refused_unwritten(&world, &again, "InvalidAuthenticationCode", NOT_VALID).await;
    let half_used = device.enable(Some("bob"), now + 30);
    is_refused_unwritten(&world, &half_used, "InvalidAuthenticationCode", NOT_VALID).await;
    clock.advance(60);
    world.root().call(&device.enable(Some("bob"), now + 60)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_calls_with_the_same_codes_one_is_answered() {
    for on_disk in [false, true] {
        let world = if on_disk { World::on_disk().await } else { World::start().await };
        world.user("alice").await;
        let now = SystemClock.now().seconds();
        let device = Authenticator::enabled(&world, "alice", "phone", now).await;
        let calls: Vec<_> = (0..32)
            .map(|_| {
                let client = world.root().clone();
                let request = resync("alice", &device, &device.code(now + 30), &device.code(now + 60));
                tokio::spawn(async move { code(client.call(&request).await) })
            })
            .collect();
        let mut answered = 0;
        for call in calls {
            match call.await.unwrap().as_str() {
                "" => answered += 1,
                other => assert_eq!(other, "InvalidAuthenticationCode"),
            }
        }
        assert_eq!(answered, 1);
    }
}

#[tokio::test]
async fn a_clock_that_has_drifted_is_found_again() {
    let (world, _, now) = still().await;
    let device = Authenticator::enabled(&world, "alice", "phone", now).await;
    let far = now + 20 * 30 + 30;
    let too_far = resync("alice", &device, &device.code(far), &device.code(far + 30));
    is_refused_unwritten(&world, &too_far, "InvalidAuthenticationCode", NOT_VALID).await;
    let ahead = now + 19 * 30;
    let near = resync("alice", &device, &device.code(ahead), &device.code(ahead + 30));
    world.root().call(&near).await.unwrap();
    is_refused_unwritten(&world, &near, "InvalidAuthenticationCode", NOT_VALID).await;
    world.user("bob").await;
    let bobs = resync("bob", &device, &device.code(now), &device.code(now + 30));
    is_refused_unwritten(&world, &bobs, "NoSuchEntity", "MFA Device invalid for user.").await;
}

#[tokio::test]
async fn a_user_has_at_most_eight_devices() {
    let world = World::start().await;
    world.user("alice").await;
    let now = SystemClock.now().seconds();
    for number in 0..8 {
        Authenticator::enabled(&world, "alice", &format!("phone-{number}"), now).await;
    }
    let ninth = Authenticator::created(&world, "phone-8").await;
    let because = "Cannot exceed quota for MFADevicesPerUser: 8";
    is_refused_unwritten(&world, &ninth.enable(Some("alice"), now), "LimitExceeded", because).await;
}

#[tokio::test]
async fn an_account_has_as_many_devices_as_it_may_have_users() {
    let world = World::configured(|config| config.quotas.users_per_account_max = 2).await;
    world.root().call(&create("one")).await.unwrap();
    world.root().call(&create("two")).await.unwrap();
    is_refused_unwritten(&world, &create("three"), "LimitExceeded", "Cannot exceed quota for MFADevices: 2")
        .await;
    world.root().call(&delete(&world.arn("mfa/one"))).await.unwrap();
    world.root().call(&create("three")).await.unwrap();
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    let (world, _, now) = still().await;
    let device = Authenticator::enabled(&world, "alice", "phone", now).await;
    let in_use = "MFA VirtualDevice in use. Must deactivate first.";
    is_refused_unwritten(&world, &delete(&device.serial_number), "DeleteConflict", in_use).await;
    let alice = DeleteUserRequest { user_name: "alice".to_owned() };
    let because = "Cannot delete entity, must delete MFA device first.";
    is_refused_unwritten(&world, &alice, "DeleteConflict", because).await;
    world.user("bob").await;
    let other = "MFA Device invalid for user.";
    is_refused_unwritten(&world, &deactivate("bob", &device), "NoSuchEntity", other).await;
    world.root().call(&deactivate("alice", &device)).await.unwrap();
    world.root().call(&delete(&device.serial_number)).await.unwrap();
    world.root().call(&alice).await.unwrap();
    assert!(listed(&world, None).await.is_empty());
}

#[tokio::test]
async fn a_device_of_another_account_is_nobodys_business() {
    let (world, _, now) = still().await;
    let device = Authenticator::created(&world, "phone").await;
    for serial in [
        format!("arn:aws:iam::{OTHER_ACCOUNT}:mfa/phone"),
        "GAHT12345678".to_owned(),
        world.arn("user/alice"),
    ] {
        let enable =
            EnableMfaDeviceRequest { serial_number: serial.clone(), ..device.enable(Some("alice"), now) };
        is_refused_unwritten(&world, &enable, "NoSuchEntity", "doesn't exist").await;
        let resync = ResyncMfaDeviceRequest {
            serial_number: serial.clone(),
            ..resync("alice", &device, &device.code(now - 30), &device.code(now))
        };
        is_refused_unwritten(&world, &resync, "NoSuchEntity", "doesn't exist").await;
        let deactivate =
            DeactivateMfaDeviceRequest { serial_number: serial.clone(), ..deactivate("alice", &device) };
        is_refused_unwritten(&world, &deactivate, "NoSuchEntity", "doesn't exist").await;
        let get = GetMfaDeviceRequest { serial_number: serial.clone(), user_name: Some("alice".to_owned()) };
        is_refused_unwritten(&world, &get, "NoSuchEntity", "doesn't exist").await;
        let gone = code(world.root().call(&delete(&serial)).await);
        assert_eq!(
            gone,
            if serial.contains(OTHER_ACCOUNT) { "AccessDenied" } else { "NoSuchEntity" },
            "{serial}"
        );
    }
}

#[tokio::test]
async fn root_has_devices_too() {
    let (world, _, now) = still().await;
    let device = Authenticator::created(&world, "root-phone").await;
    world.root().call(&device.enable(None, now)).await.unwrap();
    let own = world.root().call(&ListMfaDevicesRequest::default()).await.unwrap().mfa_devices;
    assert_eq!((own.len(), own[0].user_name.as_str()), (1, ""));
    // Whoever asks.
    let admin = world.user("admin").await;
    world.allow(&admin, &allow("iam:ListVirtualMFADevices", "*")).await;
    let all = ListVirtualMfaDevicesRequest::default();
    for found in [listed(&world, Some("Assigned")).await, admin.call(&all).await.unwrap().virtual_mfa_devices]
    {
        let user = found[0].user.clone().unwrap();
        assert_eq!((user.arn, user.user_id.as_str()), (world.arn("root"), ACCOUNT));
    }
    let off = DeactivateMfaDeviceRequest { user_name: None, serial_number: device.serial_number.clone() };
    world.root().call(&off).await.unwrap();
    assert!(world.root().call(&ListMfaDevicesRequest::default()).await.unwrap().mfa_devices.is_empty());
}

#[tokio::test]
async fn users_manage_their_own_device_by_awss_policy() {
    let (world, _, now) = still().await;
    let bob = world.user("bob").await;
    world.allow(&bob, &allow("iam:CreateVirtualMFADevice", "arn:aws:iam::*:mfa/*")).await;
    let own = serde_json::json!(["iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"]);
    world.allow(&bob, &allow(own, "arn:aws:iam::*:user/${aws:username}")).await;
    let created = bob.call(&create("bob")).await.unwrap().virtual_mfa_device.unwrap();
    let device = Authenticator::of(&created);
    assert_eq!(code(bob.call(&device.enable(Some("alice"), now)).await), "AccessDenied");
    bob.call(&device.enable(Some("bob"), now)).await.unwrap();
    assert_eq!(bob.call(&ListMfaDevicesRequest::default()).await.unwrap().mfa_devices.len(), 1);
    assert_eq!(code(bob.call(&deactivate("bob", &device)).await), "AccessDenied");
    let tagged = CreateVirtualMfaDeviceRequest { tags: vec![tag("a", "b")], ..create("other") };
    assert_eq!(code(bob.call(&tagged).await), "AccessDenied");
}
