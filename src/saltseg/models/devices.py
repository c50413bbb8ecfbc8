"""Where networks compute, and in which number format."""

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

    Raises InputError where this machine lacks the device that is asked for.
    """
    # Fabric tells the precision at each start; history and tracking have it.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    # Some CUDA kernels have no deterministic twin: torch warns then, where it could only fail.
    torch.use_deterministic_algorithms(True, warn_only=True)
    # No operation here reads memory before it writes it; filling it first costs a quarter more.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Sums are split among the threads, and float sums depend on how they are split.
    torch.set_num_threads(runtime.threads)
    keep_freed_memory()
    accelerator = _accelerator(runtime.accelerator)
    return Fabric(accelerator=accelerator, devices=1, precision=_precision(runtime, accelerator))


def available_runtime(runtime: Runtime) -> Runtime:
    """Return where to predict: as in training, or on what there is where that device is not."""
    if runtime.accelerator == "auto" or has_accelerator(runtime.accelerator):
        return runtime
    return runtime.model_copy(update={"accelerator": "auto"})


def device_name(fabric: Fabric) -> str:
    """Return the kind of the device that `fabric` computes on, and a GPU's model."""
    kind = fabric.device.type
    return f"{kind} {torch.cuda.get_device_name(fabric.device)}" if kind == "cuda" else str(kind)


def has_accelerator(name: str) -> bool:
    """Tell whether this machine has the device: cpu, cuda or mps."""
    checks: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    return name == "cpu" or checks[name]()


def _accelerator(wanted: str) -> str:
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if has_accelerator(name))
    if not has_accelerator(wanted):
        raise InputError(
            f"params.yaml: runtime.accelerator: {wanted}: this machine has none; take auto or cpu"
        )
    return wanted


def _precision(runtime: Runtime, accelerator: str) -> Literal["bf16-mixed", "32-true"]:
    if runtime.precision == "auto":
        half = computes_bfloat16(accelerator)
    else:
        half = runtime.precision == "bfloat16"
    return "bf16-mixed" if half else "32-true"


def computes_bfloat16(accelerator: str) -> bool:
    """Whether bfloat16 is computed by the device itself, not emulated, which is slower."""
    if accelerator == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return accelerator == "cpu" and bool(
        capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    )
