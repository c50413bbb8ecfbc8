"""Reports on a reproduction and on the differences between two runs."""

from saltseg.plumbing.errors import first_few
from saltseg.plumbing.tables import table
from saltseg.reproduction.comparison import Comparison
from saltseg.reproduction.differences import Differences, StageDifference
from saltseg.reproduction.environments import Pairs
from saltseg.reproduction.records import RunRecord


def reproduction_report(record: RunRecord, result: Comparison, tolerance: float) -> str:
    """Return the table of outputs, what differs, and the verdict as the last line."""
    rows = [
        (each.stage, each.path, _short(each.recorded), _short(each.new), _same(each.same))
        for each in result.outputs
    ]
    lines = [table(("stage", "output", "recorded", "new", ""), rows)]
    lines += [
        f"{each.path}: differs in {first_few(each.files)}" for each in result.outputs if each.files
    ]
    if not result.same:
        lines += [_metrics(result, tolerance), _environment(result.environment)]
    return "\n".join([*lines, f"{record.name}: {_verdict(result, tolerance)}{record.gap}"])


def difference_report(first: RunRecord, second: RunRecord, found: Differences) -> str:
    """Return a section for each kind of difference; a kind without any is one line."""
    names = (first.name, second.name)
    changes = [
        (each.name, *map(_number, each.values), _change(*each.values), *each.spreads)
        for each in found.metrics
    ]
    code = [(path, state) for path, state in found.code.items()]
    stages = found.stages
    parts = [
        _part("parameters", _pairs_table(("parameter", *names), found.params)),
        _part("code", table(("file", f"in {names[1]}"), code) if code else ""),
        _part("data", _pairs_table(("path", *names), found.data, hashes=True)),
        "environment: not recorded for both runs"
        if found.environment is None
        else _part("environment", _pairs_table(("fact", *names), found.environment)),
        _part("first differing stage", _stage(stages[0]) if stages else ""),
        _part("differing stages after it", ", ".join(each.stage for each in stages[1:])),
        _part(
            "metrics",
            table(("metric", *names, "change", "spread", "spread"), changes) if changes else "",
        ),
    ]
    return "\n\n".join(parts)


def _part(name: str, content: str) -> str:
    return f"{name}:\n{content}" if content else f"{name}: the same"


def _pairs_table(heads: tuple[str, str, str], pairs: Pairs, hashes: bool = False) -> str:
    rows = [
        (name, *(_short(value) if hashes else "-" if value is None else value for value in pair))
        for name, pair in pairs.items()
    ]
    return table(heads, rows) if rows else ""


def _stage(found: StageDifference) -> str:
    if found.only_in:
        return f"{found.stage}, which only {found.only_in} has"
    kinds = {"params": found.params, "inputs": found.inputs, "outputs": found.outputs}
    told = [f"  its {kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
    if found.command:
        told.insert(0, "  its command")
    if not (found.command or found.params or found.inputs):
        told = ["  nothing but " + told[0].strip()]
    return "\n".join([found.stage, *told])


def _metrics(result: Comparison, tolerance: float) -> str:
    rows = [
        (each.name, _number(each.recorded), _number(each.new), _change(each.recorded, each.new),
         "within" if each.within(tolerance) else "BEYOND")
        for each in result.metrics
        if not each.within(0.0)
    ]  # fmt: skip
    heads = ("metric", "recorded", "new", "change", f"tolerance {tolerance:g}")
    return table(heads, rows) if rows else "all metrics are the same"


def _environment(pairs: Pairs | None) -> str:
    if pairs is None:
        return "environment: not recorded, so every byte must be the same"
    if not pairs:
        return "environment: the recorded one, so every byte must be the same"
    return "environment, so bytes may differ:\n" + _pairs_table(("", "recorded", "here"), pairs)


def _verdict(result: Comparison, tolerance: float) -> str:
    outputs = f"{len(result.outputs)} outputs and {len(result.metrics)} metrics"
    if result.same:
        return f"reproduced; {outputs} are the same"
    if result.passes(tolerance):
        return f"reproduced in another environment; all metrics are within {tolerance:g}"
    different = [each.path for each in result.outputs if not each.same]
    return f"not reproduced; different: {first_few(different) if different else 'metrics'}"


def _same(same: bool) -> str:
    return "same" if same else "DIFFERENT"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _change(first: float | None, second: float | None) -> str:
    return "-" if first is None or second is None else f"{second - first:+.6g}"


def _short(digest: str | None) -> str:
    """Return the first characters of a hash, enough to identify it; "-" for none."""
    return digest[:12] if digest else "-"
