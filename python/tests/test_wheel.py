"""The wheel: built by make-wheel, installed into a fresh virtual environment, used from there."""

import os
import pathlib
import subprocess
import sys
import venv
import zipfile
from typing import Dict

import pytest

import libtfa

PACKAGE = pathlib.Path(__file__).parents[1]

USE = """
import libtfa, libtfa._library, os, sys, tempfile
package = os.path.dirname(libtfa.__file__)
assert package.startswith(sys.prefix), package
assert libtfa._library.library.path == os.path.join(package, "libtfa.so.0")
assert libtfa.totp(b"12345678901234567890", at=59, digits=8) == "94287082"
with tempfile.TemporaryDirectory() as folder, libtfa.open(
    create=True, store=f"sqlite:{folder}/tfa.db", key_file=f"{folder}/tfa.key"
) as tfa:
    print(libtfa.__version__, tfa.whm.twofactorauth_policy_status(caller="root"))
"""


def _clean() -> Dict[str, str]:
    """An environment in which only an installed package can be found."""
    return {name: value for name, value in os.environ.items() if name not in ("TFA_LIBRARY", "PYTHONPATH")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("wheel")
    run = subprocess.run([PACKAGE / "make-wheel", folder], check=True, capture_output=True, text=True)
    return pathlib.Path(run.stdout.strip())


def test_it_works_in_a_fresh_environment(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-index", str(wheel)]
    subprocess.run(install, check=True, env=_clean(), cwd=tmp_path)
    run = subprocess.run([python, "-c", USE], check=True, env=_clean(), cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.strip() == f"{libtfa.__version__} {{'is_enabled': 0}}"


def test_it_contains_the_library_and_the_types(wheel: pathlib.Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
        library = archive.read("libtfa/libtfa.so.0")
    assert "libtfa/py.typed" in names and not any("tests" in name for name in names)
    assert f"Version: {libtfa.__version__}\n" in metadata
    assert "Requires-Dist" not in metadata and "Requires-Python: >=3.8\n" in metadata
    assert library == pathlib.Path(os.environ["TFA_LIBRARY"]).read_bytes()


def test_its_tag_is_true(wheel: pathlib.Path) -> None:
    """auditwheel derives the same tag from the library's symbol versions."""
    tag = wheel.stem.split("-")[-1]
    auditwheel = pathlib.Path(sys.executable).parent / "auditwheel"
    run = subprocess.run([str(auditwheel), "show", str(wheel)], check=True, capture_output=True, text=True)
    assert f'"{tag}"' in " ".join(run.stdout.split()), run.stdout
