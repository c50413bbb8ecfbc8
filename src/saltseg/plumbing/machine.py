"""The machine: its processor model and the number of CPUs available."""

import platform
import subprocess
from pathlib import Path


def cpus() -> int:
    """Return the number of CPUs that this process may use, respecting a container's quota."""
    from joblib import cpu_count  # slow to import

    return int(cpu_count())


def cpu_model() -> str:
    """Return the processor's model name as given by Linux or macOS."""
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
