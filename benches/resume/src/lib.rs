//! Nothing: the measurement is the package's bench.
