"""One training step against PyTorch: ``python benchmarks/training_step.py --reference FOLDER [--torch-python PYTHON]``.

Five networks on stretches of 2.56 s of a person's 12 trials, with muscles, losses and Adam, as networks trained on one person are: ours in
chunks of 25 compiled steps; the same step written straight in PyTorch, members as a batch axis, activation dynamics as a Python loop. Both
32-bit, PyTorch with the number of threads that is fastest. First, losses and slopes of the same weights on the same stretches are compared.
PyTorch may live in a Python of its own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Contestant, Facts, in_turn, need, parser, reference_file, rounded, row, run, save, serve

TORCH_STEP = Path(__file__).with_name("torch_step.py")
LATE = 37  # samples; each trial's stretch begins so much later than that of the trial before it, for the comparison


def our_turn(asked: Any) -> Callable[..., Facts]:
    import jax
    import jax.numpy as jnp
    from elbow_person import person_of

    from profundus.fit.subject import Objectives, SubjectFit
    from profundus.fit.training import CHUNK, _stretch

    person = person_of(reference_file(asked, "virtual_elbow", "study.toml"))
    objectives = Objectives(person.anatomy, person.model, person.settings, normalization="mvc")
    work = SubjectFit(person.trials, objectives, seed=0)
    state = work.trainer.advance(work.start())
    material = work.trainer.material
    begin = jnp.minimum(LATE * jnp.arange(len(material.room)), material.room)

    def told(path: str) -> Facts:
        """Write all that the rival needs, and return losses (member,) and norms of their slopes (member,)."""

        def one(member: Any, center: Any) -> Any:
            seen, cut = _stretch(material.batch, center, begin, length=material.window)
            return jax.value_and_grad(lambda m: work.objective(m, seen, cut, material.duration)[0])(member)

        losses, slopes = jax.jit(jax.vmap(one))(state.members, material.centers)
        norms = jnp.sqrt(sum(jnp.sum(leaf**2, axis=tuple(range(1, leaf.ndim))) for leaf in jax.tree.leaves(slopes)))
        np.savez(path, begin=np.asarray(begin), **facts_of(work, state.members))
        return {"losses": np.asarray(losses, float).tolist(), "norms": np.asarray(norms, float).tolist()}

    def turn(path: str = "") -> Facts:
        if path:
            return told(path)
        began = time.perf_counter()
        after = work.trainer.advance(state)
        np.asarray(after.members.personal)  # waits for it
        return {"seconds": (time.perf_counter() - began) / CHUNK}

    return turn


def facts_of(work: Any, members: Any) -> dict[str, Any]:
    """Return trials, weights, prior and constants by name."""
    objective, material, network = work.objective, work.trainer.material, members.network
    loss, layout = objective.settings.loss, objective.layout
    batch = {f"batch_{name}": value for name, value in material.batch._asdict().items() if value is not None}
    blocks = {
        f"weight_{name}_{at}": getattr(block, name)
        for at, block in enumerate(network.blocks)
        for name in ("to_heads", "from_heads", "up", "down", "attention_gain", "token_gain")
    }
    single = {f"weight_{name}": getattr(network, name) for name in ("embed", "gain", "out", "offset")}
    own = {f"own_{name}": getattr(members, name) for name in ("personal", "gain", "amplitude")}
    prior = {f"prior_{name}": getattr(objective.prior, name) for name in ("center", "low", "high", "mixing")}
    constants = {
        "window": material.window, "duration": material.duration, "step": objective.step, "room": material.room,
        "center_ratio": material.centers.ratio, "center_gain": material.centers.gain,
        "gain_mean": objective.gain.mean, "gain_sd": objective.gain.sd,
        "deep": layout.deep, "alone": layout.alone, "neighbors": layout.neighbors,
        "smoothing": objective.settings.activation_smoothing, "passive_strain": objective.model.passive_strain_at_one,
        "rate": objective.settings.learning_rate, "token_samples": network.token_samples,
        "heads": network.blocks[0].heads, "layers": len(network.blocks),
        **{f"loss_{name}": value for name, value in vars(loss).items() if isinstance(value, float)},
    }  # fmt: skip
    return {name: np.asarray(value) for name, value in (batch | blocks | single | own | prior | constants).items()}


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    if asked.serve:
        serve(our_turn(asked))
        return
    reference_file(asked, "virtual_elbow")
    need("torch", asked.torch_python)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = str(Path(folder) / "step.npz")
        ours = stack.enter_context(Contestant(__file__, "profundus", "--reference", asked.reference))
        told = ours.turn(path=path)
        rival = stack.enter_context(Contestant(TORCH_STEP, "PyTorch", path, python=asked.torch_python))
        same = rival.turn(compare=True)
        off = {
            name: max(abs(a / b - 1.0) for a, b in zip(same[name], told[name], strict=True))
            for name in ("losses", "norms")
        }
        if off["losses"] > 1e-3:
            raise SystemExit(f"PyTorch's loss is another: {same['losses']}, ours {told['losses']}")
        own, theirs = in_turn([ours, rival], asked.rounds)
    agreement = (
        f"losses of the same weights within {rounded(off['losses'], 1):g}, norms of their slopes within"
        f" {rounded(off['norms'], 1):g} (relative)"
    )
    line = row("one step, 5 members, 12 trials of 256 samples", own, theirs, agreement=agreement)
    note = f"PyTorch {same['version']} with the number of threads that is fastest here ({theirs.facts['threads']})"
    save("training_step", "A training step of the neural musculoskeletal model", [{**line, "note": note}], asked)


if __name__ == "__main__":
    run(main)
