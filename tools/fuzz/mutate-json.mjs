import { atMost, hostileJson, hostileKeys, hostileNumbers, hostileTexts } from './hostile.mjs';

const RAW = '\u0001raw\u0001';
const MANY = 5000;

/** Every place in a tree: what holds it and its key; the root is held by an object of one. */
function placesOf(holder) {
  const places = [];
  const visit = (parent) => {
    for (const key of Object.keys(parent)) {
      places.push([parent, key]);
      const value = parent[key];
      if (typeof value === 'object' && value !== null) visit(value);
    }
  };
  visit(holder);
  return places;
}

/** Not an assignment, which would set the prototype. */
const put = (parent, key, value) =>
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function hostileValue(random, canary) {
  const drawn = random.below(10);
  if (drawn < 3) return random.pick(hostileNumbers);
  if (drawn < 6) return random.pick(hostileTexts(canary));
  if (drawn < 7) return `${RAW}${random.below(hostileJson.length)}`;
  return random.pick([null, true, false, [], {}, [[]], [null], { a: 1 }, ['x'], [1, 2, 3]]);
}

function mutateNumber(random, value) {
  return random.pick([
    value + 1,
    value - 1,
    -value,
    value * 2,
    value / 2,
    value * 1e6,
    value + 0.5,
    String(value),
    0,
  ]);
}

const ways = [
  (random, [parent, key], canary) => put(parent, key, hostileValue(random, canary)),
  (random, [parent, key], canary) =>
    put(
      parent,
      key,
      typeof parent[key] === 'number' ? mutateNumber(random, parent[key]) : hostileValue(random, canary),
    ),
  (_random, [parent, key]) => {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else Reflect.deleteProperty(parent, key);
  },
  (random, [parent, key], canary) => {
    const value = parent[key];
    const name = random.pick(hostileKeys);
    if (isObject(value)) put(value, name, hostileValue(random, canary));
    else if (!Array.isArray(parent)) put(parent, name, hostileValue(random, canary));
    else parent.push(hostileValue(random, canary));
  },
  (random, [parent, key]) => {
    if (Array.isArray(parent)) parent.reverse();
    else {
      const value = parent[key];
      Reflect.deleteProperty(parent, key);
      put(parent, random.chance(0.5) ? `${key}x` : random.pick(hostileKeys), value);
    }
  },
  (random, [parent, key], _canary, places) => {
    const [other, otherKey] = random.pick(places);
    const value = structuredClone(other[otherKey]);
    put(parent, key, value);
  },
  (random, [parent, key]) => {
    const value = parent[key];
    if (Array.isArray(value))
      put(
        parent,
        key,
        Array.from(
          { length: atMost(random.pick([0, 1, 2, MANY]), JSON.stringify(value[0] ?? 0).length) },
          () => value[0] ?? 0,
        ),
      );
    else if (typeof value === 'string')
      put(
        parent,
        key,
        random.pick(['', value.repeat(atMost(MANY, value.length)), value.slice(1), ` ${value} `]),
      );
    else put(parent, key, [value]);
  },
];

/** Changes some values of a tree of JSON, in its own words. @returns {string} JSON text. */
export function mutateTree(random, tree, canary) {
  const holder = { root: tree };
  for (let left = 1 + (random.chance(0.6) ? 0 : random.below(4)); left > 0; left--) {
    const places = placesOf(holder);
    if (places.length === 0) break;
    random.pick(ways)(random, random.pick(places), canary, places);
  }
  const text = JSON.stringify(holder.root, undefined, random.pick([undefined, 2])) ?? 'null';
  // Values that are text beyond JSON stand in the tree as marks.
  return text.replaceAll(/"\\u0001raw\\u0001(\d+)"/g, (_, index) => hostileJson[Number(index)]);
}

const texts = [
  (text) => `\ufeff${text}`,
  (text) => Buffer.from(text, 'utf16le'),
  (text) => `${text}\n${text}`,
  (text) => text.replaceAll(':', '='),
  (text) => text.replace(/\}\s*$/, ',}'),
  (text) => text.replaceAll('"', "'"),
  (text) => `/* ${text}`,
  (text) =>
    Buffer.concat([
      Buffer.from(text.slice(0, text.length / 2)),
      Buffer.from([0xc3, 0x28]),
      Buffer.from(text.slice(text.length / 2)),
    ]),
  () => 'null',
  () => '[]',
  () => '{}',
  () => '""',
  () => ' ',
];

/** Changes JSON text, mostly so that it stays JSON. */
export function mutateJson(random, bytes, canary) {
  const text = bytes.toString('utf8');
  if (random.chance(0.1)) return Buffer.from(random.pick(texts)(text));
  if (random.chance(0.05)) return Buffer.from(random.pick(hostileJson));
  return Buffer.from(mutateTree(random, JSON.parse(text), canary));
}
