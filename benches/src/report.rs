//! The table: every group's rows beside each other, then the targets.

use crate::{Limit, Op, Target, limits, targets};
use std::collections::BTreeMap;
use std::path::Path;

/// Reads what criterion wrote below `criterion`, counts the allocations of one run of each operation, and prints.
pub fn print(criterion: &Path, ops: &mut [Op]) {
    let mut medians: BTreeMap<(String, String), f64> = BTreeMap::new();
    println!("\n{}", environment());
    println!("\n| operation | by | median | allocations | bytes |");
    println!("| --- | --- | --: | --: | --: |");
    for op in ops {
        let Some(nanos) = median(criterion, &op.group, op.row) else {
            continue;
        };
        // Twice, so that buffers which are kept have grown before they are counted.
        op.prepare(1);
        (op.run)();
        op.prepare(1);
        let counted = allocation_counter::measure(|| (op.run)());
        println!(
            "| {} | {} | {} | {} | {} |",
            op.group,
            op.row,
            time(nanos),
            counted.count_total,
            counted.bytes_total
        );
        medians.insert((op.group.clone(), op.row.to_owned()), nanos);
    }
    println!("\n| target | ours | theirs | ratio | at most | |");
    println!("| --- | --: | --: | --: | --: | --- |");
    let at = |group: &str, row: &str| medians.get(&(group.to_owned(), row.to_owned())).copied();
    for Target {
        group,
        row,
        against,
        at_most,
    } in targets()
    {
        let best = against
            .iter()
            .filter_map(|row| at(&group, row))
            .min_by(f64::total_cmp);
        let (Some(ours), Some(theirs)) = (at(&group, row), best) else {
            continue;
        };
        let ratio = ours / theirs;
        let verdict = if ratio <= at_most { "holds" } else { "MISSED" };
        println!(
            "| {group}: {row} against {} | {} | {} | {ratio:.2} | {at_most:.2} | {verdict} |",
            against.join(", "),
            time(ours),
            time(theirs)
        );
    }
    for Limit {
        group,
        row,
        at_most_ms,
    } in limits()
    {
        let Some(ours) = at(&group, row) else {
            continue;
        };
        let verdict = if ours <= at_most_ms * 1e6 {
            "holds"
        } else {
            "MISSED"
        };
        println!(
            "| {group}: {row} | {} | | | {at_most_ms} ms | {verdict} |",
            time(ours)
        );
    }
}

/// Cores and load of the machine, in one line.
pub fn environment() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let load = read("/proc/loadavg");
    let load: Vec<_> = load.split_whitespace().take(3).collect();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("unknown processor");
    format!("{cores} cores ({model}), load average {}", load.join(" "))
}

/// Criterion's folder names replace what a file name cannot hold.
fn median(criterion: &Path, group: &str, row: &str) -> Option<f64> {
    let folder =
        |name: &str| name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_");
    let file = criterion
        .join(folder(group))
        .join(folder(row))
        .join("new/estimates.json");
    let text = std::fs::read_to_string(file).ok()?;
    let estimates: serde_json::Value = serde_json::from_str(&text).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}
