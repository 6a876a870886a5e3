//! libtfa: two-factor authentication for hosting panels, as one library behind a C ABI.
