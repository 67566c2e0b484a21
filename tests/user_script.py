"""What docs/start-research.md shows and more, as a user's script: read by pyright in strict mode, never run.

Takes `experiments/first-fit.toml`; uses every public name of `bladerun` once or more.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

import bladerun
from bladerun import (
    OUTCOMES,
    Amputation,
    BenchResult,
    Blade,
    BladerunError,
    Case,
    Cost,
    Environment,
    FitResult,
    Fitting,
    Ground,
    InputError,
    Measured,
    Model,
    ModelError,
    Outcome,
    Replay,
    Runner,
    SolverOptions,
    StartError,
    Status,
    Study,
    StudyResult,
    Task,
    Validation,
    Variation,
    Verification,
    Wrench,
)

OUT = Path("runs") / "user-script"


def a_runner() -> Case:
    """From a file, or the parts of one; what is wrong with it is one sentence."""
    try:
        return bladerun.load_case("experiments/first-fit.toml")
    except InputError as error:
        print(error.what, error.file, error.key)
    runner = Runner(mass_kg=70.0, height_m=1.75, sex="female")
    amputation = Amputation(side="left", residual_limb_m=0.15)
    return Case(runner, amputation, Fitting(blade=bladerun.catalog()[0], height_mm=25.0), Task(3.0))


def a_blade(name: str) -> float:
    """Its stiffness in kN/m on the materials tester."""
    blade: Blade = bladerun.load_blade(name)
    if Path("my-blade.toml").exists():
        blade = bladerun.read_blade("my-blade.toml")
    result: BenchResult = bladerun.run_bench(blade, blade.recommended_category(70.0), angle_deg=10.0)
    bladerun.plot_bench(result, OUT / "bench.png")
    print(result.force_n.max(), result.displacement_mm.max(), result.to_dict()["plies"])
    return result.stiffness_secant_kn_m


def a_model(case: Case, variation: Variation | None = None) -> Model:
    """With the facts as they are, or in doubt."""
    varied = variation or bladerun.draw_variations(4, seed=1)[0]
    model = bladerun.build_model(case.runner, case.amputation, case.fitting, varied)
    bladerun.save_xml(model, OUT / "model.xml")
    print(model.mass_kg, model.joints, model.strength.shape)
    return model


def a_stride(case: Case) -> dict[str, float]:
    """Solved, kept in a file, and a neighbour started from it; its outcomes as columns of a table."""
    stride = bladerun.solve(a_model(case, Variation(strength=0.9)), case.task)
    status = Status(stride.attrs["status"])
    if status is Status.TOO_WEAK or not status.usable_as_start:
        print(status, stride.attrs["why"])
    bladerun.write_stride(stride, OUT / "stride.nc")
    kept = bladerun.read_stride(OUT / "stride.nc")
    assert case.fitting is not None
    higher = bladerun.build_model(case.runner, case.amputation, replace(case.fitting, height_mm=40))
    try:
        taller = bladerun.solve(higher, case.task, start=kept)
    except (ModelError, StartError) as error:
        print(error.what)
        taller = bladerun.solve(higher, case.task)
    print(kept.q.sel(joint="hip_flexion_l").max().item(), taller.grf.shape)
    values = bladerun.outcomes(taller)
    print(values["blade_energy_returned_j"])
    return bladerun.flat(values)


def another_world(case: Case) -> Mapping[str, float]:
    """Uphill on softer ground against a pull on the trunk, tracked more loosely, on a coarser mesh."""
    task = replace(case.task, slope_percent=5.0, horizontal_force_bw=-0.02)
    soft = Ground(0.012, 0.05, 150.0, stiffness=0.8)
    environment = Environment.default(ground=soft, wrenches=(Wrench("torso", force_n=(-10.0, 0.0, 0.0)),))
    cost = Cost.default({"tracking.weight": 0.5}).changed({"tracking.sigma_rad.hip_flexion": 0.12})
    options = SolverOptions.default(knots=90).changed({"newton.corrections": 4})
    print(task, cost.to_dict(), environment.gravity, options.continuation.passes)
    stride = bladerun.solve(a_model(case), task, cost=cost, environment=environment, options=options)
    shares = zip(stride.term.values, stride.objective_term.values, strict=True)
    return {str(name): float(share) for name, share in shares}


def units() -> Mapping[str, str]:
    """Of every outcome."""
    rows: tuple[Outcome, ...] = OUTCOMES
    return {row.key: row.unit for row in rows}


def pictures(path: Path) -> None:
    """A stride as curves, as a drawing, as a film, and for OpenSim."""
    stride = bladerun.read_stride(path)
    axes = Figure().subplots()
    touchdown = bladerun.moments(stride, "left")["touchdown"]
    bladerun.draw_stride(axes, stride, touchdown, view="behind")
    q = stride.q.values[0]
    bladerun.draw_body(axes, a_model(a_runner()).mj, q)
    film: Path = bladerun.render_video(stride, OUT / "stride.mp4", slow=8.0)
    height, width, _ = bladerun.frames(stride, [0.0, 0.5], size=(640, 360))[0].shape
    written: list[Path] = bladerun.plot_run(stride, OUT) + bladerun.export(stride, OUT)
    print(film.name, height, width, [each.name for each in written])


def a_laboratory(path: Path, case: Case) -> float:
    """A stride as files of a laboratory, measured again: how far one outcome is off."""
    stride = bladerun.read_stride(path)
    motion, forces = bladerun.export(stride, OUT, strides=4)[:2]
    measured: Measured = bladerun.measure(motion, forces, case)
    mean, sd = measured.mean_and_sd("stride_time_s")
    print(measured.ground, measured.speed_m_s, measured.notes, sd, len(measured.strides))
    return mean - float(stride.attrs["stride_time_s"])


def trust(path: Path) -> bool:
    """A stride in MuJoCo's own dynamics, on another fitting without adapting, and beside measurements."""
    stride = bladerun.read_stride(path)
    again: Replay = bladerun.replay(stride, strides=2)
    verified: Verification = bladerun.verify(stride, progress=lambda check: print(check.drive, check.holds))
    held = bladerun.hold(stride, a_model(a_runner()))
    if held.attrs["status"] == Status.FELL:
        print(held.attrs["why"])
    validation: Validation = bladerun.validate(OUT / "validation", runners=1)
    print(again.joint_error_deg, again.q.mean(), validation.counts()["blades"]["agree"])
    return verified.holds


