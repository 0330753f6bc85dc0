"""Policy documents ready to start from: one folder per pack, one YAML file per section.

Law: a pack is data. A tenant's first revision is copied from it; later editions of a pack change nobody.
"""

from __future__ import annotations

from importlib.resources import files


def read_pack_text(section: str, *, pack: str = "standard") -> str:
    """The YAML of one section of a pack; raises FileNotFoundError where the pack has none."""
    return files(__name__).joinpath(pack, f"{section}.yaml").read_text(encoding="utf-8")
