import { type Html, html, jsonScript, style as commonStyle } from '@winnow/report';
import type { DemoData } from './demo-data';
import { style } from './style';

/**
 * The page of a demonstration, which loads its scripts from beside it and nothing from elsewhere: its policy forbids it.
 * A browser opens it from a disk.
 */
export function demoPage(data: DemoData): string {
  const { title, by, names } = data;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
        />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${{ html: commonStyle + style }}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="lead" id="claim"></p>
        </header>
        <main>
          <div class="stage">
            <section class="give" aria-label="Picture">
              <label class="drop" id="drop">
                <input type="file" id="file" accept="image/*" disabled />
                <canvas id="preview" hidden></canvas>
                <span id="invitation"><strong>Drop a picture here</strong>, paste one, or choose a file</span>
              </label>
              <div class="samples" id="samples"></div>
              ${by === 'texts' ? textsField(names) : html``}
              <p class="status" id="status" role="status">Loading …</p>
              <progress id="progress" max="1" value="0" aria-label="Loading"></progress>
              <div class="controls">
                <label
                  >Runs on
                  <select id="backend" disabled></select>
                </label>
                <button id="measure" type="button" disabled>Measure times</button>
              </div>
              <p class="note" id="timing" role="status"></p>
            </section>
            <div class="models" id="models"></div>
          </div>
          <p class="note">
            Everything happens on this device: the picture is sent nowhere, and nothing is fetched.
          </p>
        </main>
        <noscript><p>This page runs its models by JavaScript.</p></noscript>
        ${jsonScript('data', data)}
        <script src="demo.js"></script>
      </body>
    </html> `;
  return page.html;
}

const textsField = (texts: readonly string[]): Html =>
  html`<label class="texts"
    >Texts to tell it apart by, one a line
    <textarea id="texts" rows="5" spellcheck="false" disabled>${texts.join('\n')}</textarea>
  </label>`;
