"""Trusted certificates come from where curl and requests look, by real TLS on loopback."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.download.site import Site, answer, fetch, picture, running
from webemo_curate.download.certificates import BUNDLES, FILE, FOLDERS, Certificates, trusted
from webemo_curate.errors import InputError
from webemo_curate.verdicts import FetchStatus

NAMES = (*BUNDLES, FILE, FOLDERS)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with running(context) as site:
        site.answers = {"/a.jpg": answer(picture())}
        yield site


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "own.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path, secure: Site) -> None:
    url = f"{secure.base}/a.jpg"
    row = fetch(tmp_path / "ws", [url], ignore_robots=True)[url]
    assert row["status"] == FetchStatus.CONNECTION
    assert row["error_class"].startswith("peer failed verification: SSL certificate")
    assert "127.0.0.1" not in row["error_class"]


@pytest.mark.parametrize("name", [*BUNDLES, FILE])
def test_a_bundle_of_the_environment_is_trusted(
    tmp_path: Path, secure: Site, bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(bundle))
    url = f"{secure.base}/a.jpg"
    assert fetch(tmp_path / "ws", [url])[url]["status"] == FetchStatus.OK


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", FOLDERS])
def test_a_folder_of_certificates_is_trusted(
    tmp_path: Path, secure: Site, bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    (folder / f"{subject_hash(bundle)}.0").write_bytes(bundle.read_bytes())
    monkeypatch.setenv(name, str(folder))
    url = f"{secure.base}/a.jpg"
    assert fetch(tmp_path / "ws", [url])[url]["status"] == FetchStatus.OK


def subject_hash(bundle: Path) -> str:
    """Name a certificate as OpenSSL looks for it in a folder: the start of its name's SHA-1."""
    import hashlib

    from cryptography import x509

    subject = x509.load_pem_x509_certificate(bundle.read_bytes()).subject
    parts = b"".join(canonical(part) for part in subject.rdns)
    digest = hashlib.sha1(parts, usedforsecurity=False).digest()
    return digest[:4][::-1].hex()


def canonical(part: "object") -> bytes:
    """Write a part of a name as OpenSSL hashes it: lower case, UTF-8, single blanks."""
    from cryptography import x509

    assert isinstance(part, x509.RelativeDistinguishedName)
    (attribute,) = part
    text = " ".join(str(attribute.value).lower().split()).encode()
    oid = x509.Name([x509.NameAttribute(attribute.oid, "x")]).public_bytes()
    kind = oid[6 : 6 + 2 + oid[7]]
    value = kind + b"\x0c" + bytes([len(text)]) + text
    inner = b"\x30" + bytes([len(value)]) + value
    return b"\x31" + bytes([len(inner)]) + inner


def test_the_order_is_that_of_requests_and_curl(tmp_path: Path, bundle: Path) -> None:
    others = [tmp_path / f"{index}.pem" for index in range(3)]
    for other in others:
        other.write_bytes(bundle.read_bytes())
    first, second, third = map(str, others)
    environment = {"REQUESTS_CA_BUNDLE": first, "CURL_CA_BUNDLE": second, FILE: third}
    environment[FOLDERS] = str(tmp_path)
    assert trusted(environment) == Certificates(first)
    assert trusted(environment | {"REQUESTS_CA_BUNDLE": ""}) == Certificates(second)
    del environment["REQUESTS_CA_BUNDLE"], environment["CURL_CA_BUNDLE"]
    assert trusted(environment) == Certificates(third, str(tmp_path))
    assert trusted({}) == Certificates()


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_that_is_missing_is_one_error_before_the_run(
    tmp_path: Path, secure: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "gone.pem"))
    secure.heads.clear()
    with pytest.raises(InputError, match=rf"{name}=.*gone.pem: .*unset {name}$") as caught:
        fetch(tmp_path / "ws", [f"{secure.base}/a.jpg"])
    assert caught.value.exit_code == 2
    assert secure.heads == []


def test_a_bundle_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(InputError, match="no certificate in PEM form"):
        trusted({FILE: str(tmp_path / "empty.pem")})
    with pytest.raises(InputError, match=FILE):
        trusted({FILE: str(tmp_path)})
    with pytest.raises(InputError, match=r"named by its hash.*unset CURL_CA_BUNDLE"):
        trusted({"CURL_CA_BUNDLE": str(tmp_path)})
