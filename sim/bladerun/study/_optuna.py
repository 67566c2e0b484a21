"""What a search asks of Optuna: its study, samplers, and storages that are mended and waited for.

Takes a study with a [search], a folder and the address of a database; gives the Optuna study, its trials and
the best of them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bladerun._lib.messages import say
from bladerun.errors import InputError
from bladerun.study.file import Search, Study
from bladerun.study.parameters import Parameter

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


def name_of(study: Study) -> str:
    """The name of the Optuna study: the same for the same file, whatever number of trials it asks for."""
    search = {key: value for key, value in study.document["search"].items() if key != "trials"}
    run = {key: value for key, value in study.document.get("run", {}).items() if key != "time_limit_s"}
    text = json.dumps({**study.document, "search": search, "run": run}, sort_keys=True, default=str)
    return f"bladerun-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def opened(study: Study, folder: Path, storage: str | None, name: str) -> optuna.Study:
    """The Optuna study, made where it is not there yet; InputError without optuna or its database, or where
    that is for other objectives."""
    try:
        import optuna
    except ImportError:
        raise InputError("needs optuna; pip install 'bladerun[study]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    assert study.search is not None
    aims = [optuna.study.StudyDirection(1 if o.sign > 0 else 2) for o in study.search.objectives]
    try:
        kept = storage_of(folder, storage)
        found = optuna.create_study(storage=kept, study_name=name, directions=aims, load_if_exists=True)
    except (OSError, ImportError, ValueError, *storage_errors()) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"cannot be used: {said}", key="--storage") from None
    if found.directions != aims:
        raise InputError("is for other objectives", key="--storage")
    found.sampler = sampler(study.search, len(found.get_trials(deepcopy=False)))
    return found


def best(found: optuna.Study, search: Search) -> list[dict[str, Any]]:
    """Trials that no other beats and no constraint rules out: number, values by objective, parameters."""
    trials = [t for t in found.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
    if not any(all(v <= 0 for v in t.constraints.values()) for t in trials):
        return []
    names = [objective.name for objective in search.objectives]
    return [
        {"trial": t.number, **dict(zip(names, t.values, strict=True)), "parameters": t.params}
        for t in found.best_trials
    ]


def suggested(trial: optuna.Trial | optuna.trial.FrozenTrial, parameter: Parameter) -> Any:
    """The value of a parameter that the sampler proposes, or that the trial has."""
    if not parameter.bounded:
        return trial.suggest_categorical(parameter.name, list(parameter.values))
    if parameter.whole:
        return trial.suggest_int(parameter.name, int(parameter.low), int(parameter.high))
    return trial.suggest_float(parameter.name, float(parameter.low), float(parameter.high))


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
