/** A command as it was given, for a shell: `winnow compare quick --out 'my runs'`. */
export const commandLine = (args: readonly string[]): string => ['winnow', ...args].map(quoted).join(' ');

const quoted = (word: string): string =>
  /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
