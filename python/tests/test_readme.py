"""Every Python example in README.md runs as printed, with a configuration of the test."""

import json
import pathlib
import re
import time
from typing import Any, Dict, Iterator

import django
import flask
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import path

import libtfa
from conftest import Person

README = pathlib.Path(__file__).parents[1] / "README.md"

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for this test",
)
django.setup()

urlpatterns = [path("login", lambda request: RAN["django_login"](request))]

#: The names that the examples have defined.
RAN: Dict[str, Any] = {}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dict[str, Any]]:
    """The names that are defined after all examples have run, one after the other."""
    folder = tmp_path_factory.mktemp("readme")
    app = flask.Flask(__name__)
    app.secret_key = "only for this test"
    RAN.update(__name__="readme", app=app, check_password=lambda user, password: password == "right")
    config = {
        "create": True,
        "store": f"sqlite:{folder}/tfa/tfa.db",
        "key_file": f"{folder}/tfa/tfa.key",
        "secret_length": 32,
    }
    (folder / "tfa.json").write_text(json.dumps(config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFA_CONFIG", str(folder / "tfa.json"))
        for example in re.findall(r"^```python\n(.*?)^```$", README.read_text(), flags=re.S | re.M):
            exec(example, RAN)
        RAN["tfa"].close()
        # The last examples set a lookup with one account. This handle accepts any name.
        RAN["tfa"] = libtfa.open()
        yield RAN


def _enrolled(tfa: libtfa.Tfa, name: str) -> Person:
    secret = tfa.uapi.generate_user_configuration(caller=name)["secret"]
    tfa.uapi.set_user_configuration(caller=name, secret=secret, tfa_token=libtfa.totp(secret))
    return Person(name, secret)


def _next_code(person: Person) -> str:
    """The code of the next time step, which is in the window."""
    return libtfa.totp(person.secret, at=time.time() + 30)


def test_the_flask_view(ran: Dict[str, Any]) -> None:
    person = _enrolled(ran["tfa"], "flask-user")
    client = ran["app"].test_client()

    def post(**form: str) -> int:
        status: int = client.post("/login", data={"user": person.name, **form}).status_code
        with client.session_transaction() as session:
            assert ("user" in session) == (status == 200)
        return status

    code = _next_code(person)
    assert post(password="right") == 403
    assert post(password="right", code="\0") == 403
    assert post(password="right", code=person.wrong_code()) == 403
    assert post(password="wrong", code=code) == 403
    assert post(password="right", code=code) == 200
    client.delete_cookie("session")
    assert post(password="right", code=code) == 403, "a code is accepted once"


def test_the_flask_view_needs_no_code_before_enrolment(ran: Dict[str, Any]) -> None:
    client: flask.testing.FlaskClient = ran["app"].test_client()
    assert client.post("/login", data={"user": "not-enrolled", "password": "right"}).status_code == 200


def test_the_django_view(ran: Dict[str, Any]) -> None:
    from django.contrib.auth.models import User

    call_command("migrate", verbosity=0)
    User.objects.create_user("django-user", password="right")
    person = _enrolled(ran["tfa"], "django-user")
    client = Client()

    def post(**form: str) -> int:
        status: int = client.post("/login", {"user": person.name, **form}).status_code
        assert ("_auth_user_id" in client.session) == (status == 200)
        return status

    code = _next_code(person)
    assert post(password="right") == 403
    assert post(password="right", code=person.wrong_code()) == 403
    assert post(password="wrong", code=code) == 403
    assert post(password="right", code=code) == 200
    client.logout()
    assert post(password="right", code=code) == 403, "a code is accepted once"
