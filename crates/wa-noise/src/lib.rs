//! Frames, the XX, IK and XXfallback handshakes, the server certificate chain and the transport ciphers.
