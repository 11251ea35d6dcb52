//! Tests against the real server, in process, on port 0.
