import { commands } from '../src/cli';
import { flagsOf } from '../src/arguments/flag';
import { parseArguments } from '../src/arguments/parse';

async function helpOf(args: readonly string[], columns?: number): Promise<string> {
  const request = await parseArguments([...args, '--help'], commands, { version: '0', columns });
  if (request.kind !== 'text') throw new Error('expected a text');
  return request.text;
}

it('a group of commands lists all of its own, by both words', async () => {
  const text = await helpOf(['ticket']);
  for (const name of ['find', 'train', 'transfer', 'overlap']) expect(text).toContain(`ticket ${name}`);
  expect(text).not.toContain('compress');
});

it('lists every command', async () => {
  const text = await helpOf([]);
  for (const { name } of commands) expect(text).toContain(`  ${name} `);
});

it.each([60, 80])('is no wider than a terminal of %s columns, and breaks between words', async (columns) => {
  const words = commands.flatMap(({ summary }) => summary.split(' '));
  const text = await helpOf([], columns);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
  for (const word of words) expect(text).toContain(word);
  const ofTrain = await helpOf(['train'], columns);
  const train = commands.find(({ name }) => name === 'train');
  const descriptions = flagsOf(train?.groups({}) ?? []).flatMap(({ field }) => field.description.split(' '));
  for (const word of descriptions) expect(ofTrain).toContain(word);
  for (const line of ofTrain.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
});
