# SPDX-License-Identifier: BSD-3-Clause
"""Plots as SVG text: lines, columns, bars, dots. Each is WIDTH units wide, which a telephone shows
one to one, so that no letter is under 11 pixels. Colours are classes c0 to c7 of the page's style,
and never the only sign: lines have marks and dashes, bars have names or numbers."""
import html
import math

from report_data import short

WIDTH = 330
LEFT, RIGHT = 46, 14
LETTER = 6.6 # units that a letter takes, at 12 units of height
ROW = 17     # units from a line of text to the next
DASHES = ("", "6 3", "2 3", "8 3 2 3", "", "6 3", "2 3", "8 3 2 3")


def escape(text):
    return html.escape(str(text), quote=True)


def text(x, y, words, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def block(x, y, width, height, colour, words):
    said = f"<title>{escape(words)}</title>" if words else ""
    return (f'<rect class="c{colour}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
            f'height="{max(height, 0.5):.1f}">{said}</rect>')


def mark(x, y, colour, words=""):
    """Each colour has a form of its own."""
    forms = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"',
             f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"',
             f'<path d="M{x:.1f} {y - 5:.1f}l5 8.5h-10z"',
             f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"',
             f'<path d="M{x:.1f} {y + 5:.1f}l5 -8.5h-10z"')
    form = forms[colour % len(forms)]
    said = f"<title>{escape(words)}</title>" if words else ""
    return f'{form} class="c{colour}">{said}</{form[1:].split()[0]}>'


def drawing(height, words, parts):
    return (f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(words)}">'
            + "".join(parts) + "</svg>")


def legend(entries, top, sign=mark):
    """entries: (name, colour). Returns the parts, and where the next thing may begin."""
    x, y, parts = 6.0, top + 8.0, []
    for name, colour in entries:
        wide = 22 + len(str(name)) * LETTER
        if x > 6 and x + wide > WIDTH:
            x, y = 6.0, y + ROW
        parts += [sign(x + 5, y - 4, colour), text(x + 14, y, name)]
        x += wide + 6
    return parts, y + 8


def nice(most, wanted=4):
    """Round steps from 0 up to at least `most`."""
    most = most if most > 0 else 1.0
    raw = most / wanted
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * times for times in (1, 2, 2.5, 5, 10) if unit * times >= raw * 0.999)
    return [step * i for i in range(math.ceil(most / step - 1e-9) + 1)]


def decades(least, most):
    """1, 10, 100... around both, and never only one."""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0 ** power for power in range(low, max(high, low + 1) + 1)]


def y_axis(ticks, top, bottom, unit):
    parts = [text(6, top - 13, unit)]
    for tick in ticks:
        y = bottom - (bottom - top) * tick / ticks[-1]
        parts += [line(LEFT, y, WIDTH - RIGHT, y, "axis" if tick == 0 else "grid"),
                  text(LEFT - 6, y + 4, short(tick), "end")]
    return parts


def x_marks(values, place, bottom):
    """Where figures were measured; names that would overlap are left out, but not the last."""
    parts, left = [], float("inf")
    for value in sorted(values, reverse=True):
        half = len(short(value)) * LETTER / 2
        x = place(value)
        parts.append(line(x, bottom, x, bottom + 4, "axis"))
        if x + half + 5 <= left:
            parts.append(text(x, bottom + 17, short(value), "middle"))
            left = x - half
    return parts


def lines(words, unit, x_name, series, log_x):
    """series: (name, colour, [(x, y)...]). The y axis begins at 0."""
    named, top = legend([(name, colour) for name, colour, _ in series], 6)
    top += 26
    bottom = top + 170
    xs = sorted({x for _, _, points in series for x, _ in points})
    scale = math.log10 if log_x else float
    low, high = scale(xs[0]), scale(xs[-1])
    ticks = nice(max(y for _, _, points in series for _, y in points))

    def place(x):
        at = (scale(x) - low) / (high - low) if high > low else 0.5
        return LEFT + 10 + at * (WIDTH - LEFT - RIGHT - 20)

    def rise(y):
        return bottom - (bottom - top) * y / ticks[-1]

    parts = named + y_axis(ticks, top, bottom, unit) + x_marks(xs, place, bottom)
    for name, colour, points in series:
        path = " ".join(f"{place(x):.1f},{rise(y):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline class="l{colour}" stroke-dasharray="{DASHES[colour]}" '
                     f'points="{path}"/>')
        parts += [mark(place(x), rise(y), colour, f"{name}, {x:,g}: {y:,.4g} {unit}")
                  for x, y in points]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, bottom + 35, x_name, "middle"))
    return drawing(bottom + 42, words, parts)


