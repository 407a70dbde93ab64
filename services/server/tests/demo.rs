//! The demonstration, as anyone runs it.
#![cfg(test)]

use std::process::Command;

#[test]
fn every_expectation_of_the_demonstration_holds() {
    let played = Command::new(env!("CARGO_BIN_EXE_reeve")).arg("demo").output().unwrap();
    let told = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{told}\n{}", String::from_utf8_lossy(&played.stderr));
    assert!(told.contains("A wrong external id is refused") && told.contains("steps held"), "{told}");
    for secret in ["aws_secret_access_key", "SecretAccessKey"] {
        assert!(!told.contains(secret), "{told}");
    }
}
