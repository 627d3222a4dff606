import { type Html, html } from '../html';

/** A row of a table: the first cell is its heading. */
export interface TableRow {
  readonly cells: readonly (string | Html)[];
  /** Its class. */
  readonly kind?: string;
}

/**
 * A table with named columns. On a narrow screen every row stands by itself, with the names of the columns before its values;
 * what is wider than the screen all the same, a long name say, scrolls by itself, with the keyboard as well.
 */
export function tableOf(caption: string, head: readonly string[], rows: readonly TableRow[]): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ cells: [first = '', ...more], kind = '' }) =>
            html`<tr class="${kind}">
              <th scope="row">${first}</th>
              ${more.map((cell, place) => html`<td data-label="${head[place + 1] ?? ''}">${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
