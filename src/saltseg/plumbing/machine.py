"""The machine that computes: its processor, and how much of it there is to use."""

import platform
import subprocess
from pathlib import Path


def cpus() -> int:
    """Return the number of processors that this process may use, a container's quota included."""
    from joblib import cpu_count  # its import takes longer than all else here

    return int(cpu_count())


def cpu_model() -> str:
    """Return the processor's model as Linux and macOS name it."""
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
