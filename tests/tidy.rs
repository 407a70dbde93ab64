//! What the documents promise of the sources: who imports whom, that every file says why it exists, that files stay small,
//! that a table's tag is for ever, that no error is declared and never given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;
use reeve_proto::OPERATIONS;
use reeve_proto::error::v1::ErrorReason;
use serde_json::Value;

/// Lines of a file, its unit tests apart. What grows beyond holds two subjects.
const LINES_MAX: usize = 400;
/// The first line of the import table in ARCHITECTURE.md.
const IMPORTS_BEGIN: &str = "evaluator, storage, proto      -> nothing of ours";
/// Names that say nothing of what a module is about.
const MODULES_BANNED: &[&str] = &["util", "utils", "common", "helpers", "misc"];
/// Macros that leave a place for later.
const MACROS_BANNED: &[&str] = &["todo", "unimplemented"];
/// Reasons that are declared, because they are AWS's, and that nothing gives yet. The list may only shrink.
const REASONS_NOT_GIVEN: &[&str] =
    &["ConcurrentModification", "PolicyNotAttachable", "RequestExpired", "Throttling", "UnmodifiableEntity"];

#[test]
fn crates_import_what_the_architecture_says() {
    let crates = crates();
    let table = import_table(&crates);
    let mut named = BTreeSet::new();
    for (importers, allowed) in &table {
        let mut used = BTreeSet::new();
        for importer in importers {
            let Some(krate) = crates.get(importer) else { continue };
            let more: Vec<&String> = krate.imports.difference(allowed).collect();
            assert!(more.is_empty(), "{importer} imports {more:?}, which ARCHITECTURE.md does not say");
            used.extend(krate.imports.iter().cloned());
            named.insert(importer.clone());
        }
        let less: Vec<&String> = allowed.difference(&used).collect();
        assert!(less.is_empty(), "ARCHITECTURE.md lets {importers:?} import {less:?}, which they do not");
    }
    let all: BTreeSet<String> = crates.keys().cloned().collect();
    assert_eq!(named, all, "every crate stands in the import table");
}

/// A crate of the workspace.
struct Krate {
    folder: PathBuf,
    imports: BTreeSet<String>,
}

/// The crates of the workspace, without `reeve-`.
fn crates() -> BTreeMap<String, Krate> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = |value: &Value| value.as_str().unwrap().strip_prefix("reeve-").map(str::to_owned);
    let of_package = |package: &Value| {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let dependencies = package["dependencies"].as_array().unwrap();
        let imports = dependencies.iter().filter_map(|dependency| ours(&dependency["name"])).collect();
        let name = ours(&package["name"]).expect("a crate is named reeve-<folder>");
        let folder = manifest.parent().unwrap().to_owned();
        assert!(folder.ends_with(&name), "{name} lies in {}", folder.display());
        (name, Krate { folder, imports })
    };
    metadata["packages"].as_array().unwrap().iter().map(of_package).collect()
}

/// The import table of ARCHITECTURE.md, line by line: who, and what they import.
fn import_table(crates: &BTreeMap<String, Krate>) -> Vec<(Vec<String>, BTreeSet<String>)> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let lines = text.lines().skip_while(|line| line.trim() != IMPORTS_BEGIN);
    let lines = lines.take_while(|line| !line.starts_with("```") && !line.trim().is_empty());
    let table: Vec<_> = lines.map(|line| import_line(line, crates)).collect();
    assert!(!table.is_empty(), "ARCHITECTURE.md has no line {IMPORTS_BEGIN:?}");
    table
}

fn import_line(line: &str, crates: &BTreeMap<String, Krate>) -> (Vec<String>, BTreeSet<String>) {
    let (importers, imports) =
        line.split_once("->").unwrap_or_else(|| panic!("not of the import table: {line}"));
    let importers = importers.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    // What follows a semicolon, or a name, is a remark.
    let imports = imports.split(';').next().unwrap_or_default();
    let names = imports.split(',').filter_map(|import| import.split_whitespace().next());
    let services = root().join("services");
    let mut allowed = BTreeSet::new();
    for name in names.filter(|name| *name != "nothing") {
        if name == "services" {
            let all = crates
                .iter()
                .filter(|(name, krate)| krate.folder.starts_with(&services) && *name != "server");
            allowed.extend(all.map(|(name, _)| name.clone()));
        } else {
            allowed.insert(name.to_owned());
        }
    }
    (importers, allowed)
}

