//! Token tables out of the token list: one array for reading, a perfect hash for writing.

use std::error::Error;
use std::fmt::Write;

use sha2::{Digest, Sha256};

#[path = "../../crates/wa-proto/src/token/hash.rs"]
mod hash;

use hash::{BUCKETS, SLOTS, bucket, mark, slot};

/// Single-byte tokens, and four dictionaries of 256: the ids below 256 are the single bytes.
const IDS: usize = 256 * 5;

/// The token list, as Rust source.
pub(crate) fn tables(list: &str) -> Result<String, Box<dyn Error>> {
    verify(list)?;
    let tokens = parse(list)?;
    let (displacements, slots) = scatter(&tokens)?;

    let mut out = String::new();
    writeln!(out, "/// Tokens by id; a gap is empty.")?;
    writeln!(out, "pub(crate) static TOKENS: [&str; {IDS}] = [")?;
    for token in &tokens {
        writeln!(out, "{:?},", token.as_deref().unwrap_or(""))?;
    }
    writeln!(out, "];\n")?;
    writeln!(out, "/// Displacement by bucket.")?;
    writeln!(
        out,
        "pub(crate) static DISPLACEMENTS: [u16; {BUCKETS}] = {displacements:?};\n"
    )?;
    writeln!(
        out,
        "/// Mark of the hash and id of the token, by slot; id 0 is an empty slot."
    )?;
    writeln!(
        out,
        "pub(crate) static SLOTS: [(u16, u16); {SLOTS}] = {slots:?};"
    )?;
    Ok(out)
}

/// The list names its own sum; a slip in one token would be a stanza that nobody understands.
fn verify(list: &str) -> Result<(), Box<dyn Error>> {
    let wanted = list
        .lines()
        .find_map(|line| line.strip_prefix("# sha256 "))
        .and_then(|rest| rest.split(' ').next())
        .ok_or("the token list does not name its sum")?;
    let mut sum = Sha256::new();
    for line in list
        .lines()
        .filter(|line| line.starts_with("S ") || line.starts_with("D "))
    {
        sum.update(line.as_bytes());
        sum.update(b"\n");
    }
    let got = sum.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if got == wanted {
        return Ok(());
    }
    Err(format!("the token list has sum {got}, but names {wanted}").into())
}

fn parse(list: &str) -> Result<Vec<Option<String>>, Box<dyn Error>> {
    let mut tokens = vec![None; IDS];
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split(' ');
        let id = match fields.next() {
            Some("S") => fields.next().ok_or(line)?.parse::<usize>()?,
            Some("D") => {
                let dictionary = fields.next().ok_or(line)?.parse::<usize>()?;
                256 * (dictionary + 1) + fields.next().ok_or(line)?.parse::<usize>()?
            }
            _ => return Err(format!("not a token line: {line}").into()),
        };
        let token = fields
            .next()
            .filter(|token| !token.is_empty())
            .ok_or(line)?;
        let place = tokens.get_mut(id).ok_or(line)?;
        if place.replace(token.to_owned()).is_some() {
            return Err(format!("two tokens with one number: {line}").into());
        }
    }
    Ok(tokens)
}

type Slots = Vec<(u16, u16)>;

/// Fullest buckets first, each gets the first displacement that collides with nothing placed before.
fn scatter(tokens: &[Option<String>]) -> Result<(Vec<u16>, Slots), Box<dyn Error>> {
    let mut buckets: Vec<(usize, Vec<(u64, u16)>)> =
        (0..BUCKETS).map(|index| (index, Vec::new())).collect();
    for (id, token) in tokens.iter().enumerate() {
        if let Some(token) = token {
            let hash = hash::hash(token.as_bytes());
            if let Some((_, entries)) = buckets.get_mut(bucket(hash)) {
                entries.push((hash, u16::try_from(id)?));
            }
        }
    }
    buckets.sort_by_key(|(index, entries)| (std::cmp::Reverse(entries.len()), *index));

    let mut displacements = vec![0_u16; BUCKETS];
    let mut slots = vec![(0_u16, 0_u16); SLOTS];
    for (index, entries) in buckets {
        let displacement = (0..SLOTS as u16)
            .find(|candidate| {
                let mut taken: Vec<usize> = entries
                    .iter()
                    .map(|(hash, _)| slot(*hash, *candidate))
                    .collect();
                taken.sort_unstable();
                taken.windows(2).all(|pair| pair.first() != pair.last())
                    && taken
                        .iter()
                        .all(|slot| slots.get(*slot).is_some_and(|(_, id)| *id == 0))
            })
            .ok_or("the hash does not tell all tokens apart")?;
        if let Some(place) = displacements.get_mut(index) {
            *place = displacement;
        }
        for (hash, id) in entries {
            if let Some(place) = slots.get_mut(slot(hash, displacement)) {
                *place = (mark(hash), id);
            }
        }
    }
    Ok((displacements, slots))
}
