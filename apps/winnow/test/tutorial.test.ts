import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { inTemporaryFolder } from '@winnow/testkit';
import { winnow } from './terminal';

const text = readFileSync(fileURLToPath(new URL('../../../docs/tutorial.md', import.meta.url)), 'utf8');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map(([, block = '']) => block);

test('every command of the tutorial works in an empty folder, in its order', async () => {
  await inTemporaryFolder(async (folder) => {
    const here = process.cwd();
    process.chdir(folder);
    try {
      const [config = ''] = blocks('yaml');
      writeFileSync('comparison.yaml', config);
      const lines = blocks('bash').flatMap((block) => block.trimEnd().split('\n'));
      expect(lines).toHaveLength(5);
      for (const line of lines) {
        const { code, stderr } = await winnow(line.replace(/^winnow /, '').split(' '));
        if (code !== 0) throw new Error(`${line} ended with ${code}:\n${stderr}`);
      }
      const left = [
        'report.html',
        'results.duckdb',
        'runs.csv',
        'summary.csv',
        'results.json',
        'tensorboard',
      ];
      for (const name of left)
        expect([name, existsSync(resolve('runs/comparison', name))]).toEqual([name, true]);
      expect(existsSync('runs/half/report.html')).toBe(true);

      const instance = await DuckDBInstance.create('runs/comparison/results.duckdb', {
        access_mode: 'READ_ONLY',
      });
      const connection = await instance.connect();
      const answer = await connection.runAndReadAll(blocks('sql')[0] ?? '');
      expect(new Set(answer.getRowObjectsJson().map(({ label }) => label))).toEqual(
        new Set([
          'upop',
          'magnitude, in rounds',
          'dense, trained on',
          'random',
          'magnitude, at once',
          'small, from scratch',
        ]),
      );
      connection.closeSync();
      instance.closeSync();
    } finally {
      process.chdir(here);
    }
  });
}, 600_000);
