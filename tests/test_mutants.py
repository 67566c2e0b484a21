"""The faults of `make mutants`: one line each, still Python, none in texts, annotations or compiled files."""

import ast

from mutants import COMPILED, HERE, faults, in_text

CODE = '''"""A text with 1 number."""
def f(x: int = 1, side="left") -> list[int]:
    if x <= 2 and not side:
        return f"{x + 1}"
    x += 1.0
    print(*zip(x, x, strict=True))
    return max(-x, 3) if side == "other" else True
'''
EXPECTED = {
    2: ["x: int = (2)", 'side=("right")'],
    3: ["x < 2", "x > 2", "(3)", "x <= 2 or", "and (side)"],
    5: ["x -= 1.0", "x += (1.5)"],
    6: ["    pass"],
    7: ["min", "max((x), 3)", "(4)", "side != ", "if not side == ", "(False)"],
}


def test_each_fault_is_one_of_the_known_ones():
    found = in_text(CODE, "f.py")
    lines = CODE.splitlines()
    for fault in found:
        assert fault.was == lines[fault.line - 1] != fault.now
        ast.parse("\n".join([*lines[: fault.line - 1], fault.now, *lines[fault.line :]]))
    for line, texts in EXPECTED.items():
        mine = [fault.now.replace("'", '"') for fault in found if fault.line == line]
        assert len(mine) == len(texts), mine
        for text in texts:
            assert any(text in now or text.replace("(", "").replace(")", "") in now for now in mine), (
                text,
                mine,
            )
    assert {fault.line for fault in found} == set(EXPECTED)


def test_compiled_files_are_left_out():
    paths = {fault.path for fault in faults(HERE)}
    assert len(paths) > 100
    assert not any(COMPILED.search((HERE / path).read_text(encoding="utf-8")) for path in paths)