def many_fittings(case: Case) -> str | None:
    """Compared, with their scatter, and how sure one stride's outcomes are."""
    wider = replace(case, sweep={"toe_out_deg": (0.0, 5.0)})
    result: FitResult = bladerun.fit(wider, OUT / "toe-out", ensemble=8)
    print(result.why, bladerun.write_report(result) == result.report)
    print(result.table.shape, [row["title"] for row in result.comparison])
    best = bladerun.read_stride(result.stride(result.recommended or result.current))
    members = bladerun.ensemble(case, best, 8)
    hangs_on: bladerun.Sensitivities = bladerun.sensitivities(best, ["height_mm"], check=True)
    print(hangs_on.to_dict()["change"])
    print(members.shape)
    return result.recommended


def many_strides() -> int:
    """A sweep or a search, as the file says, as one table."""
    study: Study = bladerun.load_study("study.toml")
    solve_all = bladerun.optimise if study.search else bladerun.sweep
    result: StudyResult = solve_all(study, OUT / "study", workers=2)
    print(result.table().shape, result.best)
    return result.counts[Status.CONVERGED]


def main() -> None:
    """All of it; whatever bladerun cannot use ends it with one sentence."""
    print(bladerun.__version__, units()["stride_time_s"])
    try:
        case = a_runner()
        print(another_world(case), a_stride(case), a_blade("j-sprint"), many_fittings(case), many_strides())
        pictures(OUT / "stride.nc")
        print(a_laboratory(OUT / "stride.nc", case))
        print(trust(OUT / "stride.nc"))
    except BladerunError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