#[test]
fn every_file_says_why_it_exists() {
    for (path, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        let says = first.starts_with("//! ") || first.starts_with("#![doc = include_str!(");
        assert!(says, "{} does not begin with //!", path.display());
    }
}

#[test]
fn files_stay_small() {
    for (path, text) in sources() {
        let lines = without_tests(&text).lines().count();
        assert!(is_test(&path) || lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_is_left_for_later_and_no_module_is_a_drawer() {
    for (path, text) in sources() {
        for name in MACROS_BANNED {
            assert!(!text.contains(&format!("{name}!(")), "{}: {name}", path.display());
        }
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(!MODULES_BANNED.contains(&stem), "{}: call it by what it is about", path.display());
        for name in MODULES_BANNED {
            assert!(!text.contains(&format!("mod {name} {{")), "{}: mod {name}", path.display());
        }
    }
}

#[test]
fn every_operation_says_what_it_does() {
    for spec in OPERATIONS {
        let summary = spec.summary;
        assert!(
            summary.ends_with('.') && summary.starts_with(char::is_uppercase),
            "{}: {summary:?}",
            spec.action
        );
    }
}

#[test]
fn tags_of_tables_are_for_ever() {
    let text = std::fs::read_to_string(root().join("services/directory/src/tables.rs")).unwrap();
    let mut tables: Vec<(u16, String)> = Vec::new();
    for line in text.lines().filter(|line| line.contains(": Table<") || line.contains(": Counter<")) {
        let (name, rest) = line.trim().split_once(": ").unwrap();
        let (kind, tag) = rest.trim_end_matches(';').rsplit_once(", ").unwrap();
        let kind = kind.split(" = ").next().unwrap();
        tables.push((tag.parse().unwrap(), format!("{name}: {kind}")));
    }
    tables.sort();
    let tags: BTreeSet<u16> = tables.iter().map(|(tag, _)| *tag).collect();
    assert_eq!(tags.len(), tables.len(), "a tag is used twice");
    let text: String = tables.iter().map(|(tag, table)| format!("{tag} {table}\n")).collect();
    expect_file!["tables.txt"].assert_eq(&text);
}

#[test]
fn every_reason_is_given_by_something() {
    let services = root().join("services");
    let sources: Vec<(PathBuf, String)> =
        sources().into_iter().filter(|(path, _)| path.starts_with(&services)).collect();
    let code: String =
        sources.iter().filter(|(path, _)| !is_test(path)).map(|(_, text)| without_tests(text)).collect();
    let is_given = |reason: ErrorReason| {
        let named = format!("{reason:?}");
        let constructor = format!("Error::{}(", snake(&named));
        let own = format!("Self::{}(", snake(&named));
        let value = format!("ErrorReason::{named}");
        let by_value = code.match_indices(&value).any(|(at, _)| {
            // A comparison gives nothing.
            !code.get(..at).unwrap().trim_end().ends_with("==")
                && !code.get(at + value.len()..).unwrap().starts_with("`]")
        });
        code.contains(&constructor) || code.contains(&own) || by_value
    };
    let not_given: Vec<String> =
        reasons().filter(|reason| !is_given(*reason)).map(|reason| format!("{reason:?}")).collect();
    assert_eq!(not_given, REASONS_NOT_GIVEN, "declared, and given by nothing");
}

/// Every reason that is declared.
pub(crate) fn reasons() -> impl Iterator<Item = ErrorReason> {
    (1..1000).filter_map(|number| ErrorReason::try_from(number).ok())
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// The text before a file's unit tests, which stand last.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}

fn is_test(path: &Path) -> bool {
    let within = path.strip_prefix(root()).unwrap();
    within.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests")
}

/// Every Rust file of the repository with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "the sources are not where they were looked for");
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
