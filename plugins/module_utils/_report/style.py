# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The style sheet of the HTML report, and the symbols of its pictures.

Colours never stand alone: each status has a pattern or a shape of its own, and its name beside it.
"""

from __future__ import annotations

LIGHT = (
    "--paper:#fff;--back:#f7f7f5;--ink:#1d2126;--soft:#5c636d;--line:#e3e4e1;--faint:#eeeeeb;"
    "--good:#16794a;--bad:#bf2a33;--late:#8a5a00;"
    "--run:#3f74c9;--wait:#8a94a3"
)
DARK = (
    "--paper:#1a1d21;--back:#121417;--ink:#e7e9ec;--soft:#a3abb6;--line:#30353c;--faint:#24282d;"
    "--good:#54c08a;--bad:#ff8a85;--late:#e2ad4d;"
    "--run:#7ba6ee;--wait:#8892a0"
)
COLOURS = f"""
:root{{color-scheme:light dark;{LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}
@media print{{:root{{color-scheme:light;{LIGHT};--back:#fff}}}}
"""
STYLE = (
    COLOURS
    + """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei",sans-serif;
font-variant-numeric:tabular-nums;-webkit-font-smoothing:antialiased}
main{max-width:1120px;margin:0 auto;padding:48px 32px 32px}
h1,h2,h3,p,ul,ol,dl,dd,figure{margin:0;padding:0}
ul,ol{list-style:none}
h1{font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.015em;display:flex;gap:14px;align-items:flex-start;
text-wrap:balance}
h1 svg{flex:none;width:30px;height:30px;margin-top:3px}
h2{font-size:17px;font-weight:650;letter-spacing:-.005em}
h3{font-size:13px;font-weight:600;color:var(--soft)}
code,.id{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:12.5px}
.title{color:var(--soft);font-weight:550;margin-bottom:10px}
.share{display:block;width:100%;height:6px;margin:24px 0 16px;border-radius:3px;overflow:hidden;background:var(--line)}
.facts{display:flex;flex-wrap:wrap;gap:6px 40px;color:var(--soft)}
.facts div{display:flex;gap:6px;align-items:baseline}
.facts dt{order:2}
.facts dd{font-weight:650;color:var(--ink)}
section{margin-top:40px}
.card{background:var(--paper);border:1px solid var(--line);border-radius:12px;margin-top:14px;overflow:hidden}
.problem{display:grid;grid-template-columns:22px minmax(0,1fr) auto;gap:2px 12px;padding:14px 20px}
.problem+.problem{border-top:1px solid var(--line)}
.problem>svg{width:18px;height:18px;margin-top:2px}
.problem strong{font-weight:600}
.problem .why{grid-column:2/4}
.problem .about{color:var(--soft);font-size:13px}
.about,.why,.name,.id,td{overflow-wrap:anywhere}
.note{color:var(--soft);margin-top:12px;font-size:13.5px}
.bad{color:var(--bad)}.late{color:var(--late)}.good{color:var(--good)}.open{color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;padding:14px 20px 0;color:var(--soft);font-size:13px}
.legend li{display:flex;align-items:center;gap:7px}
.legend svg{width:22px;height:14px;overflow:visible}
.chart{padding:10px 20px 16px}
.row{display:grid;grid-template-columns:minmax(0,220px) minmax(0,1fr) 160px;gap:0 20px;align-items:center;min-height:34px}
.row .name{font-weight:550;line-height:1.3;display:flex;gap:8px;align-items:baseline;min-width:0}
.row .name b{font-weight:550;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row .name span{color:var(--soft);font-weight:400;font-size:12.5px;flex:none;max-width:50%;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap}
.row .end{font-size:13px;white-space:nowrap}
.row svg{display:block;width:100%;height:34px;overflow:visible}
.row.axis{min-height:28px;border-bottom:1px solid var(--line);margin-bottom:6px}
.row.axis svg{height:28px}
.row.head{min-height:38px}
.row.head h3{grid-column:1/4;padding-top:10px}
.row .count{height:180px;border-bottom:1px solid var(--line)}.count path{stroke:var(--paper);stroke-width:1;vector-effect:non-scaling-stroke}
.count-row{margin-bottom:12px}.count-row .name{align-self:start}
svg text{fill:var(--soft);font-size:12px}
.grid{stroke:var(--line)}
.s-running{fill:var(--run)}
.s-pending,.s-paused{fill:url(#pending);stroke:var(--wait)}
.s-paused{fill:url(#paused)}
.s-unknown{fill:url(#unknown);stroke:var(--wait)}
.s-unseen{fill:var(--line)}
.s-satisfied{fill:var(--good)}.s-failed{fill:url(#crossed)}.share .s-failed{fill:var(--bad)}.s-unfinished{fill:var(--faint)}
.m-good{fill:var(--good)}.m-bad{fill:var(--bad)}.m-late{fill:var(--late)}.m-open{fill:var(--soft)}
.cut{fill:none;stroke:var(--paper);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.thin{stroke-width:.8}
.edge{stroke:var(--paper);stroke-width:2;paint-order:stroke}
.err{fill:none;stroke:var(--bad);stroke-width:1.8;stroke-linecap:round}
.gap{fill:none;stroke:var(--ink);stroke-width:1.4}
.hatch{stroke:var(--wait);fill:none}.dot{fill:var(--wait)}
table{width:100%;border-collapse:collapse;text-align:left}
th{font-size:12.5px;font-weight:550;color:var(--soft);padding:11px 12px;border-bottom:1px solid var(--line)}
td{padding:11px 12px;vertical-align:top;border-bottom:1px solid var(--faint)}
tr:last-child td{border-bottom:0}
th:first-child,td:first-child{padding-left:20px}
th:last-child,td:last-child{padding-right:20px}
.c-task{width:27%}.c-service{width:11%}.c-status{width:13%}.c-time{width:19%}
td .name{font-weight:550;display:block}
td .id{color:var(--soft);display:block;line-height:1.45}
td.time,td.service{color:var(--soft);font-size:13.5px}
td.status{font-weight:550}
.badge{display:inline-flex;gap:7px;align-items:center}
.badge svg{width:15px;height:15px;flex:none}
.made{color:var(--ink)}
.made li{display:block}
details>summary{cursor:pointer;padding:13px 20px;font-weight:550}
details>summary:hover{background:var(--faint)}
details+details{border-top:1px solid var(--line)}
details table{border-top:1px solid var(--line)}
:focus-visible{outline:2px solid var(--run);outline-offset:-2px;border-radius:12px}
footer{max-width:1120px;margin:0 auto;padding:8px 32px 48px;color:var(--soft);font-size:13px}
.symbols{position:absolute;width:0;height:0;overflow:hidden}
@media screen and (max-width:720px){
main{padding:28px 16px 16px}footer{padding:8px 16px 32px}
h1{font-size:24px;gap:11px}h1 svg{width:25px;height:25px;margin-top:2px}
section{margin-top:32px}
.facts{gap:4px 24px}
.problem{padding:13px 14px;gap:2px 10px}
.problem .about{grid-column:2/4;grid-row:2}
.legend{padding:13px 14px 0}.chart{padding:8px 18px 14px 14px}
.row{grid-template-columns:minmax(0,1fr) auto;gap:0 12px;padding-top:8px}
.row>svg,.row>.blank{grid-column:1/3}.row>svg{grid-row:2;height:28px}
.row.axis{padding-top:0}.row.axis>svg{grid-row:1}.row.axis>.blank,.row.count-row>.blank{display:none}
.row.head h3{grid-column:1/3}.row .name span{display:none}
table,tbody{display:block}thead{display:none}
tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:3px 12px;padding:12px 14px;border-bottom:1px solid var(--line)}
tbody tr:last-child{border-bottom:0}
td,td:first-child,td:last-child{display:block;padding:0;border:0}
td.service{grid-column:1;grid-row:2}td.status{grid-column:2;grid-row:1}td.time{grid-column:1/3}td.result{grid-column:1/3}
td.time:empty,td.result:empty{display:none}
details>summary{padding:13px 14px}
}
@media print{
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
main,footer{max-width:none;padding-left:0;padding-right:0}main{padding-top:0}
.card,.problem,.row,tr{break-inside:avoid}.card:has(table),.card:has(.row){break-inside:auto}
thead{display:table-header-group}
h2{break-after:avoid}
}
"""
)

CHECK = '<path class="cut" d="M-3.4 .2l2.3 2.4 4.5-4.8"/>'
CROSS = '<path class="cut" d="M-2.6-2.6l5.2 5.2m0-5.2l-5.2 5.2"/>'
SHAPES = {
    "succeeded": ("good", '<circle class="edge" r="7"/>' + CHECK),
    "failed": ("bad", '<path class="edge" d="M-3.3-7.4h6.6l4.1 4.1v6.6l-4.1 4.1h-6.6l-4.1-4.1v-6.6z"/>' + CROSS),
    "partial": ("bad", '<circle class="edge" r="7"/><path class="cut" d="M0-4.6v9.2"/>'),
    "canceled": (
        "bad",
        '<rect class="edge" x="-6.4" y="-6.4" width="12.8" height="12.8" rx="2"/><path class="cut" d="M-3 0h6"/>',
    ),
    "late": ("late", '<path class="edge" d="M-6-7l12 7-12 7z"/>'),
    "lost": ("bad", '<path class="edge" d="M0-8l8 8-8 8-8-8z"/><path class="cut" d="M0-3.4v3.8m0 2.6v.1"/>'),
    "unfinished": ("open", '<path class="edge" d="M-5-6.4l10 6.4-10 6.4 2.6-6.4z"/>'),
}
"""Colour and form of what stands at the end of a bar, around the point 0,0."""

SHAPE_OF = {
    "timed_out": "late",
    "stalled": "late",
    "not_found": "lost",
    "error": "lost",
    "not_started": "lost",
    "uncertain": "lost",
    "unknown": "lost",
    "pending": "unfinished",
    "running": "unfinished",
}
"""The shape of each status and outcome that has none under its own name."""

PATTERNS = (
    '<pattern id="pending" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path class="hatch" d="M1 0v6" stroke-width="1.5"/></pattern>'
    '<pattern id="paused" width="7" height="10" patternUnits="userSpaceOnUse">'
    '<path class="hatch" d="M1.5 2v6M4 2v6" stroke-width="1.5"/></pattern>'
    '<pattern id="crossed" width="6" height="6" patternUnits="userSpaceOnUse"><path class="m-bad" d="M0 0h6v6h-6z"/>'
    '<path class="cut thin" d="M0 0l6 6m0-6l-6 6"/></pattern>'
    '<pattern id="unknown" width="5" height="5" patternUnits="userSpaceOnUse"><circle class="dot" cx="2" cy="2" r="1"/>'
    "</pattern>"
)


def shape_of(word: str) -> str:
    """Returns the name of the shape for a status or an outcome."""
    return SHAPE_OF.get(word, word if word in SHAPES else "unfinished")


def tone_of(word: str, *, is_good: bool) -> str:
    """Returns ``good``, ``bad``, ``late`` or ``open`` for the colour of a status or an outcome.

    :param is_good: whether it satisfied the wait, as ``partial`` can.
    """
    return "good" if is_good else SHAPES[shape_of(word)][0]


def shape(word: str, *, is_good: bool = False) -> str:
    """Returns the SVG element of the shape for a status or an outcome."""
    return f'<use href="#{shape_of(word)}" class="m-{tone_of(word, is_good=is_good)}"/>'


def symbols() -> str:
    """Returns the hidden SVG with the patterns and shapes that the pictures refer to."""
    shapes = "".join(f'<g id="{name}">{form}</g>' for name, (dummy, form) in SHAPES.items())
    return f'<svg class="symbols" aria-hidden="true"><defs>{PATTERNS}{shapes}</defs></svg>'


__all__ = ["SHAPES", "STYLE", "shape", "shape_of", "symbols", "tone_of"]
