"""A Dask cluster elsewhere: who is let in, what its workers must be, and what is said of one that is none."""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bladerun import cli
from bladerun.errors import InputError
from bladerun.study import _dask, executors, fingerprint, sweep
from bladerun.study._dask import Cluster
from bladerun.study.file import study
from fakes.studies import ENVIRONMENT, changed, toml

SMALL = changed(parameters={"height_mm": [20, 30]})


def answered(document, folder, **where):
    return sweep(study(document), folder, solver="fakes.solvers:instant", **where)


# --- What is none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cluster", "nonsense"], "'nonsense' is not an address; tcp://host:port or tls://host:port"),
        (["--cluster", "tcp://host"], "is not an address"),
        (["--cluster", "http://host:80"], "is not an address"),
        (["--cluster", "tcp://host:99999"], "is not an address"),
        (["--cluster", "tcp://no-such-host.invalid:8786"], "does not answer"),
        (["--cluster", "tls://host:8786"], "needs three files"),
        (["--cluster", "tcp://host:8786", "--cluster-tls", "a", "b", "c"], "needs a tls:// address"),
        (
            ["--cluster", "tls://host:8786", "--cluster-tls", "a.pem", "b.pem", "c.pem"],
            "a.pem: --cluster-tls",
        ),
        (["--cluster-tls", "a", "b", "c"], "say which with --cluster"),
    ],
)
def test_a_cluster_that_is_none_is_one_sentence_at_once(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    toml(SMALL, tmp_path / "s.toml")
    begin = time.monotonic()
    assert cli.main(["sweep", "s.toml", *options]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert time.monotonic() - begin < 20
    if "answer" not in words:
        assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_what_answers_and_is_no_scheduler_is_one_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        toml(SMALL, tmp_path / "s.toml")
        code = "import bladerun.study._dask as c; c._PATIENCE_S = 1; from bladerun.cli import main; "
        code += f"raise SystemExit(main(['sweep', 's.toml', '--cluster', 'tcp://127.0.0.1:{port}']))"
        environment = ENVIRONMENT
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True)
    said = done.stderr
    assert done.returncode == 2 and "is no Dask scheduler that lets us in" in said and said.count("\n") == 1


# --- Strangers ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two authorities, "ours" and "theirs", and a certificate by each: (authority, certificate, key)."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    folder, found = tmp_path_factory.mktemp("keys"), {}
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ours", "theirs"):
        ca, cert, key = (folder / f"{name}-{part}.pem" for part in ("ca", "cert", "key"))
        made = [*new, "-days", "2", "-subj", f"/CN={name}", "-keyout", folder / "ca.key", "-out", ca]
        subprocess.run(made, check=True, capture_output=True)
        signed = [*new, "-days", "2", "-subj", f"/CN=a {name}", "-CA", ca, "-CAkey", folder / "ca.key"]
        subprocess.run([*signed, "-keyout", key, "-out", cert], check=True, capture_output=True)
        found[name] = ca, cert, key
    return found


@pytest.fixture(scope="module")
def scheduler(keys, tmp_path_factory):
    """The address of a scheduler with one worker that trust our authority."""
    folder = tmp_path_factory.mktemp("cluster")
    said = folder / "scheduler.json"
    environment = ENVIRONMENT
    ca, cert, key = keys["ours"]
    tls = ["--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key, "--protocol", "tls", "--no-dashboard"]
    first = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", said, *tls]
    second = ["worker", "--scheduler-file", said, "--nthreads", "1", "--no-nanny", *tls]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *each], env=environment, cwd=folder, stderr=subprocess.DEVNULL
        )
        for each in (first, second)
    ]
    try:
        for _ in range(600):
            if said.exists() and said.read_text():
                break
            time.sleep(0.1)
        yield json.loads(said.read_text())["address"]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_cluster_lets_in_who_has_its_certificate_and_nobody_else(keys, scheduler, tmp_path, monkeypatch):
    assert scheduler.startswith("tls://")
    result = answered(SMALL, tmp_path / "ours", cluster=scheduler, cluster_tls=keys["ours"])
    assert result.counts == {"converged": 2}
    monkeypatch.setattr(_dask, "_PATIENCE_S", 3)
    with pytest.raises(InputError, match="shows no certificate of that authority"):
        answered(SMALL, tmp_path / "a", cluster=scheduler, cluster_tls=keys["theirs"])
    mixed = (keys["ours"][0], *keys["theirs"][1:])  # knows the cluster, and is not known to it
    for address, tls in ((scheduler, mixed), (scheduler.replace("tls", "tcp"), None)):
        with pytest.raises(InputError, match="is no Dask scheduler that lets us in"):
            answered(SMALL, tmp_path / "b", cluster=address, cluster_tls=tls)


def test_workers_of_another_version_are_refused_by_name(keys, scheduler, tmp_path, monkeypatch):
    theirs = fingerprint.signature()
    monkeypatch.setattr(fingerprint, "signature", lambda: "0.0.9 (abcdef012345)")
    with pytest.raises(InputError) as error:
        answered(SMALL, tmp_path / "out", cluster=scheduler, cluster_tls=keys["ours"])
    assert theirs in str(error.value) and "0.0.9 (abcdef012345)" in str(error.value)


def test_few_of_the_messages_with_their_seeds_are_kept(keys, scheduler):
    with executors.opened(cluster=Cluster(scheduler, keys["ours"])) as executor:
        jobs = ((n, n) for n in range(30))
        assert len(dict(executors.run(executor, lambda: next(jobs, None), abs))) == 30
        assert 0 < len(executor._client.scheduler_comm.recent_message_log) <= 10


def test_a_key_that_is_of_another_certificate_is_a_sentence(keys):
    ca, cert, _ = keys["ours"]
    with pytest.raises(InputError, match="are not an authority, a certificate and its key"):
        Cluster("tls://host:8786", (ca, cert, keys["theirs"][2]))
    assert Path(ca).exists()
