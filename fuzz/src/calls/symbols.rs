//! The functions of one shape: a handle, a caller and arguments.

use std::ffi::c_char;

use tfa::engine::Tfa;
use tfa::ffi::{uapi, whm};

/// A function of the C interface.
pub type Symbol = unsafe extern "C" fn(*mut Tfa, *const c_char, *const c_char) -> *mut c_char;

/// Those of WHM API 1.
pub const WHM: [Symbol; 14] = [
    whm::tfa_twofactorauth_enable_policy,
    whm::tfa_twofactorauth_disable_policy,
    whm::tfa_twofactorauth_policy_status,
    whm::tfa_twofactorauth_generate_tfa_config,
    whm::tfa_twofactorauth_set_tfa_config,
    whm::tfa_twofactorauth_get_issuer,
    whm::tfa_twofactorauth_set_issuer,
    whm::tfa_twofactorauth_get_user_configs,
    whm::tfa_twofactorauth_remove_user_config,
    whm::tfa_twofactorauth_get_tfa_config_for_user,
    whm::tfa_twofactorauth_set_tfa_config_for_user,
    whm::tfa_twofactorauth_login_status,
    whm::tfa_twofactorauth_unlock_user,
    whm::tfa_twofactorauth_generate_recovery_codes,
];

/// Those of UAPI.
pub const UAPI: [Symbol; 6] = [
    uapi::tfa_uapi_generate_user_configuration,
    uapi::tfa_uapi_get_user_configuration,
    uapi::tfa_uapi_set_user_configuration,
    uapi::tfa_uapi_remove_user_configuration,
    uapi::tfa_uapi_get_team_user_configuration,
    uapi::tfa_uapi_generate_recovery_codes,
];
