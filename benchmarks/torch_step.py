"""A training step of the neural musculoskeletal model written straight in PyTorch; a contestant of ``training_step.py``, not run alone.

Every array has the member first: (member, trial, time, ...). Needs PyTorch and NumPy alone.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import time
from typing import Any

import numpy as np
import torch
from measuring import Facts, serve
from torch.nn import functional

RESTING_LOGIT, LEAST, MOST, LONELY, MASKED = -2.5, 1e-3, 0.99, 4.0, -1e9
WARM_UP_S, HIDDEN_MOMENTS, PERSONAL_RATE, LARGEST = 0.25, 0.15, 8.0, 10.0
STEPS_A_TURN = 3


class Model:
    """Trials, constants and the weights that learn."""

    def __init__(self, path: str) -> None:
        with np.load(path) as known:
            given = {name: torch.from_numpy(np.asarray(known[name])) for name in known.files}
        self.all = {n: v.float() if v.is_floating_point() else v for n, v in given.items()}
        self.number = {n: float(v) for n, v in given.items() if v.ndim == 0}
        self.weights = {n: self.all[n].clone().requires_grad_() for n in self.all if n.startswith("weight_")}
        self.own = {n: self.all[n].clone().requires_grad_() for n in self.all if n.startswith("own_")}
        rate = self.number["rate"]
        groups = [
            {"params": list(self.weights.values())},
            {"params": list(self.own.values()), "lr": PERSONAL_RATE * rate},
        ]
        self.optimizer = torch.optim.Adam(groups, lr=rate, betas=(0.9, 0.99))
        self.members = len(self.all["own_personal"])

    def step(self) -> None:
        """Take a step on stretches by chance, with the moment hidden from the network in some trials."""
        room = self.all["room"]
        begin = (torch.rand(self.members, len(room)) * (room + 1)).long()
        shown = torch.rand(self.members, len(room)) >= HIDDEN_MOMENTS
        self.optimizer.zero_grad()
        self.losses(begin, shown).sum().backward()
        parameters = [*self.weights.values(), *self.own.values()]
        norm = torch.sqrt(sum((p.grad**2).flatten(1).sum(1) for p in parameters if p.grad is not None))
        share = LARGEST / norm.clamp(min=LARGEST)
        for p in parameters:
            if p.grad is not None:
                p.grad *= share.reshape(-1, *[1] * (p.ndim - 1))
        self.optimizer.step()

    def losses(self, begin: Any, shown: Any) -> Any:
        """Return the loss (member,) on stretches that ``begin`` (member, trial); ``shown`` (member, trial): the moment is seen."""
        seen = self.stretches(begin)
        number, deep, duration = self.number, self.all["deep"], self.number["duration"]
        coordinates = seen["moment"].shape[-1]
        features = torch.cat(
            [seen["features"][..., :-coordinates], seen["features"][..., -coordinates:] * shown[..., None, None]], -1
        )
        log_gain = number["gain_mean"] + number["gain_sd"] * (self.all["center_gain"] + self.own["own_gain"].detach())
        log_gain = torch.where(deep, 0.0, log_gain)[:, None, None]
        excitation, found = self.excitations(features, seen, log_gain)
        value = self.parameters()
        moment = self.moments(torch.where(deep & ~self.all["alone"], excitation.detach(), excitation), seen, value)
        electrodes, many = int((~deep).sum()), int(deep.sum())
        level = torch.sigmoid(seen["neighbor"])
        emg_sd = torch.hypot(torch.tensor(number["loss_emg_sd"]), number["loss_emg_relative_sd"] * level)
        emg_error = (seen["emg"] - excitation * torch.exp(log_gain)) / emg_sd
        samples = seen["valid"].sum((1, 2))
        emg = duration * electrodes / number["loss_emg_correlation_s"]
        total = emg * mean_square(emg_error, seen["emg_valid"], samples * electrodes)
        settled = torch.arange(seen["moment"].shape[2]) >= math.ceil(WARM_UP_S / number["step"] - 1e-9)
        sd = torch.hypot(torch.tensor(number["loss_moment_sd"]), number["loss_moment_relative_sd"] * seen["moment"])
        among = (seen["valid"] & settled).sum((1, 2)) * coordinates
        errors = duration * coordinates / number["loss_moment_correlation_s"]
        counted = seen["moment_valid"] & settled[:, None]
        total = total + errors * mean_square((seen["moment"] - moment) / sd, counted, among)
        total = total + 0.5 * sum((self.own[f"own_{name}"] ** 2).sum(1) for name in ("personal", "gain", "amplitude"))
        there = seen["valid"][..., None] & deep
        deviations = duration * many / number["loss_group_correlation_s"]
        total = total + deviations * mean_square(found, there)
        total = total + many * mean_square(excitation / number["loss_effort_sd"], there)
        rate = torch.diff(found, dim=2) * self.spread / number["step"] / number["loss_smoothness_sd"]
        return (total + deviations * mean_square(rate, there[:, :, 1:])) / duration

    @property
    def spread(self) -> float:
        return math.hypot(self.number["loss_group_pattern_sd"], self.number["loss_group_drive_sd"])

    def stretches(self, begin: Any) -> dict[str, Any]:
        """Return the window's samples of every trial from ``begin`` on (member, trial, time, ...)."""
        at = begin[..., None] + torch.arange(int(self.number["window"]))
        trial = torch.arange(begin.shape[1])[None, :, None]
        cut = {name[6:]: value[trial, at] for name, value in self.all.items() if name.startswith("batch_")}
        member = torch.arange(self.members)[:, None, None]
        return {**cut, "anchor": self.all["center_ratio"][member, trial, at]}

    def network(self, features: Any, valid: Any) -> Any:
        """Return the transformer's answer (member, trial, time, muscle)."""
        weight, heads, samples = self.weights, int(self.number["heads"]), int(self.number["token_samples"])
        members, trials, time_, channels = features.shape
        tokens = time_ // samples
        seen = valid.reshape(members, trials, tokens, samples).any(-1)
        place = torch.arange(tokens)
        slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
        bias = -slopes[:, None, None] * (place[:, None] - place[None, :]).abs()
        bias = torch.where(seen[:, :, None, None, :], bias, MASKED)
        x = torch.where(valid[..., None], features, 0.0).reshape(members, trials * tokens, samples * channels)
        x = x @ weight["weight_embed"]
        for at in range(int(self.number["layers"])):
            part = {name: weight[f"weight_{name}_{at}"] for name in ("to_heads", "from_heads", "up", "down")}
            projected = normalized(x, weight[f"weight_attention_gain_{at}"]) @ part["to_heads"]
            query, key, value = projected.reshape(members, trials, tokens, 3, heads, -1).permute(3, 0, 1, 4, 2, 5)
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
            x = x + mixed.transpose(2, 3).reshape(x.shape) @ part["from_heads"]
            inner = functional.silu(normalized(x, weight[f"weight_token_gain_{at}"]) @ part["up"])
            x = x + inner @ part["down"]
        answer = (normalized(x, weight["weight_gain"]) @ weight["weight_out"]).reshape(members, trials, time_, -1)
        return answer + weight["weight_offset"][:, None, None]

    def excitations(self, features: Any, seen: dict[str, Any], log_gain: Any) -> tuple[Any, Any]:
        """Return excitations (member, trial, time, muscle), and how far deep ones are from their center [sd]."""
        found = self.network(features, seen["valid"])
        deep, alone = self.all["deep"], self.all["alone"]
        envelope = (torch.sigmoid(seen["neighbor"]) * torch.exp(-log_gain)).clamp(LEAST, MOST)
        measured = torch.where(deep, 0.0, torch.logit(envelope) + found)
        amplitude = self.number["loss_group_amplitude_sd"] * self.own["own_amplitude"][:, None, None]
        ratio = torch.where(alone, LONELY, 1.0) * (seen["anchor"] + amplitude + self.spread * found)
        own = torch.where(alone, RESTING_LOGIT, 0.0)
        logits = torch.where(deep, measured @ self.all["neighbors"].float().T + own + ratio, measured)
        return torch.sigmoid(logits), torch.where(deep, found, 0.0)

    def parameters(self) -> Any:
        """Return the parameters (member, parameter) of unit normals, inside their fence."""
        low, high, center = (self.all[f"prior_{name}"] for name in ("low", "high", "center"))
        share = (center - low) / (high - low)
        start = torch.log(share) - torch.log1p(-share)
        slope = 1.0 / ((high - low) * share * (1.0 - share))
        return low + (high - low) * torch.sigmoid(
            start + slope * (self.own["own_personal"] @ self.all["prior_mixing"].T)
        )

    def moments(self, excitation: Any, seen: dict[str, Any], value: Any) -> Any:
        """Return joint moments (member, trial, time, coordinate) [N.m]: delay, activation, rigid tendon, Thelen's muscle."""
        muscles = excitation.shape[-1]
        force, optimal, slack, pennation, delay = (
            value[:, at * muscles : (at + 1) * muscles][:, None, None] for at in range(5)
        )
        shape_factor, time_constant = (value[:, 5 * muscles + at, None, None, None] for at in range(2))
        late = delayed(excitation, delay / self.number["step"])
        bent = torch.expm1(shape_factor * late) / torch.expm1(shape_factor)
        active = self.activation(bent, time_constant[..., 0], 4.0 * time_constant[..., 0])
        along = seen["path_length"] - slack
        loose = along <= 0.01 * optimal
        along = torch.where(loose, 0.01 * optimal, along)
        length = torch.sqrt(along**2 + (optimal * torch.sin(pennation)) ** 2)
        cosine = along / length
        pull = fiber_force(
            active, length / optimal, seen["path_velocity"] * cosine / (10.0 * optimal), self.number["passive_strain"]
        )
        tendon = torch.where(loose, 0.0, force * pull * cosine)
        return torch.einsum("artcm,artm->artc", seen["moment_arm"], tendon)

    def activation(self, excitation: Any, rising: Any, falling: Any) -> Any:
        """Return activation, sample after sample: exponential midpoint steps."""
        step, smoothing = self.number["step"], self.number["smoothing"]

        def rate(active: Any, excited: Any) -> Any:
            up = torch.sigmoid(2.0 * smoothing * (excited - active))
            ease = 0.5 + 1.5 * active
            return up / (rising * ease) + (1.0 - up) * ease / falling

        def followed(frozen: Any, active: Any, start: Any, rise: Any, share: float) -> Any:
            exponent = frozen * (share * step)
            gone = 1.0 - torch.exp(-exponent)
            return active + (start - active) * gone + share * rise * (1.0 - gone / exponent)

        samples = excitation.unbind(2)
        out = [samples[0]]
        for start, after in itertools.pairwise(samples):
            rise = after - start
            middle = followed(rate(out[-1], start), out[-1], start, rise, 0.5)
            out.append(followed(rate(middle, start + 0.5 * rise), out[-1], start, rise, 1.0))
        return torch.stack(out, 2)


