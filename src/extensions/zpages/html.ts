/** Plain tables, readable without style sheets and scripts. */

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Cells are text; links are given by `link`. */
export type Cell = string | { readonly html: string };

export const link = (href: string, text: string): Cell => ({
  html: `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`,
});

export function htmlTable(heading: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = (one: Cell): string => (typeof one === 'string' ? escapeHtml(one) : one.html);
  const line = (tag: string, cells: readonly Cell[]): string =>
    `<tr>${cells.map((one) => `<${tag}>${cell(one)}</${tag}>`).join('')}</tr>\n`;
  return `<table border="1" cellpadding="4">\n${line('th', heading)}${rows.map((row) => line('td', row)).join('')}</table>\n`;
}

export const htmlPage = (title: string, content: string): string =>
  `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>\n` +
  `<body>\n<h1>${escapeHtml(title)}</h1>\n${content}</body></html>\n`;