def square(x, y, colour):
    return block(x - 5, y - 5, 10, 10, colour, "")


def columns(words, unit, x_name, names, stacks):
    """stacks: (name, [(part, figure)...]), the parts piled up; names: those of the parts."""
    named, top = legend([(name, i) for i, name in enumerate(names)], 6, square)
    top += 28
    bottom = top + 170
    totals = [sum(value for _, value in parts) for _, parts in stacks]
    ticks = nice(max(totals))
    pitch = (WIDTH - LEFT - RIGHT) / len(stacks)
    wide = min(pitch * 0.6, 60)
    drawn = named + y_axis(ticks, top, bottom, unit)
    for i, (name, stack) in enumerate(stacks):
        middle, y = LEFT + pitch * (i + 0.5), bottom
        for part, value in stack:
            high = (bottom - top) * value / ticks[-1]
            y -= high
            drawn.append(block(middle - wide / 2, y, wide, high, names.index(part),
                               f"{part}, {name}: {value:.4g} {unit}"))
        drawn += [text(middle, y - 4, short(totals[i]), "middle"),
                  text(middle, bottom + 17, name, "middle")]
    drawn.append(text((LEFT + WIDTH - RIGHT) / 2, bottom + 35, x_name, "middle"))
    return drawing(bottom + 42, words, drawn)


def pile(words, unit, stages):
    """One bar of all stages side by side, numbered; stages: (name, figure)."""
    total = sum(value for _, value in stages) or 1
    x, drawn = 6.0, [text(6, 16, f"{short(total)} {unit} in all")]
    for i, (name, value) in enumerate(stages):
        wide = (WIDTH - 12) * value / total
        drawn.append(block(x, 24, wide - 1, 40, i % 8, f"{name}: {value:.4g} {unit}"))
        if wide > 14:
            drawn.append(text(x + wide / 2, 48, i + 1, "middle", f' class="k{i % 8}"'))
        x += wide
    for i, (name, value) in enumerate(stages):
        y = 84 + ROW * i
        drawn += [block(8, y - 10, 10, 10, i % 8, name), text(24, y, f"{i + 1}  {name}"),
                  text(220, y, f"{value:.1f}", "end"),
                  text(WIDTH - 40, y, f"{100 * value / total:.0f} %", "end")]
    return drawing(84 + ROW * len(stages), words, drawn)


def bars(words, unit, entries):
    """entries: (name, colour, figure); true to scale from 0, each named above its bar."""
    most = max(value for _, _, value in entries)
    y, drawn = 4.0, []
    for name, colour, value in entries:
        long = (WIDTH - 100) * value / most
        drawn += [text(6, y + 12, name),
                  block(6, y + 17, long, 14, colour, f"{name}: {value} {unit}"),
                  text(6 + long + 6, y + 29, f"{value:,.0f} {unit}")]
        y += 40
    return drawing(y, words, drawn)


def dots(words, unit, groups, series):
    """groups: (name, [(name of the series, figure)...]); a log axis. series: their names."""
    named, top = legend([(name, i) for i, name in enumerate(series)], 6)
    values = [value for _, entries in groups for _, value in entries]
    ticks = decades(min(values), max(values))
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])
    right = WIDTH - 40 # the last figure stands to the right of its mark

    def place(value):
        return LEFT + (math.log10(value) - low) / (high - low) * (right - LEFT)

    y, drawn = top + 10, named
    bottom = y + sum(len(entries) * ROW + 12 for _, entries in groups)
    for tick in ticks:
        drawn += [line(place(tick), y - 4, place(tick), bottom, "grid"),
                  text(place(tick), bottom + 15, short(tick), "middle")]
    for name, entries in groups:
        drawn.append(text(6, y + 4 + ROW * len(entries) / 2, name))
        for which, value in entries:
            y += ROW
            x = place(value)
            drawn += [line(LEFT, y - 5, x, y - 5, "stem"),
                      mark(x, y - 5, series.index(which), f"{name}, {which}: {value:.4g} {unit}"),
                      text(x + 9, y - 1, short(value), "start", ' class="halo"')]
        y += 12
    drawn.append(text((LEFT + right) / 2, bottom + 33, unit + " (log scale)", "middle"))
    return drawing(bottom + 40, words, drawn)