def normalized(x: Any, gain: Any) -> Any:
    """Return tokens (member, token, width) at unit root mean square, times ``gain``."""
    return x * torch.rsqrt((x**2).mean(-1, keepdim=True) + 1e-6) * gain[:, None]


def delayed(excitation: Any, late: Any) -> Any:
    """Return the excitation as it was so many samples earlier, linear between samples."""
    whole = torch.floor(late.detach())
    share = late - whole
    at = torch.arange(excitation.shape[2])[:, None] - whole.long()
    last = excitation.shape[2] - 1
    here, before = (torch.gather(excitation, 2, (at - back).clamp(0, last).expand_as(excitation)) for back in (0, 1))
    return (1.0 - share) * here + share * before


def fiber_force(active: Any, length: Any, velocity: Any, passive_strain: float) -> Any:
    """Return the force along the fiber [-] of Thelen's muscle (2003)."""
    active = active.clamp(min=0.01)
    speed = velocity / (0.25 + 0.75 * active)
    smooth = torch.hypot(speed, torch.tensor(1e-4))
    slower, faster = 0.5 * (speed - smooth + 1e-4), 0.5 * (speed + smooth - 1e-4)
    held = slower.clamp(min=-1.0)
    below = 1.0 - held / 0.3
    shortening = (1.0 + held) / below + (1.0 + 1.0 / 0.3) / below**2 * (slower - held)
    steepness = (2.0 + 2.0 / 0.3) / 0.8
    held = faster.clamp(max=(0.95 * 1.8 - 1.0) / (steepness * (1.8 - 0.95 * 1.8)))
    below = 1.0 + steepness * held
    lengthening = (1.0 + steepness * 1.8 * held) / below + steepness * 0.8 / below**2 * (faster - held)
    stiffness = 4.0 / passive_strain
    rising = torch.exp(stiffness * (length.clamp(1.0, 1.8) - 1.0)) * (1.0 + stiffness * (length - 1.8).clamp(min=0.0))
    passive = (rising - 1.0) / math.expm1(4.0)
    return active * torch.exp(-((length - 1.0) ** 2) / 0.5) * (shortening + lengthening - 1.0) + passive


