export const style = `
.stage { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.models { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
@media (min-width: 56rem) { .stage { grid-template-columns: 19rem minmax(0, 1fr); } }
@media (min-width: 40rem) { .models { grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); } }
.drop { display: grid; place-items: center; gap: 0.6rem; min-height: 14rem; padding: 0.8rem; border: 2px dashed var(--line); border-radius: 12px; background: var(--card); text-align: center; cursor: pointer; }
.drop:hover, .drop.over, .drop:focus-within { border-color: var(--accent); }
.drop input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.drop canvas { width: 100%; max-height: 17rem; object-fit: contain; border-radius: 8px; }
.give .controls label { white-space: nowrap; }
.samples { display: flex; flex-wrap: wrap; gap: 0.5rem; margin: 0.6rem 0 0; }
.samples button { padding: 0; border: 2px solid var(--line); border-radius: 8px; background: none; line-height: 0; }
.samples button:hover { border-color: var(--accent); }
.samples img { width: 3.4rem; height: 3.4rem; object-fit: cover; border-radius: 6px; }
.texts { display: block; margin: 0.8rem 0 0; color: var(--quiet); font-size: 0.9rem; }
.texts textarea { display: block; width: 100%; margin: 0.3rem 0 0; padding: 0.5rem; border: 1px solid var(--line); border-radius: 8px; background: var(--ground); color: var(--ink); font: inherit; resize: vertical; }
button { padding: 0.4rem 0.8rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; cursor: pointer; }
button:disabled, select:disabled { opacity: 0.5; cursor: default; }
.status { min-height: 1.5em; margin: 0.6rem 0 0.3rem; overflow-wrap: anywhere; }
.status.trouble { color: var(--bad); }
progress { width: 100%; height: 0.5rem; accent-color: var(--accent); }
.model { display: flex; flex-direction: column; gap: 0.7rem; margin: 0; }
.model h2 { margin: 0; }
.model .lead { margin: 0.1rem 0 0; overflow-wrap: anywhere; white-space: pre-line; }
.model dl { grid-template-columns: repeat(2, minmax(0, 1fr)); margin: 0; gap: 0.5rem 1rem; }
.model dt { color: var(--quiet); font-size: 0.8rem; }
.model dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.answers { display: grid; gap: 0.5rem; margin: 0; padding: 0; list-style: none; }
.answers li { display: grid; grid-template-columns: minmax(0, 1fr) max-content; gap: 0 0.6rem; }
.answers .name { overflow-wrap: anywhere; }
.answers .percent { font-variant-numeric: tabular-nums; }
.answers li:first-child { font-weight: 600; }
.answers .bar { grid-column: 1 / -1; height: 0.5rem; border-radius: 4px; background: var(--line); overflow: hidden; }
.answers .bar div { height: 100%; border-radius: 4px; background: var(--quiet); }
.answers li:first-child .bar div { background: var(--accent); }
.empty { color: var(--quiet); }
`;
