//! A simulated server and phone that any client can link against.
