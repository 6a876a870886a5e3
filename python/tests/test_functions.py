"""Every function of the library's registry by name, and the answers of the contract."""

import json
import pathlib
import re
from typing import Any, Dict

import pytest

import libtfa
from conftest import ACCOUNTS, Enrol


def test_every_function_of_the_registry_reaches_the_library(tfa: libtfa.Tfa) -> None:
    """A caller without a name is refused everywhere, so that every function is called and changes nothing."""
    for row in libtfa.functions():
        function = getattr(tfa.whm if row["api"] == "whm" else tfa.uapi, row["name"])
        with pytest.raises(libtfa.Refused) as refused:
            function(caller="")
        assert (refused.value.command, refused.value.reason_code) == (row["name"], "not_authorized")


def test_functions_describe_themselves_as_the_registry_does(tfa: libtfa.Tfa) -> None:
    for row in libtfa.functions():
        function = getattr(tfa.whm if row["api"] == "whm" else tfa.uapi, row["name"])
        assert function.__name__ == row["name"]
        assert function.__doc__ == row["description"] and len(row["description"]) > 10
        assert function.parameters == row["parameters"]
        assert {"name", "type", "required"} <= {key for parameter in row["parameters"] for key in parameter} or not row[
            "parameters"
        ]
    assert len(libtfa.functions()) == len(dir(tfa.whm)) + len(dir(tfa.uapi))


def test_the_registry_cannot_be_changed_by_a_caller(tfa: libtfa.Tfa) -> None:
    libtfa.functions().clear()
    assert libtfa.functions()


def test_an_unknown_name_is_an_attribute_error(tfa: libtfa.Tfa) -> None:
    with pytest.raises(AttributeError, match="twofactorauth_nonsense"):
        tfa.whm.twofactorauth_nonsense(caller="root")
    with pytest.raises(AttributeError):
        tfa.uapi.twofactorauth_policy_status(caller="root")


def test_caller_is_required(tfa: libtfa.Tfa) -> None:
    with pytest.raises(TypeError, match="caller"):
        tfa.whm.twofactorauth_policy_status()  # type: ignore[call-arg]


def test_policy(tfa: libtfa.Tfa) -> None:
    assert tfa.whm.twofactorauth_policy_status(caller="root") == {"is_enabled": 1}
    assert tfa.whm.twofactorauth_disable_policy(caller="root") is None
    assert tfa.whm.twofactorauth_policy_status(caller="root") == {"is_enabled": 0}


def test_issuer(tfa: libtfa.Tfa) -> None:
    assert tfa.whm.twofactorauth_set_issuer(caller="root", issuer="Müller & Söhne ☃ 日本") is None
    assert tfa.whm.twofactorauth_get_issuer(caller="reseller1") == {
        "issuer": "Müller & Söhne ☃ 日本",
        "system_wide_issuer": "Müller & Söhne ☃ 日本",
    }


