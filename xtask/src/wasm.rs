//! The proof that the sans-IO crates need nothing from a host: as WebAssembly modules they import nothing.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::Outcome;
use crate::layers::SANS_IO;

const TARGET: &str = "wasm32-unknown-unknown";

/// What no line of a sans-IO crate may name.
const HOST_NAMES: [&str; 9] = [
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "getrandom",
    "tokio",
];

/// Builds each crate as a module of its own, with all of its code in it, and reads what it imports. Without the
/// target, the sources are searched instead.
pub(crate) fn check(root: &Path) -> Outcome {
    search_sources(root)?;
    if !has_target()? {
        println!("{TARGET} is not installed: only the sources were searched");
        return Ok(());
    }
    for name in SANS_IO {
        let module = build(root, name)?;
        let imports = imports(&std::fs::read(&module)?).ok_or("not a WebAssembly module")?;
        if imports > 0 {
            return Err(format!("{name} imports {imports} items: {}", module.display()).into());
        }
        println!("{name}: no imports");
    }
    Ok(())
}

fn has_target() -> Result<bool, Box<dyn Error>> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    let directory = String::from_utf8(output.stdout)?;
    Ok(output.status.success() && Path::new(directory.trim()).is_dir())
}

/// Dead code stays in, or a module without entry points would be empty.
fn build(root: &Path, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let output = Command::new(env!("CARGO"))
        .args(["rustc", "--quiet", "--lib", "--package", name])
        .args(["--target", TARGET, "--crate-type", "cdylib"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(["--", "-C", "link-dead-code"])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{name} does not build for {TARGET}").into());
    }
    let library = name.replace('-', "_");
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .filter(|message| message.pointer("/target/name") == Some(&Json::from(library.as_str())))
        .filter_map(|message| message.get("filenames")?.as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .ok_or_else(|| format!("{name} gave no module").into())
}

/// How many imports a module declares: the number at the start of section 2.
fn imports(module: &[u8]) -> Option<u64> {
    const IMPORT_SECTION: u8 = 2;
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0")?;
    while let Some((section, after)) = rest.split_first() {
        let (len, after) = leb128(after)?;
        let (body, after) = after.split_at_checked(usize::try_from(len).ok()?)?;
        if *section == IMPORT_SECTION {
            return Some(leb128(body)?.0);
        }
        rest = after;
    }
    Some(0)
}

fn leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

fn search_sources(root: &Path) -> Outcome {
    let mut found = Vec::new();
    for name in SANS_IO {
        search(&root.join("crates").join(name).join("src"), &mut found)?;
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("a sans-IO crate names its host:\n  {}", found.join("\n  ")).into())
}

fn search(directory: &Path, found: &mut Vec<String>) -> Outcome {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            search(&path, found)?;
            continue;
        }
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        // Tests at the end of a file may ask the host for the time.
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if HOST_NAMES.iter().any(|name| code.contains(name)) {
                found.push(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::imports;

    #[test]
    fn counts_what_the_import_section_declares() {
        let head = b"\0asm\x01\0\0\0".as_slice();
        assert_eq!(imports(head), Some(0));
        let import = [2, 8, 1, 1, b'a', 1, b'f', 0, 0, 0];
        let type_section = [1, 4, 1, 0x60, 0, 0];
        let module = [head, &type_section, &import].concat();
        assert_eq!(imports(&module), Some(1));
        assert_eq!(imports(&module[..module.len() - 1]), None);
        assert_eq!(imports(b"no module"), None);
    }
}
