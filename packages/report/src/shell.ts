import { readFileSync } from 'node:fs';
import { type Html, html, jsonScript } from './html';
import type { Provenance } from './page-data';
import { style } from './style';

/** The element that holds the page's data. */
const DATA_ID = 'data';

/** A section of a page, by the anchor that leads to it. */
export interface PagePart {
  readonly id: string;
  readonly name: string;
  readonly section: Html;
}

/**
 * One page with everything in it: it opens from a disk, without a network. Its tables need no script.
 * @param data What the page's script draws from.
 * @throws {Error} when this package has not been built: the charts are bundled then.
 */
export function pageOf(
  { title, summary, remarks }: Pick<Provenance, 'title' | 'summary' | 'remarks'>,
  parts: readonly PagePart[],
  data: unknown,
): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
        />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${{ html: style }}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="lead">${summary}</p>
          ${remarks.map(remarkOf)}
          <nav aria-label="Parts of the page">
            <ul>
              ${parts.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main>${parts.map(({ section }) => section)}</main>
        <noscript><p>Charts need JavaScript; the tables have all numbers.</p></noscript>
        ${jsonScript(DATA_ID, data)}
        <script>
          ${{ html: clientScript() }};
        </script>
      </body>
    </html> `;
  return page.html;
}

/** Longer remarks have details, after a colon, that open when they are asked for: hashes say nothing to most. */
const LONG_REMARK = 160;

function remarkOf(remark: string): Html {
  const colon = remark.indexOf(': ');
  return colon === -1 || remark.length < LONG_REMARK
    ? html`<p class="remark" role="note">${remark}</p>`
    : html`<details class="remark" role="note">
        <summary>${remark.slice(0, colon)}</summary>
        ${remark.slice(colon + 2)}
      </details>`;
}

/**
 * Reads the script that draws the charts, as this package's build leaves it: this module lies one folder below the
 * package's root.
 */
function clientScript(): string {
  const text = readFileSync(new URL('../dist/page.js', import.meta.url), 'utf8');
  // A script in a page ends at the first such text, wherever it stands.
  return text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
}