def test_enrolment_status_and_removal(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    enrol(tfa, "example")
    assert tfa.uapi.get_user_configuration(caller="example")["is_enabled"] == 1
    assert tfa.whm.twofactorauth_get_user_configs(caller="root", user="example") == {
        "example": {"is_enabled": 1, "primary_domain": "example.com"}
    }
    assert tfa.uapi.remove_user_configuration(caller="example") == {"tfa_removed": 1}
    assert tfa.uapi.get_user_configuration(caller="example")["is_enabled"] == 0


def test_names_that_are_not_keywords_are_passed_in_a_mapping(tfa: libtfa.Tfa, enrol: Enrol) -> None:
    for order in (["example", "theirs"], ["theirs", "example"]):
        for name in order:
            enrol(tfa, name)
        given = {"user-0": order[0], "user-1": order[1]}
        removed = tfa.whm.twofactorauth_remove_user_config(given, caller="root")
        assert removed == {"failed": {}, "users_modified": order}, "in the order of the request"


def test_secrets_move_between_servers(tfa: libtfa.Tfa, enrol: Enrol, config: Dict[str, Any]) -> None:
    person = enrol(tfa, "example")
    kept = tfa.whm.twofactorauth_get_tfa_config_for_user(caller="root", user="example")
    assert kept["example"]["primary_account"]["secret"] == person.secret
    config["store"] = config["store"].replace("tfa.db", "other.db")
    config["key_file"] = config["key_file"].replace("tfa.key", "other.key")
    with libtfa.open(config) as other:
        other.whm.twofactorauth_enable_policy(caller="root")
        assert other.whm.twofactorauth_set_tfa_config_for_user(kept, caller="root") is None
        assert other.login("example", person.code()) is libtfa.Login.VERIFIED


def test_a_whm_refusal_has_the_reason(tfa: libtfa.Tfa) -> None:
    with pytest.raises(libtfa.Refused) as refused:
        tfa.whm.twofactorauth_enable_policy(caller="example")
    assert refused.value.reason == 'You are not authorized to call "twofactorauth_enable_policy".'
    assert str(refused.value) == refused.value.reason
    assert refused.value.command == "twofactorauth_enable_policy"


def test_a_uapi_refusal_has_the_reason(tfa: libtfa.Tfa) -> None:
    with pytest.raises(libtfa.Refused) as refused:
        tfa.uapi.set_user_configuration(caller="example", secret="GEZDGNBVGY3TQOJQ")
    assert refused.value.reason == 'The parameter "tfa_token" is required.'
    assert refused.value.command == "set_user_configuration"


def test_the_whole_envelope(tfa: libtfa.Tfa) -> None:
    assert tfa.whmapi1("root", "twofactorauth_policy_status") == {
        "data": {"is_enabled": 1},
        "metadata": {
            "command": "twofactorauth_policy_status",
            "reason": "OK",
            "result": 1,
            "version": 1,
        },
    }
    assert tfa.execute("example", "TwoFactorAuth", "get_user_configuration") == {
        "data": {"is_enabled": 0, "issuer": "server.example.com"},
        "errors": None,
        "messages": None,
        "metadata": {},
        "status": 1,
        "warnings": None,
    }


def test_uapi_through_whm(tfa: libtfa.Tfa) -> None:
    asked = {"cpanel_jsonapi_user": "example", "cpanel_jsonapi_module": "TwoFactorAuth"}
    asked.update(cpanel_jsonapi_func="get_user_configuration", cpanel_jsonapi_apiversion="3")
    inner = tfa.execute("example", "TwoFactorAuth", "get_user_configuration")
    assert tfa.whm.cpanel(asked, caller="root")["result"] == inner
    with pytest.raises(libtfa.Refused):
        tfa.whm.cpanel({**asked, "cpanel_jsonapi_user": "nobody"}, caller="root")
    asked = {"cpanel.user": "example", "cpanel.module": "TwoFactorAuth", "cpanel.function": "get_user_configuration"}
    assert tfa.whm.uapi_cpanel(asked, caller="root") == {"uapi": inner}


def test_a_batch_of_functions(tfa: libtfa.Tfa) -> None:
    answers = tfa.whm.batch(caller="root", command=["twofactorauth_policy_status", "nonsense"])["result"]
    assert [answer["metadata"]["result"] for answer in answers] == [1, 0]


def test_envelopes_of_failures_are_returned(tfa: libtfa.Tfa) -> None:
    metadata = tfa.whmapi1("root", "nonsense")["metadata"]
    assert metadata["result"] == 0
    assert metadata["reason"] == 'Unknown app ("nonsense") requested for this version (1) of the API.'
    assert tfa.execute("example", "TwoFactorAuth", "nonsense")["status"] == 0


def test_http(tfa: libtfa.Tfa) -> None:
    answer = tfa.http("root", "GET", "/json-api/twofactorauth_policy_status?api.version=1")
    assert answer.status == 200 and answer.content_type.startswith("application/json")
    assert json.loads(answer.body)["data"] == {"is_enabled": 1}
    answer = tfa.http("root", "POST", "/json-api/twofactorauth_set_issuer?api.version=1", "issuer=Example%20Hosting")
    assert json.loads(answer.body)["metadata"]["result"] == 1
    assert tfa.whm.twofactorauth_get_issuer(caller="root")["issuer"] == "Example Hosting"
    assert tfa.http("root", "GET", "/nowhere").status == 404


def test_invalid_values_are_named_and_not_repeated(tfa: libtfa.Tfa) -> None:
    for call in (
        lambda: tfa.whmapi1("ro\0ot", "twofactorauth_policy_status"),
        lambda: tfa.whm.twofactorauth_policy_status(caller="ro\ud800ot"),
    ):
        with pytest.raises(libtfa.Refused, match='"caller"') as refused:
            call()
        assert "ro" not in refused.value.reason.replace("parameter", "").replace("character", "")
        assert refused.value.__cause__ is None and refused.value.__suppress_context__ or not refused.value.__context__
    with pytest.raises(TypeError, match="caller"):
        tfa.whm.twofactorauth_policy_status(caller=b"root")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        tfa.whm.twofactorauth_set_issuer(caller="root", issuer=float("nan"))


def test_a_nul_inside_a_parameter_is_refused_by_the_library(tfa: libtfa.Tfa) -> None:
    with pytest.raises(libtfa.Refused, match='"issuer"'):
        tfa.whm.twofactorauth_set_issuer(caller="root", issuer="a\0b")


def test_the_accounts_of_the_directory_are_listed(tfa: libtfa.Tfa) -> None:
    assert set(tfa.whm.twofactorauth_get_user_configs(caller="root")) == {"root", *ACCOUNTS}
    assert set(tfa.whm.twofactorauth_get_user_configs(caller="reseller1")) == {"reseller1", "theirs"}


def test_declarations_agree_with_the_header() -> None:
    """The header declares every symbol with as many parameters, and defines the constants."""
    from libtfa._library import ABI_VERSION, SYMBOLS

    header = (pathlib.Path(__file__).parents[2] / "include" / "tfa.h").read_text()
    header = re.sub(r"/\*.*?\*/|//[^\n]*", "", header, flags=re.S)
    declared = dict(re.findall(r"\b(tfa_\w+)\s*\(([^()]*)\)\s*;", header))
    for name, (_, arguments) in SYMBOLS.items():
        listed = declared[name].strip()
        assert len(arguments) == (0 if listed == "void" else listed.count(",") + 1), name
    for result in libtfa.Login:
        assert re.search(rf"#define\s+TFA_{result.name}\s+{result.value}\b", header)
    assert re.search(rf"#define\s+TFA_ABI_VERSION\s+{ABI_VERSION}\b", header)


def test_a_symbol_that_the_library_lacks_is_an_error_at_the_call() -> None:
    from libtfa._library import library

    with pytest.raises(libtfa.Unavailable, match="older than this package"):
        library.tfa_from_the_future()


def test_failures_have_their_reason_code(tfa: libtfa.Tfa) -> None:
    with pytest.raises(libtfa.Refused) as refused:
        tfa.whm.twofactorauth_enable_policy(caller="example")
    assert refused.value.reason_code == "not_authorized"
    with pytest.raises(libtfa.Refused) as refused:
        tfa.uapi.set_user_configuration(caller="example", secret="short", tfa_token="123456")
    assert refused.value.reason_code == "invalid_secret"
    with pytest.raises(libtfa.Refused) as refused:
        libtfa.totp("not base32!")
    assert refused.value.reason_code == "invalid_parameter"


def test_secrets_of_300_bytes_are_accepted_and_of_1025_refused() -> None:
    for secret in (b"x" * 300, b"x" * 1024):
        assert libtfa.verify(secret, libtfa.totp(secret, at=59), at=59)
    with pytest.raises(libtfa.Refused, match="1 to 1024 bytes"):
        libtfa.totp(b"x" * 1025)
