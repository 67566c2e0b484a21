"""What a search asks of Optuna: samplers, and storages that are mended and waited for.

Takes the table of a [search], a folder and the address of a database; gives samplers, storages, and trials of
theirs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bladerun._lib.messages import say
from bladerun.errors import InputError
from bladerun.study.file import Search

if TYPE_CHECKING:
    import optuna

JOURNAL = "optuna.journal"
_PATIENCE_S = 300.0  # a database that restarts is waited for
_T = TypeVar("_T")


def sampler(search: Search, before: int) -> optuna.samplers.BaseSampler:
    """The sampler; gone on with, it draws other numbers than before."""
    from optuna import samplers

    makers = {
        "tpe": samplers.TPESampler,
        "gp": samplers.GPSampler,
        "cma-es": samplers.CmaEsSampler,
        "nsga-ii": samplers.NSGAIISampler,
        "nsga-iii": samplers.NSGAIIISampler,
        "random": samplers.RandomSampler,
    }
    needs = {"gp": "torch", "cma-es": "cmaes"}.get(search.sampler)
    try:
        if needs:
            __import__(needs)
    except ImportError:
        raise InputError(
            f"'{search.sampler}' needs {needs}; pip install {needs}", key="[search] sampler"
        ) from None
    return makers[search.sampler](seed=search.seed + before)


def mend(journal: Path) -> None:
    """Cut a journal before its first record that is not whole, as a full disk leaves one."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    if not journal.exists():
        return
    whole = 0
    with open(journal, "rb+") as file:
        for line in file:
            try:
                json.loads(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            whole += len(line)
        file.truncate(whole)


def running_trial(
    found: optuna.Study, folder: Path, url: str | None, number: int, known: dict[str, Any] | None = None
) -> optuna.Trial:
    """A trial that another process asked for, to be told under its own number. known: its parameters, where
    it has not all of them."""
    import optuna

    kept = storage_of(folder, url)
    study = kept.get_study_id_from_name(found.study_name)
    trial = kept.get_trial_id_from_study_id_trial_number(study, number)
    if known:
        kept.set_trial_system_attr(trial, "fixed_params", known)
        found.get_trials(deepcopy=False)  # reads what was just written
    return optuna.Trial(found, trial)


def storage_of(folder: Path, url: str | None) -> Any:
    """The database, or the journal of the folder without one."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if url is None:
        path = str(folder / JOURNAL)
        lock = JournalFileOpenLock(path)  # the other kind makes links, for which Windows asks rights
        return JournalStorage(JournalFileBackend(path, lock_obj=lock))
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})


def storage_errors() -> tuple[type[Exception], ...]:
    """What a database raises that is away."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    return StorageInternalError, SQLAlchemyError


def state(name: str) -> Any:
    """Of a trial, by its name."""
    from optuna.trial import TrialState

    return TrialState[name]


def patiently(call: Callable[[], _T]) -> _T:
    """What the call gives; where the database is away, once it is back."""
    begin, pause = time.monotonic(), 0.5
    while True:
        try:
            return call()
        except OSError as error:
            said = error.strerror or error
            raise InputError(
                f"cannot be written: {said}; do the same again to go on from here", file=JOURNAL
            ) from None
        except storage_errors() as error:
            if time.monotonic() - begin > _PATIENCE_S:
                raise InputError(
                    "the database has been away for 5 minutes; do the same again to go on from here",
                    key="--storage",
                ) from error
            if pause == 0.5:
                say("the database is away; waiting for it")
            time.sleep(pause)
            pause = min(2 * pause, 10.0)
