"""The device and number format of networks."""

import logging
from collections.abc import Callable
from typing import Literal

import torch
from lightning_fabric import Fabric

from saltseg.config.sections import Runtime
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.memory import keep_freed_memory


def create_fabric(runtime: Runtime) -> Fabric:
    """Choose device and precision, and make every operation deterministic.

    Raises InputError if this machine does not have the requested device.
    """
    # Fabric logs the precision at each start; history and tracking record it anyway.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    # Some CUDA kernels have no deterministic version; warn instead of failing.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # No operation here reads uninitialised memory; filling it would cost a quarter more time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Float sums depend on how they are split among threads.
    torch.set_num_threads(runtime.threads)
    keep_freed_memory()
    accelerator = _accelerator(runtime.accelerator)
    return Fabric(accelerator=accelerator, devices=1, precision=_precision(runtime, accelerator))


def available_runtime(runtime: Runtime) -> Runtime:
    """Return the runtime for prediction: the training device, or `auto` if it is missing."""
    if runtime.accelerator == "auto" or has_accelerator(runtime.accelerator):
        return runtime
    return runtime.model_copy(update={"accelerator": "auto"})


def device_name(fabric: Fabric) -> str:
    """Return the device type of `fabric`, with the model of a GPU."""
    kind = fabric.device.type
    return f"{kind} {torch.cuda.get_device_name(fabric.device)}" if kind == "cuda" else str(kind)


def has_accelerator(name: str) -> bool:
    """Return whether this machine has the device: cpu, cuda or mps."""
    checks: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    return name == "cpu" or checks[name]()


def best_accelerator() -> str:
    """Return the device that `auto` stands for: cuda or mps if this machine has it, else cpu."""
    return next(name for name in ("cuda", "mps", "cpu") if has_accelerator(name))


def _accelerator(wanted: str) -> str:
    if wanted == "auto":
        return best_accelerator()
    if not has_accelerator(wanted):
        raise InputError(
            f"params.yaml: runtime.accelerator: {wanted}: this machine has none; use auto or cpu"
        )
    return wanted


def _precision(runtime: Runtime, accelerator: str) -> Literal["bf16-mixed", "32-true"]:
    if runtime.precision == "auto":
        half = computes_bfloat16(accelerator)
    else:
        half = runtime.precision == "bfloat16"
    return "bf16-mixed" if half else "32-true"


def computes_bfloat16(accelerator: str) -> bool:
    """Return whether the device supports bfloat16 natively; emulation is slower."""
    if accelerator == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return accelerator == "cpu" and bool(
        capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    )
