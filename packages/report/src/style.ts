export const style = `
:root { color-scheme: light dark; --ground: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --quiet: #57606a; --line: #d0d7de; --accent: #0b63b0; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1317; --card: #171c22; --ink: #e6e9ed; --quiet: #9aa5b1; --line: #323a44; --accent: #6cb4ff; --bad: #ff8a7a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0.5rem 0 0; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 2.2rem 0 0.6rem; font-size: 1.25rem; }
h3 { margin: 0.2rem 0 0.6rem; font-size: 1.05rem; }
a { color: var(--accent); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; padding: 0; list-style: none; }
p.lead, small, figcaption { color: var(--quiet); }
details.remark { margin: 0 0 1rem; overflow-wrap: anywhere; }
.remark { padding: 0.4rem 0.8rem; border-left: 4px solid var(--bad); background: var(--card); }
.card { margin: 0 0 1rem; padding: 0.8rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.controls { display: flex; flex-wrap: wrap; gap: 0.6rem 1.2rem; margin: 0 0 0.6rem; }
.controls label { display: flex; gap: 0.4rem; align-items: center; }
select { padding: 0.3rem; border: 1px solid var(--line); border-radius: 6px; background: var(--ground); color: var(--ink); font: inherit; max-width: 60vw; }
.chart { width: 100%; height: 26rem; }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
.maps .chart { height: 15rem; }
.matrices { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 32rem), 1fr)); gap: 1rem; }
figure { margin: 0; }
.scroll { overflow-x: auto; }
.scroll + .scroll { margin-top: 1rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { padding: 0.2rem 0; text-align: left; color: var(--quiet); }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; vertical-align: top; }
thead th { white-space: normal; vertical-align: bottom; }
th[scope='row'], thead th:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; }
td { overflow-wrap: anywhere; }
td pre { text-align: left; }
tr.dense th, tr.control th { font-weight: 400; }
tr.failed th, tr.failed td { color: var(--bad); text-align: left; }
tr.decided td { font-weight: 600; }
details { margin: 0.6rem 0 0; }
summary { cursor: pointer; color: var(--accent); }
pre { margin: 0; overflow-x: auto; white-space: pre-wrap; font-size: 0.85rem; }
section#environment pre { padding: 0.6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.advice p { margin: 0.2rem 0; }
.advice p:first-child { font-size: 1.1rem; }
.note { color: var(--quiet); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
.pictures figure { display: flex; flex-direction: column; gap: 0.3rem; }
.pictures img { width: 100%; max-width: 10rem; aspect-ratio: 1; object-fit: contain; border: 1px solid var(--line); image-rendering: auto; }
.pairs { grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0.6rem; }
.boxed { position: relative; }
.boxed img { display: block; width: 100%; max-width: none; aspect-ratio: auto; border: 0; }
.boxed span { position: absolute; border: 2px solid #d02090; }
.boxed span.right { border: 2px dashed #ffffff; outline: 1px dashed #000000; }
.boxed i { position: absolute; left: -2px; top: 100%; white-space: nowrap; padding: 0 0.2rem; background: #d02090; color: #ffffff; font: 0.65rem/1.3 system-ui, sans-serif; }
.boxed i.above { top: auto; bottom: 100%; }
@media (max-width: 48rem) {
  table, tbody, tr, th, td { display: block; }
  caption { display: block; white-space: normal; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  th[scope='row'] { padding: 0 0 0.2rem; border: 0; font-weight: 600; }
  tr.dense th, tr.control th { font-weight: 600; }
  td { display: flex; justify-content: space-between; gap: 1rem; padding: 0.1rem 0; border: 0; white-space: normal; text-align: right; }
  td:empty { display: none; }
  td::before { content: attr(data-label); color: var(--quiet); text-align: left; }
}
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin: 0 0 0.4rem; } .chart { height: 22rem; } }
`;
