#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wa_fuzz::passkey_json(data));
