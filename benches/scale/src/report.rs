//! The tables.

use crate::arguments::Arguments;
use crate::hold::{Held, Sample};
use crate::vault::Kept;

const MAX_RESIDENT_KIB: f64 = 48.0;
const MAX_ALL_ONLINE_S: f64 = 20.0;
/// The targets are for this many.
const TARGET_SESSIONS: usize = 1000;

pub(crate) fn print(arguments: &Arguments, small: &Held, large: &Held, kept: &Kept) {
    let n = large.sessions as f64;
    let per = |of: &dyn Fn(&Sample) -> f64| (of(&large.after) - of(&large.base)) / n;
    let resident = |sample: &Sample| sample.resident as f64 / 1024.0;
    let anonymous = |sample: &Sample| sample.anonymous as f64 / 1024.0;
    let heap = |sample: &Sample| sample.heap as f64 / 1024.0;
    let tasks = per(&|sample| sample.tasks as f64);
    let sockets = per(&|sample| sample.sockets as f64);
    println!(
        "{} sessions in one process, held for {:.0} s, {} logins at a time",
        large.sessions, large.window_s, arguments.concurrency
    );
    println!("after it: {}\n", large.load);
    println!("| figure | value | target | |");
    println!("| --- | --: | --: | --- |");
    let resident_per = per(&resident);
    row(
        "resident memory of a session",
        &kib(resident_per),
        "< 48 KiB",
        Some(resident_per < MAX_RESIDENT_KIB),
    );
    row("of it anonymous", &kib(per(&anonymous)), "", None);
    row(
        "heap of a session, as asked for",
        &kib(per(&heap)),
        "",
        None,
    );
    let blocks = per(&|sample| sample.blocks as f64);
    row(
        "blocks of heap of a session",
        &format!("{blocks:.0}"),
        "",
        None,
    );
    row(
        "tasks of a session",
        &format!("{tasks:.2}"),
        "1",
        Some(tasks <= 1.0),
    );
    row(
        "sockets of a session",
        &format!("{sockets:.2}"),
        "1",
        Some(sockets <= 1.0),
    );
    let descriptors = per(&|sample| sample.descriptors as f64);
    row(
        "descriptors of a session",
        &format!("{descriptors:.2}"),
        "",
        None,
    );
    let locks = per(&|sample| sample.locks as f64);
    row(
        "of them lock files of the store",
        &format!("{locks:.2}"),
        "",
        None,
    );
    let minutes = n * large.window_s / 60.0;
    row(
        "CPU of a session for a minute",
        &format!(
            "{:.2} ms ({:.2} user, {:.2} kernel)",
            (large.user_ms + large.system_ms) / minutes,
            large.user_ms / minutes,
            large.system_ms / minutes
        ),
        "",
        None,
    );
    let all = large.all_online_ms / 1e3;
    row(
        "all online after a restart",
        &format!("{all:.2} s"),
        "< 20 s",
        Some(all < MAX_ALL_ONLINE_S),
    );
    row(
        "a login, median",
        &format!("{:.1} ms", large.login_median_ms),
        "",
        None,
    );
    row(
        "a login, 99th percentile",
        &format!("{:.1} ms", large.login_p99_ms),
        "",
        None,
    );
    row(
        "CPU of a login",
        &format!("{:.2} ms", large.login_cpu_ms / n),
        "",
        None,
    );
    row(
        "a linked account in the memory store, beside its session",
        &format!(
            "{} for {} records",
            kib(kept.bytes as f64 / 1024.0),
            kept.records
        ),
        "",
        None,
    );
    if large.sessions != TARGET_SESSIONS {
        println!("\nThe targets are for {TARGET_SESSIONS} sessions.");
    }
    let blocks: Vec<String> = large
        .largest
        .iter()
        .map(|(size, each)| format!("{each:.2} x {size}"))
        .collect();
    println!(
        "\nMost of a session's heap, blocks of bytes: {}",
        blocks.join(", ")
    );
    growth(small, large);
}

/// Two runs give the slope and what remains when there is no session.
fn growth(small: &Held, large: &Held) {
    println!(
        "\n| sessions | resident before | resident, all online | after the window | heap | all online after |"
    );
    println!("| --: | --: | --: | --: | --: | --: |");
    for held in [small, large] {
        println!(
            "| {} | {} | {} | {} | {} | {:.2} s |",
            held.sessions,
            mib(held.base.resident),
            mib(held.online.resident),
            mib(held.after.resident),
            mib(held.after.heap as u64),
            held.all_online_ms / 1e3
        );
    }
    let more = large.sessions.saturating_sub(small.sessions) as f64;
    if more == 0.0 {
        return;
    }
    let slope = (large.after.resident as f64 - small.after.resident as f64) / more;
    let fixed = small.after.resident as f64 - slope * small.sessions as f64;
    let login = large.all_online_ms / large.sessions as f64;
    let minutes = large.sessions as f64 * large.window_s / 60.0;
    let cpu = (large.user_ms + large.system_ms) / minutes;
    println!(
        "\nA further session costs {}; {} stay when there is none.",
        kib(slope / 1024.0),
        mib(fixed as u64)
    );
    println!(
        "For 10,000 by these figures: {} resident, {:.0} % of one core, {} descriptors, {:.0} s until all are online.",
        mib((fixed + slope * 1e4) as u64),
        cpu * 1e4 / 60e3 * 100.0,
        large.base.descriptors
            + (large.after.descriptors - large.base.descriptors) * 10_000 / large.sessions,
        login * 1e4 / 1e3
    );
}

fn row(figure: &str, value: &str, target: &str, holds: Option<bool>) {
    let verdict = match holds {
        Some(true) => "holds",
        Some(false) => "MISSED",
        None => "",
    };
    println!("| {figure} | {value} | {target} | {verdict} |");
}

fn kib(kib: f64) -> String {
    format!("{kib:.1} KiB")
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}
