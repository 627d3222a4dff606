import signatures from '../addon/signatures.json';

/** The kinds of arguments of each operation, in order: a letter each. Set-up compiles the same table into the addon. */
export const declared: Readonly<Record<string, string>> = signatures.arguments;

const kinds: Readonly<Record<string, string>> = signatures.kinds;

/** Compares arguments, as they are written, with the signature of their operation. One serves all calls, in turn. */
export class SignatureCursor {
  #operation = '';
  #kinds = '';
  #next = 0;
  #group = 0;
  #rounds = 0;

  /** @throws {Error} for an operation that is not declared. */
  begin(operation: string): void {
    const found = declared[operation];
    if (found === undefined) throw new Error(`expected an operation of signatures.json, got ${operation}`);
    this.#operation = operation;
    this.#kinds = found;
    this.#next = 0;
    this.#rounds = 0;
  }

  /** @throws {Error} when another kind of argument comes next. */
  take(kind: string): void {
    if (this.#kinds[this.#next] === ']') this.#repeat();
    if (this.#kinds[this.#next] !== kind) throw this.#mismatch(kinds[kind] ?? kind);
    this.#next++;
  }

  /** Begins a group of arguments that is there so many times. */
  takeGroup(count: number): void {
    this.take('[');
    this.#group = this.#next;
    this.#rounds = count;
    if (count === 0) this.#next = this.#kinds.indexOf(']', this.#next) + 1;
  }

  /** @throws {Error} when arguments are missing. */
  end(): void {
    if (this.#kinds[this.#next] === ']') this.#repeat();
    if (this.#next !== this.#kinds.length) throw this.#mismatch('no more');
  }

  /** Does other work on another operation, and goes on where this one stood. */
  interruptedBy<Result>(work: () => Result): Result {
    const before = [this.#operation, this.#kinds, this.#next, this.#group, this.#rounds] as const;
    try {
      return work();
    } finally {
      [this.#operation, this.#kinds, this.#next, this.#group, this.#rounds] = before;
    }
  }

  #repeat(): void {
    this.#rounds--;
    this.#next = this.#rounds > 0 ? this.#group : this.#next + 1;
  }

  #mismatch(got: string): Error {
    const next = this.#kinds[this.#next];
    const expected = next === undefined ? 'no more arguments' : (kinds[next] ?? next);
    return new Error(
      `signatures.json says ${this.#kinds} of the arguments of ${this.#operation}: expected ${expected}, got ${got}`,
    );
  }
}
