//! The WHM API 1 functions (contract sections 2 and 4). Each reads its parameters, calls the engine and shapes the
//! answer. The caller's role was checked before.

pub mod enrolment;
pub mod lifecycle;
pub mod login;
pub mod policy;
pub mod secrets;
pub mod users;