def mean_square(error: Any, seen: Any, among: Any = None) -> Any:
    """Return half the sum of squares (member,) over what is seen, over the number of samples ``among`` which it is."""
    count = seen.flatten(1).sum(1) if among is None else among
    seen = seen.expand_as(error)
    return 0.5 * (torch.where(seen, error, 0.0) ** 2).flatten(1).sum(1) / count.clamp(min=1)


def timed(model: Model, threads: int) -> float:
    """Return the seconds of a step with so many threads."""
    torch.set_num_threads(threads)
    model.step()
    began = time.perf_counter()
    for _ in range(STEPS_A_TURN):
        model.step()
    return (time.perf_counter() - began) / STEPS_A_TURN


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--serve")
    words.add_argument("path")
    torch.manual_seed(0)
    model = Model(words.parse_args().path)
    chosen: list[int] = []  # threads with which it is fastest here; small arrays do not gain from many

    def turn(compare: bool = False) -> Facts:
        if compare:
            begin = model.all["begin"].long().expand(model.members, -1)
            losses = model.losses(begin, torch.ones_like(begin, dtype=torch.bool))
            losses.sum().backward()
            learning = [p for p in (*model.weights.values(), *model.own.values()) if p.grad is not None]
            norms = torch.sqrt(sum((p.grad**2).flatten(1).sum(1) for p in learning))
            return {"losses": losses.tolist(), "norms": norms.tolist(), "version": torch.__version__.split("+")[0]}
        if not chosen:
            seconds = {threads: timed(model, threads) for threads in (os.cpu_count() or 1, 1)}
            chosen.append(min(seconds, key=lambda threads: seconds[threads]))
        return {"seconds": timed(model, chosen[0]), "threads": chosen[0]}

    serve(turn)


if __name__ == "__main__":
    main()
