//! The binary node codec, JIDs, token dictionaries and protobuf messages.
