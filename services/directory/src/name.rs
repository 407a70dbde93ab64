//! Names: shown as they were given, unique without case.

/// The form of a name under which it is unique and sorted: ASCII lower case. Names hold no other letters.
#[must_use]
pub fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The path of an entity that was created without one.
pub const ROOT_PATH: &str = "/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_fold_alike() {
        assert_eq!(fold("Alice+1@Example"), fold("aLICE+1@example"));
        assert_ne!(fold("alice"), fold("alice_"));
    }
}
