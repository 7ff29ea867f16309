//! Measures every operation, then prints the table. `cargo bench` runs it; a filter as its argument narrows it.

use criterion::Criterion;
use std::path::PathBuf;
use std::time::Duration;

fn main() {
    println!("{}", wa_benches::environment());
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(30)
        .without_plots()
        .configure_from_args();
    let mut ops = wa_benches::operations();
    for op in &mut ops {
        let mut group = criterion.benchmark_group(&op.group);
        group.bench_function(op.row, |bencher| bencher.iter_custom(|runs| op.time(runs)));
        group.finish();
    }
    criterion.final_summary();
    wa_benches::print(&criterion_home(), &mut ops);
}

/// Where criterion keeps its results.
fn criterion_home() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    target.join("criterion")
}
