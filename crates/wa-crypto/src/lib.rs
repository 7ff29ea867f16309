//! Keys by role and the primitives under them, behind a provider chosen by value.
